"""Losses by what a model answers. Pure Keras; they know nothing of models.

CTC is scored over true frame counts: `keras.losses.CTC` scores the padded frames of a
batch as if they were speech; here each sample says how many of its frames are real.

Shapes: B batch, T time steps or frames, V vocabulary, C classes, P paths, Q quantiles,
U symbols.
"""

import math
from collections.abc import Callable, Sequence

import keras
from keras import KerasTensor, ops

from keras_seq.constants import PAD_ID

BLANK_ID = 0  # of CTC


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

    >>> loss = adjusted_for_shares(auxiliary_loss, [0.75, 0.25])
    >>> [float(x).__round__(2) for x in loss(ops.array([0, 1]), ops.zeros((2, 1, 2)))]
    [0.29, 1.39]
    """
    offsets = [math.log(share / sum(shares)) for share in shares]

    def adjusted_loss(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
        return loss(labels, logits + ops.convert_to_tensor(offsets, logits.dtype))

    return adjusted_loss


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


def scaled_squared_error(
    scale: float,
) -> Callable[[KerasTensor, KerasTensor], KerasTensor]:
    """Squared error in units of the targets' own spread.

    Args:
        scale: standard deviation of the train part's targets.

    Returns:
        A loss of targets (B,) or (B, 1) and answers float (B, 1): float (B,).

    Example:

    >>> loss = scaled_squared_error(2.0)
    >>> loss(ops.array([1.0, 5.0]), ops.array([[3.0], [5.0]])).numpy().tolist()
    [1.0, 0.0]
    """

    def loss(targets: KerasTensor, answers: KerasTensor) -> KerasTensor:
        targets = ops.cast(ops.reshape(targets, (-1,)), answers.dtype)
        return ops.square((targets - ops.reshape(answers, (-1,))) / scale)

    return loss


def _cross_entropy(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
    return keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )


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
