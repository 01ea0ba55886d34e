"""The gradients of the C++ kernels once more, in TensorFlow operations alone.

Slow, but TensorFlow can differentiate it: what a second gradient, a Jacobian of a
gradient or tf.autodiff.ForwardAccumulator asks for. Steps are computed as Keras does.

Shapes: B batch, T steps of the longest row, F features, U units, N steps that count,
G gates; packed tensors have their rows end to end, in the order of time.
"""

import itertools
from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

Tensor: TypeAlias = tf.Tensor
State = tuple[Tensor, Tensor]  # h and c, both (B, U); c stands still but in an LSTM


def gradients(
    cell: str,
    made_of: Sequence[Tensor],
    starts: Tensor,
    wanted: Sequence[Tensor],
    *,
    backwards: bool,
    sequences: bool,
) -> list[Tensor | None]:
    """What the backward kernel of `cell` answers.

    Args:
        cell: "lstm", "gru" or "simple".
        made_of: source (N, F), kernel (F, G U), recurrent kernel (U, G U), bias, and
            the initial states h and c (B, U).
        starts: int32 (B + 1,), where each row starts in the packed order.
        wanted: gradients of all h (N, U), of the last h and of the last c (B, U).
        backwards: rows are read from their end.
        sequences: the gradient of all h counts.

    Returns:
        Gradients of x W (N, G U) and, for a GRU, of h U; the h that each step read
        (N, U); gradients of h, c (LSTM) and of the bias, flat.
    """
    source, kernel, recurrent, bias, h0, c0 = made_of
    c0 = c0 if cell == "lstm" else tf.zeros_like(h0)
    places = _places(starts, backwards)
    inputs = tf.matmul(source, kernel)
    added = tf.zeros_like(inputs)  # to h U, to have its gradient
    with tf.GradientTape() as tape:
        tape.watch([inputs, added, bias, h0, c0])
        all_h, before, last_h, last_c = _scan(
            cell, (inputs, added), recurrent, bias, (h0, c0), starts, places
        )
    counts = [sequences, True, cell == "lstm"]
    dx, dr, db, dh0, dc0 = tape.gradient(
        list(itertools.compress([all_h, last_h, last_c], counts)),
        [inputs, added, bias, h0, c0],
        list(itertools.compress(wanted, counts)),
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    return [
        dx,
        dr if cell == "gru" else None,
        before,
        dh0,
        dc0 if cell == "lstm" else None,
        tf.reshape(db, [-1]),
    ]


def _places(starts: Tensor, backwards: bool) -> Tensor:
    """Step, in the order of reading, and row of each packed position: int32 (N, 2)."""
    lengths = starts[1:] - starts[:-1]
    rows = tf.repeat(tf.range(tf.size(lengths)), lengths)
    steps = tf.range(tf.size(rows)) - tf.gather(starts, rows)
    if backwards:
        steps = tf.gather(lengths, rows) - 1 - steps
    return tf.stack([steps, rows], 1)


def _scan(
    cell: str,
    packed: tuple[Tensor, Tensor],
    recurrent: Tensor,
    bias: Tensor,
    initial: State,
    starts: Tensor,
    places: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """h of all steps and the h that each read, packed; the last h and c."""
    lengths = starts[1:] - starts[:-1]
    # One step where there is none: a scan of none has no shape.
    steps = tf.maximum(tf.reduce_max(lengths), 1)
    size = tf.stack([steps, tf.size(lengths), tf.shape(recurrent)[1]])
    padded = [tf.scatter_nd(places, each, size) for each in packed]  # (T, B, G U)
    counts = tf.range(steps)[:, None] < lengths  # (T, B)

    def step(state: State, given: tuple[Tensor, Tensor, Tensor]) -> State:
        inputs, added, counts = given
        sums = tf.matmul(state[0], recurrent) + added
        new = STEPS[cell](inputs, sums, bias, state)
        return tuple(tf.where(counts[:, None], *pair) for pair in zip(new, state))

    h, c = tf.scan(step, (*padded, counts), initial)  # (T, B, U)
    before = tf.concat([initial[0][None], h[:-1]], 0)
    return tf.gather_nd(h, places), tf.gather_nd(before, places), h[-1], c[-1]


def _lstm(inputs: Tensor, sums: Tensor, bias: Tensor, state: State) -> State:
    i, f, g, o = tf.split(inputs + sums + bias, 4, 1)
    c = tf.sigmoid(f) * state[1] + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def _gru(inputs: Tensor, sums: Tensor, bias: Tensor, state: State) -> State:
    xz, xr, xg = tf.split(inputs + bias[0], 3, 1)
    hz, hr, hg = tf.split(sums + bias[1], 3, 1)
    z, r = tf.sigmoid(xz + hz), tf.sigmoid(xr + hr)
    return z * state[0] + (1 - z) * tf.tanh(xg + r * hg), state[1]


def _simple(inputs: Tensor, sums: Tensor, bias: Tensor, state: State) -> State:
    return tf.tanh(inputs + sums + bias), state[1]


STEPS = {"lstm": _lstm, "gru": _gru, "simple": _simple}
