"""Attention against NumPy, its masks, and its weights at padding."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_seq.layers.attention import Attention

SCORES = ("additive", "dot", "general")


def by_hand(layer: Attention, query, memory, mask):
    """One row: query (T, Q), memory (S, D), mask (S,)."""
    weights = [np.array(w, np.float64) for w in layer.get_weights()]
    rows = []
    for s in query:
        scores = []
        for h in memory:
            if layer.score == "additive":
                sums = np.tanh(s @ weights[0] + h @ weights[1])
                scores.append(sums @ weights[2])
            elif layer.score == "general":
                scores.append(s @ (h @ weights[0]))
            else:
                scores.append(s @ h)
        e = np.where(mask, np.exp(scores - np.max(scores)), 0)
        rows.append(e / e.sum())
    return np.array(rows) @ memory, np.array(rows)


@pytest.mark.parametrize("score", SCORES)
def test_contexts_and_weights_are_those_of_numpy(score: str):
    rng = np.random.default_rng(0)
    query = rng.normal(size=(3, 4, 5)).astype(np.float32)
    memory = rng.normal(size=(3, 6, 5)).astype(np.float32)
    mask = np.arange(6) < np.array([[6], [2], [4]])
    layer = Attention(score, units=7 if score == "additive" else None)
    context, weights = layer(query, memory, mask=mask)
    for row in range(3):
        expected = by_hand(layer, query[row], memory[row], mask[row])
        np.testing.assert_allclose(context[row], expected[0], atol=1e-5)
        np.testing.assert_allclose(weights[row], expected[1], atol=1e-6)
    assert np.array(weights)[~np.repeat(mask[:, None], 4, 1)].max() == 0


@pytest.mark.parametrize("score", SCORES)
def test_what_is_masked_cannot_be_seen_and_one_step_is_a_row(score: str):
    rng = np.random.default_rng(1)
    query, memory = rng.normal(size=(2, 4)), rng.normal(size=(2, 5, 4))
    mask = np.array([[1, 1, 0, 0, 0], [1, 1, 1, 1, 0]], bool)
    layer = Attention(score)
    layer(query, memory, mask=mask)  # which makes its weights
    # Keys made alike in both: others differ in the last bit on some processors.
    keys = layer.project(memory.astype(np.float32))
    context, weights = layer(query, memory, mask=mask, keys=keys)
    changed = np.where(mask[..., None], memory, 1e6)
    keys = layer.project(changed.astype(np.float32))
    again, same = layer(query, changed, mask=mask, keys=keys)
    np.testing.assert_array_equal(weights, same)
    np.testing.assert_allclose(context, again, atol=1e-6)
    several, _ = layer(query[:, None], memory, mask=mask)
    np.testing.assert_allclose(several[:, 0], context, atol=1e-6)


@pytest.mark.parametrize("score", SCORES)
def test_a_row_of_padding_alone_is_zero_and_no_nan(score: str):
    layer = Attention(score)
    query, memory = np.ones((1, 3), np.float32), np.ones((1, 2, 3), np.float32)
    context, weights = layer(query, memory, mask=np.zeros((1, 2), bool))
    assert np.array(context).tolist() == [[0, 0, 0]]
    assert np.array(weights).tolist() == [[0, 0]]


def test_gradients_are_numbers_where_a_row_is_padding_alone():
    import tensorflow as tf

    layer = Attention()
    query, memory = tf.ones((2, 3)), tf.ones((2, 4, 3))
    mask = np.array([[0, 0, 0, 0], [1, 1, 0, 0]], bool)
    with tf.GradientTape() as tape:
        tape.watch([query, memory])
        context, _ = layer(query, memory, mask=mask)
        total = tf.reduce_sum(context**2)
    for gradient in tape.gradient(total, [query, memory, *layer.weights]):
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("score", SCORES)
def test_it_is_saved_and_loaded(score: str, tmp_path: Path):
    query, memory = keras.Input((None, 4)), keras.Input((None, 4))
    outputs = Attention(score, units=3 if score == "additive" else None)(query, memory)
    model = keras.Model([query, memory], outputs)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(2).normal(size=(2, 3, 4)).astype(np.float32)
    for ours, theirs in zip(model([x, x]), again([x, x])):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Attention("cosine"), "score is 'cosine'"),
        (lambda: Attention(units=0), "units is 0"),
        (lambda: Attention("dot")(np.ones((1, 3)), np.ones((1, 2, 4))), "score='gen"),
    ],
)
def test_what_makes_no_sense_is_a_value_error(make, said: str):
    with pytest.raises(ValueError, match=said):
        make()
