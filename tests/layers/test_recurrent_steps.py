"""Second gradients and forward mode through our layers: Keras' numbers."""

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.layers.loop import as_native_step
from tests.layers.recurrent_cases import FEATURES, PAIRS, UNITS, floats, twins

every_cell = pytest.mark.parametrize("cell", PAIRS)
MASK = np.array([[1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 1, 1]], bool)
ROWS, STEPS = MASK.shape


def inputs(cell: str) -> list[tf.Tensor]:
    """x and the initial states, none like another."""
    shapes = [(ROWS, STEPS, FEATURES)] + [(ROWS, UNITS)] * (2 if cell == "lstm" else 1)
    rng = np.random.default_rng(3)
    return [tf.constant(rng.normal(size=shape), "float32") for shape in shapes]


def loss_of(layer, x, states, mask, training=True) -> tf.Tensor:
    outputs = layer(x, mask=mask, initial_state=states, training=training)
    parts = [(n + 1.0) * tf.reduce_sum(tf.sin(y)) for n, y in enumerate(outputs)]
    return tf.add_n(parts)


def penalty_gradients(layer, x, *states, mask, training=True) -> list[tf.Tensor]:
    """Of a penalty on all gradients, as in a WGAN-GP: tape in tape."""
    weights = [weight.value for weight in layer.trainable_variables]
    with tf.GradientTape() as outer:
        outer.watch([x, *states])
        with tf.GradientTape() as inner:
            inner.watch([x, *states])
            loss = loss_of(layer, x, list(states), mask, training)
        gradients = inner.gradient(loss, [x, *states, *weights])
        penalty = tf.add_n([tf.reduce_sum(gradient**2) for gradient in gradients])
    return outer.gradient(penalty, [x, *states, *weights])


def forward_mode(layer, x, *states, mask) -> list[tf.Tensor]:
    tangents = [tf.cos(each) for each in (x, *states)]
    with tf.autodiff.ForwardAccumulator([x, *states], tangents) as accumulator:
        outputs = layer(x, mask=mask, initial_state=list(states), training=True)
    return [accumulator.jvp(output) for output in outputs]


def hessian_vector(layer, x, *states, mask) -> list[tf.Tensor]:
    """Forward mode over a tape: the Hessian times a vector."""
    weight = layer.trainable_variables[1].value
    with tf.autodiff.ForwardAccumulator(weight, tf.cos(weight)) as accumulator:
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = loss_of(layer, x, list(states), mask)
        gradients = tape.gradient(loss, [x, *layer.trainable_weights])
    return [accumulator.jvp(gradient) for gradient in gradients]


def compare(ours, stock) -> None:
    for one, other in zip(ours, stock, strict=True):
        assert np.abs(other).max() > 0
        size = max(1.0, np.abs(other).max())
        np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * size)


@every_cell
@pytest.mark.parametrize(("option", "mask"), [(0, None), (1, MASK), (2, MASK)])
def test_a_tape_in_a_tape(cell: str, option: int, mask):
    given = inputs(cell)
    ours, stock = (
        penalty_gradients(layer, *given, mask=mask) for layer in twins(cell, option)
    )
    assert twins(cell, option)[0].loop.kind == "fast"
    compare(ours, stock)


@every_cell
def test_a_tape_in_a_tape_in_a_graph(cell: str):
    ours, stock = twins(cell, 2)
    given = inputs(cell)
    traced = tf.function(
        as_native_step(lambda *given: penalty_gradients(ours, *given, mask=MASK))
    )
    compare(traced(*given), penalty_gradients(stock, *given, mask=MASK))


def test_a_tape_in_a_tape_without_training():
    given = inputs("lstm")
    ours, stock = (
        penalty_gradients(layer, *given, mask=MASK, training=False)
        for layer in twins("lstm", 3)
    )
    compare(ours, stock)


@every_cell
def test_forward_mode(cell: str):
    given = inputs(cell)
    compare(*(forward_mode(layer, *given, mask=MASK) for layer in twins(cell, 0)))


def test_forward_mode_over_a_tape():
    given = inputs("gru")
    compare(*(hessian_vector(layer, *given, mask=MASK) for layer in twins("gru", 0)))


def test_one_tensor_as_both_states():
    x, state = inputs("lstm")[:2]
    compare(
        *(
            penalty_gradients(layer, x, state, state, mask=None)
            for layer in twins("lstm", 1)
        )
    )


def test_a_jacobian():
    x = floats(2, 3, FEATURES)
    found = []
    for layer in twins("gru", 0):
        with tf.GradientTape() as tape:
            given = tf.constant(x)
            tape.watch(given)
            outputs = layer(given, training=True)[0]
        found.append(tape.jacobian(outputs, given))
    compare(found[:1], found[1:])


@every_cell
def test_rows_that_are_empty_have_second_gradients(cell: str):
    none = np.zeros((ROWS, STEPS), bool)
    layer, given = twins(cell, 0)[0], inputs(cell)
    found = penalty_gradients(layer, *given, mask=none)
    assert all(np.isfinite(each).all() for each in found)
