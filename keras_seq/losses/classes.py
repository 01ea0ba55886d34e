"""Losses of a sample's class, or of its several labels.

Shapes: B batch, C classes or labels.
"""

from collections.abc import Callable, Sequence

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


def label_loss(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
    """Binary cross-entropy of several labels a sample, their mean.

    Args:
        labels: (B, C), 1 where a label holds, else 0.
        logits: float (B, C).

    Returns:
        float (B,).

    Example:

    >>> float(label_loss(ops.array([[1.0, 0.0]]), ops.zeros((1, 2)))[0]).__round__(3)
    0.693
    """
    return keras.losses.binary_crossentropy(labels, logits, from_logits=True)


def weighted_by_class(
    loss: Callable[[KerasTensor, KerasTensor], KerasTensor], weights: Sequence[float]
) -> Callable[[KerasTensor, KerasTensor], KerasTensor]:
    """A loss in which each sample counts as much as its class weighs.

    Args:
        loss: labels (B,) and answers -> float (B,).
        weights: C numbers.

    Example:

    >>> from keras_seq.losses import auxiliary_loss
    >>> loss = weighted_by_class(auxiliary_loss, [1.0, 3.0])
    >>> [round(float(x), 2) for x in loss(ops.array([0, 1]), ops.zeros((2, 1, 2)))]
    [0.69, 2.08]
    """

    def weighted_loss(labels: KerasTensor, answers: KerasTensor) -> KerasTensor:
        each = loss(labels, answers)
        of_class = ops.convert_to_tensor(weights, each.dtype)
        numbers = ops.cast(ops.reshape(labels, (-1,)), "int32")
        return each * ops.take(of_class, numbers)

    return weighted_loss
