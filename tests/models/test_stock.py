"""The forecasting builders: the tutorial's layers, and the options beside them."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_seq.models.linear import build_linear_forecaster
from keras_seq.models.segments import build_segment_rnn
from keras_seq.models.stock import build_stock_prediction_model

WINDOWS = np.random.default_rng(0).normal(size=(4, 12, 3)).astype("float32")


def test_the_shape_alone_gives_the_documented_model():
    model = build_stock_prediction_model((60, 5))
    assert [type(layer).__name__ for layer in model.layers[1:]] == [
        "LSTM",
        "LSTM",
        "LSTM",
        "Dense",
    ]
    recurrent, dense = model.layers[1:4], model.layers[4]
    assert [layer.units for layer in recurrent] == [50, 50, 50]
    assert [layer.return_sequences for layer in recurrent] == [True, True, False]
    assert (dense.units, dense.activation) == (1, keras.activations.linear)
    assert model.count_params() == 4 * 50 * (5 + 50 + 1) + 2 * 4 * 50 * 101 + 51
    assert model.input_shape == (None, 60, 5)


def test_a_cell_is_chosen_by_name():
    model = build_stock_prediction_model((12, 3), cell="gru", units=4, num_layers=2)
    assert isinstance(model.get_layer("gru_2"), layers.GRU)


def test_attention_is_a_mean_of_states_weighted_by_the_last():
    model = build_stock_prediction_model((12, 3), units=4, attention=True)
    states = model.get_layer("lstm_3").output
    parts = keras.Model(model.input, [states, model.get_layer("forecast").input])
    states, read = (np.array(part) for part in parts(WINDOWS))
    weights = np.exp(np.einsum("btu,bu->bt", states, states[:, -1]))
    weights /= weights.sum(axis=1, keepdims=True)
    context = np.einsum("bt,btu->bu", weights, states)
    assert read == pytest.approx(np.concatenate([states[:, -1], context], 1), abs=1e-5)


def test_residual_adds_the_input_of_each_further_layer():
    model = build_stock_prediction_model((12, 3), units=4, residual=True)
    names = ("lstm_1", "lstm_2", "residual_2")
    parts = keras.Model(model.input, [model.get_layer(name).output for name in names])
    first, second, both = (np.array(part) for part in parts(WINDOWS))
    assert both == pytest.approx(first + second, abs=1e-6)


def test_window_normalisation_moves_the_answer_with_the_window():
    """RevIN: another unit and another level give the same answer in those."""
    model = build_stock_prediction_model(
        (12, 3), units=4, horizon=3, normalize_window=True, quantiles=(0.1, 0.5, 0.9)
    )
    answer = np.array(model(WINDOWS))
    moved = np.array(model(WINDOWS * 50 + 200))
    assert moved == pytest.approx(answer * 50 + 200, rel=1e-2)
    plain = build_stock_prediction_model((12, 3), units=4)
    assert np.array(plain(WINDOWS * 50 + 200)) != pytest.approx(
        np.array(plain(WINDOWS)) * 50 + 200, rel=0.1
    )


@pytest.mark.parametrize("build", [build_stock_prediction_model, build_segment_rnn])
def test_the_answer_has_an_axis_for_what_there_are_several_of(build):
    small = {"units": 4}
    if build is build_segment_rnn:
        small["segment_length"] = 5
    for options, shape in (
        ({}, (None, 1)),
        ({"horizon": 7}, (None, 7)),
        ({"quantiles": (0.1, 0.5, 0.9)}, (None, 1, 3)),
        ({"horizon": 7, "num_targets": 2}, (None, 7, 2)),
        ({"horizon": 7, "num_targets": 2, "quantiles": (0.5,)}, (None, 7, 2, 1)),
    ):
        assert build((12, 3), **small, **options).output_shape == shape


def test_each_target_is_read_on_its_own_by_the_same_weights():
    """A target's forecast does not change when another target does."""
    model = build_segment_rnn(
        (12, 3), horizon=4, num_targets=2, segment_length=4, units=8
    )
    before = np.array(model(WINDOWS))
    changed = WINDOWS.copy()
    changed[..., 1] += 1.0
    after = np.array(model(changed))
    assert np.array_equal(before[..., 0], after[..., 0])
    assert not np.allclose(before[..., 1], after[..., 1])
    changed = WINDOWS.copy()
    changed[..., 2] += 1.0  # no target: read beside both
    assert not np.allclose(before[..., 0], np.array(model(changed))[..., 0])


def test_the_oldest_steps_that_fill_no_segment_are_left_out():
    model = build_segment_rnn((12, 3), segment_length=5, units=4)
    changed = WINDOWS.copy()
    changed[:, :2] += 9.0
    assert np.array_equal(np.array(model(WINDOWS)), np.array(model(changed)))
    changed[:, 2] += 9.0
    assert not np.allclose(np.array(model(WINDOWS)), np.array(model(changed)))


def test_the_linear_model_is_a_product():
    model = build_linear_forecaster((12, 3), horizon=2, num_targets=2, max_inputs=10)
    weights, bias = model.get_layer("ridge").get_weights()
    assert weights.shape == (10, 2)  # five steps of the target and of the feature
    for k in range(2):
        own = np.concatenate([WINDOWS[:, -5:, k], WINDOWS[:, -5:, 2]], axis=1)
        answer = np.array(model(WINDOWS))[..., k]
        assert answer == pytest.approx(own @ weights + bias, abs=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (12,)}, r"input_shape is \(12,\); expected \(T, F\)"),
        ({"input_shape": (0, 3)}, r"input_shape is \(0, 3\): T is 0; expected a pos"),
        ({"num_targets": 4}, "num_targets is 4; expected at most the 3 features"),
        ({"quantiles": (0.5, 0.1)}, "expected rising numbers between 0 and 1"),
        ({"quantiles": (0.0, 0.5)}, "expected rising numbers between 0 and 1"),
        ({"quantiles": ()}, "expected rising numbers between 0 and 1"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict, message: str):
    arguments = {"input_shape": (12, 3)} | arguments
    for build in (build_stock_prediction_model, build_segment_rnn):
        with pytest.raises(ValueError, match=message):
            build(**arguments)


def test_names_and_segments_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="cell is 'rnn'; expected 'lstm' or 'gru'"):
        build_stock_prediction_model((12, 3), cell="rnn")
    with pytest.raises(ValueError, match="segment_length is 13; expected at most the"):
        build_segment_rnn((12, 3), segment_length=13)
    with pytest.raises(ValueError, match="dropout is 1.0; expected a rate"):
        build_segment_rnn((12, 3), segment_length=5, dropout=1.0)
