"""What reports of all tasks have in common: scores, baselines, notes and the verdict.

Knows numbers alone: nothing of texts.

Shapes: N samples, M scores, K counts of a sentence or picture.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from keras_seq.evaluation import verdict
from keras_seq.evaluation.bootstrap import Statistic, bootstrap, interval
from keras_seq.evaluation.finite import checked_report
from keras_seq.evaluation.resampling import Redraw

PERCENT = (0.0, 100.0)
Bounds = Mapping[str, tuple[float, float]]  # by score, what it lies between
# Weights float64 (N,) and counts (N, K) to scores by name, the headline first.
Scores = Callable[[np.ndarray, np.ndarray], dict[str, float]]


def gather_report(
    task: str,
    sizes: Mapping[str, int],
    scores: Mapping[str, Mapping[str, float]],
    baselines: Mapping[str, Mapping[str, float]],
    comparison: dict[str, Any],
    *,
    notes: Mapping[str, str] | None = None,
    left_out: Collection[str] = (),
    **further: Any,
) -> dict[str, Any]:
    """What every report holds, in its order; the network's column is checked.

    Args:
        task: its name.
        sizes: "n" first, then what else was counted.
        scores: of the network, with their intervals.
        baselines: values by name.
        comparison: of `verdict.compare`.
        notes: what to know of baselines by name, of those that are not there, too; None
            where none is possible. Empty ones are dropped.
        left_out: as `checked_report` has it.
        further: behind the others.

    Raises:
        UserError: A score of the network is NaN or Inf.

    Example:

    >>> accuracy = {"value": 0.5, "low": 0.4, "high": 0.6}
    >>> found = {"verdict": "ties", "metric": "accuracy", "sentence": "They tie."}
    >>> report = gather_report("t", {"n": 4}, {"accuracy": accuracy}, {}, found)
    >>> [*report], report["verdict"]
    (['task', 'n', 'scores', 'baselines', 'verdict', 'comparison'], 'ties')
    """
    kept = {n: note for n, note in (notes or {}).items() if note and n not in left_out}
    report = {
        "task": task,
        **sizes,
        "scores": scores,
        "baselines": baselines,
        **({} if notes is None else {"notes": kept}),
        "verdict": comparison["verdict"],
        "comparison": comparison,
        **further,
    }
    return checked_report(report, left_out)


def compared_report(
    task: str,
    sizes: Mapping[str, int],
    network: Statistic,
    baselines: Mapping[str, Statistic],
    bounds: Bounds,
    differs: Callable[[str], np.ndarray],
    redraw: Redraw,
    *,
    headline: str,
    notes: Mapping[str, str] | None = None,
    comparing: Mapping[str, Any],
    headlines: Callable[[str], Statistic] | None = None,
    num_resamples: int,
    **further: Any,
) -> dict[str, Any]:
    """A report whose scores are one statistic, with the verdict on one of them.

    Args:
        task, sizes: as `gather_report` has them.
        network, baselines: what gives their scores, (M,); nan is 0 in the report.
        bounds: by the name of each score, in the statistic's order.
        differs: of a baseline's name: bool (N,), where it and the network differ.
        redraw: of the samples.
        headline: the score that is compared, with the best baseline by it.
        notes: what to know of a baseline, by name; None where none is possible.
        comparing: further arguments of `verdict.compare`.
        headlines: of a baseline's name: what gives the headline of the network and of
            that baseline, (2,), where it is cheaper than all scores.
        num_resamples: samples are redrawn so many times.
        further: of `gather_report`.
    """
    names, once = list(bounds), np.ones(len(redraw.unit_of))
    values = {
        name: dict(zip(names, np.nan_to_num(statistic(once)).tolist()))
        for name, statistic in baselines.items()
    }
    choose = min if comparing.get("lower_is_better") else max
    best = choose(values, key=lambda name: values[name][headline])
    both, place = (network, baselines[best]), names.index(headline)

    def compared(weights: np.ndarray) -> np.ndarray:
        return np.stack([statistic(weights)[place] for statistic in both])

    comparison = verdict.compare(
        verdict.Pair(headlines(best) if headlines else compared, differs(best)),
        redraw,
        baseline=best,
        metric=headline,
        note=(notes or {}).get(best, ""),
        num_resamples=num_resamples,
        **comparing,
    )
    found, drawn = bootstrap(network, redraw, num_resamples)
    widening = redraw.widening()
    scores = {
        name: interval(value, column, widening, bounds[name])
        for name, value, column in zip(names, np.nan_to_num(found), drawn.T)
    }
    return gather_report(
        task, sizes, scores, values, comparison, notes=notes, **further
    )


def corpus_report(
    task: str,
    scores: Scores,
    network: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    compared: slice,
    redraw: Redraw,
    *,
    bounds: Bounds | None = None,
    notes: Mapping[str, str] | None = None,
    num_resamples: int = 1000,
    **further: Any,
) -> dict[str, Any]:
    """A report on scores that a corpus has, and its sentences have not, such as BLEU.

    What is redrawn is each sentence's row of counts, whose sum makes the score. The
    verdict is about the first score.

    Args:
        task: its name.
        scores: of a corpus.
        network, baselines: float64 (N, K), those of the baselines by name.
        compared: columns that the first score is made of.
        redraw: of the rows.
        bounds: of scores that do not go from 0 to 100.
        notes, num_resamples: as `evaluation.scores.report` has them.
        further: behind what every report holds.

    Example:

    >>> from keras_seq.evaluation.resampling import by_samples
    >>> report = corpus_report("t", lambda weights, own: {"right": float(
    ...     100 * weights @ own[:, 0] / weights.sum())}, np.ones((99, 1)),
    ...     {"none": np.zeros((99, 1))}, slice(1), by_samples(99))
    >>> report["scores"]["right"]["value"], report["verdict"]
    (100.0, 'wins')
    """

    def statistic(own: np.ndarray) -> Statistic:
        return lambda weights: np.array([*scores(weights, own).values()])

    names = list(scores(np.ones(len(network)), network))
    return compared_report(
        task,
        {"n": len(network)},
        statistic(network),
        {name: statistic(own) for name, own in baselines.items()},
        dict.fromkeys(names, PERCENT) | dict(bounds or {}),
        lambda name: (network != baselines[name])[:, compared].any(axis=1),
        redraw,
        headline=names[0],
        notes=notes or {},
        comparing={"bounds": (-PERCENT[1], PERCENT[1])},
        num_resamples=num_resamples,
        **further,
    )
