"""The tagging model with all that it can read, beside what the contract promises."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_seq.layers.crf import crf_loss
from keras_seq.models.tagging import build_tagging_model
from tests.model_contract import run_under_jax

LENGTHS = (6, 2, 1, 4)
ALL = {"word_length": 5, "num_characters": 30, "num_features": 3, "feature_ids": 40}


def model(**options: object) -> keras.Model:
    return build_tagging_model(20, 4, 6, 5, **(ALL | options))


def inputs(steps: int = 6) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    present = np.arange(steps) < np.array(LENGTHS)[:, None]
    ids, characters, features = (
        rng.integers(1, most, (4, steps, *shape))
        for most, shape in ((20, ()), (30, (5,)), (40, (3,)))
    )
    characters *= np.arange(5) < rng.integers(1, 6, (4, steps, 1))
    return [
        ids * present,
        characters * present[..., None],
        features * present[..., None],
    ]


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("characters", ["cnn", "lstm"])
def test_neither_padding_nor_company_reaches_an_answer(characters: str, crf: bool):
    every = model(characters=characters, crf=crf)
    every.set_weights([w + 0.1 for w in every.get_weights()])
    read = inputs()
    together = np.array(every(read))
    for row, length in enumerate(LENGTHS):
        alone = np.array(every([array[row : row + 1, :length] for array in read]))[0]
        # After a padded step a CRF's potentials carry on; what counts is the same.
        assert alone == pytest.approx(together[row, :length], abs=1e-5)


@pytest.mark.parametrize("characters", ["cnn", "lstm"])
def test_padding_behind_the_characters_says_nothing(characters: str):
    encoder = model(characters=characters).get_layer("character_encoder")
    ids = np.array([[[3, 7, 0, 0, 0]]])
    longer = np.pad(ids, [(0, 0), (0, 0), (0, 4)])
    assert np.array(encoder(ids)) == pytest.approx(np.array(encoder(longer)), abs=1e-6)
    assert (
        np.abs(np.array(encoder(ids)) - np.array(encoder(ids[:, :, ::-1]))).max() > 1e-4
    )


def test_it_learns_with_everything_and_moves_every_weight():
    every = model(characters="cnn", crf=True, dropout=0.1, word_dropout=0.1)
    every.compile(keras.optimizers.Adam(0.02), crf_loss)
    before = [keras.ops.convert_to_numpy(w) for w in every.trainable_weights]
    read = inputs()
    tags = np.where(read[0] > 0, np.arange(6) % 4, -1)
    first = every.evaluate(read, tags, verbose=0)
    for _ in range(60):
        every.train_on_batch(read, tags)
    assert every.evaluate(read, tags, verbose=0) < 0.3 * first
    for weight, old in zip(every.trainable_weights, before):
        assert np.any(keras.ops.convert_to_numpy(weight) != old), weight.path


@pytest.mark.parametrize("characters", ["cnn", "lstm"])
def test_saved_and_loaded_it_answers_the_same(characters: str, tmp_path: Path):
    rules = [True] * 4, np.tri(4) > 0, [True] * 4
    every = model(characters=characters, crf=True, allowed=rules, word_dropout=0.3)
    every.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array(loaded(inputs())) == pytest.approx(np.array(every(inputs())))


def test_word_dropout_makes_words_unknown_while_training_alone():
    dropout = model(characters="cnn", word_dropout=0.5).get_layer("word_dropout")
    ids = np.array([[0] * 50 + [7] * 2000])
    assert np.array_equal(np.array(dropout(ids)), ids)
    dropped = np.array(dropout(ids, training=True))
    assert set(dropped[0, 50:]) == {1, 7} and not dropped[0, :50].any()
    assert 0.4 < (dropped[0, 50:] == 1).mean() < 0.6


def test_vectors_are_where_words_start():
    vectors = np.random.default_rng(0).normal(size=(20, 6)).astype("float32")
    embedding = model(embeddings=vectors).get_layer("embedding")
    assert np.array_equal(embedding.get_weights()[0], vectors)
    assert embedding.trainable


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embeddings": np.zeros((20, 5))}, "embeddings has shape"),
        ({"embeddings": np.full((20, 6), np.nan)}, "embeddings hold NaN"),
        ({"characters": "gru"}, "kind is 'gru'"),
        ({"characters": "cnn", "word_length": 0}, "word_length is 0"),
        ({"feature_ids": 0}, "feature_ids is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"word_dropout": -0.1}, "word_dropout is -0.1"),
        ({"allowed": ([True] * 4, np.ones((4, 4)), [True] * 4)}, "crf is False"),
        (
            {"crf": True, "allowed": ([True], [[True]], [True])},
            "allowed has the shapes",
        ),
    ],
)
def test_what_does_not_fit_is_refused(options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        model(**options)


@pytest.mark.slow
def test_it_runs_under_a_second_backend(root: Path):
    run_under_jax(
        root,
        """
import keras
from tests.models import test_tagging as t
assert keras.backend.backend() == "jax"
for characters in ("cnn", "lstm"):
    answer = t.model(characters=characters, crf=True).predict(t.inputs(), verbose=0)
    assert answer.shape == (4, 6, 4, 4)
""",
    )
