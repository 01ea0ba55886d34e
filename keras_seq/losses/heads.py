"""Losses of several heads that learn apart and answer together.

Shapes: B batch, P paths, C classes.
"""

from collections.abc import Callable

import keras
from keras import KerasTensor, ops


def auxiliary_loss(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
    """Trains several heads apart; its value is the loss of their common answer.

    The gradient is that of the sum of the heads' cross-entropies, so that each learns
    as if alone. The value is the cross-entropy of the mean logits, which
    `metrics.accuracy` scores, too: the sum rises as soon as one head overfits, however
    well they answer together.

    Args:
        labels: int (B,) or (B, 1).
        logits: float (B, P, C).

    Returns:
        float (B,).

    Example:

    >>> logits = ops.array([[[0.0, 2.0], [0.0, -2.0]]])
    >>> float(auxiliary_loss(ops.array([1]), logits)[0]).__round__(3)
    0.693
    """
    labels = ops.reshape(labels, (-1, 1))
    heads = ops.repeat(labels, logits.shape[1], axis=1)
    learned = ops.sum(_cross_entropy(heads, logits), axis=1)
    answer = _cross_entropy(labels[:, 0], ops.mean(logits, axis=1))
    return ops.stop_gradient(answer) + (learned - ops.stop_gradient(learned))


def heads_apart(
    loss: Callable[[KerasTensor, KerasTensor], KerasTensor],
) -> Callable[[KerasTensor, KerasTensor], KerasTensor]:
    """Makes the loss of one head that of several: as `auxiliary_loss`, for any loss.

    Args:
        loss: targets and a head's answers (B, C) -> float (B,).

    Returns:
        A loss of targets and answers (B, P, C): float (B,).

    Example:

    >>> from keras_seq.losses import scaled_squared_error
    >>> loss = heads_apart(scaled_squared_error(1.0))
    >>> float(loss(ops.array([1.0]), ops.array([[[0.0], [4.0]]]))[0])
    1.0
    """

    def auxiliary_loss(targets: KerasTensor, heads: KerasTensor) -> KerasTensor:
        each = (loss(targets, heads[:, path]) for path in range(heads.shape[1]))
        learned = sum(each)
        answer = loss(targets, ops.mean(heads, axis=1))
        return ops.stop_gradient(answer) + (learned - ops.stop_gradient(learned))

    return auxiliary_loss


def _cross_entropy(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
    return keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )
