"""Scores that say what they are made of: to losses that ask, and in training alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.keras_internals import carried_factors
from keras_seq.layers import TokenEmbedding, TokenScores
from keras_seq.losses import TokenLoss, factored
from keras_seq.models.transformer import build_transformer

FEATURES = tf.constant(np.random.default_rng(0).normal(size=(2, 3, 4)), tf.float32)


def embedding(**options) -> keras.Layer:
    layer = TokenEmbedding(5, 4, **options)
    layer.build()
    return layer


def scores(layer: keras.Layer, training: bool) -> tf.Tensor:
    reverse = {"reverse": True} if isinstance(layer, TokenEmbedding) else {}
    features = tf.cast(FEATURES, layer.compute_dtype)
    return layer(features, training=training, **reverse)


@pytest.mark.parametrize(
    "make",
    [
        embedding,
        lambda: TokenScores(5, bias_initializer="normal"),
        lambda: TokenScores(5, use_bias=False),
    ],
)
def test_logits_are_the_product_of_what_they_carry(make):
    layer = make()
    assert carried_factors(scores(layer, False)) is None
    logits = scores(layer, True)
    features, vectors = carried_factors(logits)
    product = tf.matmul(features, tf.transpose(vectors))
    np.testing.assert_allclose(logits, product, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: embedding(logit_soft_cap=1.0),
        lambda: embedding(tie_weights=False),
        lambda: embedding(dtype="mixed_float16"),
        lambda: embedding(dtype="mixed_float16", reverse_dtype="float32"),
        lambda: TokenScores(5, "relu"),
        lambda: TokenScores(5, dtype="mixed_float16"),
    ],
)
def test_what_is_no_plain_product_carries_nothing(make):
    assert carried_factors(scores(make(), True)) is None


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_a_model_trains_as_with_logits(tied: bool, weighted: bool, monkeypatch):
    rng = np.random.default_rng(0)
    sides = [rng.integers(1, 9, (4, steps)) for steps in (6, 5)]
    targets = rng.integers(0, 9, (4, 5))
    weights = rng.uniform(size=(4, 5)) if weighted else None
    taken, plain = [], factored.factored_cross_entropy

    def noted(*given):
        taken.append(given)
        return plain(*given)

    monkeypatch.setattr(factored, "factored_cross_entropy", noted)

    def trained() -> list:
        keras.utils.set_random_seed(0)
        model = build_transformer(9, 9, 8, 2, 1, tie_embeddings=tied)
        model.compile(keras.optimizers.SGD(1.0), TokenLoss(0.1))
        fitted = model.fit(sides, targets, 4, 3, sample_weight=weights, verbose=0)
        return [*fitted.history["loss"], model.evaluate(sides, targets, verbose=0)]

    found = trained()
    assert len(taken) == 1  # traced once, and not for `evaluate`
    monkeypatch.setattr("keras_seq.losses.tokens.carried_factors", lambda logits: None)
    np.testing.assert_allclose(found, trained(), rtol=1e-5)
    assert len(taken) == 1
