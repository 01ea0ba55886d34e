"""Answers that are no numbers: a network's are refused, a baseline's are left out.

What every report is checked with, so that NaN is never compared: each comparison with
it is false, which reads as a tie.

Shapes: N samples.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from keras_seq.errors import UserError

ADVICE = "it cannot be scored; train it again, with other data or a lower learning rate"


def check_answers(answers: np.ndarray, what: str, first: int = 0) -> None:
    """Refuses a network's answers that hold NaN or Inf.

    Args:
        answers: float (N, ...).
        what: how to call one of them, such as "probabilities".
        first: number of the first sample.

    Raises:
        UserError: One is no number; the line counts them and names the first sample.

    Example:

    >>> check_answers(np.array([[0.5, 0.5], [np.nan, 0.5]]), "probabilities")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: the network answers with NaN or Inf: probabilities of \
1 of 2 samples, the first of them sample 2; it cannot be scored; train it again, with \
other data or a lower learning rate
    """
    broken = ~_finite_rows(answers)
    if broken.any():
        raise UserError(
            f"the network answers with NaN or Inf: {what} of {broken.sum()} of "
            f"{len(broken)} samples, the first of them sample "
            f"{first + int(broken.argmax()) + 1}; {ADVICE}"
        )


def finite_baselines(
    baselines: Mapping[str, np.ndarray],
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Those whose answers are all numbers, and the names of the others.

    Args:
        baselines: name to float (N, ...).

    Returns:
        Name to answers, and the names that were left out.

    Raises:
        UserError: None is left.

    Example:

    >>> kept, left_out = finite_baselines({"a": np.ones(1), "b": np.array([np.nan])})
    >>> list(kept), left_out
    (['a'], ['b'])
    """
    kept = {n: one for n, one in baselines.items() if _finite_rows(one).all()}
    left_out = [name for name in baselines if name not in kept]
    if left_out and not kept:
        raise UserError(
            f"baselines answer with NaN or Inf: {', '.join(left_out)}; none is left to "
            "compare with"
        )
    return kept, left_out


def checked_report(
    report: dict[str, Any], left_out: Collection[str] = ()
) -> dict[str, Any]:
    """The same report, once the network's column holds numbers alone.

    A score that the data do not define (such as a percentage of zeros) is none for the
    baselines as well, and stays.

    Args:
        report: as `evaluation.scores.report` and its like have it.
        left_out: baselines whose answers are no numbers; the sentence names them.

    Returns:
        The report.

    Raises:
        UserError: A score of the network is NaN or Inf.

    Example:

    >>> checked_report({"scores": {"wer": {"value": float("nan")}}, "baselines": {}})
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: the network's score is no number: wer is nan; it \
cannot be scored; train it again, with other data or a lower learning rate
    """
    headline = report.get("comparison", {}).get("metric")
    broken = []
    for name, score in report["scores"].items():
        others = [values.get(name) for values in report["baselines"].values()]
        defined = not others or any(x is not None and np.isfinite(x) for x in others)
        if not np.isfinite(score["value"]) and (defined or name == headline):
            broken.append(f"{name} is {score['value']}")
    if broken:
        scores = ", ".join(broken)
        raise UserError(f"the network's score is no number: {scores}; {ADVICE}")
    if left_out:
        report["comparison"][
            "sentence"
        ] += f" Left out, as their answers hold NaN or Inf: {', '.join(left_out)}."
    return report


def _finite_rows(answers: np.ndarray) -> np.ndarray:
    """Whether all of a sample's answers are numbers: bool (N,)."""
    answers = np.atleast_1d(np.asarray(answers, np.float64))
    return np.isfinite(answers).all(axis=tuple(range(1, answers.ndim)))
