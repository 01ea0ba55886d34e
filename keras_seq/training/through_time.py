"""How far a recurrent layer looks back: gradients at every step, gates that are stuck.

Works on any Keras layer with a cell, such as SimpleRNN, LSTM and GRU, also inside
Bidirectional; is independent of tasks. The layer is walked step by step, so that each
state can be asked for its gradient; this is for looking, not for training.

Shapes: B batch, T time steps, F features, U units.
"""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_seq.keras_internals import flatten_layers

LOW, HIGH = 0.1, 0.9  # a gate beyond them is nearly shut or nearly open
GATES = {
    "LSTMCell": ("input", "forget", None, "output"),
    "GRUCell": ("update", "reset"),
}


class Walk(NamedTuple):
    """What a layer did on one batch.

    Attributes:
        inputs: T times (B, F).
        before: T times (B, U), the state before each step.
        states: T times (B, U), the state after each step.
        mask: bool (B, T), or None: where a step counts.
    """

    inputs: list[tf.Tensor]
    before: list[tf.Tensor]
    states: list[tf.Tensor]
    mask: tf.Tensor | None


def gradient_by_time(
    model: keras.Model, batch: tuple[Any, Any], layer: str | None = None
) -> np.ndarray:
    """|dL/dh_k|: how much the loss depends on the state after each step.

    A curve that falls to zero towards the first steps is a gradient that vanishes: the
    layer cannot learn what the early steps mean. One that grows explodes.

    Args:
        model: compiled.
        batch: (inputs, targets).
        layer: name of a recurrent layer; None takes the first.

    Returns:
        float32 (T,), the norm over batch and units, in the order of the steps. A step
        that a mask leaves out hands its gradient on.

    Raises:
        ValueError: There is no such recurrent layer, or the loss does not depend on it.

    Example:

    >>> model = keras.Sequential([
    ...     keras.Input((3, 1)), keras.layers.SimpleRNN(1, activation="linear"),
    ...     keras.layers.Dense(1, kernel_initializer="ones")])
    >>> weights = np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)
    >>> model.layers[0].set_weights(weights)
    >>> model.compile(loss="mae")
    >>> gradient_by_time(model, (np.ones((1, 3, 1)), np.zeros((1, 1)))).tolist()
    [0.25, 0.5, 1.0]
    """
    x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
    with tf.GradientTape() as tape, walked(_recurrent(model, layer)) as walks:
        y_pred = model(tf.nest.map_structure(tf.convert_to_tensor, x), training=False)
        loss = model.compute_loss(x, tf.convert_to_tensor(y), y_pred, weights)
    found = tape.gradient(loss, walks[0].states)
    if all(gradient is None for gradient in found):
        raise ValueError("the loss does not depend on the states of that layer")
    norms = [0.0 if g is None else float(tf.norm(g)) for g in found]
    return np.array(norms, np.float32)


def gate_saturation(
    model: keras.Model, inputs: Any, layer: str | None = None
) -> dict[str, tuple[float, float]]:
    """How often each gate of an LSTM or GRU is nearly shut, and nearly open.

    A gate that always is either has stopped learning: its sigmoid is flat there.

    Args:
        model: with a layer that has gates.
        inputs: one batch.
        layer: its name; None takes the first recurrent layer.

    Returns:
        Gate to (share below 0.1, share above 0.9), over batch, steps and units;
        steps that a mask leaves out do not count.

    Raises:
        ValueError: There is no such layer, or it has no gates.

    Example:

    >>> lstm = keras.layers.LSTM(2, kernel_initializer="zeros",
    ...                          recurrent_initializer="zeros")
    >>> model = keras.Sequential([keras.Input((4, 3)), lstm])
    >>> lstm.set_weights([*lstm.get_weights()[:2], np.repeat([9.0, -9, 0, 0], 2)])
    >>> shares = gate_saturation(model, np.ones((1, 4, 3)))
    >>> shares["input"], shares["forget"], shares["output"]
    ((0.0, 1.0), (1.0, 0.0), (0.0, 0.0))
    """
    found = _recurrent(model, layer)
    kinds = [
        GATES[kind.__name__]
        for kind in type(found.cell).__mro__
        if kind.__name__ in GATES
    ]
    if not kinds:
        raise ValueError(f"layer '{found.name}' has no gates; an LSTM or a GRU has")
    with walked(found) as walks:
        model(tf.nest.map_structure(tf.convert_to_tensor, inputs), training=False)
    walk, shares = walks[0], {}
    counts = np.ones((len(walk.states), 1), bool)  # (T, B) or (T, 1)
    if walk.mask is not None:
        counts = walk.mask.numpy().T
    for number, name in enumerate(kinds[0]):
        if name is None:  # the candidate is no gate
            continue
        gate = _gate(found.cell, walk, number).numpy()  # (T, B, U)
        weights = np.broadcast_to(counts[:, :, None], gate.shape)
        low, high = (
            float((kind * weights).sum() / weights.sum())
            for kind in (gate < LOW, gate > HIGH)
        )
        shares[name] = low, high
    return shares


