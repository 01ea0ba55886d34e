"""The documented builders: exactly the tutorial's layers, and what options add."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_seq.models.rnn import (
    build_bidirectional_lstm,
    build_gru_model,
    build_lstm_model,
    build_simple_rnn,
)

V, E, U, B = 30, 8, 6, 4


def kinds(model: keras.Model) -> list[type]:
    """Keras' classes; keras_seq's recurrent layers count as the ones they extend."""
    extended = (layers.LSTM, layers.GRU, layers.SimpleRNN)
    return [
        next((kind for kind in extended if isinstance(layer, kind)), type(layer))
        for layer in model.layers[1:]
    ]


def test_simple_rnn_is_the_documented_one():
    model = build_simple_rnn(V, E, U, B)
    embedding, rnn, dense = model.layers[1:]
    assert kinds(model) == [layers.Embedding, layers.SimpleRNN, layers.Dense]
    assert (embedding.input_dim, embedding.output_dim, rnn.units) == (V, E, U)
    assert rnn.return_sequences and rnn.stateful
    assert isinstance(rnn.cell.recurrent_initializer, keras.initializers.GlorotUniform)
    assert dense.activation is keras.activations.linear
    assert model.input_shape == (B, None)
    assert model.count_params() == V * E + U * (E + U + 1) + V * (U + 1)


def test_simple_rnn_carries_its_state_between_batches():
    model = build_simple_rnn(V, E, U, batch_size=1)
    whole = keras.ops.convert_to_numpy(model(np.array([[1, 2, 3, 4]])))
    model.get_layer("rnn").reset_state()
    model(np.array([[1, 2]]))
    rest = keras.ops.convert_to_numpy(model(np.array([[3, 4]])))
    assert rest == pytest.approx(whole[:, 2:], abs=1e-6)


# Weights of one layer on F features, one direction: LSTM has 4 gates, GRU 3 with two
# biases each.
CELLS = {
    "lstm": (build_lstm_model, layers.LSTM, lambda f: 4 * U * (f + U + 1), 1),
    "gru": (build_gru_model, layers.GRU, lambda f: 3 * U * (f + U + 2), 1),
    "bidirectional": (
        build_bidirectional_lstm,
        layers.Bidirectional,
        lambda f: 2 * 4 * U * (f + U + 1),
        2,
    ),
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("num_classes", [None, 3])
def test_stacked_models_are_the_documented_ones(name: str, num_classes: int | None):
    build, cell, weights_on, directions = CELLS[name]
    model = build(V, E, U, num_classes=num_classes)
    assert kinds(model) == [
        layers.Embedding,
        cell,
        layers.Dropout,
        cell,
        layers.Dropout,
        layers.Dense,
    ]
    _, first, drop, second, last_drop, dense = model.layers[1:]
    assert first.return_sequences and not second.return_sequences
    assert drop.rate == last_drop.rate == 0.2
    assert dense.activation is keras.activations.softmax
    outputs = num_classes or V
    assert dense.units == outputs
    features = directions * U
    recurrent = weights_on(E) + weights_on(features)
    assert model.count_params() == V * E + recurrent + outputs * (features + 1)


def test_residual_adds_a_layers_input_to_its_output():
    model = build_lstm_model(V, E, U, num_layers=3, residual=True)
    added = [layer for layer in model.layers if isinstance(layer, layers.Add)]
    assert [layer.name for layer in added] == ["residual_2", "residual_3"]
    # A last layer that answers nothing leaves what came before it.
    last = model.get_layer("lstm_3")
    last.set_weights([weight * 0 for weight in last.get_weights()])
    below = keras.Model(model.input, model.get_layer("residual_2").output)
    above = keras.Model(model.input, added[-1].output)
    ids = keras.ops.array([[1, 2, 3]])
    assert keras.ops.convert_to_numpy(above(ids)) == pytest.approx(
        keras.ops.convert_to_numpy(below(ids))
    )


def test_regularizer_adds_a_penalty_to_the_loss():
    assert build_lstm_model(V, E, U).losses == []
    # Two recurrent layers and the output layer.
    assert len(build_lstm_model(V, E, U, kernel_regularizer="l2").losses) == 3


@pytest.mark.parametrize(
    "build", [build_lstm_model, build_bidirectional_lstm, build_gru_model]
)
def test_one_class_is_no_choice(build):
    with pytest.raises(ValueError, match="num_classes is 1; expected 2 or more, for"):
        build(V, E, U, num_classes=1)
