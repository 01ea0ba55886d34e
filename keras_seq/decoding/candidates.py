"""Which continuations a search looks at: the likeliest, or random ones.

Needs no model and no text; `beam_search` calls what is made here at every step.

Shapes: B rows, K beams, C candidates, V vocabulary.
"""

from collections.abc import Callable

from keras import KerasTensor, ops

from keras_seq.decoding.samplers import NEVER, sample_next

# Log-probabilities of all continuations (B, K, V) and the step -> candidates: their
# log-probabilities (B, C), and their places among the row's K V continuations (B, C).
Choose = Callable[[KerasTensor, KerasTensor], tuple[KerasTensor, KerasTensor]]


def likeliest(count: int | KerasTensor, not_first: int | None = None) -> Choose:
    """The `count` likeliest continuations of all beams of a row.

    Args:
        count: C.
        not_first: token that none begins with, such as the end: no answer is empty.

    Example:

    >>> totals, step = ops.log(ops.array([[[0.1, 0.3, 0.6]]])), ops.array(0)
    >>> [int(likeliest(1, token)(totals, step)[1][0, 0]) for token in (None, 2)]
    [2, 1]
    """

    def choose(
        totals: KerasTensor, step: KerasTensor
    ) -> tuple[KerasTensor, KerasTensor]:
        if not_first is not None:
            is_it = ops.arange(totals.shape[2]) == not_first  # (V,)
            totals = ops.where(ops.logical_and(step == 0, is_it), NEVER, totals)
        size = totals.shape[1] and totals.shape[1] * totals.shape[2]
        if size is None:  # the number of beams is a tensor
            size = ops.shape(totals)[1] * totals.shape[2]
            return ops.top_k(ops.reshape(totals, (-1, size)), ops.minimum(count, size))
        return ops.top_k(ops.reshape(totals, (-1, size)), min(count, size))

    return choose


def draw_continuations(
    uniforms: Callable[[KerasTensor], KerasTensor],
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Choose:
    """One random continuation of each beam: K independent samples of each row.

    Args:
        uniforms: the step -> float (B, K), in [0, 1).
        temperature: as `sample_next` takes it.
        top_k: likewise.
        top_p: likewise.

    Returns:
        What `beam_search` takes as `choose`.
    """

    def choose(
        totals: KerasTensor, step: KerasTensor
    ) -> tuple[KerasTensor, KerasTensor]:
        beams, vocab_size = totals.shape[1:]
        # At first one beam is alive, which all samples start from.
        source = ops.where(step > 0, ops.arange(beams, dtype="int32"), 0)  # (K,)
        logits = ops.reshape(ops.take(totals, source, axis=1), (-1, vocab_size))
        tokens = sample_next(
            logits,
            ops.reshape(uniforms(step), (-1,)),
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
        )
        values = ops.take_along_axis(logits, tokens[:, None], axis=1)
        places = source * vocab_size + ops.reshape(tokens, (-1, beams))
        return ops.reshape(values, (-1, beams)), places

    return choose
