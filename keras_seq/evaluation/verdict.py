"""Whether a network is better than a baseline, and the sentence about it.

One verdict for every task: the difference of two scores on the same redrawn samples
with its 95 % interval. The network wins when the whole interval is on its side, loses
when it is on the other, and ties otherwise. Where samples or blocks are too few to
tell, the interval is widened to hold no difference, so that verdict, sentence and
interval always agree. Knows numbers alone: nothing of texts, sounds or prices.

Shapes: N samples.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from keras_seq.evaluation.bootstrap import (
    Statistic,
    bootstrap,
    hull,
    interval,
    share_interval,
)
from keras_seq.evaluation.resampling import FEWEST_DIFFERENT, Redraw

# What a difference of shares lies between.
SHARES = (-1.0, 1.0)
ANY = (-np.inf, np.inf)
TINY = 6e-7  # what six digits behind the point cannot show
WORDS = {
    "wins": ("wins over", "Use the network."),
    "ties": ("ties with", "No difference is proven, and the baseline is cheaper."),
    "loses": ("loses to", "Use the baseline."),
}
LABELS = {
    "mase": "MASE",
    "mae": "MAE",
    "wer": "WER",
    "roc_auc": "ROC-AUC",
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "cross_entropy": "cross-entropy",
}


class Pair(NamedTuple):
    """A network and a baseline, scored on the same samples.

    Attributes:
        scores: weights float64 (N,) -> both scores float64 (2,).
        differs: bool (N,), where the two are not equal.
        signs: (N,) 1 where the network alone is right, -1 where the baseline alone is,
            else 0; None where a sample is not simply right or wrong.
    """

    scores: Statistic
    differs: np.ndarray
    signs: np.ndarray | None = None


class Change(NamedTuple):
    """How far two scores are apart.

    Attributes:
        scores: of the network and the baseline.
        interval: {"value", "low", "high"} of the difference.
        remark: what to know of the samples, or "".
    """

    scores: tuple[float, float]
    interval: dict[str, float]
    remark: str


def difference(network: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """How much larger the network's score is."""
    return network - baseline


def change(
    pair: Pair,
    redraw: Redraw,
    apart: Callable[[np.ndarray, np.ndarray], np.ndarray] = difference,
    *,
    bounds: tuple[float, float] = ANY,
    undefined: float | None = None,
    num_resamples: int = 1000,
) -> Change:
    """How far two scores are apart, with an interval that few samples do not narrow.

    Shares of right answers have an exact interval, too: given how many samples only one
    of the two has right, the network's part of them is binomial (McNemar 1947). Both
    intervals have to agree on a verdict.

    Args:
        pair: the network and the baseline.
        redraw: of their samples.
        apart: both scores, any shape -> how far they are apart.
        bounds: of that.
        undefined: both scores where they are not defined; None where they always are.
        num_resamples: samples are redrawn so many times.

    Raises:
        ValueError: A score is not a number.
    """
    values, resamples = bootstrap(pair.scores, redraw, num_resamples)
    if undefined is not None:
        values = np.where(np.isfinite(values), values, undefined)
    if not np.isfinite(values).all():
        raise ValueError(
            f"the network scores {values[0]}, the baseline {values[1]}; expected "
            "numbers: see what the model answered"
        )
    drawn = apart(resamples[:, 0], resamples[:, 1])
    differing = redraw.differing(pair.differs)
    found = interval(float(apart(*values)), drawn, redraw.widening(differing), bounds)
    if pair.signs is not None:
        found = hull(found, *_exact(pair.signs, redraw.unit_of))
    remark, enough = _remark(redraw, differing)
    if not enough or not np.isfinite(drawn).any():
        found = hull(found, 0.0)
    return Change((float(values[0]), float(values[1])), found, remark)


