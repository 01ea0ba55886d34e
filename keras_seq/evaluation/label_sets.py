"""Scores of several labels a sample: thresholds, F1 over all labels, and a verdict.

Knows labels and probabilities alone: nothing of models, texts or files.

Shapes: N samples, C labels.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.evaluation import verdict
from keras_seq.evaluation.bootstrap import MIN_PROBABILITY, Statistic
from keras_seq.evaluation.finite import check_answers, finite_baselines
from keras_seq.evaluation.reports import compared_report
from keras_seq.evaluation.resampling import redraw_of

HEADLINE = "micro_f1"
NETWORK = "network"


def choose_thresholds(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The probability from which on each label is answered, for the best F1 of its own.

    Args:
        labels: (N, C) of 0 and 1, of a part that is neither train nor test.
        probabilities: float (N, C).

    Returns:
        float64 (C,), halfway between the two probabilities that it parts; 0.5 for a
        label that does not occur.

    Example:

    >>> choose_thresholds([[1], [1], [0]], np.array([[0.4], [0.3], [0.1]])).tolist()
    [0.2]
    """
    both = zip(np.asarray(labels).T, np.asarray(probabilities, np.float64).T)
    return np.array([_threshold(*one) for one in both])


def _threshold(label: np.ndarray, probability: np.ndarray) -> float:
    if not label.any():
        return 0.5
    order = np.argsort(-probability, kind="stable")
    found = np.cumsum(label[order])
    f1 = 2 * found / (np.arange(1, len(label) + 1) + label.sum())
    sorted_down = probability[order]
    below = np.append(sorted_down[1:], 0.0)
    f1[sorted_down == below] = 0  # what is equal cannot be parted
    best = int(f1.argmax())
    return float((sorted_down[best] + below[best]) / 2)


def label_set_report(
    task: str,
    labels: np.ndarray,
    probabilities: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    label_names: Sequence[str],
    *,
    thresholds: Mapping[str, np.ndarray],
    groups: Sequence | np.ndarray | None = None,
    notes: Mapping[str, str] | None = None,
    num_resamples: int = 1000,
) -> dict[str, Any]:
    """Scores, baselines and the verdict, as `scores.report` has them for one label.

    The scores are `micro_f1`, over all labels of all samples; `macro_f1`, the mean of
    F1 over the labels that occur or are answered; `f1_<label>`; `exact_match`, how
    often all labels of a sample are right; and `log_loss`, in nats a label. The
    verdict is about `micro_f1`.

    Args:
        task: The task's name.
        labels: (N, C) of 0 and 1.
        probabilities: float (N, C), the network's.
        baselines: Name to float (N, C); at least one.
        label_names: C distinct names.
        thresholds: float (C,) by baseline, and of the "network".
        groups: (N,), the group of each sample that is redrawn as one.
        notes: What to know of a baseline, by name.
        num_resamples: Samples are redrawn so many times.

    Returns:
        What `scores.report` returns.

    Raises:
        ValueError: There is no baseline, or the shapes do not fit each other.

    Example:

    >>> labels = np.array([[1, 0], [1, 1]] * 50)
    >>> report = label_set_report(
    ...     "mood", labels, labels * 0.8, {"none": np.zeros((100, 2))}, ["sad", "loud"],
    ...     thresholds={"network": [0.5, 0.5], "none": [0.5, 0.5]})
    >>> report["scores"]["micro_f1"]["value"], report["verdict"]
    (1.0, 'wins')
    """
    if not baselines:
        raise ValueError("baselines is empty; expected one or more to compare with")
    labels = np.asarray(labels, np.float64)
    shape = len(labels), len(label_names)
    for name, scored in {NETWORK: probabilities, **baselines}.items():
        if np.shape(scored) != shape or labels.shape != shape:
            raise ValueError(
                f"{name}: labels are {labels.shape}, probabilities {np.shape(scored)}; "
                f"expected (N, C) = {shape}"
            )
    check_answers(probabilities, "probabilities")
    baselines, left_out = finite_baselines(baselines)
    names = [HEADLINE, "macro_f1", *(f"f1_{name}" for name in label_names)]
    bounds = dict.fromkeys([*names, "exact_match"], (0.0, 1.0))

    def statistic(name: str, scored: np.ndarray) -> Statistic:
        return _statistic(labels, np.asarray(scored), thresholds[name])

    def differs(name: str) -> np.ndarray:
        answers = np.asarray(probabilities) >= np.asarray(thresholds[NETWORK])
        others = np.asarray(baselines[name]) >= np.asarray(thresholds[name])
        return (answers != others).any(axis=1)

    return compared_report(
        task,
        {"n": len(labels)},
        statistic(NETWORK, probabilities),
        {name: statistic(name, scored) for name, scored in baselines.items()},
        bounds | {"log_loss": (0.0, np.inf)},
        differs,
        redraw_of(len(labels), groups),
        headline=HEADLINE,
        notes=notes or {},
        comparing={"bounds": verdict.SHARES, "undefined": 0.0},
        num_resamples=num_resamples,
        left_out=left_out,
    )


def _statistic(
    labels: np.ndarray, probabilities: np.ndarray, thresholds: np.ndarray
) -> Statistic:
    """Micro F1, macro F1, each label's F1, exact matches, log loss: (C + 4,)."""
    answers = (probabilities >= np.asarray(thresholds)).astype(np.float64)
    both, either = labels * answers, labels + answers
    exact = (labels == answers).all(axis=1).astype(np.float64)
    of_label = np.where(labels > 0, probabilities, 1 - probabilities)
    loss = -np.log(np.clip(of_label, MIN_PROBABILITY, 1.0)).mean(axis=1)

    def statistic(weights: np.ndarray) -> np.ndarray:
        right, found = 2 * (weights @ both), weights @ either
        each = np.full(len(found), np.nan)
        np.divide(right, found, out=each, where=found > 0)
        occurs = found > 0
        macro = each[occurs].mean() if occurs.any() else np.nan
        micro = right.sum() / found.sum() if occurs.any() else np.nan
        others = weights @ np.stack([exact, loss], axis=1) / weights.sum()
        return np.concatenate([[micro, macro], each, others])

    return statistic
