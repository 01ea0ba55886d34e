"""Cross-entropy without logits: as with them, whatever comes from above."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.losses import factored
from keras_seq.losses.factored import factored_cross_entropy
from keras_seq.losses.tokens import smoothed_cross_entropy

ROWS, STEPS, SIZE, VOCABULARY = 3, 5, 4, 7


def with_logits(targets, weights, features, vectors, share) -> tf.Tensor:
    logits = tf.matmul(features, vectors, transpose_b=True)
    return weights * smoothed_cross_entropy(targets, logits, share)


def answers(loss: Callable, targets, weights, features, vectors, share, upstream):
    """Losses, and gradients by features and vectors."""
    with tf.GradientTape() as tape:
        tape.watch([features, vectors])
        losses = loss(targets, weights, features, vectors, share)
        total = tf.reduce_sum(losses * upstream)
    return [losses, *tape.gradient(total, [features, vectors])]


@pytest.mark.parametrize("how", ["eager", "graph", "xla"])
@pytest.mark.parametrize("alike", [True, False], ids=["mean", "sample weights"])
@pytest.mark.parametrize("block", [1, 20, 10**6])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_it_is_the_loss_of_the_product(how, alike, block, share, monkeypatch):
    monkeypatch.setattr(factored, "BLOCK", block)
    rng = np.random.default_rng(0)
    targets = rng.integers(0, VOCABULARY, (ROWS, STEPS)).astype("int32")
    features = rng.normal(size=(ROWS, STEPS, SIZE)).astype("float32")
    vectors = rng.normal(size=(VOCABULARY, SIZE)).astype("float32")
    upstream = rng.normal(size=() if alike else (ROWS, STEPS)).astype("float32")
    given = [targets, 1.5 * (targets != 0).astype("float32"), features, vectors]
    given = [tf.constant(each) for each in given]
    asked = answers
    if how != "eager":
        asked = tf.function(answers, jit_compile=how == "xla")
    found = asked(factored_cross_entropy, *given, share, upstream)
    expected = answers(with_logits, *given, share, upstream)
    for some, others in zip(found, expected):
        np.testing.assert_allclose(some, others, rtol=1e-4, atol=1e-5)


def test_large_logits_do_not_overflow():
    features, vectors = tf.constant([[[1e4]]]), tf.constant([[1.0], [-1.0]])
    found = answers(
        factored_cross_entropy, tf.ones((1, 1), tf.int32), 1.0, features, vectors, 0, 1
    )
    np.testing.assert_allclose(found[0], [[2e4]])
    np.testing.assert_allclose(found[1], [[[2.0]]])