def compare(
    pair: Pair,
    redraw: Redraw,
    *,
    baseline: str,
    metric: str,
    lower_is_better: bool = False,
    unit: str = "",
    note: str = "",
    **settings: Any,
) -> dict[str, Any]:
    """Says whether a network is better than a baseline.

    Args:
        pair: both of them.
        redraw: of their samples.
        baseline: its name.
        metric: what is compared.
        lower_is_better: of the metric.
        unit: of the metric, such as " nats a token".
        note: what to know of the baseline, such as rows that it was not fitted on.
        settings: `bounds`, `undefined` and `num_resamples` of `change`.

    Returns:
        `{"baseline", "metric", "difference": {"value", "low", "high"}, "units",
        "verdict", "sentence"}`; the difference is the network's score less the
        baseline's, `units` says what was redrawn and how many there are.

    Example:

    >>> from keras_seq.evaluation.resampling import by_samples
    >>> right = np.array([1.0] * 4 + [0.0] * 96)
    >>> pair = Pair(lambda w: np.array([w @ right, 0.0]) / w.sum(), right > 0, right)
    >>> compare(pair, by_samples(100), baseline="b", metric="accuracy")["sentence"]
    'The network ties with b: accuracy 0.040 against 0.000 (difference +0.040, 95 %
     interval -0.016 to +0.115). No difference is proven, and the baseline is cheaper.
     They differ on 4 of 100 samples: too few to tell.'
    """
    found = change(pair, redraw, **settings)
    return {
        "baseline": baseline,
        "metric": metric,
        "difference": found.interval,
        "units": units_of(redraw),
        **conclude(found, baseline, metric, lower_is_better, unit=unit, note=note),
    }


def units_of(redraw: Redraw) -> dict[str, Any]:
    """What was redrawn, as reports have it."""
    return {"count": int(redraw.num_units), "of": redraw.unit}


def verdict_of(found: Mapping[str, float], lower_is_better: bool = False) -> str:
    """What an interval of a difference says.

    Example:

    >>> verdict_of({"value": 0.2, "low": 0.1, "high": 0.3})
    'wins'
    """
    low, high = found["low"], found["high"]
    if lower_is_better:
        low, high = -high, -low
    return "wins" if low > 0 else "loses" if high < 0 else "ties"


def conclude(
    found: Change,
    baseline: str,
    metric: str,
    lower_is_better: bool,
    *,
    called: str = "difference",
    unit: str = "",
    note: str = "",
) -> dict[str, str]:
    """{"verdict", "sentence"} of how far two scores are apart.

    Example:

    >>> found = Change((0.9, 0.8), {"value": 0.1, "low": 0.05, "high": 0.15}, "")
    >>> conclude(found, "majority", "accuracy", False)["sentence"]
    'The network wins over majority: accuracy 0.900 against 0.800 (difference +0.100,
     95 % interval +0.050 to +0.150). Use the network.'
    """
    verdict = verdict_of(found.interval, lower_is_better)
    words, advice = WORDS[verdict]
    digits = _digits(found.interval)
    apart, low, high = (_signed(x, digits) for x in found.interval.values())
    own, other = (f"{score:.{digits}f}" for score in found.scores)
    against = f"{baseline} ({note})" if note else baseline
    shown = LABELS.get(metric, metric.replace("_", " "))
    sentence = (
        f"The network {words} {against}: {shown} {own} against {other}{unit} "
        f"({called} {apart}, 95 % interval {low} to {high}). {advice}"
    )
    return {
        "verdict": verdict,
        "sentence": f"{sentence} {found.remark}" if found.remark else sentence,
    }


def _exact(signs: np.ndarray, unit_of: np.ndarray) -> tuple[float, float]:
    """The ends of the interval of a sign test on the units that differ."""
    of_unit = np.bincount(unit_of, signs)
    wins, losses = (of_unit > 0).sum(), (of_unit < 0).sum()
    if not wins + losses:
        return 0.0, 0.0
    apart = np.abs(of_unit).sum() / len(signs)
    low, high = share_interval(wins, wins + losses)
    return (2 * low - 1) * apart, (2 * high - 1) * apart


def _remark(redraw: Redraw, differing: int) -> tuple[str, bool]:
    """What to know of the units that were redrawn, and whether they can tell."""
    count, unit = int(redraw.num_units), redraw.unit
    if redraw.num_units < redraw.fewest:
        needed = f"of {redraw.fewest} {unit} that are needed it holds {count:,}"
        return f"The test part is too short to tell: {needed}.", False
    if not differing:
        return "They do not differ anywhere.", False
    if differing < FEWEST_DIFFERENT:
        total = f"{len(np.unique(redraw.unit_of)):,} {redraw.each or unit}"
        return f"They differ on {differing} of {total}: too few to tell.", False
    if count < redraw.few:
        return f"With so few {unit} ({count}) this is a hint at most.", True
    return "", True


def _digits(found: Mapping[str, float]) -> int:
    """Digits behind the point that show which side of zero each number is on."""
    sizes = [abs(x) for x in found.values() if abs(x) >= TINY]
    return next((d for d in range(3, 7) if all(s > 0.51 * 10**-d for s in sizes)), 6)


def _signed(value: float, digits: int) -> str:
    if 0 < abs(value) < TINY:
        return f"{value:+.0e}"
    return f"{value + 0.0:+.{digits}f}"
