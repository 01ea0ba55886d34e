"""Metrics as functions of sample weights, and the bootstrap over them.

Weights of one give a metric's value; how often each sample was drawn gives its value on
a resample. So each metric is defined once, what no weight changes (sorting, bins) is
computed once, and two models are compared on the same resamples by stacking their
metrics. Where a metric is not defined it is nan here: `scores` decides what to show.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from keras_seq.evaluation.resampling import Redraw

CALIBRATION_BINS = 15
# As Keras clips: one sure and wrong answer in float32 must not cost infinity.
MIN_PROBABILITY = 1e-7

Statistic = Callable[[np.ndarray], np.ndarray]  # float64 (N,) weights -> float64 (M,)
Metric = Callable[[np.ndarray, np.ndarray], Statistic]  # labels (N,), probs (N, C)


def checked_labels(labels: Sequence[int] | np.ndarray) -> np.ndarray:
    """int64 (N,), or a ValueError that says what does not fit."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not len(labels) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels are {labels.dtype} {labels.shape}; expected integers (N,) with "
            "N >= 1: turn label names into their ids first"
        )
    if labels.min() < 0:
        raise ValueError(f"labels start at {labels.min()}; expected 0 or more")
    return labels.astype(np.int64)


def checked(
    labels: Sequence[int] | np.ndarray, probabilities: np.ndarray, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """int64 (N,) and float64 (N, C), or a ValueError that says what does not fit."""
    labels, probabilities = checked_labels(labels), np.asarray(probabilities, float)
    if num_classes < 2 or probabilities.shape != (len(labels), num_classes):
        raise ValueError(
            f"probabilities are {probabilities.shape}; expected (N, C) = "
            f"{(len(labels), num_classes)} with C >= 2: one row a label, one column a "
            "label name; for two classes give [1 - p, p]"
        )
    if labels.max() >= num_classes:
        raise ValueError(
            f"labels go up to {labels.max()}; expected 0 to {num_classes - 1}, as "
            f"there are {num_classes} label names"
        )
    sums = probabilities.sum(axis=1)
    if not (probabilities.min() >= 0 and np.allclose(sums, 1, atol=1e-3)):
        raise ValueError(
            "probabilities hold NaN, negative numbers or rows that do not sum to 1; "
            "give the softmax of logits, not logits"
        )
    return labels, probabilities


def accuracy(labels: np.ndarray, probabilities: np.ndarray) -> Statistic:
    """The share of samples whose most probable class is their label."""
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    return lambda weights: np.atleast_1d(weights @ right / weights.sum())


def f1(labels: np.ndarray, probabilities: np.ndarray) -> Statistic:
    """F1 of each class, after their mean over the classes that occur: (1 + C,)."""
    num_classes = probabilities.shape[1]
    predictions = probabilities.argmax(axis=1)
    right = predictions == labels
    labels_right = labels[right]

    def statistic(weights: np.ndarray) -> np.ndarray:
        true_positive = np.bincount(labels_right, weights[right], num_classes)
        # 2 TP + FP + FN: each class as a label and as a prediction.
        found = np.bincount(labels, weights, num_classes)
        found += np.bincount(predictions, weights, num_classes)
        per_class = np.full(num_classes, np.nan)
        np.divide(2 * true_positive, found, out=per_class, where=found > 0)
        return np.concatenate([[per_class[found > 0].mean()], per_class])

    return statistic


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> Statistic:
    """Of the last class when there are two, else the mean of one against the rest."""
    num_classes = probabilities.shape[1]
    positives = [1] if num_classes == 2 else range(num_classes)
    areas = [_area(labels == label, probabilities[:, label]) for label in positives]

    def statistic(weights: np.ndarray) -> np.ndarray:
        found = np.array([area(weights) for area in areas])
        defined = found[np.isfinite(found)]
        return np.array([defined.mean() if defined.size else np.nan])

    return statistic


def _area(positive: np.ndarray, score: np.ndarray) -> Callable[[np.ndarray], float]:
    """How often a positive's score is above a negative's; a tie counts half."""
    order = np.argsort(score, kind="stable")
    positives, negatives = order[positive[order]], order[~positive[order]]
    # Of the sorted negatives, the first `lower` are below a positive, and those from
    # there to `upper` tie with it.
    lower = np.searchsorted(score[negatives], score[positives], side="left")
    upper = np.searchsorted(score[negatives], score[positives], side="right")

    def area(weights: np.ndarray) -> float:
        of_positives = weights[positives]
        below = np.concatenate([[0.0], np.cumsum(weights[negatives])])
        pairs = of_positives.sum() * below[-1]
        ranked = of_positives @ (below[lower] + below[upper]) / 2
        return ranked / pairs if pairs else np.nan

    return area


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> Statistic:
    """Mean negative log probability of the label, in nats."""
    of_label = probabilities[np.arange(len(labels)), labels]
    loss = -np.log(np.clip(of_label, MIN_PROBABILITY, 1.0))
    return lambda weights: np.atleast_1d(weights @ loss / weights.sum())


def calibration_error(labels: np.ndarray, probabilities: np.ndarray) -> Statistic:
    """Expected gap of the top class's probability to how often it is right.

    Guo et al. 2017, "On Calibration of Modern Neural Networks": bins of equal width,
    each closed on its right.
    """
    top = probabilities.max(axis=1)
    gap = (probabilities.argmax(axis=1) == labels) - top
    bins = np.ceil(top * CALIBRATION_BINS).astype(np.int64) - 1
    bins = np.clip(bins, 0, CALIBRATION_BINS - 1)

    def statistic(weights: np.ndarray) -> np.ndarray:
        gaps = np.bincount(bins, weights * gap, CALIBRATION_BINS)
        return np.atleast_1d(np.abs(gaps).sum() / weights.sum())

    return statistic


# What one number sums up; `f1` gives the classes' after macro_f1.
METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "macro_f1": f1,
    "roc_auc": roc_auc,
    "log_loss": log_loss,
    "calibration_error": calibration_error,
}


