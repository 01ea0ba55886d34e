"""CTC decoding: the best path as graph ops, and prefix beam search for final scores.

Takes arrays and callables; knows neither models nor alphabets. Class 0 is the blank.

Shapes: B batch, T frames, C classes.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from keras import KerasTensor, ops

# A symbol less likely than this in a frame starts no new prefix: about e^-12.
LEAST = -12.0
NEVER = -math.inf

Prefix = tuple[int, ...]


class Hypothesis(NamedTuple):
    """One reading of a recording.

    Attributes:
        ids: symbols from 1.
        score: log probability over all its alignments, plus what was added for its
            words.
    """

    ids: Prefix
    score: float


def best_path(
    logits: KerasTensor, frames: KerasTensor
) -> tuple[KerasTensor, KerasTensor, KerasTensor]:
    """The likeliest class of each frame, and where it writes a symbol.

    A symbol is written where its run of equal classes begins.

    Args:
        logits: float (B, T, C), or log probabilities.
        frames: int (B,), real frames of each sample.

    Returns:
        ids int32 (B, T); written bool (B, T); log probability float32 (B,) of the path.

    Example:

    >>> logits = ops.one_hot([[1, 1, 0, 1, 2, 2]], 3) * 9.0
    >>> ids, written, _ = best_path(logits, ops.array([5]))
    >>> ids.numpy()[written.numpy()].tolist()
    [1, 1, 2]
    """
    logits = ops.cast(logits, "float32")
    ids = ops.cast(ops.argmax(logits, axis=-1), "int32")
    number = ops.cumsum(ops.ones_like(ids), axis=1)
    real = number <= ops.expand_dims(ops.cast(frames, "int32"), -1)
    before = ops.concatenate([ops.zeros_like(ids[:, :1]), ids[:, :-1]], axis=1)
    written = ops.logical_and(real, ops.logical_and(ids != 0, ids != before))
    best = ops.max(logits, axis=-1) - ops.logsumexp(logits, axis=-1)
    return ids, written, ops.sum(ops.where(real, best, 0.0), axis=1)


def prefix_beam_search(
    log_probabilities: np.ndarray,
    *,
    beam_width: int = 16,
    extend: Callable[[Prefix, int], float] | None = None,
    finish: Callable[[Prefix], float] | None = None,
) -> list[Hypothesis]:
    """Readings with the most probability over all their alignments.

    Hannun et al. 2014, "First-Pass Large Vocabulary Continuous Speech Recognition using
    Bi-Directional Recurrent DNNs", arXiv:1408.2873, algorithm 1. What a language model
    says goes through `extend` and `finish`; without them the search is lexicon-free.

    Args:
        log_probabilities: float (T, C), real frames alone.
        beam_width: prefixes kept after each frame.
        extend: what to add when a symbol is written behind a prefix; asked once each.
        finish: what to add when a prefix is the whole reading.

    Returns:
        `beam_width` readings or fewer, the best first.

    Raises:
        ValueError: `beam_width` is below 1, or the array is not two-dimensional.

    Example:

    Two alignments of "1" together are likelier than the best path, which is empty.

    >>> frames = np.log([[0.6, 0.4], [0.6, 0.4]])
    >>> prefix_beam_search(frames)[0].ids
    (1,)
    """
    log_probabilities = np.asarray(log_probabilities, np.float64)
    if beam_width < 1 or log_probabilities.ndim != 2:
        raise ValueError(
            f"beam_width is {beam_width} and log_probabilities "
            f"{log_probabilities.shape}; expected 1 or more, and (T, C)"
        )
    # Prefix to the log probabilities of its alignments that end in a blank or not.
    beam: dict[Prefix, tuple[float, float]] = {(): (0.0, NEVER)}
    added: dict[Prefix, float] = {(): 0.0}
    for row in log_probabilities:
        found = _advance(beam, row)
        for prefix in found:
            if prefix not in added:
                bonus = extend(prefix[:-1], prefix[-1]) if extend else 0.0
                added[prefix] = added[prefix[:-1]] + bonus
        ranked = sorted(found, key=lambda p: -(_sum(*found[p]) + added[p]))
        beam = {prefix: found[prefix] for prefix in ranked[:beam_width]}
    readings = [
        Hypothesis(p, _sum(*ends) + added[p] + (finish(p) if finish else 0.0))
        for p, ends in beam.items()
    ]
    return sorted(readings, key=lambda reading: -reading.score)


def _advance(
    beam: dict[Prefix, tuple[float, float]], row: np.ndarray
) -> dict[Prefix, tuple[float, float]]:
    """What the prefixes of a beam become in one frame."""
    row = row.tolist()
    symbols = [s for s, value in enumerate(row) if s and value > LEAST]
    found: dict[Prefix, tuple[float, float]] = {}

    def add(prefix: Prefix, in_blank: float, in_symbol: float) -> None:
        blank, symbol = found.get(prefix, (NEVER, NEVER))
        found[prefix] = _sum(blank, in_blank), _sum(symbol, in_symbol)

    for prefix, (in_blank, in_symbol) in beam.items():
        either = _sum(in_blank, in_symbol)
        last = prefix[-1] if prefix else 0
        # The same symbol again is the same one going on, unless a blank stood between.
        add(prefix, either + row[0], in_symbol + row[last] if last else NEVER)
        for symbol in symbols:
            before = in_blank if symbol == last else either
            if before > NEVER:
                add((*prefix, symbol), NEVER, before + row[symbol])
    return found


def _sum(first: float, second: float) -> float:
    """log(e^first + e^second)."""
    if first < second:
        first, second = second, first
    if second == NEVER:
        return first
    return first + math.log1p(math.exp(second - first))
