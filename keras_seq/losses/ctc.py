"""Connectionist temporal classification over true frame counts.

`keras.losses.CTC` scores the padded frames of a batch as if they were speech; here each
sample says how many of its frames are real.

Shapes: B batch, T frames, C classes, U symbols.
"""

import keras
from keras import KerasTensor, ops

BLANK_ID = 0


def ctc_targets(frames: KerasTensor, symbol_ids: KerasTensor) -> KerasTensor:
    """Frame counts and transcripts as one array, which is what `fit` can carry.

    Args:
        frames: int (B,), real frames of the model's answer.
        symbol_ids: int (B, U), from 1, zeros behind the end.

    Returns:
        int32 (B, 1 + U), the frames first.

    Example:

    >>> ctc_targets(ops.array([7]), ops.array([[2, 3, 0]])).numpy().tolist()
    [[7, 2, 3, 0]]
    """
    first = ops.expand_dims(ops.cast(frames, "int32"), -1)
    return ops.concatenate([first, ops.cast(symbol_ids, "int32")], axis=-1)


def ctc_loss(targets: KerasTensor, logits: KerasTensor) -> KerasTensor:
    """Negative log probability of each transcript, over all its alignments.

    Graves et al. 2006, "Connectionist temporal classification", equation 8. Frames
    from a sample's own count on are not looked at. A transcript that needs more frames
    than there are has no alignment, and its loss says nothing: leave it out before.

    Args:
        targets: int32 (B, 1 + U), from `ctc_targets`.
        logits: float (B, T, C), without a softmax; class 0 is the blank.

    Returns:
        float32 (B,), in nats.

    Example:

    >>> targets = ctc_targets(ops.array([1]), ops.array([[1]]))
    >>> float(ctc_loss(targets, ops.zeros((1, 3, 2)))[0]).__round__(4)
    0.6931
    """
    targets = ops.cast(targets, "int32")
    symbol_ids = targets[:, 1:]
    lengths = ops.sum(ops.cast(ops.not_equal(symbol_ids, BLANK_ID), "int32"), axis=1)
    return ops.ctc_loss(
        symbol_ids, ops.cast(logits, "float32"), lengths, targets[:, 0], BLANK_ID
    )


def ctc_loss_of_probabilities(
    targets: KerasTensor, probabilities: KerasTensor
) -> KerasTensor:
    """`ctc_loss` for a model that ends in a softmax, as the tutorial's does.

    The softmax of log probabilities is those probabilities again.

    Args:
        targets: int32 (B, 1 + U), from `ctc_targets`.
        probabilities: float (B, T, C).

    Returns:
        float32 (B,).

    Example:

    >>> targets = ctc_targets(ops.array([1]), ops.array([[1]]))
    >>> sure = ops.array([[[0.25, 0.75]]])
    >>> float(ctc_loss_of_probabilities(targets, sure)[0]).__round__(4)
    0.2877
    """
    smallest = keras.config.epsilon()
    return ctc_loss(targets, ops.log(ops.maximum(probabilities, smallest)))