def all_metrics(labels: np.ndarray, probabilities: np.ndarray) -> Statistic:
    """The values of METRICS in their order, each class's F1 after macro_f1."""
    every = [metric(labels, probabilities) for metric in METRICS.values()]
    return lambda weights: np.concatenate([one(weights) for one in every])


def metric_names(label_names: Sequence[str]) -> list[str]:
    """The names of what `all_metrics` gives, in its order."""
    first, second, *others = METRICS
    return [first, second, *(f"f1_{name}" for name in label_names), *others]


def bootstrap(
    statistic: Statistic, redraw: Redraw, num_resamples: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Evaluates a statistic on all samples, and on samples redrawn with replacement.

    Args:
        statistic: float64 (N,) weights -> float64 (M,).
        redraw: what is redrawn, of `resampling`.
        num_resamples: R, 0 or more.
        seed: Of the drawing.

    Returns:
        value: float64 (M,).
        resamples: float64 (R, M).

    Example:

    >>> from keras_seq.evaluation.resampling import by_samples
    >>> mean = lambda weights: np.atleast_1d(weights @ [0.0, 1.0] / weights.sum())
    >>> value, resamples = bootstrap(mean, by_samples(2), 100, seed=0)
    >>> value, np.unique(resamples)
    (array([0.5]), array([0. , 0.5, 1. ]))
    """
    rng = np.random.default_rng(seed)
    value = statistic(np.ones(len(redraw.unit_of)))
    resamples = np.empty((num_resamples, len(value)))
    for resample in resamples:
        resample[:] = statistic(redraw.draw(rng))
    return value, resamples


def interval(
    value: float,
    resamples: np.ndarray,
    widening: float = 1.0,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> dict[str, float]:
    """The middle 95 % of the resamples on which a metric is defined.

    Resamples repeat samples, which biases some metrics, the calibration error most: the
    interval is widened to hold its own value.

    Args:
        value: On all samples.
        resamples: float64 (R,); nan where the metric is not defined.
        widening: Factor of the ends' distances from the value.
        bounds: The least and the largest value there can be.

    Returns:
        `{"value", "low", "high"}`, plain floats; without a resample both ends are the
        value.

    Example:

    >>> interval(0.5, np.array([0.4, 0.4, np.nan]))
    {'value': 0.5, 'low': 0.4, 'high': 0.5}
    """
    defined = resamples[np.isfinite(resamples)]
    ends = (value, value)
    if defined.size:  # so that of few resamples as much lies outside as of many
        ends = np.percentile(defined, [2.5, 97.5], method="weibull")
    low, high = (value + widening * (end - value) for end in ends)
    return {
        "value": float(value),
        "low": float(min(max(low, bounds[0]), value)),
        "high": float(max(min(high, bounds[1]), value)),
    }


def share_interval(hits: float, trials: float) -> tuple[float, float]:
    """The exact 95 % interval of a share (Clopper and Pearson 1934).

    Example:

    >>> low, high = share_interval(4, 4)  # four of four may be chance
    >>> round(low, 3), high
    (0.398, 1.0)
    """
    from scipy.special import betaincinv

    low = betaincinv(hits, trials - hits + 1, 0.025) if hits else 0.0
    high = betaincinv(hits + 1, trials - hits, 0.975) if hits < trials else 1.0
    return float(low), float(high)


def hull(found: dict[str, float], *others: float) -> dict[str, float]:
    """An interval, widened to hold other numbers as well.

    Example:

    >>> hull({"value": 0.5, "low": 0.4, "high": 0.6}, 0.0)
    {'value': 0.5, 'low': 0.0, 'high': 0.6}
    """
    low, high = min(found["low"], *others), max(found["high"], *others)
    return {"value": found["value"], "low": low, "high": high}
