"""Recurrent layers on a CPU through C++ kernels: the graph around them, and gradients.

x W, and the gradients of W, U and x, are one matrix product each over all steps of all
rows, by TensorFlow; the kernels (native/) walk through time. A mask is taken out before
and put back after, so padding costs nothing, whatever its place. float32 alone.

The operations check what they are given and answer InvalidArgument; what Keras
broadcasts is broadcast before (recurrent_shapes.py).

Shapes: B batch, T time steps, F features, U units, N steps that count, G gates.
"""

import os
from typing import TypeAlias

import tensorflow as tf

from keras_seq.layers import recurrent_steps
from keras_seq.layers.native_build import operations
from keras_seq.layers.recurrent_shapes import fitted, sizes

Tensor: TypeAlias = tf.Tensor
CELLS = {"lstm": "KerasSeqLstm", "gru": "KerasSeqGru", "simple": "KerasSeqSimple"}


def run(
    cell: str,
    x: Tensor,
    mask: Tensor | None,
    states: list[Tensor],
    weights: tuple[Tensor, Tensor, Tensor | None],
    *,
    go_backwards: bool = False,
    return_sequences: bool = False,
    zero_output_for_mask: bool = False,
    training: bool = False,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """A layer's inner loop, with Keras' meaning of masks and of reading backwards.

    Args:
        cell: "lstm", "gru" (reset_after) or "simple" (tanh).
        x: float32 (B, T, F).
        mask: bool (B, T); None: every step counts.
        states: initial h (B, U), and c for an LSTM.
        weights: kernel (F, G U), recurrent kernel (U, G U), and bias as in Keras.
        go_backwards: read from the end; outputs stand in the order of reading.
        return_sequences: outputs of all steps are wanted.
        zero_output_for_mask: masked steps answer 0, not what came before.
        training: gradients will be asked for, so what they need is kept.

    Returns:
        Last output (B, U), outputs (B, T, U) or (B, 1, U), last states.
    """
    ops = operations()
    kernel, recurrent, bias = weights
    units = recurrent.shape[0]
    x, mask, states = fitted(x, mask, states, units)
    rows, steps, features = sizes(x)
    flat = tf.reshape(x, [rows * steps, features])
    if mask is None:
        starts = ops.keras_seq_starts(shape=tf.shape(x))
        starts.set_shape([None])
    else:
        numbers, starts = ops.keras_seq_plan(mask=mask)
        numbers.set_shape([None])
        starts.set_shape([None])
        flat = ops.keras_seq_gather(source=flat, numbers=numbers)
        flat.set_shape([None, x.shape[2]])  # (N, F)
    if bias is None:
        gates = recurrent.shape[1]
        bias = tf.zeros([2, gates] if cell == "gru" else [gates])
    h_all, h, c, _, _ = _forward(cell)(
        inputs=tf.matmul(flat, kernel),
        recurrent=recurrent,
        bias=bias,
        h0=states[0],
        c0=states[-1],
        starts=starts,
        source=flat,
        kernel=kernel,
        backwards=go_backwards,
        keep=training,
        sequences=return_sequences,
        threads=threads(),
    )
    h_all.set_shape([None, units])
    new_states = [h, c] if cell == "lstm" else [h]
    for state in new_states:
        state.set_shape([x.shape[0], units])
    last = h
    if mask is not None:
        # A row of masked steps alone answers 0, and keeps its state.
        answers = starts[1:] > starts[:-1]
        if zero_output_for_mask:
            answers = mask[:, 0] if go_backwards else mask[:, -1]
        last = tf.where(answers[:, None], h, 0.0)
    if not return_sequences:
        return last, last[:, None], new_states
    if mask is None:
        outputs = tf.reshape(h_all, [rows, steps, units])
        if go_backwards:
            outputs = tf.reverse(outputs, [1])
    else:
        outputs = ops.keras_seq_unpack(
            packed=h_all,
            mask=mask,
            starts=starts,
            backwards=go_backwards,
            flip=False,
            zero=zero_output_for_mask,
        )
    outputs.set_shape([x.shape[0], x.shape[1], units])
    return last, outputs, new_states


def threads() -> int:
    """How many TensorFlow itself would use for one operation."""
    asked = tf.config.threading.get_intra_op_parallelism_threads()
    asked = asked or int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0)
    if asked or not hasattr(os, "sched_getaffinity"):
        return asked or os.cpu_count() or 1
    return len(os.sched_getaffinity(0))


def _forward(cell: str):
    return getattr(operations(), f"keras_seq_{cell}")


