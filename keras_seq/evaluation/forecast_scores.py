"""Scores of forecasts, beside baselines, with intervals that know time.

Errors are added up batch by batch, so memory does not grow with the windows times the
horizon. Neighbouring windows share most of their targets, and series have their good
and bad days together: intervals come of a bootstrap of blocks of time, not of windows.

Shapes: B windows of a batch, N windows, C stretches of time, H horizon, K targets,
M measures, S series.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_seq.evaluation import bootstrap, verdict
from keras_seq.evaluation.resampling import Redraw, by_blocks

# What is summed for every forecast: name of the score, and what is done to its mean.
MEASURES = (
    "mae",
    "rmse",
    "mape",
    "smape",
    "mase",
    "rmsse",
    "mse_standardised",
    "mae_standardised",
    "directional_accuracy",
)
ROOTS = ("rmse", "rmsse")
INTERVAL_MEASURES = ("coverage", "width")
IN_UNITS = ("mae", "rmse", "mape", "smape")  # mean little over targets of other units
SHARES = ("coverage", "directional_accuracy")
MOST_STRETCHES = 4096  # of the times of a part; blocks are made of them
NETWORK = "network"
HARDLY = 1e-9  # a scaled error that is the rounding of a forecast without one
LEAST_SKILL = -1000.0
RESAMPLES = 1000


class Units(NamedTuple):
    """What errors are measured against; all of it of train rows.

    Attributes:
        deviation: float (K,), of each target.
        naive_error: float (S, K), mean absolute change over a season; nan where a
            series stood still: its scaled errors are not defined.
        naive_square: float (S, K), mean square of it.
    """

    deviation: np.ndarray
    naive_error: np.ndarray
    naive_square: np.ndarray


def measures(
    targets: np.ndarray,
    forecasts: np.ndarray,
    last: np.ndarray,
    units: Units,
    series: np.ndarray,
) -> np.ndarray:
    """The parts that MEASURES are means of; nan where one is not defined.

    Args:
        targets: float (B, H, K); nan where nothing was observed.
        forecasts: float (B, H, K).
        last: float (B, K), the last row of each window.
        units: of train rows.
        series: int (B,), which series each window is of.

    Returns:
        float64 (B, H, K, M). A forecast of no change is half right about direction; a
        target that did not move has none.
    """
    error = forecasts - targets
    size, square = np.abs(error), np.square(error)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        percent = np.where(targets == 0, np.nan, 100 * size / np.abs(targets))
        both = np.abs(targets) + np.abs(forecasts)
        symmetric = np.where(both == 0, 0.0, 200 * size / both)
    symmetric = np.where(np.isnan(targets), np.nan, symmetric)
    foreseen, actual = (np.sign(x - last[:, None]) for x in (forecasts, targets))
    right = np.where(foreseen == 0, 0.5, foreseen == actual)
    right = np.where((actual == 0) | np.isnan(actual), np.nan, right)
    return np.stack(
        [
            size,
            square,
            percent,
            symmetric,
            size / units.naive_error[series][:, None],
            square / units.naive_square[series][:, None],
            square / units.deviation**2,
            size / units.deviation,
            right,
        ],
        axis=-1,
    )


class Sums:
    """Measures of one forecaster, summed by window and by step; filled by `add`."""

    def __init__(self) -> None:
        self._by_window: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []
        self._by_step = np.zeros(())
        self._step_counts = np.zeros(())

    def add(self, values: np.ndarray) -> None:
        """Takes float (B, H, K, M), nan where nothing is defined."""
        known = np.isfinite(values)
        values = np.where(known, values, 0.0)
        self._by_window.append(values.sum(axis=(1, 2)))
        self._counts.append(known.sum(axis=(1, 2)).astype(float))
        self._by_step = self._by_step + values.sum(axis=0)
        self._step_counts = self._step_counts + known.sum(axis=0)

    @classmethod
    def joined(cls, parts: Sequence["Sums"]) -> "Sums":
        """One of all windows; the parts are left as they are."""
        found = cls()
        for part in parts:
            found._by_window += part._by_window
            found._counts += part._counts
            found._by_step = found._by_step + part._by_step
            found._step_counts = found._step_counts + part._step_counts
        return found

    @property
    def windows(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums and counts, float64 (N, M) each."""
        return np.concatenate(self._by_window), np.concatenate(self._counts)

    @property
    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums and counts, float64 (H, K, M) each."""
        return self._by_step, self._step_counts


def finished(names: Sequence[str], sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Scores of sums and counts (..., M): means, and the roots of ROOTS' means.

    Example:

    >>> finished(["mae", "rmse"], np.array([6.0, 18.0]), np.array([2, 2])).tolist()
    [3.0, 3.0]
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / counts
    roots = np.array([name in ROOTS for name in names])
    return np.where(roots, np.sqrt(np.where(roots, means, 0.0)), means)


class Stretches(NamedTuple):
    """Sums and counts of windows, added up over stretches of neighbouring times.

    Attributes:
        sums, counts: float64 (C, M).
        each: times of a stretch.
    """

    sums: np.ndarray
    counts: np.ndarray
    each: int

    @classmethod
    def of(cls, own: Sums, times: np.ndarray) -> "Stretches":
        """All windows of a time, those of other series as well, stay together."""
        parts = own.windows
        distinct, places = np.unique(times, return_inverse=True)
        each = -(-len(distinct) // MOST_STRETCHES)
        size = -(-len(distinct) // each)
        added = np.zeros((2, size, parts[0].shape[1]))
        for total, part in zip(added, parts):
            np.add.at(total, places // each, part)
        return cls(added[0], added[1], each)

    def influence(self) -> np.ndarray:
        """float64 (C, M): what each stretch adds to the measures' means."""
        total, count = self.sums.sum(0), np.maximum(self.counts.sum(0), 1)
        return (self.sums - total / count * self.counts) / count

    def redraw(self, values: np.ndarray, shortest: int) -> Redraw:
        """Blocks of what each stretch adds, of so many times at least."""
        unit = "rows" if self.each == 1 else f"stretches of {self.each} rows"
        return by_blocks(values, shortest / self.each, unit)


