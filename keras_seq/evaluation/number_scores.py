"""Scores of a number a sample, in its own units, beside cheap baselines.

Knows numbers alone: nothing of models, texts or files.

Shapes: N samples.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.evaluation.bootstrap import Statistic
from keras_seq.evaluation.finite import check_answers, finite_baselines
from keras_seq.evaluation.reports import compared_report
from keras_seq.evaluation.resampling import redraw_of

HEADLINE = "mae"
BOUNDS = {"mae": (0.0, np.inf), "rmse": (0.0, np.inf), "spearman": (-1.0, 1.0)}


def number_report(
    task: str,
    numbers: np.ndarray,
    answers: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    *,
    groups: Sequence | np.ndarray | None = None,
    notes: Mapping[str, str] | None = None,
    num_resamples: int = 1000,
) -> dict[str, Any]:
    """Scores, baselines and the verdict, as `scores.report` has them for one label.

    The scores are `mae`, the mean absolute error, and `rmse`, the root of the mean
    squared one, in the numbers' units; and `spearman`, the correlation of ranks, which
    is 0 where all answers are the same. The verdict is about `mae`.

    Args:
        task: The task's name.
        numbers: float (N,), the truth.
        answers: float (N,), the network's.
        baselines: Name to float (N,); at least one.
        groups: (N,), the group of each sample that is redrawn as one.
        notes: What to know of a baseline, by name.
        num_resamples: Samples are redrawn so many times.

    Returns:
        What `scores.report` returns.

    Raises:
        ValueError: There is no baseline, or the shapes do not fit each other.

    Example:

    >>> truth = np.arange(100.0)
    >>> report = number_report("stars", truth, truth + 1, {"mean": np.full(100, 49.5)})
    >>> report["scores"]["mae"], report["verdict"]
    ({'value': 1.0, 'low': 1.0, 'high': 1.0}, 'wins')
    """
    if not baselines:
        raise ValueError("baselines is empty; expected one or more to compare with")
    numbers = np.asarray(numbers, np.float64)
    for name, given in {"network": answers, **baselines}.items():
        if np.shape(given) != numbers.shape or numbers.ndim != 1:
            raise ValueError(
                f"{name}: numbers are {numbers.shape}, answers {np.shape(given)}; "
                "expected (N,) of both"
            )
    check_answers(answers, "numbers")
    baselines, left_out = finite_baselines(baselines)

    def errors(name: str) -> np.ndarray:  # (2, N)
        return np.abs(np.stack([answers, baselines[name]]) - numbers)

    def differs(name: str) -> np.ndarray:
        own, other = errors(name)
        return ~np.isclose(own, other, rtol=1e-9, atol=0)

    def headlines(name: str) -> Statistic:
        both = errors(name)
        return lambda weights: both @ weights / weights.sum()

    return compared_report(
        task,
        {"n": len(numbers)},
        _statistic(numbers, answers),
        {name: _statistic(numbers, given) for name, given in baselines.items()},
        BOUNDS,
        differs,
        redraw_of(len(numbers), groups),
        headline=HEADLINE,
        headlines=headlines,
        notes=notes or {},
        comparing={"lower_is_better": True},
        num_resamples=num_resamples,
        left_out=left_out,
    )


def _statistic(numbers: np.ndarray, answers: np.ndarray) -> Statistic:
    """MAE, RMSE and Spearman's rank correlation: (3,)."""
    error = np.asarray(answers, np.float64) - numbers
    sizes = np.stack([np.abs(error), np.square(error)])
    ranks_of = [_ranks(each) for each in (numbers, answers)]

    def statistic(weights: np.ndarray) -> np.ndarray:
        mae, mse = sizes @ weights / weights.sum()
        ranks = np.stack([ranks(weights) for ranks in ranks_of])  # (2, N)
        ranks -= (ranks @ weights / weights.sum())[:, np.newaxis]
        (a, both), (_, b) = (ranks * weights) @ ranks.T
        # Equal ranks differ from their mean by rounding alone.
        defined = min(a, b) > 1e-9 * weights.sum() ** 3
        correlation = both / np.sqrt(a * b) if defined else np.nan
        return np.array([mae, np.sqrt(mse), correlation])

    return statistic


def _ranks(values: np.ndarray) -> Statistic:
    """Ranks of a resample, those of equal values their mean."""
    distinct, group = np.unique(values, return_inverse=True)

    def ranks(weights: np.ndarray) -> np.ndarray:
        count = np.bincount(group, weights, len(distinct))
        return (np.cumsum(count) - count / 2)[group]

    return ranks
