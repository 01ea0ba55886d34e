"""Losses by what a model answers. Pure Keras; they know nothing of models.

Shapes: B batch, T time steps, V vocabulary, C classes, P paths, Q quantiles.
"""

from collections.abc import Callable, Sequence

import keras
from keras import KerasTensor, ops

from keras_seq.constants import PAD_ID


def token_loss(
    label_smoothing: float = 0.0,
) -> Callable[[KerasTensor, KerasTensor], KerasTensor]:
    """Cross-entropy of next tokens; a target of 0 is none, and counts for nothing.

    With `label_smoothing` a share of each target goes to all tokens alike (Szegedy et
    al. 2016, arXiv:1512.00567, section 7).

    Args:
        label_smoothing: the share, in [0, 1).

    Returns:
        A loss of targets int (B, T) and logits float (B, T, V): float (B, T), whose
        mean over all steps is the mean over those that have a target.

    Raises:
        ValueError: The share is not in [0, 1).

    Example:

    >>> loss = token_loss()(ops.array([[2, 0]]), ops.zeros((1, 2, 4)))
    >>> [round(float(x), 3) for x in loss[0]]
    [2.773, 0.0]
    """

    if not 0 <= label_smoothing < 1:
        raise ValueError(
            f"label_smoothing is {label_smoothing}; expected a share from 0 up to, not "
            "including, 1"
        )

    def loss(targets: KerasTensor, logits: KerasTensor) -> KerasTensor:
        each = keras.losses.sparse_categorical_crossentropy(
            targets, logits, from_logits=True
        )
        if label_smoothing:
            all_alike = ops.logsumexp(logits, axis=-1) - ops.mean(logits, axis=-1)
            each = (1 - label_smoothing) * each + label_smoothing * all_alike
        present = ops.cast(ops.not_equal(targets, PAD_ID), each.dtype)
        share = ops.maximum(ops.mean(present), 1e-6)
        return each * present / share

    return loss


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


class QuantileLoss(keras.losses.Loss):
    """Pinball loss of several quantiles, summed: twice it is the absolute error at 0.5.

    Koenker and Bassett 1978: its least mean is at the quantiles of what is to come.

    Args:
        quantiles: Q numbers between 0 and 1.

    Example:

    >>> loss = QuantileLoss((0.1, 0.5))
    >>> float(loss(ops.array([1.0]), ops.array([[0.0, 3.0]]))).__round__(3)
    2.2
    """

    def __init__(self, quantiles: Sequence[float], name: str = "quantile_loss") -> None:
        super().__init__(name=name)
        self.quantiles = [float(quantile) for quantile in quantiles]

    # A plain function will not do: Keras takes a last axis of size one off its answers,
    # and one quantile would be compared with every target.
    def call(self, targets: KerasTensor, answers: KerasTensor) -> KerasTensor:
        """Targets float (...) and answers (..., Q): float (...)."""
        targets = ops.cast(ops.expand_dims(targets, -1), answers.dtype)
        error = targets - answers  # (..., Q)
        level = ops.convert_to_tensor(self.quantiles, answers.dtype)
        return 2 * ops.sum(ops.maximum(level * error, (level - 1) * error), axis=-1)

    def get_config(self) -> dict:
        """What makes an equal one."""
        return {"quantiles": self.quantiles, "name": self.name}
