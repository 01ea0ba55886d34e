"""Losses by what a model answers. Pure Keras; they know nothing of models.

Shapes: B batch, C classes, P paths.
"""

import keras
from keras import KerasTensor, ops


def classification_loss(num_classes: int) -> keras.losses.Loss:
    """Cross-entropy of class numbers, for builders that answer with probabilities.

    Args:
        num_classes: C; two classes have one probability (B, 1), more have (B, C).

    Returns:
        A loss of labels int (B,) and probabilities.

    Example:

    >>> loss = classification_loss(2)
    >>> round(float(loss(keras.ops.ones(1), keras.ops.full((1, 1), 0.5))), 3)
    0.693
    """
    if num_classes == 2:
        return keras.losses.BinaryCrossentropy()
    return keras.losses.SparseCategoricalCrossentropy()


def loss_of_each_path(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
    """Cross-entropies of several answers to one question, added up.

    Args:
        labels: int (B,) or (B, 1).
        logits: float (B, P, C).

    Returns:
        float (B,).

    Example:

    >>> float(loss_of_each_path(ops.array([1]), ops.zeros((1, 2, 2)))[0]).__round__(3)
    1.386
    """
    labels = ops.repeat(ops.reshape(labels, (-1, 1)), logits.shape[1], axis=1)
    each = keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )
    return ops.sum(each, axis=1)
