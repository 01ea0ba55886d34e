"""Reports on scores that a corpus has, and its sentences have not: BLEU and its like.

What is redrawn is each sentence's row of counts, whose sum makes the score. Knows
numbers alone: nothing of texts.

Shapes: N sentences or pictures, K counts.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from keras_seq.evaluation import bootstrap, verdict
from keras_seq.evaluation.finite import gather_report, kept_notes
from keras_seq.evaluation.resampling import Redraw

PERCENT = (0.0, 100.0)
# Weights float64 (N,) and counts (N, K) to scores by name, the headline first.
Scores = Callable[[np.ndarray, np.ndarray], dict[str, float]]


def corpus_report(
    task: str,
    scores: Scores,
    network: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    compared: slice,
    redraw: Redraw,
    *,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    notes: Mapping[str, str] | None = None,
    num_resamples: int = 1000,
    seed: int = 0,
    **further: Any,
) -> dict[str, Any]:
    """A report on a network, with a verdict on the first score.

    Args:
        task: its name.
        scores: of a corpus.
        network, baselines: float64 (N, K), those of the baselines by name.
        compared: columns that the first score is made of.
        redraw: of the rows.
        bounds: of scores that do not go from 0 to 100.
        notes, num_resamples, seed: as `evaluation.scores.report` has them.
        further: behind what every report holds.

    Example:

    >>> from keras_seq.evaluation.resampling import by_samples
    >>> report = corpus_report("t", lambda weights, own: {"right": float(
    ...     100 * weights @ own[:, 0] / weights.sum())}, np.ones((99, 1)),
    ...     {"none": np.zeros((99, 1))}, slice(1), by_samples(99))
    >>> report["scores"]["right"]["value"], report["verdict"]
    (100.0, 'wins')
    """
    once = np.ones(len(network))
    values = {name: scores(once, own) for name, own in baselines.items()}
    names, notes = list(scores(once, network)), kept_notes(notes, baselines)
    best = max(values, key=lambda name: values[name][names[0]])
    both = network, baselines[best]
    pair = verdict.Pair(
        lambda weights: np.array([scores(weights, own)[names[0]] for own in both]),
        (both[0] != both[1])[:, compared].any(axis=1),
    )
    comparison = verdict.compare(
        pair,
        redraw,
        baseline=best,
        metric=names[0],
        note=notes.get(best, ""),
        bounds=(-PERCENT[1], PERCENT[1]),
        num_resamples=num_resamples,
        seed=seed,
    )
    found, drawn = bootstrap.bootstrap(
        lambda weights: np.array([*scores(weights, network).values()]),
        redraw,
        num_resamples,
        seed,
    )
    usual, widening = PERCENT, redraw.widening()
    intervals = {
        name: bootstrap.interval(
            value, column, widening, (bounds or {}).get(name, usual)
        )
        for name, value, column in zip(names, found, drawn.T)
    }
    n = {"n": len(network)}
    return gather_report(task, n, intervals, values, comparison, notes=notes, **further)
