"""Metrics used inside fit. Pure Keras; they know nothing of models.

Shapes: B batch, C classes, P paths.
"""

from keras import KerasTensor, ops


def accuracy(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
    """How often the mean of several answers is right.

    Args:
        labels: int (B,) or (B, 1).
        logits: float (B, P, C).

    Returns:
        float (B,): 1 where the class with the largest mean logit is the label.

    Example:

    >>> logits = ops.array([[[0.0, 3.0], [1.0, 0.0]]])
    >>> accuracy(ops.array([1]), logits).numpy().tolist()
    [1.0]
    """
    answers = ops.argmax(ops.mean(logits, axis=1), axis=-1)
    labels = ops.cast(ops.reshape(labels, (-1,)), answers.dtype)
    return ops.cast(ops.equal(answers, labels), "float32")
