"""Losses of a sample's class, or of its several labels.

Shapes: B batch, C classes or labels.
"""

import math
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


def adjusted_for_shares(
    loss: Callable[[KerasTensor, KerasTensor], KerasTensor], shares: Sequence[float]
) -> Callable[[KerasTensor, KerasTensor], KerasTensor]:
    """A loss that teaches logits in which each class counts alike, however rare it is.

    How often a class occurs is added to its logit, and need not be learned (Menon et
    al. 2021, "Long-tail learning via logit adjustment", arXiv:2007.07314, equation 10).
    What is learned is what weights of samples teach. But those make the gradients of
    the few batches with rare classes large; where gradients are clipped, they alone
    are, and the common class wins.

    Args:
        loss: labels (B,) and logits (..., C) -> float (B,).
        shares: C numbers above 0, in proportion to how often each class occurs.

    Example:

    >>> from keras_seq.losses import auxiliary_loss
    >>> loss = adjusted_for_shares(auxiliary_loss, [0.75, 0.25])
    >>> [float(x).__round__(2) for x in loss(ops.array([0, 1]), ops.zeros((2, 1, 2)))]
    [0.29, 1.39]
    """
    offsets = [math.log(share / sum(shares)) for share in shares]

    def adjusted_loss(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
        return loss(labels, logits + ops.convert_to_tensor(offsets, logits.dtype))

    return adjusted_loss
