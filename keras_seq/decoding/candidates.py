"""Which continuations a search looks at: the likeliest.

Needs no model and no text; `beam_search` calls what is made here at every step.

Shapes: B rows, K beams, C candidates, V vocabulary.
"""

from collections.abc import Callable

from keras import KerasTensor, ops

from keras_seq.decoding.samplers import NEVER
from keras_seq.small_ops import take_by_row

# Logits (B, K, V), what makes them log-probabilities of whole paths when it is added
# (B, K), and the step -> candidates: their log-probabilities (B, C), and their places
# among the row's K V continuations (B, C).
Choose = Callable[
    [KerasTensor, KerasTensor, KerasTensor], tuple[KerasTensor, KerasTensor]
]


def likeliest(count: int | KerasTensor, not_first: int | None = None) -> Choose:
    """The `count` likeliest continuations of all beams of a row.

    Args:
        count: C.
        not_first: token that none begins with, such as the end: no answer is empty.

    Example:

    >>> logits, zero = ops.log(ops.array([[[0.1, 0.3, 0.6]]])), ops.array([[0.0]])
    >>> [int(likeliest(1, token)(logits, zero, 0)[1][0, 0]) for token in (None, 2)]
    [2, 1]
    """

    def choose(
        logits: KerasTensor, so_far: KerasTensor, step: KerasTensor
    ) -> tuple[KerasTensor, KerasTensor]:
        if not_first is not None:
            is_it = ops.arange(logits.shape[2]) == not_first  # (V,)
            logits = ops.where(ops.logical_and(step == 0, is_it), NEVER, logits)
        rows, beams = ops.shape(logits)[:2]
        vocab_size = logits.shape[2]
        group = group_size(vocab_size)
        of_a_beam = vocab_size // group
        num_groups = beams * of_a_beam
        groups = ops.reshape(logits, (rows, beams, of_a_beam, group))
        # The likeliest stand in the groups with the highest maxima. What is added to
        # all logits of a beam is added to those that are looked at alone.
        highest = ops.max(groups, axis=-1) + so_far[..., None]
        highest = ops.reshape(highest, (rows, num_groups))
        _, numbers = _top_k(highest, count, num_groups)
        numbers = ops.sort(ops.cast(numbers, "int32"), axis=1)  # equals: in order
        groups = ops.reshape(groups, (rows, num_groups, group))
        found = take_by_row(groups, numbers)  # (B, C, group)
        added = take_by_row(so_far, numbers // of_a_beam)
        found = found + added[..., None]
        size = ops.shape(numbers)[1] * group
        values, places = _top_k(ops.reshape(found, (rows, size)), count, size)
        places = ops.cast(places, "int32")
        numbers = take_by_row(numbers, places // group)
        return values, numbers * group + places % group

    return choose


def group_size(vocab_size: int) -> int:
    """A divisor of a large vocabulary, near its root: tokens that are looked at as one.

    A search through all of them keeps a heap, a maximum does not.

    Example:

    >>> group_size(8000), group_size(258), group_size(8009)
    (80, 1, 1)
    """
    near = range(int(vocab_size**0.5), 15, -1)
    return next((size for size in near if vocab_size % size == 0), 1)


def _top_k(
    values: KerasTensor, count: int | KerasTensor, size: int | KerasTensor
) -> tuple[KerasTensor, KerasTensor]:
    if isinstance(count, int) and isinstance(size, int):
        return ops.top_k(values, min(count, size))
    return ops.top_k(values, ops.minimum(count, size))
