"""Losses by what a model answers. Pure Keras; they know nothing of models."""

import keras


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
