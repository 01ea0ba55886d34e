"""A table of series made ready: cut by date, measured on train rows, scaled in graph.

What stands between reading a file and training on it; the backtest and the single split
use it alike.

Shapes: S series, R rows of all series, F columns, K targets, T steps, H horizon.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from keras_seq.evaluation.forecast_scores import Units
from keras_seq.layers.scaling import Scaling, level_scaling, returns_scaling
from keras_seq.log import log
from keras_seq.ranges import check_settings
from keras_seq.series.calendar import next_dates, phases
from keras_seq.series.choices import TargetTransform
from keras_seq.series.known_future import check_lookback, with_known_future
from keras_seq.series.numbers import (
    TrainFacts,
    check_numbers,
    check_positive,
    check_size,
    train_facts,
)
from keras_seq.series.simulator import SimulatedPrices
from keras_seq.series.table import Series, SeriesTable
from keras_seq.series.windows import (
    PARTS,
    WindowPlan,
    cut_rows,
    default_lookback,
    plan_windows,
)
from keras_seq.tasks.stock.baselines import Theta

PRICE_HORIZON = 5  # a week of trading


class SeriesData(NamedTuple):
    """Windows of each part, and what was fitted on train rows alone.

    Attributes:
        table: the series.
        cuts: rows (a, b) of each series at which validation and test begin.
        plans: windows of "train", "validation" and "test".
        facts: of the rows before a.
        lookback: T.
        horizon: H.
        season: rows of a season, 1 for none.
        target_transform: what is learned: "returns" or "level".
        simulated: what the maker of the embedded sample knows, else None.
    """

    table: SeriesTable
    cuts: list[tuple[int, int]]
    plans: dict[str, WindowPlan]
    facts: TrainFacts
    lookback: int
    horizon: int
    season: int
    target_transform: str
    simulated: SimulatedPrices | None = None

    @property
    def num_train(self) -> int:
        """Windows of the train part."""
        return self.plans["train"].num_windows

    @property
    def units(self) -> Units:
        """What errors are measured against."""
        facts = self.facts
        deviation = facts.deviation[: self.table.num_targets]
        return Units(deviation, facts.naive_error, facts.naive_square)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the rows that train."""
        digest = hashlib.sha256(repr(self.table.columns).encode())
        for one, (start, _) in zip(self.table.series, self.cuts):
            digest.update(one.values[:start].tobytes())
        return digest.hexdigest()

    @property
    def fingerprints(self) -> dict[str, str]:
        """SHA-256 of the rows and dates of each part, by its name."""
        columns = repr((self.table.columns, self.table.num_targets)).encode()
        digests = {part: hashlib.sha256(columns) for part in PARTS}
        for one, (validation, test) in zip(self.table.series, self.cuts):
            rows = slice(0, validation), slice(validation, test), slice(test, None)
            for digest, own in zip(digests.values(), rows):
                for array in (one.values, one.observed, one.dates):
                    if array is not None:
                        digest.update(np.ascontiguousarray(array[own]).tobytes())
        return {part: digest.hexdigest() for part, digest in digests.items()}


