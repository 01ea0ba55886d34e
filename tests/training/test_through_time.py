"""Gradients through time against NumPy, and the walked layer against Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.evaluation.figures import gradient_by_time_figure
from keras_seq.training.through_time import (
    _recurrent,
    gate_saturation,
    gradient_by_time,
    walked,
)

LAYERS = {
    "SimpleRNN": keras.layers.SimpleRNN,
    "LSTM": keras.layers.LSTM,
    "GRU": keras.layers.GRU,
}


def text_model(layer: keras.Layer) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(9, 4, mask_zero=True),
            layer,
            keras.layers.Dense(1),
        ]
    )
    model.compile(loss="mse")
    return model


IDS = np.array([[3, 1, 4, 1, 5], [2, 7, 1, 0, 0], [8, 0, 0, 0, 0]], "int32")


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("kind", [*LAYERS, "Bidirectional", "go_backwards", "GRU v1"])
def test_the_walked_layer_answers_as_keras_has_it(kind: str, sequences: bool):
    if kind == "Bidirectional":
        layer = keras.layers.LSTM(3, return_sequences=sequences)
        layer = keras.layers.Bidirectional(layer)
    elif kind == "go_backwards":
        layer = keras.layers.GRU(3, return_sequences=sequences, go_backwards=True)
    elif kind == "GRU v1":
        layer = keras.layers.GRU(3, return_sequences=sequences, reset_after=False)
    else:
        layer = LAYERS[kind](3, return_sequences=sequences)
    model = text_model(layer)
    expected = np.array(model(IDS))
    with walked(_recurrent(model, None)) as walks:
        found = np.array(model(IDS))
    assert len(walks[0].states) == 5
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_array_equal(np.array(model(IDS)), expected)  # as it was


def test_a_simple_rnn_equals_backpropagation_by_hand():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 6, 3)).astype("float32")
    y = rng.normal(size=(4, 1)).astype("float32")
    model = keras.Sequential(
        [
            keras.Input((6, 3)),
            keras.layers.SimpleRNN(5, name="rnn"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(loss="mse")
    kernel, recurrent, bias, out, shift = model.get_weights()
    states, h = [], np.zeros((4, 5))
    for step in range(6):
        h = np.tanh(x[:, step] @ kernel + h @ recurrent + bias)
        states.append(h)
    gradient = 2 * (h @ out + shift - y) / 4 @ out.T  # dL/dh of the last step
    expected = []
    for h in reversed(states):
        expected.append(np.linalg.norm(gradient))
        gradient = gradient * (1 - h**2) @ recurrent.T
    found = gradient_by_time(model, (x, y), "rnn")
    np.testing.assert_allclose(found, expected[::-1], rtol=1e-5)


@pytest.mark.parametrize("kind", LAYERS)
def test_padding_hands_the_gradient_on(kind: str):
    model = text_model(LAYERS[kind](3))
    alone = gradient_by_time(model, (IDS[1:2, :3], np.ones((1, 1))))
    padded = gradient_by_time(model, (IDS[1:2], np.ones((1, 1))))
    np.testing.assert_allclose(padded[:3], alone, rtol=1e-5)
    np.testing.assert_allclose(padded[3:], alone[-1], rtol=1e-5)


def test_a_small_recurrent_weight_vanishes_and_a_large_one_explodes():
    curves = {}
    for scale in (0.5, 1.5):
        rnn = keras.layers.SimpleRNN(4, activation="linear", name="rnn")
        model = keras.Sequential(
            [keras.Input((8, 2)), rnn, keras.layers.Dense(1, use_bias=False)]
        )
        model.compile(loss="mse")
        kernel, _, bias = rnn.get_weights()
        rnn.set_weights([kernel, np.eye(4) * scale, bias])
        norms = gradient_by_time(model, (np.ones((2, 8, 2)), np.zeros((2, 1))))
        curves[scale] = norms[:-1] / norms[1:]
    assert curves[0.5] == pytest.approx([0.5] * 7) == curves[1.5] / 3


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "GRU v1"])
def test_saturated_gates_are_counted_as_the_cell_computes_them(kind: str):
    layer = keras.layers.LSTM(3) if kind == "LSTM" else None
    layer = layer or keras.layers.GRU(3, reset_after=kind == "GRU")
    model = text_model(layer)
    calls, sigmoid = [], keras.activations.sigmoid

    def recorded(z):
        calls.append(np.array(sigmoid(z)))
        return sigmoid(z)

    for weight in layer.weights:
        weight.assign(weight * 12.0 + 0.3)  # so that some are open and some shut
    shares = gate_saturation(model, IDS)
    layer.cell.recurrent_activation = recorded
    with walked(layer):
        model(IDS)
    per_step = len(calls) // 5
    gates = [np.stack(calls[n::per_step]) for n in range(per_step)]
    present = (IDS != 0).T[:, :, None]
    if kind == "GRU":  # both gates in one call
        gates = np.split(gates[0], 2, axis=-1) if per_step == 1 else gates
    for (low, high), gate in zip(shares.values(), gates):
        count = np.broadcast_to(present, gate.shape).sum()
        assert low == pytest.approx(((gate < 0.1) * present).sum() / count)
        assert high == pytest.approx(((gate > 0.9) * present).sum() / count)
    assert any(low + high > 0 for low, high in shares.values())


def test_a_model_without_such_a_layer_is_named():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])
    with pytest.raises(ValueError, match="has no recurrent layer; it has: dense"):
        gradient_by_time(model, (np.ones((1, 2)), np.ones((1, 1))))
    plain = text_model(keras.layers.SimpleRNN(3, name="rnn"))
    with pytest.raises(ValueError, match="'rnn' has no gates; an LSTM or a GRU has"):
        gate_saturation(plain, IDS)


def test_the_figure_has_a_panel_a_layer():
    batch = (IDS, np.ones((3, 1)))
    norms = {
        kind: gradient_by_time(text_model(LAYERS[kind](3)), batch) for kind in LAYERS
    }
    image = gradient_by_time_figure(norms)
    one = gradient_by_time_figure({"LSTM": norms["LSTM"]})
    assert image.shape[1] == 3 * one.shape[1]
    with pytest.raises(ValueError, match="norms hold no value"):
        gradient_by_time_figure({})
    assert tf.io.encode_png(image).dtype == tf.string
