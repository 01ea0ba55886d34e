"""Scores of forecasts, beside baselines, with intervals that know time.

Errors are added up batch by batch, so memory does not grow with the windows times the
horizon. Neighbouring windows share most of their targets: intervals come of a bootstrap
of whole blocks of time, not of windows.

Shapes: B windows of a batch, N windows, H horizon, K targets, M measures, S series.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# What is summed for every forecast: name of the score, and what is done to its mean.
MEASURES = (
    "mae", "rmse", "mape", "smape", "mase", "rmsse", "mse_standardised",
    "mae_standardised", "directional_accuracy",
)  # fmt: skip
ROOTS = ("rmse", "rmsse")
INTERVAL_MEASURES = ("coverage", "width")
IN_UNITS = ("mae", "rmse", "mape", "smape")  # mean little over targets of other units
RESAMPLES = 1000
FEW_BLOCKS, FEWEST_BLOCKS = 10, 4  # in a test part
NETWORK = "network"
HARDLY = 1e-9  # a scaled error that is the rounding of a forecast without one
LEAST_SKILL = -1000.0


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
    foreseen, moved = (np.sign(x - last[:, None]) for x in (forecasts, targets))
    right = np.where(foreseen == 0, 0.5, foreseen == moved)
    right = np.where((moved == 0) | np.isnan(moved), np.nan, right)
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
        self._by_step: np.ndarray | float = 0.0
        self._step_counts: np.ndarray | float = 0.0

    def add(self, values: np.ndarray) -> None:
        """Takes float (B, H, K, M), nan where nothing is defined."""
        known = np.isfinite(values)
        values = np.where(known, values, 0.0)
        self._by_window.append(values.sum(axis=(1, 2)))
        self._counts.append(known.sum(axis=(1, 2)).astype(float))
        self._by_step = self._by_step + values.sum(axis=0)
        self._step_counts = self._step_counts + known.sum(axis=0)

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


def block_length(horizon: int, num_times: int) -> tuple[int, float]:
    """Times of a block, and how many blocks of the length wished for there would be.

    Two horizons, so that windows which share targets stay together; in a short part a
    quarter of it, or every resample would be the whole.

    Example:

    >>> block_length(5, 1000), block_length(12, 11)
    ((10, 100.0), (2, 0.45...))
    """
    wished = max(2 * horizon, int(num_times ** (1 / 3)) + 1)
    return max(1, min(wished, num_times // FEWEST_BLOCKS)), num_times / wished


def block_totals(
    sums: np.ndarray,
    times: np.ndarray,
    block: int,
    num_resamples: int = RESAMPLES,
    seed: int = 0,
) -> np.ndarray:
    """Totals of resamples made of whole blocks of neighbouring times.

    Kuensch 1989; blocks reach from the end to the beginning, so that each time is drawn
    as often. All windows of a time, those of other series as well, stay together.

    Args:
        sums: float (N, M).
        times: int (N,), when each window was forecast from.
        block: times of a block.
        num_resamples: R.
        seed: of the drawing.

    Returns:
        float64 (R, M).

    Example:

    >>> totals = block_totals(np.ones((6, 1)), np.arange(6), 2, num_resamples=3)
    >>> totals[:, 0].tolist()
    [6.0, 6.0, 6.0]
    """
    moments, places = np.unique(times, return_inverse=True)
    by_time = np.zeros((len(moments), sums.shape[1]))
    np.add.at(by_time, places, sums)
    block = min(block, len(moments))
    around = np.concatenate([np.zeros((1, sums.shape[1])), by_time, by_time[:block]])
    until = np.cumsum(around, axis=0)
    of_block = until[block : len(moments) + block] - until[: len(moments)]
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(moments), size=(num_resamples, -(-len(moments) // block)))
    return of_block[draws].sum(axis=1)


def with_intervals(
    names: Sequence[str], own: Sums, times: np.ndarray, block: int
) -> dict[str, dict[str, float]]:
    """Scores of one forecaster, each {"value", "low", "high"} with a 95 % interval."""
    sums, counts = own.windows
    values = finished(names, sums.sum(0), counts.sum(0))
    both = block_totals(np.concatenate([sums, counts], axis=1), times, block)
    resamples = finished(names, both[:, : len(names)], both[:, len(names) :])
    found = {}
    for name, value, drawn in zip(names, values, resamples.T):
        drawn = drawn[np.isfinite(drawn)]
        low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (value, value)
        found[name] = {
            "value": float(value),
            "low": float(min(low, value)),
            "high": float(max(high, value)),
        }
    return found


def skill(
    network: Sums, baseline: Sums, times: np.ndarray, block: int, measure: str = "mase"
) -> dict[str, float]:
    """How much smaller the network's error is: 1 - its own / the baseline's.

    Both are scored on the same blocks.

    Returns:
        {"value", "low", "high"}: 0.1 is a tenth less, below 0 is worse; -1000 at the
        least, where the baseline hardly errs.
    """
    place = MEASURES.index(measure)
    sides = [one.windows for one in (network, baseline)]
    columns = np.stack([part[:, place] for side in sides for part in side], axis=1)

    def ratio(totals: np.ndarray) -> np.ndarray:
        own, own_count, other, other_count = totals.T
        with np.errstate(invalid="ignore"):  # a resample without a number
            own, other = own / own_count, other / other_count
        # What hardly errs cannot be a divisor: two such are alike.
        own, other = (np.maximum(error, HARDLY) for error in (own, other))
        value = own / other
        value = 1 - (np.sqrt(value) if measure in ROOTS else value)
        return np.maximum(value, LEAST_SKILL)

    value = ratio(columns.sum(axis=0)[None])[0]
    drawn = ratio(block_totals(columns, times, block))
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (value, value)
    found = {"value": value, "low": min(low, value), "high": max(high, value)}
    return {name: float(number) for name, number in found.items()}


def lag_check(
    forecasts: np.ndarray, last: np.ndarray, targets: np.ndarray, series: np.ndarray
) -> dict[str, float]:
    """Whether one-step forecasts follow the row before rather than the row to come.

    A network that copies its last input has a curve that looks right, one step late:
    the trap that most price demos fall into.

    Args:
        forecasts, last, targets: float (N, K), of the first step.
        series: int (N,).

    Returns:
        Means over series and targets of three correlations: of the forecast with the
        last row, of the forecast with its target, and of the foreseen change with the
        change that came.
    """
    found = []
    for one in np.unique(series):
        for target in range(forecasts.shape[1]):
            rows = (series == one) & np.isfinite(targets[:, target])
            f, before, y = (x[rows, target] for x in (forecasts, last, targets))
            found.append(
                [_correlation(f, before), _correlation(f, y),
                 _correlation(f - before, y - before)]
            )  # fmt: skip
    names = ("with_last_row", "with_target", "of_changes")
    return dict(zip(names, np.mean(found, axis=0).tolist()))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if len(a) < 3 or a.std() <= 1e-9 * np.abs(a).max() or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])
