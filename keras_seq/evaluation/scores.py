"""Scores of finished predictions, each with an interval, beside cheap baselines.

Knows labels and probabilities alone: nothing of models, texts or files. The formulas
are in `bootstrap`.
"""

import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from keras_seq.evaluation import bootstrap
from keras_seq.evaluation.finite import (
    check_answers,
    checked_report,
    finite_baselines,
)

BETTER_IS_LOWER = ("log_loss", "calibration_error")
# Of fewer samples, a resample says too little of samples not seen.
FEW_SAMPLES = 100


def classification_scores(
    labels: Sequence[int] | np.ndarray,
    probabilities: np.ndarray,
    label_names: Sequence[str],
    *,
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
    {'value': 0.75, 'low': 0.25, 'high': 1.0}
    >>> {name: round(score["value"], 2) for name, score in scores.items()}
    {'accuracy': 0.75, 'macro_f1': 0.73, 'f1_bad': 0.8, 'f1_good': 0.67,
     'roc_auc': 0.75, 'log_loss': 0.51, 'calibration_error': 0.35}
    """
    labels, probabilities = bootstrap.checked(labels, probabilities, len(label_names))
    statistic = bootstrap.all_metrics(labels, probabilities)
    values, resamples = bootstrap.bootstrap(
        statistic, len(labels), num_resamples, seed
    )
    names = bootstrap.metric_names(label_names)
    return {
        name: bootstrap.interval(_shown(name, value), of_metric)
        for name, value, of_metric in zip(names, values, resamples.T)
    }


def compare(
    labels: Sequence[int] | np.ndarray,
    probabilities: np.ndarray,
    baseline_probabilities: np.ndarray,
    *,
    baseline: str,
    metric: str = "accuracy",
    num_resamples: int = 1000,
    seed: int = 0,
) -> dict:
    """Says whether a network is better than a baseline on the same samples.

    The bootstrap is paired: both are scored on the same resamples, so what makes a
    sample hard for both does not blur the difference. The network wins when the whole
    95 % interval is on its side, loses when it is on the other, and ties otherwise.

    Args:
        labels: int (N,).
        probabilities: float (N, C), the network's.
        baseline_probabilities: float (N, C).
        baseline: The baseline's name, for the sentence.
        metric: accuracy, macro_f1, roc_auc, log_loss or calibration_error.
        num_resamples: Samples are redrawn so many times.
        seed: Of the resampling.

    Returns:
        `{"baseline", "metric", "difference": {"value", "low", "high"}, "verdict",
        "sentence"}`; the difference is the network's score less the baseline's, the
        verdict "wins", "ties" or "loses".

    Raises:
        ValueError: The shapes do not fit each other, or the metric is unknown.

    Example:

    >>> unsure, right = np.full((200, 2), 0.5), np.tile([0.2, 0.8], (200, 1))
    >>> compare([1] * 200, unsure, right, baseline="majority")["sentence"]
    'The network loses to majority: accuracy 0.000 against 1.000 (difference -1.000,
     95 % interval -1.000 to -1.000). Use the baseline.'
    """
    if metric not in bootstrap.METRICS:
        known = ", ".join(bootstrap.METRICS)
        raise ValueError(f"metric is {metric!r}; expected one of {known}")
    num_classes = np.shape(probabilities)[-1] if np.ndim(probabilities) else 0
    labels, network = bootstrap.checked(labels, probabilities, num_classes)
    _, other = bootstrap.checked(labels, baseline_probabilities, num_classes)
    both = [bootstrap.METRICS[metric](labels, scored) for scored in (network, other)]
    values, resamples = bootstrap.bootstrap(
        # macro_f1 gives the classes' F1 after itself.
        lambda weights: np.stack([statistic(weights)[0] for statistic in both]),
        len(labels),
        num_resamples,
        seed,
    )
    values = [_shown(metric, value) for value in values]
    difference = bootstrap.interval(
        values[0] - values[1], resamples[:, 0] - resamples[:, 1]
    )
    verdict = _verdict(difference, lower_is_better=metric in BETTER_IS_LOWER)
    sentence = _sentence(verdict, baseline, metric, values, difference)
    if len(labels) < FEW_SAMPLES:
        sentence += f" With so few samples ({len(labels)}) this is a hint at most."
    return {
        "baseline": baseline,
        "metric": metric,
        "difference": difference,
        "verdict": verdict,
        "sentence": sentence,
    }


def report(
    task: str,
    labels: Sequence[int] | np.ndarray,
    probabilities: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    label_names: Sequence[str],
    *,
    num_resamples: int = 1000,
    seed: int = 0,
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
        num_resamples: Samples are redrawn so many times.
        seed: Of the resampling.

    Returns:
        `{"task", "n", "scores", "baselines": {name: {metric: value}}, "verdict",
        "comparison"}`: what `json.dumps` takes; `comparison` is that of `compare`.

    Raises:
        ValueError: There is no baseline, or the shapes do not fit each other.
        UserError: The network's probabilities hold NaN or Inf.

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
    resampling = {"num_resamples": num_resamples, "seed": seed}
    names = bootstrap.metric_names(label_names)
    every_sample = np.ones(len(labels))
    values = {}
    for name, scored in baselines.items():
        checked = bootstrap.checked(labels, scored, len(label_names))
        found = bootstrap.all_metrics(*checked)(every_sample)
        values[name] = {key: _shown(key, value) for key, value in zip(names, found)}
    strongest = max(values, key=lambda name: values[name]["accuracy"])
    comparison = compare(
        labels, probabilities, baselines[strongest], baseline=strongest, **resampling
    )
    told = {
        "task": task,
        "n": len(labels),
        "scores": classification_scores(
            labels, probabilities, label_names, **resampling
        ),
        "baselines": values,
        "verdict": comparison["verdict"],
        "comparison": comparison,
    }
    return checked_report(told, left_out)


def format_report(report: Mapping) -> str:
    """Writes a report for people: an aligned table, then the plain sentence.

    Args:
        report: What `report` returned, or the same read from `metrics.json`.

    Returns:
        Lines without a final line end.

    Example:

    >>> scores = {"accuracy": {"value": 0.856, "low": 0.85, "high": 0.862}}
    >>> print(format_report({
    ...     "task": "sentiment", "n": 12502, "scores": scores, "verdict": "loses",
    ...     "baselines": {"majority": {"accuracy": 0.503}},
    ...     "comparison": {"sentence": "The network loses."}}))
    sentiment, 12,502 samples
              network   95 % interval  majority
    accuracy    0.856  0.850 to 0.862     0.503
    The network loses.
    """
    baselines = report["baselines"]
    rows = [["", "network", "95 % interval", *baselines]]
    for metric, score in report["scores"].items():
        interval = f"{score['low']:.3f} to {score['high']:.3f}"
        others = [f"{values[metric]:.3f}" for values in baselines.values()]
        rows.append([metric, f"{score['value']:.3f}", interval, *others])
    widths = [max(map(_width, column)) for column in zip(*rows)]
    lines = []
    for first, *cells in rows:
        line = first + " " * (widths[0] - _width(first))
        for cell, width in zip(cells, widths[1:]):
            line += "  " + " " * (width - _width(cell)) + cell
        lines.append(line)
    title = f"{report['task']}, {report['n']:,} samples"
    return "\n".join([title, *lines, report["comparison"]["sentence"]])


def _shown(name: str, value: float) -> float:
    """A plain float; where the metric is not defined, that of knowing nothing."""
    if np.isfinite(value):
        return float(value)
    return 0.5 if name == "roc_auc" else 0.0


def _verdict(difference: dict[str, float], lower_is_better: bool) -> str:
    low, high = difference["low"], difference["high"]
    if lower_is_better:
        low, high = -high, -low
    return "wins" if low > 0 else "loses" if high < 0 else "ties"


def _sentence(
    verdict: str, baseline: str, metric: str, values: list, difference: dict
) -> str:
    words, advice = {
        "wins": ("wins over", "Use the network."),
        "ties": ("ties with", "No difference is proven, and the baseline is cheaper."),
        "loses": ("loses to", "Use the baseline."),
    }[verdict]
    # Adding zero turns a rounded -0.0 into 0.0.
    change, low, high = (f"{round(x, 3) + 0.0:+.3f}" for x in difference.values())
    scores = f"{metric.replace('_', ' ')} {values[0]:.3f} against {values[1]:.3f}"
    return (
        f"The network {words} {baseline}: {scores} (difference {change}, "
        f"95 % interval {low} to {high}). {advice}"
    )


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)
