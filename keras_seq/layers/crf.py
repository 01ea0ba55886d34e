"""A linear-chain conditional random field as a layer, and what is computed with it.

The layer answers with the potentials of a sentence: a score for every pair of
neighbouring tags at every step. Start, end and masked steps are part of them, so a
loss, marginals and `decoding.viterbi` need the potentials alone, and any model that
makes potentials may use them. Pure Keras: any backend. In a model of your own:

    logits = keras.layers.Dense(num_tags)(x)                      # (B, T, C)
    model = keras.Model(inputs, CRF(num_tags)(logits, mask=mask))  # mask: bool (B, T)
    model.compile("adam", crf_loss)
    model.fit(inputs, tags)                                       # int, -1 at padding
    tags, scores = viterbi_decode(model(inputs))
    probabilities = crf_marginals(model(inputs))

Lafferty, McCallum and Pereira 2001, "Conditional Random Fields".

Shapes: B batch, T time steps, C tags.
"""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor, ops

# What may start (C,), follow each other (C, C) and end (C,): bool.
Allowed = tuple[np.ndarray, np.ndarray, np.ndarray]
FORBIDDEN = -1e4  # added to a score: no sum of real scores makes up for it


@keras.saving.register_keras_serializable("keras_seq")
class CRF(keras.layers.Layer):
    """Adds learnt scores of neighbouring tags to the scores of each step.

    p(y | x) = exp(sum over t of P[t, y[t-1], y[t]]) / Z(x), with

        P[0, 0, j] = start[j] + logits[0, j]
        P[t, i, j] = transitions[i, j] + logits[t, j]     and + end[j] at the last step

    A masked step has P[t, i, i] = 0 and forbids the rest: the tag before it is carried
    on. Before the first step that counts there is tag 0, whatever it means. All of it
    is float32, also inside mixed precision.

    Args:
        num_tags: C.
        allowed: bool arrays `(start (C,), transitions (C, C), end (C,))` of what may
            stand where, such as `text.tag_schemes.allowed_tags` gives; None allows
            everything.
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        logits: float (B, T, C).
        mask: bool (B, T); None lets every step count.

    Returns:
        float32 (B, T, C, C), the potentials.

    Raises:
        ValueError: Sizes that do not fit, or `allowed` leaves no tag to start or end.

    Example:

    >>> crf = CRF(num_tags=2)
    >>> potentials = crf(ops.zeros((1, 3, 2)), mask=ops.array([[True, True, False]]))
    >>> potentials.shape
    TensorShape([1, 3, 2, 2])
    >>> round(float(crf_log_partition(potentials)[0]), 3)   # four paths of score 0
    1.386
    """

    def __init__(
        self,
        num_tags: int,
        allowed: Allowed | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if num_tags < 1:
            raise ValueError(f"num_tags is {num_tags}; expected 1 or more")
        self.num_tags = num_tags
        self.allowed = None if allowed is None else _checked(allowed, num_tags)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if len(input_shape) != 3 or input_shape[-1] != self.num_tags:
            raise ValueError(
                f"logits have the shape {tuple(input_shape)}; expected (batch, steps, "
                f"{self.num_tags})"
            )
        tags = self.num_tags
        self.start = self.add_weight((tags,), "zeros", name="start")
        self.transitions = self.add_weight((tags, tags), "zeros", name="transitions")
        self.end = self.add_weight((tags,), "zeros", name="end")

    def call(self, logits: KerasTensor, mask: KerasTensor | None = None) -> KerasTensor:
        logits = ops.cast(logits, "float32")
        if mask is None:
            mask = ops.ones(ops.shape(logits)[:2], "bool")
        mask = ops.cast(mask, "int32")  # (B, T)
        start, transitions, end = self._scores()
        seen = ops.cumsum(mask, axis=1)
        is_first = ops.logical_and(mask == 1, seen == 1)[:, :, None, None]
        is_last = ops.logical_and(mask == 1, seen == seen[:, -1:])[:, :, None]
        logits = logits + ops.where(is_last, end, 0.0)  # (B, T, C)
        # Before the first step that counts, a path stands at tag 0.
        zero_alone = _zero_alone(self.num_tags)
        from_start = ops.where(zero_alone[:, None] == 0, start, FORBIDDEN)
        steps = ops.where(is_first, from_start, transitions) + logits[:, :, None]
        carried = FORBIDDEN * (1.0 - ops.eye(self.num_tags))
        waiting = ops.minimum(zero_alone[:, None], zero_alone)
        still = ops.where((seen == 0)[:, :, None, None], waiting, carried)
        return ops.where((mask == 1)[:, :, None, None], steps, still)

    def _scores(self) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
        scores = self.start, self.transitions, self.end
        scores = tuple(ops.convert_to_tensor(score) for score in scores)
        if self.allowed is None:
            return scores
        return tuple(
            score + FORBIDDEN * (1.0 - allowed.astype("float32"))
            for score, allowed in zip(scores, self.allowed)
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.num_tags)

    def compute_mask(self, inputs: KerasTensor, previous_mask: Any) -> None:
        """The potentials have taken the mask in."""
        return None

    def get_config(self) -> dict[str, Any]:
        allowed = None
        if self.allowed is not None:
            allowed = [array.tolist() for array in self.allowed]
        return super().get_config() | {"num_tags": self.num_tags, "allowed": allowed}


def _zero_alone(num_tags: int) -> KerasTensor:
    """Scores (C,) that leave tag 0 alone."""
    return ops.where(ops.arange(num_tags) == 0, 0.0, FORBIDDEN)


def _checked(allowed: Any, num_tags: int) -> tuple[np.ndarray, ...]:
    arrays = tuple(np.asarray(array, bool) for array in allowed)
    shapes = [array.shape for array in arrays]
    expected = [(num_tags,), (num_tags, num_tags), (num_tags,)]
    if shapes != expected:
        raise ValueError(f"allowed has the shapes {shapes}; expected {expected}")
    if not (arrays[0].any() and arrays[2].any()):
        raise ValueError("allowed leaves no tag to start or to end with")
    return arrays


def crf_log_partition(potentials: KerasTensor) -> KerasTensor:
    """log Z, the logarithm of the sum over all paths: the forward algorithm.

    Args:
        potentials: float (B, T, C, C) of `CRF`.

    Returns:
        float32 (B,); 0 for a row without a step that counts.
    """
    return ops.logsumexp(_forward(potentials)[-1], axis=-1)


def crf_log_likelihood(tags: KerasTensor, potentials: KerasTensor) -> KerasTensor:
    """log p(tags | potentials) of whole sentences.

    Args:
        tags: int (B, T); below 0 where the mask of `CRF` was False.
        potentials: float (B, T, C, C).

    Returns:
        float32 (B,), 0 or less.

    Example:

    >>> potentials = CRF(3)(ops.zeros((1, 2, 3)))
    >>> round(float(crf_log_likelihood(ops.array([[2, 0]]), potentials)[0]), 4)
    -2.1972
    """
    num_tags = potentials.shape[-1]
    tags = _carried_on(ops.cast(tags, "int32"))
    before = ops.pad(tags[:, :-1], [[0, 0], [1, 0]])  # a path starts from tag 0
    pairs = ops.reshape(potentials, (*ops.shape(potentials)[:2], num_tags * num_tags))
    taken = ops.take_along_axis(pairs, (before * num_tags + tags)[..., None], axis=-1)
    return ops.sum(taken[..., 0], axis=1) - crf_log_partition(potentials)


@keras.saving.register_keras_serializable("keras_seq")
def crf_loss(tags: KerasTensor, potentials: KerasTensor) -> KerasTensor:
    """Negative log-likelihood of a sentence: `model.compile(loss=crf_loss)`.

    Args:
        tags: int (B, T); below 0 at padding.
        potentials: float (B, T, C, C) of `CRF`.

    Returns:
        float32 (B,), in nats a sentence.
    """
    return -crf_log_likelihood(tags, potentials)


def crf_marginals(potentials: KerasTensor) -> KerasTensor:
    """p(y[t] = j | x) of every step: forward and backward algorithm.

    Args:
        potentials: float (B, T, C, C).

    Returns:
        float32 (B, T, C), each step sums to 1; masked steps carry on the step before.
    """
    forward, backward = _forward(potentials), _backward(potentials)  # (T, B, C)
    scores = forward + backward
    total = ops.logsumexp(scores, axis=-1, keepdims=True)
    return ops.transpose(ops.exp(scores - total), (1, 0, 2))


def _forward(potentials: KerasTensor) -> KerasTensor:
    """log of the sum over all paths that reach a tag: float (T, B, C)."""
    steps = ops.transpose(potentials, (1, 0, 2, 3))

    def step(before: KerasTensor, pairs: KerasTensor) -> tuple:
        after = ops.logsumexp(before[:, :, None] + pairs, axis=1)
        return after, after

    # Before a sentence every path stands at tag 0.
    start = ops.zeros_like(potentials[:, 0, 0]) + _zero_alone(potentials.shape[-1])
    return ops.scan(step, start, steps)[1]


def _backward(potentials: KerasTensor) -> KerasTensor:
    """log of the sum over all paths from a tag to the end: float (T, B, C)."""
    # The first step is read for nothing: of one word there would be none to scan.
    steps = ops.transpose(potentials, (1, 0, 2, 3))
    last = ops.zeros_like(potentials[:, 0, 0])

    def step(after: KerasTensor, pairs: KerasTensor) -> tuple:
        before = ops.logsumexp(pairs + after[:, None], axis=2)
        return before, before

    sums = ops.scan(step, last, steps, reverse=True)[1]
    return ops.concatenate([sums[1:], last[None]], axis=0)


def _carried_on(tags: KerasTensor) -> KerasTensor:
    """Tags below 0 become the tag before them, or 0 where there is none."""

    def step(before: KerasTensor, now: KerasTensor) -> tuple:
        kept = ops.where(now < 0, before, now)
        return kept, kept

    steps = ops.transpose(tags, (1, 0))
    return ops.transpose(ops.scan(step, ops.zeros_like(steps[0]), steps)[1], (1, 0))