def _gradient_of_cell(op, dh_all, dh_last, dc_last, _, __) -> list[Tensor | None]:
    """Of inputs, recurrent, bias, h0, c0 and starts; source and kernel only explain."""
    inputs, recurrent, bias, h0, c0, starts, source, kernel = op.inputs
    backwards, count = op.get_attr("backwards"), op.get_attr("threads")
    sequences = op.get_attr("sequences")
    cell = next(name for name, kind in CELLS.items() if kind == op.type)
    h_all, _, _, gates, c_all = op.outputs
    if not op.get_attr("keep"):  # not traced for training: read once more
        h_all, _, _, gates, c_all = _forward(cell)(
            *op.inputs, backwards=backwards, keep=True, sequences=True, threads=count
        )
    units = recurrent.shape[0]
    dx, dr, h_before, dh0, dc0, db = getattr(operations(), f"keras_seq_{cell}_back")(
        source=source,
        kernel=kernel,
        recurrent=recurrent,
        bias=bias,
        h0=h0,
        c0=c0,
        starts=starts,
        h_all=h_all,
        gates=gates,
        c_all=c_all,
        dh_all=dh_all if sequences else tf.zeros([0, units]),
        dh_last=dh_last,
        dc_last=dc_last,
        backwards=backwards,
        sequences=sequences,
        threads=count,
    )
    h_before.set_shape([None, units])
    sums = dr if cell == "gru" else dx
    for tensor in (dx, sums):
        tensor.set_shape([None, recurrent.shape[1]])
    for tensor in (dh0, dc0):
        tensor.set_shape([None, units])
    du = tf.matmul(h_before, sums, transpose_a=True)
    dc0 = dc0 if cell == "lstm" else None
    return [dx, du, tf.reshape(db, bias.shape), dh0, dc0, None, None, None]


def _gradient_of_gradient(op, *upstream: Tensor) -> list[Tensor | None]:
    """Through Keras' own steps: seldom asked for, and as slow as they are.

    What the forward kernel kept (h_all, gates, c_all) follows from the other inputs,
    and so does its part in the gradient.
    """
    # Copies: one tensor may be given twice, and its two gradients differ.
    made_of = [tf.identity(tensor) for tensor in op.inputs[:6]]
    starts, wanted = op.inputs[6], [tf.identity(tensor) for tensor in op.inputs[10:]]
    cell = next(name for name, kind in CELLS.items() if f"{kind}Back" == op.type)
    with tf.GradientTape() as tape:
        tape.watch([*made_of, *wanted])
        outputs = recurrent_steps.gradients(
            cell,
            made_of,
            starts,
            wanted,
            backwards=op.get_attr("backwards"),
            sequences=op.get_attr("sequences"),
        )
    pairs = [pair for pair in zip(outputs, upstream) if pair[0] is not None]
    found = tape.gradient(
        [output for output, _ in pairs],
        [*made_of, *wanted],
        [gradient for _, gradient in pairs],
    )
    return [*found[:6], None, None, None, None, *found[6:]]


for _kind in CELLS.values():
    tf.RegisterGradient(_kind)(_gradient_of_cell)
    tf.RegisterGradient(f"{_kind}Back")(_gradient_of_gradient)
for _kind in ("KerasSeqFit", "KerasSeqStarts", "KerasSeqPlan"):
    tf.no_gradient(_kind)


@tf.RegisterGradient("KerasSeqGather")
def _gradient_of_gather(op, packed: Tensor) -> list[Tensor | None]:
    source, numbers = op.inputs
    whole = operations().keras_seq_scatter(
        packed=packed, numbers=numbers, size=tf.shape(source)[0]
    )
    whole.set_shape(source.shape)
    return [whole, None]


@tf.RegisterGradient("KerasSeqUnpack")
def _gradient_of_unpack(op, whole: Tensor) -> list[Tensor | None]:
    packed, mask, starts = op.inputs
    given = {name: op.get_attr(name) for name in ("backwards", "flip", "zero")}
    numbers = tf.range(tf.shape(packed)[0])
    gradient = operations().keras_seq_unpack_back(
        whole=whole, mask=mask, starts=starts, numbers=numbers, **given
    )
    gradient.set_shape(packed.shape)
    return [gradient, None, None]


@tf.RegisterGradient("KerasSeqScatter")
def _gradient_of_scatter(op, whole: Tensor) -> list[Tensor | None]:
    packed, numbers, _ = op.inputs
    gradient = operations().keras_seq_gather(source=whole, numbers=numbers)
    gradient.set_shape(packed.shape)
    return [gradient, None, None]


@tf.RegisterGradient("KerasSeqUnpackBack")
def _gradient_of_unpack_back(op, packed: Tensor) -> list[Tensor | None]:
    whole, mask, starts, _ = op.inputs
    given = {name: op.get_attr(name) for name in ("backwards", "flip", "zero")}
    gradient = operations().keras_seq_unpack(
        packed=packed, mask=mask, starts=starts, **given
    )
    gradient.set_shape(whole.shape)
    return [gradient, None, None, None]
