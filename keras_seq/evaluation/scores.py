"""Scores of finished predictions, each with an interval, beside cheap baselines.

Knows labels and probabilities alone: nothing of models, texts or files. The formulas
are in `bootstrap`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.data.copies import percent
from keras_seq.evaluation import bootstrap, verdict
from keras_seq.evaluation.finite import check_answers, finite_baselines
from keras_seq.evaluation.reports import gather_report
from keras_seq.evaluation.resampling import redraw_of
from keras_seq.evaluation.table import format_report

BETTER_IS_LOWER = ("log_loss", "calibration_error")
LARGE_CLASS, HIDDEN = 0.6, 0.1  # a class's share; what macro F1 is below accuracy
SHARE = (0.0, 1.0)  # what all scores but log_loss lie between


def classification_scores(
    labels: Sequence[int] | np.ndarray,
    probabilities: np.ndarray,
    label_names: Sequence[str],
    *,
    groups: Sequence | np.ndarray | None = None,
    num_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """Scores a classifier's probabilities, with 95 % bootstrap intervals.

    The keys are `accuracy`; `macro_f1`, the mean of F1 over the classes that occur;
    `f1_<label>` for each class; `roc_auc`, of the last class when there are two, else
    the mean over classes of one against the rest; `log_loss`, in nats; and
    `calibration_error`, the expected gap between the top class's probability and how
    often it is right, in 15 bins of equal width.

    Where a score is not defined (a class that neither occurs nor is predicted, or
    ROC-AUC with one class present) it is 0, for ROC-AUC 0.5. Resamples without a class
    are left out of the interval of the scores that need it.

    Args:
        labels: int (N,), from 0 to C - 1.
        probabilities: float (N, C), rows sum to 1.
        label_names: C distinct names.
        groups: (N,), the group of each sample, such as copies of a text, that is
            redrawn as one; None where every sample is of its own.
        num_resamples: Samples are redrawn so many times; 0 leaves the value alone.
        seed: Of the resampling.

    Returns:
        For each score `{"value", "low", "high"}`, plain floats.

    Raises:
        ValueError: The shapes do not fit each other, or rows are not probabilities.

    Example:

    >>> probabilities = [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]]
    >>> scores = classification_scores([0, 0, 1, 1], probabilities, ["bad", "good"])
    >>> scores["accuracy"]
    {'value': 0.75, 'low': 0.0, 'high': 1.0}
    >>> {name: round(score["value"], 2) for name, score in scores.items()}
    {'accuracy': 0.75, 'macro_f1': 0.73, 'f1_bad': 0.8, 'f1_good': 0.67,
     'roc_auc': 0.75, 'log_loss': 0.51, 'calibration_error': 0.35}
    """
    labels, probabilities = bootstrap.checked(labels, probabilities, len(label_names))
    redraw = redraw_of(len(labels), groups)
    values, resamples = bootstrap.bootstrap(
        bootstrap.all_metrics(labels, probabilities), redraw, num_resamples, seed
    )
    names = bootstrap.metric_names(label_names)
    widening, scores = redraw.widening(), {}
    for name, value, drawn in zip(names, values, resamples.T):
        bounds = (0.0, np.inf) if name == "log_loss" else SHARE
        value = _shown(name, value)
        scores[name] = bootstrap.interval(value, drawn, widening, bounds)
    if num_resamples:
        count, share = redraw.num_units, scores["accuracy"]["value"]
        exact = bootstrap.share_interval(share * count, count)
        scores["accuracy"] = bootstrap.hull(scores["accuracy"], *exact)
    return scores


def compare(
    labels: Sequence[int] | np.ndarray,
    probabilities: np.ndarray,
    baseline_probabilities: np.ndarray,
    *,
    baseline: str,
    metric: str = "accuracy",
    groups: Sequence | np.ndarray | None = None,
    note: str = "",
    num_resamples: int = 1000,
) -> dict:
    """Says whether a network is better than a baseline on the same samples.

    The bootstrap is paired: both are scored on the same resamples, so what makes a
    sample hard for both does not blur the difference. The network wins when the whole
    95 % interval is on its side, loses when it is on the other, and ties otherwise; it
    ties, too, where the two differ on five samples or fewer. For accuracy an exact test
    of the samples that only one has right has to agree.

    Args:
        labels: int (N,).
        probabilities: float (N, C), the network's.
        baseline_probabilities: float (N, C).
        baseline: The baseline's name, for the sentence.
        metric: accuracy, macro_f1, roc_auc, log_loss or calibration_error.
        groups: (N,), as `classification_scores` has them.
        note: What to know of the baseline.
        num_resamples: Samples are redrawn so many times.

    Returns:
        `{"baseline", "metric", "difference": {"value", "low", "high"}, "units",
        "verdict", "sentence"}`, as `verdict.compare` has it.

    Raises:
        ValueError: The shapes do not fit each other, or the metric is unknown.

    Example:

    >>> unsure, right = np.full((200, 2), 0.5), np.tile([0.2, 0.8], (200, 1))
    >>> compare([1] * 200, unsure, right, baseline="majority")["sentence"]
    'The network loses to majority: accuracy 0.000 against 1.000 (difference -1.000,
     95 % interval -1.000 to -0.963). Use the baseline.'
    """
    if metric not in bootstrap.METRICS:
        known = ", ".join(bootstrap.METRICS)
        raise ValueError(f"metric is {metric!r}; expected one of {known}")
    num_classes = np.shape(probabilities)[-1] if np.ndim(probabilities) else 0
    labels, network = bootstrap.checked(labels, probabilities, num_classes)
    _, other = bootstrap.checked(labels, baseline_probabilities, num_classes)
    return verdict.compare(
        _pair(labels, network, other, metric),
        redraw_of(len(labels), groups),
        baseline=baseline,
        metric=metric,
        lower_is_better=metric in BETTER_IS_LOWER,
        note=note,
        bounds=verdict.ANY if metric == "log_loss" else verdict.SHARES,
        undefined=_shown(metric, np.nan),
        num_resamples=num_resamples,
    )


def _pair(
    labels: np.ndarray, network: np.ndarray, other: np.ndarray, metric: str
) -> verdict.Pair:
    both = [bootstrap.METRICS[metric](labels, scored) for scored in (network, other)]
    answers, others = network.argmax(axis=1), other.argmax(axis=1)
    signs = (answers == labels).astype(int) - (others == labels)
    differs = ~np.isclose(network, other, rtol=1e-9, atol=0).all(axis=1)
    if metric == "accuracy":
        differs = signs != 0
    elif metric == "macro_f1":
        differs = answers != others
    elif metric == "roc_auc":  # as sure as its rarest class lets it be
        differs &= labels == labels[np.argmin(np.bincount(labels)[labels])]
    return verdict.Pair(
        # macro_f1 gives the classes' F1 after itself.
        lambda weights: np.stack([statistic(weights)[0] for statistic in both]),
        differs,
        signs if metric == "accuracy" else None,
    )


def report(
    task: str,
    labels: Sequence[int] | np.ndarray,
    probabilities: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    label_names: Sequence[str],
    *,
    groups: Sequence | np.ndarray | None = None,
    notes: Mapping[str, str] | None = None,
    num_resamples: int = 1000,
) -> dict:
    """Gathers what `evaluate` prints: scores, baselines and the verdict.

    The verdict is against the baseline with the highest accuracy: a network that beats
    only the weaker ones has not won.

    Args:
        task: The task's name, such as "sentiment".
        labels: int (N,).
        probabilities: float (N, C), the network's.
        baselines: Name to float (N, C); at least one.
        label_names: C distinct names.
        groups: (N,), as `classification_scores` has them.
        notes: What to know of a baseline, such as rows it was not fitted on, by name.
        num_resamples: Samples are redrawn so many times.

    Returns:
        `{"task", "n", "scores", "baselines": {name: {metric: value}}, "notes",
        "verdict", "comparison"}`: what `json.dumps` takes; `comparison` is that of
        `compare`. "imbalance" is a sentence where accuracy hides that classes of few
        samples are missed.

    Raises:
        ValueError: There is no baseline, or the shapes do not fit each other.

    Example:

    >>> right, unsure = [[0.9, 0.1], [0.2, 0.8]] * 100, [[0.5, 0.5]] * 200
    >>> result = report("sentiment", [0, 1] * 100, right, {"majority": unsure},
    ...                 ["bad", "good"])
    >>> result["n"], result["verdict"], result["baselines"]["majority"]["accuracy"]
    (200, 'wins', 0.5)
    """
    if not baselines:
        raise ValueError("baselines is empty; expected one or more to compare with")
    check_answers(probabilities, "probabilities")
    baselines, left_out = finite_baselines(baselines)
    notes = notes or {}
    names = bootstrap.metric_names(label_names)
    every_sample = np.ones(len(labels))
    values = {}
    for name, scored in baselines.items():
        checked = bootstrap.checked(labels, scored, len(label_names))
        found = bootstrap.all_metrics(*checked)(every_sample)
        values[name] = {key: _shown(key, value) for key, value in zip(names, found)}
    strongest = max(values, key=lambda name: values[name]["accuracy"])
    comparison = compare(
        labels,
        probabilities,
        baselines[strongest],
        baseline=strongest,
        note=notes.get(strongest, ""),
        groups=groups,
        num_resamples=num_resamples,
    )
    scores = classification_scores(
        labels,
        probabilities,
        label_names,
        groups=groups,
        num_resamples=num_resamples,
    )
    further: dict[str, Any] = {"notes": notes, "left_out": left_out}
    if hidden := _hidden_imbalance(labels, label_names, scores):
        further["imbalance"] = hidden
    n = {"n": len(labels)}
    return gather_report(task, n, scores, values, comparison, **further)


def _hidden_imbalance(
    labels: Sequence[int] | np.ndarray,
    label_names: Sequence[str],
    scores: Mapping[str, Mapping[str, float]],
) -> str:
    """A sentence where accuracy is that of the largest class, and others are missed."""
    counts = np.bincount(labels, minlength=len(label_names))
    share, name = counts.max() / counts.sum(), label_names[int(counts.argmax())]
    accuracy, macro_f1 = (scores[each]["value"] for each in ("accuracy", "macro_f1"))
    if share < LARGE_CLASS or accuracy - macro_f1 < HIDDEN:
        return ""
    return (
        f"Accuracy hides imbalance: {percent(share)} of the samples are {name!r}, "
        f"which alone scores {share:.3f}; over the classes alike, F1 is {macro_f1:.3f} "
        "(macro_f1). Class weights may help."
    )


def _shown(name: str, value: float) -> float:
    """A plain float; where the metric is not defined, that of knowing nothing."""
    if np.isfinite(value):
        return float(value)
    return 0.5 if name == "roc_auc" else 0.0


__all__ = ["classification_scores", "compare", "format_report", "report"]