def _gate(cell: keras.Layer, walk: Walk, number: int) -> tf.Tensor:
    """float (T, B, U) of the gate that stands at this place of the weights."""
    units = slice(number * cell.units, (number + 1) * cell.units)
    x, h = tf.stack(walk.inputs), tf.stack(walk.before)  # (T, B, F), (T, B, U)
    z = tf.matmul(x, tf.convert_to_tensor(cell.kernel)[:, units])
    z += tf.matmul(h, tf.convert_to_tensor(cell.recurrent_kernel)[:, units])
    if cell.use_bias:
        bias = tf.convert_to_tensor(cell.bias)
        # A GRU may have one for the inputs and one for the state; both are added.
        bias = tf.reduce_sum(bias, 0) if bias.shape.rank == 2 else bias
        z += bias[units]
    return cell.recurrent_activation(z)


@contextlib.contextmanager
def walked(layer: keras.layers.RNN) -> Iterator[list[Walk]]:
    """Within the block the layer goes step by step, and each walk is kept."""
    walks: list[Walk] = []

    def call(
        sequences: tf.Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
    ) -> Any:
        mask = mask[0] if isinstance(mask, list) else mask
        state = initial_state or layer.get_initial_state(tf.shape(sequences)[0])
        state = list(tf.nest.flatten(state))
        order = list(range(sequences.shape[1]))
        if layer.go_backwards:
            order.reverse()
        walk = Walk([], [], [], mask)
        outputs: list[tf.Tensor] = []
        for step in order:
            x = sequences[:, step]
            walk.inputs.append(x)
            walk.before.append(state[0])
            output, new = layer.cell(x, state, training=training)
            new = list(tf.nest.flatten(new))
            shows_state = output is new[0]
            if mask is not None:
                present = mask[:, step, tf.newaxis]
                new = [tf.where(present, a, b) for a, b in zip(new, state)]
            # What comes after hangs on the very tensor that is asked for its gradient.
            state = [tf.identity(new[0]), *new[1:]]
            output = state[0] if shows_state else output
            if mask is not None and (layer.zero_output_for_mask or not shows_state):
                zero = layer.zero_output_for_mask or not outputs
                other = tf.zeros_like(output) if zero else outputs[-1]
                output = tf.where(present, output, other)
            walk.states.append(state[0])
            outputs.append(output)
        if layer.go_backwards:
            inputs, before, states = (part[::-1] for part in walk[:3])
            walk = Walk(inputs, before, states, mask)
        walks.append(walk)
        answer = outputs[-1]
        if layer.return_sequences:
            answer = tf.stack(outputs, axis=1)  # (B, T, U)
        return (answer, *state) if layer.return_state else answer

    layer.call = call
    try:
        yield walks
    finally:
        layer.__dict__.pop("call", None)


def _recurrent(model: keras.Model, name: str | None) -> keras.layers.RNN:
    found = [x for x in flatten_layers(model) if isinstance(x, keras.layers.RNN)]
    found = [layer for layer in found if name in (None, layer.name)]
    if not found:
        wanted = "no recurrent layer" + ("" if name is None else f" {name!r}")
        names = ", ".join(layer.name for layer in model.layers)
        raise ValueError(f"the model has {wanted}; it has: {names}")
    return found[0]
