"""Losses of several heads, and of classes and labels: gradients, and least values."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.losses import (
    adjusted_for_shares,
    auxiliary_loss,
    heads_apart,
    label_loss,
    scaled_squared_error,
)


def gradient(loss, targets, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    answers = tf.Variable(answers)
    with tf.GradientTape() as tape:
        value = loss(tf.constant(targets), answers)
    return value.numpy(), tape.gradient(value, answers).numpy()


LABELS = np.array([[1.0, 0, 1], [0, 0, 1]], "float32")
HEADS = np.random.default_rng(0).normal(size=(2, 2, 3)).astype("float32")


@pytest.mark.parametrize(
    ("one", "targets", "heads"),
    [
        (label_loss, LABELS, HEADS),
        (scaled_squared_error(2.0), LABELS[:, 0], HEADS[..., :1]),
    ],
)
def test_heads_learn_apart_and_the_value_is_that_of_their_mean(one, targets, heads):
    value, found = gradient(heads_apart(one), targets, heads)
    assert value == pytest.approx(np.array(one(targets, heads.mean(axis=1))))
    alone = [gradient(one, targets, heads[:, path])[1] for path in range(2)]
    assert found == pytest.approx(np.stack(alone, axis=1))


def test_any_loss_of_heads_is_as_that_of_classes():
    def one(labels, logits):
        return keras.losses.sparse_categorical_crossentropy(
            labels, logits, from_logits=True
        )

    labels = np.array([2, 0])
    for found, expected in zip(
        gradient(heads_apart(one), labels, HEADS),
        gradient(auxiliary_loss, labels, HEADS),
    ):
        assert found == pytest.approx(expected, abs=1e-6)


def test_shares_of_classes_need_not_be_learned():
    """Where samples tell nothing, the least loss is at equal logits, not at shares."""
    labels = np.array([0] * 9 + [1, 2, 2])
    loss = adjusted_for_shares(auxiliary_loss, [9, 1, 2])
    alike = np.zeros((len(labels), 2, 3), "float32")
    assert gradient(loss, labels, alike)[1].sum(axis=0) == pytest.approx(0, abs=1e-5)
    plain = gradient(auxiliary_loss, labels, alike)[1].sum(axis=0)
    assert plain[:, 0] == pytest.approx(-5)


def test_the_loss_of_labels_is_the_mean_of_their_cross_entropies():
    probability = 1 / (1 + np.exp(-HEADS[:, 0]))
    each = -np.log(np.where(LABELS == 1, probability, 1 - probability)).mean(axis=1)
    assert np.array(label_loss(LABELS, HEADS[:, 0])) == pytest.approx(each, abs=1e-6)