def prepare_series(
    table: SeriesTable | SimulatedPrices,
    *,
    horizon: int | None = None,
    lookback: int | None = None,
    validation_start: str | None = None,
    test_start: str | None = None,
    season: int | None = None,
    target_transform: TargetTransform = "auto",
    cuts: list[tuple[int, int]] | None = None,
) -> SeriesData:
    """Cuts series into parts by date and measures the train part.

    Args:
        table: of `read_series` or `simulate_prices`.
        horizon: H; None takes 5 for prices, else a season.
        lookback: T; None takes what `default_lookback` says.
        validation_start, test_start: as `cut_rows` has them.
        season: rows of a season; None goes by the frequency.
        target_transform: what to learn: "returns" of a target, or its "level"; "auto"
            takes returns of prices.
        cuts: rows of each series to cut at, instead of dates.

    Returns:
        The parts, and what was fitted on the first.

    Raises:
        UserError: Too few rows, or returns of what is not always positive.

    Example:

    >>> from keras_seq.series.simulator import simulate_prices
    >>> data = prepare_series(simulate_prices(num_series=2, num_rows=400))
    >>> data.lookback, data.horizon, data.target_transform
    (60, 5, 'returns')
    >>> {part: plan.num_windows for part, plan in data.plans.items()}
    {'train': 432, 'validation': 112, 'test': 112}
    """
    check_settings(horizon=horizon, lookback=lookback, season=season)
    simulated = None
    if isinstance(table, SimulatedPrices):
        simulated, table = table, table.table
    check_size(table)
    season = season or (table.frequency.season if table.frequency else 1)
    horizon = horizon or (PRICE_HORIZON if table.is_prices else season)
    table = with_known_future(table, horizon)
    cuts = cuts or cut_rows(table, validation_start, test_start)
    shortest = min(start for start, _ in cuts)
    lookback = lookback or default_lookback(
        horizon, shortest, table.frequency, table.is_prices
    )
    check_lookback(table.known_future, lookback, horizon)
    plans = plan_windows(table, cuts, lookback, horizon)
    check_numbers(table, cuts)
    facts = train_facts(table, cuts, season if season < shortest else 1)
    if target_transform == "auto":
        target_transform = "returns" if table.is_prices else "level"
    if target_transform == "returns":
        num_logs = table.num_targets + table.num_prices
        check_positive(table, num_logs, "use --target-transform level")
    return SeriesData(
        table,
        cuts,
        plans,
        facts,
        lookback,
        horizon,
        season,
        target_transform,
        simulated,
    )


def make_scaling(data: SeriesData, anchored: bool = True) -> Scaling:
    """The scaling of the target transform, with what was fitted on train as constants.

    Args:
        data: of `prepare_series`.
        anchored: False standardises levels and does no more, as tutorials do.

    Example:

    >>> from keras_seq.series.simulator import simulate_prices
    >>> data = prepare_series(simulate_prices(num_series=1, num_rows=400))
    >>> make_scaling(data).encode.output_shape
    (None, 60, 2)
    """
    facts, table = data.facts, data.table
    sizes = (data.lookback, data.horizon, table.num_targets)
    dtype = data.plans["train"].values.dtype.name
    if data.target_transform == "level" or not anchored:
        return level_scaling(
            *sizes,
            mean=facts.mean,
            deviation=facts.deviation,
            anchored=anchored,
            dtype=dtype,
        )
    others = slice(table.num_targets + table.num_prices, None)
    logs = (facts.log_deviation != 1.0) & (facts.log_mean != 0.0)
    mean = np.where(logs, facts.log_mean, facts.mean)
    deviation = np.where(logs, facts.log_deviation, facts.deviation)
    return returns_scaling(
        *sizes,
        volatility=facts.volatility,
        num_prices=table.num_prices,
        mean=mean[others],
        deviation=deviation[others],
        logs=logs[others].tolist(),
        dtype=dtype,
    )


def row_facts(table: SeriesTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of all rows: when int64 (R,), observed bool (R, K); offsets of series (S,)."""
    times = [
        np.arange(len(one.values)) if one.dates is None else one.dates.astype(np.int64)
        for one in table.series
    ]
    observed = [one.observed[:, : table.num_targets] for one in table.series]
    lengths = [len(one.values) for one in table.series]
    offsets = np.cumsum([0, *lengths[:-1]])
    return np.concatenate(times), np.concatenate(observed), offsets


def fit_theta(data: SeriesData) -> list[list[Theta]] | None:
    """The Theta baseline of each series and target; None without statsmodels."""
    try:
        return [
            [
                Theta(values, start, _phases(data, one), data.season)
                for values in one.values.T[: data.table.num_targets]
            ]
            for one, (start, _) in zip(data.table.series, data.cuts)
        ]
    except ImportError:
        what = "the Theta baseline is left out: it needs statsmodels"
        log.info(f"{what} (python -m pip install statsmodels)")
        return None


def _phases(data: SeriesData, one: Series) -> np.ndarray:
    """Step of the season of each row, and of the H rows after the last."""
    dates, frequency = one.dates, data.table.frequency
    if dates is not None and frequency is not None:
        ahead = next_dates(dates[-1], frequency, data.horizon)
        dates = np.concatenate([dates, ahead])
    return phases(dates, frequency, data.season, len(one.values) + data.horizon)
