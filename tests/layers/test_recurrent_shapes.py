"""Shapes that do not fit our recurrent layers: broadcast or refused, as by Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.layers import GRU, LSTM
from tests.layers.recurrent_cases import (
    FEATURES,
    PAIRS,
    UNITS,
    Case,
    cases,
    difference,
    dynamic_call,
    floats,
    outcome,
    twins,
)

every_cell = pytest.mark.parametrize("cell", PAIRS)


def test_right_and_wrong_shapes_do_what_they_do_in_keras():
    found = [difference(case) for case in cases(200)]
    assert not list(filter(None, found))


@pytest.mark.slow
def test_two_thousand_shapes_do_what_they_do_in_keras():
    found = [difference(case) for case in cases(2000, seed=1)]
    assert not list(filter(None, found))


def states_of(cell: str, *shape: int) -> list[np.ndarray]:
    return [floats(*shape) + number for number in range(2 if cell == "lstm" else 1)]


BROADCAST = [  # x, mask, states
    ((3, 4), (1, 4), (3, UNITS)),
    ((3, 4), (3, 4), (1, UNITS)),
    ((1, 4), (1, 4), (3, UNITS)),
    ((1, 4), (3, 4), (1, UNITS)),
]


@every_cell
@pytest.mark.parametrize(("x", "mask", "states"), BROADCAST)
def test_one_row_serves_for_all_without_sizes_in_the_graph(cell, x, mask, states):
    given = np.random.default_rng(1).random(mask) < 0.6
    case = Case(cell, 0, floats(*x, FEATURES), given, states_of(cell, *states), True)
    assert difference(case) is None
    assert outcome(case, 0)[0].shape == (3, 4, UNITS)
    graph = dynamic_call(cell, 0, 0).get_concrete_function().graph
    kinds = {operation.type for operation in graph.get_operations()}
    assert {"KerasSeqFit", "KerasSeqPlan", "KerasSeqUnpack"} <= kinds


REFUSED = [  # x, mask, states
    ((2, 3), (2, 3), (2, 9)),
    ((2, 3), (2, 3), (5, UNITS)),
    ((2, 3), (4, 3), (2, UNITS)),
    ((2, 3), (2, 7), (2, UNITS)),
    ((2, 3), (1, 4), (2, UNITS)),
    ((2, 3), (2, 1), (2, UNITS)),
    ((2, 0), (2, 0), (2, UNITS)),
]


@every_cell
@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(("x", "mask", "states"), REFUSED)
def test_what_does_not_fit_is_refused(cell, x, mask, states, dynamic):
    given = (floats(*x, FEATURES), np.ones(mask, bool), states_of(cell, *states))
    error = outcome(Case(cell, 1, *given, dynamic), 0)
    assert isinstance(error, (ValueError, tf.errors.OpError)), error
    if dynamic and 0 not in x:
        assert str(x[0]) in str(error) and str(mask[1]) in str(error)


def test_a_mask_of_other_steps_is_named():
    x, mask = floats(2, 3, 4), np.ones((2, 5), bool)
    with pytest.raises(ValueError, match=r"\(2, 5\) does not fit .* \(2, 3, 4\)"):
        LSTM(3)(x, mask=mask)
    with pytest.raises(ValueError, match=r"\(5,\) does not fit"):
        GRU(3)(x, mask=mask[0])


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_a_decoder_with_fewer_units_than_its_encoder_is_refused(kind):
    source, target = keras.Input((None, 2)), keras.Input((None, 3))
    _, *states = kind(9, return_state=True)(source)
    model = keras.Model([source, target], kind(5)(target, initial_state=states))
    model.compile("sgd", "mse")
    given = [floats(2, 4, 2), floats(2, 3, 3)]
    refused = pytest.raises((ValueError, tf.errors.InvalidArgumentError))
    with refused:
        model(given)
    with refused:
        model.fit(given, np.zeros((2, 5)), verbose=0)
    with refused:
        model.predict(given, verbose=0)


@every_cell
@pytest.mark.parametrize("place", ["x", "state", "weight"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_passes_as_in_keras(cell, place, number):
    x, states = floats(4, 5, FEATURES), states_of(cell, 4, UNITS)
    mask = np.ones((4, 5), bool)
    mask[1, 2:] = False
    x[1, 3] = np.nan  # masked
    if place == "x":
        x[2, 1, 0] = number
    elif place == "state":
        states[-1][2, 1] = number
    layers = twins(cell, 0)
    before = layers[0].get_weights()
    if place == "weight":
        changed = [before[0].copy(), *before[1:]]
        changed[0][0, 0] = number
        for layer in layers:
            layer.set_weights(changed)
    found = [np.array(layer(x, mask=mask, initial_state=states)[0]) for layer in layers]
    for layer in layers:
        layer.set_weights(before)
    np.testing.assert_allclose(*found, atol=1e-5)
    assert np.isfinite(found[0][0 if place != "weight" else 0, 0]).any()


@every_cell
@pytest.mark.parametrize("last", [1, UNITS])
def test_masks_of_rank_three(cell: str, last: int):
    mask = np.random.default_rng(2).random((3, 4, last)) < 0.6
    case = Case(cell, 2, floats(3, 4, FEATURES), mask, None, False)
    assert difference(case) is None
    kind = "fast" if last == 1 else "fallback"
    assert twins(cell, 2)[0].loop.kind == kind


def test_integers_as_sequences_go_keras_way():
    layer, x = LSTM(3), np.arange(8).reshape(2, 2, 2)
    expected = layer(x.astype("float32"))
    np.testing.assert_allclose(layer(tf.constant(x)), expected, atol=1e-6)


def test_the_graph_of_a_right_call_gives_right_gradients():
    """The property above compares them; a mask of ones must not hide a wrong one."""
    x, mask = floats(3, 4, FEATURES), np.ones((3, 4), bool)
    mask[0, 1:] = mask[2, :2] = False
    found = [
        dynamic_call("gru", 0, which)(x, mask, states_of("gru", 3, UNITS))
        for which in (0, 1)
    ]
    for ours, stock in zip(*found, strict=True):
        np.testing.assert_allclose(ours, stock, atol=1e-5)
        assert np.abs(stock).max() > 1e-3
