"""Losses of a class at each step: tokens that come next, and tags of words.

Shapes: B batch, T time steps, V vocabulary, C tags.
"""

from collections.abc import Callable

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


@keras.saving.register_keras_serializable("keras_seq")
def tag_loss(tags: KerasTensor, logits: KerasTensor) -> KerasTensor:
    """Cross-entropy of tags; one below 0 is none, and counts for nothing.

    Args:
        tags: int (B, T).
        logits: float (B, T, C).

    Returns:
        float (B, T), whose mean over all steps is the mean over those with a tag.

    Example:

    >>> loss = tag_loss(ops.array([[1, -1]]), ops.zeros((1, 2, 4)))
    >>> [round(float(x), 3) for x in loss[0]]
    [2.773, 0.0]
    """
    present = ops.cast(tags >= 0, logits.dtype)
    each = keras.losses.sparse_categorical_crossentropy(
        ops.cast(ops.maximum(tags, 0), logits.dtype), logits, from_logits=True
    )
    return each * present / ops.maximum(ops.mean(present), 1e-6)
