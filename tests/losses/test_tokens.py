"""Cross-entropy of tokens: values and gradients against NumPy in float64."""

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.losses import TokenLoss


def by_hand(targets: np.ndarray, logits: np.ndarray, share: float) -> tuple:
    """Losses (B, T) and their gradients (B, T, V), of each step by itself."""
    shifted = logits.astype("float64") - logits.max(axis=-1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    size = logits.shape[-1]
    wanted = np.eye(size)[targets] * (1 - share) + share / size
    losses = -(wanted * log_probabilities).sum(axis=-1)
    present = targets != 0
    weights = present / max(present.mean(), 1e-6)
    gradients = (np.exp(log_probabilities) - wanted) * weights[..., None]
    return losses * weights, gradients


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_values_and_gradients_are_those_of_the_definition(share: float, scale: float):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 7, (3, 5))
    logits = (scale * rng.normal(size=(3, 5, 7))).astype("float32")
    answers = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(answers)
        losses = TokenLoss(share)(tf.constant(targets), answers)
    values, gradients = by_hand(targets, logits, share)
    np.testing.assert_allclose(losses, values, rtol=1e-5, atol=1e-5)
    found = tape.gradient(losses, answers)
    np.testing.assert_allclose(found, gradients, rtol=1e-4, atol=1e-6)


def test_half_precision_is_summed_in_single():
    logits = tf.zeros((1, 1, 70_000), tf.float16)  # more than float16 can count to
    (loss,) = TokenLoss()(tf.constant([[1]]), logits).numpy().ravel()
    assert loss == pytest.approx(np.log(70_000), rel=1e-5)


def test_no_target_at_all_has_no_loss_and_no_gradient():
    answers = tf.ones((2, 3, 4))
    with tf.GradientTape() as tape:
        tape.watch(answers)
        losses = TokenLoss(0.1)(tf.zeros((2, 3), tf.int32), answers)
    assert not np.any(losses)
    assert not np.any(tape.gradient(losses, answers))