def shortest_block(horizon: int) -> int:
    """Times of a block at least: windows that share targets stay together."""
    return 2 * horizon if horizon > 1 else 1


def with_intervals(
    names: Sequence[str], own: Sums, times: np.ndarray, shortest: int = 1
) -> dict[str, dict[str, float]]:
    """Scores of one forecaster, each {"value", "low", "high"} with a 95 % interval.

    Args:
        names: of the M measures.
        own: of one forecaster.
        times: int (N,), when each window was forecast from.
        shortest: times of a block at least.
    """
    parts = Stretches.of(own, times)
    influence, found = parts.influence(), {}
    for place, name in enumerate(names):
        redraw = parts.redraw(influence[:, place], shortest)
        sums, counts = parts.sums[:, place], parts.counts[:, place]

        def score(weights: np.ndarray) -> np.ndarray:
            return finished([name], weights @ sums, weights @ counts)

        (value,), drawn = bootstrap.bootstrap(score, redraw, RESAMPLES, seed=0)
        bounds = (0.0, 1.0 if name in SHARES else np.inf)
        found[name] = bootstrap.interval(value, drawn[:, 0], redraw.widening(), bounds)
    return found


def skill_of(network: np.ndarray, baseline: np.ndarray) -> np.ndarray:
    """1 - the network's error / the baseline's; -1000 at the least.

    What hardly errs cannot be a divisor: two such are alike.

    Example:

    >>> skill_of(np.array([0.9, 0.0, 5.0]), np.array([1.0, 0.0, 0.0])).round(3).tolist()
    [0.1, 0.0, -1000.0]
    """
    own, other = (np.maximum(error, HARDLY) for error in (network, baseline))
    return np.maximum(1 - own / other, LEAST_SKILL)


def compared(
    network: Sums, baseline: Sums, times: np.ndarray, shortest: int = 1
) -> tuple[verdict.Change, Redraw]:
    """How much smaller the network's MASE is: both scored on the same blocks.

    Args:
        network: of the network.
        baseline: of a baseline, on the same windows.
        times: int (N,), when each window was forecast from.
        shortest: times of a block at least.

    Returns:
        The skill, and what was redrawn.
    """
    place = MEASURES.index("mase")
    own, other = (Stretches.of(side, times) for side in (network, baseline))
    both = np.stack([part[:, place] for part in (own.sums, other.sums)])
    counts = np.stack([part[:, place] for part in (own.counts, other.counts)])
    means = np.maximum(both.sum(1) / np.maximum(counts.sum(1), 1), HARDLY)
    added = [side.influence()[:, place] for side in (own, other)]
    redraw = own.redraw(added[0] / means[0] - added[1] / means[1], shortest)
    pair = verdict.Pair(
        lambda weights: finished(["mase"] * 2, both @ weights, counts @ weights),
        ~np.isclose(both[0], both[1], rtol=1e-9, atol=0),
    )
    found = verdict.change(pair, redraw, skill_of, bounds=(LEAST_SKILL, 1.0))
    return found, redraw
