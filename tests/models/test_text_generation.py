"""The language model: one walk over the layers, whichever way it is asked."""

import itertools

import keras
import numpy as np
import pytest

from keras_seq.models.recurrent_states import (
    advance,
    advance_one,
    initial_states,
    recurrent_layers,
)
from keras_seq.models.text_generation import build_text_generation_model

OPTIONS = {
    "plain": {},
    "gru, two layers": {"cell": "gru", "num_layers": 2},
    "simple_rnn, three layers, residual": {
        "cell": "simple_rnn",
        "num_layers": 3,
        "residual": True,
    },
    "all options": {
        "num_layers": 2,
        "dropout": 0.5,
        "variational_dropout": True,
        "tie_embeddings": True,
        "layer_norm": True,
        "residual": True,
    },
}


@pytest.mark.parametrize("name", OPTIONS)
def test_reading_at_once_in_parts_or_step_by_step_is_the_same(name: str, tmp_path):
    built = build_text_generation_model(11, 6, 5, **OPTIONS[name])
    built.set_weights([w + 0.05 for w in built.get_weights()])
    built.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    token_ids = np.random.default_rng(0).integers(0, 11, (3, 7)).astype("int32")
    at_once = np.array(built(token_ids))
    states, parts = initial_states(model, 3), []
    for start, end in ((0, 2), (2, 3), (3, 7)):
        logits, hidden, states = advance(model, token_ids[:, start:end], states)
        parts.append(np.array(logits))
        assert hidden.shape == (3, end - start, 5)
    assert np.concatenate(parts, axis=1) == pytest.approx(at_once, abs=1e-5)
    states = initial_states(model, 3)
    for step in range(7):
        logits, states = advance_one(model, token_ids[:, step], states)
        assert np.array(logits) == pytest.approx(at_once[:, step], abs=1e-5)


def test_a_simple_rnn_computes_what_the_equation_says():
    model = build_text_generation_model(4, 2, 3, cell="simple_rnn")
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    embedding, kernel, recurrent, bias, out, out_bias = model.get_weights()
    state = np.zeros(3)
    for step, token in enumerate((1, 3, 2)):
        state = np.tanh(embedding[token] @ kernel + state @ recurrent + bias)
        expected = state @ out + out_bias
        logits = np.array(model(np.array([[1, 3, 2]])))[0, step]
        assert logits == pytest.approx(expected, abs=1e-5)


def test_tied_weights_are_one_matrix():
    tied = build_text_generation_model(10, 4, 4, tie_embeddings=True)
    free = build_text_generation_model(10, 4, 4)
    assert free.count_params() - tied.count_params() == 4 * 10 + 10
    hidden = advance(tied, np.array([[3, 5]]), initial_states(tied, 1))[1]
    table = tied.get_layer("embedding").embeddings
    expected = np.array(hidden) @ keras.ops.convert_to_numpy(table).T
    assert np.array(tied(np.array([[3, 5]]))) == pytest.approx(expected, abs=1e-5)


def test_variational_dropout_leaves_out_the_same_features_at_every_step():
    for variational in (True, False):
        model = build_text_generation_model(
            9, 64, 4, dropout=0.5, variational_dropout=variational
        )
        layer = model.get_layer("embedding_dropout")
        dropped = np.array(layer(np.ones((2, 6, 64)), training=True)) == 0
        same = np.all(dropped == dropped[:, :1])
        assert dropped.any() and same == variational


def test_states_fit_the_cell():
    for cell, count in (("lstm", 2), ("gru", 1), ("simple_rnn", 1)):
        model = build_text_generation_model(9, 4, 5, cell=cell, num_layers=2)
        states = initial_states(model, 3)
        assert [len(state) for state in states] == [count, count]
        assert {tuple(s.shape) for s in itertools.chain(*states)} == {(3, 5)}
        assert [layer.name for layer in recurrent_layers(model)] == ["rnn_1", "rnn_2"]


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="cell is 'rnn'; expected one of lstm, gru"):
        build_text_generation_model(9, 4, 5, cell="rnn")
    with pytest.raises(ValueError, match="dropout is 1"):
        build_text_generation_model(9, 4, 5, dropout=1)
