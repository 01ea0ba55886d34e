"""Losses of a class at each step: tokens that come next, and tags of words.

Shapes: B batch, T time steps, V vocabulary, C tags.
"""

import keras
from keras import KerasTensor, ops

from keras_seq.constants import PAD_ID
from keras_seq.keras_internals import carried_factors


@keras.saving.register_keras_serializable("keras_seq")
class TokenLoss:
    """Cross-entropy of next tokens; a target of 0 is none, and counts for nothing.

    With `label_smoothing` a share of each target goes to all tokens alike (Szegedy et
    al. 2016, arXiv:1512.00567, section 7). Logits of a `layers.TokenEmbedding` or
    `layers.TokenScores` are not computed in training: `factored_cross_entropy` takes
    what they are the product of.

    Args:
        label_smoothing: the share, in [0, 1).

    Call arguments:
        targets: int (B, T).
        logits: float (B, T, V).

    Returns:
        float (B, T), whose mean over all steps is the mean over those that have a
        target.

    Raises:
        ValueError: The share is not in [0, 1).

    Example:

    >>> loss = TokenLoss()(ops.array([[2, 0]]), ops.zeros((1, 2, 4)))
    >>> [round(float(x), 3) for x in loss[0]]
    [2.773, 0.0]
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"label_smoothing is {label_smoothing}; expected a share from 0 up to, "
                "not including, 1"
            )
        self.label_smoothing = label_smoothing

    def __call__(self, targets: KerasTensor, logits: KerasTensor) -> KerasTensor:
        present = ops.cast(ops.not_equal(targets, PAD_ID), "float32")
        weights = present / ops.maximum(ops.mean(present), 1e-6)
        factors = carried_factors(logits)
        if factors is None:
            return weights * smoothed_cross_entropy(
                targets, logits, self.label_smoothing
            )
        from keras_seq.losses.factored import factored_cross_entropy

        ids = ops.cast(targets, "int32")
        return factored_cross_entropy(ids, weights, *factors, self.label_smoothing)

    def get_config(self) -> dict[str, float]:
        return {"label_smoothing": self.label_smoothing}

    @classmethod
    def from_config(cls, config: dict[str, float]) -> "TokenLoss":
        return cls(**config)


def smoothed_cross_entropy(
    targets: KerasTensor, logits: KerasTensor, label_smoothing: float = 0.0
) -> KerasTensor:
    """Cross-entropy that reads and writes logits of a large vocabulary few times.

    With p = softmax(logits), t the target and a the smoothed share:

        loss = log sum exp(logits) - (1 - a) logits[t] - a mean(logits)
        d loss / d logits = p - (1 - a) [v = t] - a / V

    Args:
        targets: int (B, T).
        logits: float (B, T, V).
        label_smoothing: a.

    Returns:
        float32 (B, T), computed in float32.

    Example:

    >>> logits = ops.log(ops.array([[[0.5, 0.25, 0.25]]]))
    >>> round(float(smoothed_cross_entropy(ops.array([[0]]), logits)[0, 0]), 3)
    0.693
    """
    places = ops.cast(targets, "int32")[..., None]  # (B, T, 1)
    uniform = label_smoothing / logits.shape[-1]

    @ops.custom_gradient
    def loss(logits: KerasTensor) -> tuple:
        highest = ops.max(logits, axis=-1, keepdims=True)
        powers = ops.exp(logits - highest)  # (B, T, V)
        sums = ops.sum(powers, axis=-1, keepdims=True)
        each = ops.log(sums) + highest
        each -= (1 - label_smoothing) * ops.take_along_axis(logits, places, axis=-1)
        if label_smoothing:
            each -= label_smoothing * ops.mean(logits, axis=-1, keepdims=True)

        def gradient(*given: KerasTensor, upstream: KerasTensor | None = None):
            factor = (given[0] if upstream is None else upstream)[..., None]
            target = ops.arange(logits.shape[-1], dtype="int32") == places
            taken = ops.where(target, uniform + 1 - label_smoothing, uniform)
            return (powers / sums - taken) * factor

        return ops.squeeze(each, axis=-1), gradient

    return loss(ops.convert_to_tensor(logits, "float32"))


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
