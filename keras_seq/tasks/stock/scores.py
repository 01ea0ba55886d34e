"""Walks over the windows of a part and scores every forecaster on them.

One pass, batch by batch: the network, its interval, and each baseline see the same
windows.

Shapes: B batch, N windows, T steps, H horizon, K targets.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_seq.evaluation.conformal import Calibration, calibrate
from keras_seq.evaluation.finite import check_answers
from keras_seq.evaluation.forecast_scores import NETWORK, Sums, Units, measures
from keras_seq.evaluation.lag import lag_check
from keras_seq.series.window_batches import make_window_dataset
from keras_seq.series.windows import WindowPlan
from keras_seq.tasks.stock.baselines import (
    Theta,
    drift,
    persistence,
    seasonal_naive,
)
from keras_seq.tasks.stock.data import SeriesData, row_facts
from keras_seq.tasks.stock.report import BEST_POSSIBLE, forecast_report
from keras_seq.tasks.stock.server import ends_and_width, reach_unit

# Raw windows float (B, T, F) to {"forecast", "lower", "upper"}: (B, H) or (B, H, K).
Answer = Callable[[tf.Tensor], Mapping[str, tf.Tensor]]
# (windows (B, T, K), series (B,), last rows within the series (B,)) -> (B, H, K)
Baseline = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
Thetas = Sequence[Sequence[Theta]] | None  # of each series and target
BATCH_SIZE = 256
# An end lies no further from its forecast than so many times the farthest target of
# the validation part: one odd window must not throw the intervals of others far out.
FARTHEST = 4.0
LEAST_REACH = {True: 0.1, False: 1.0}  # of the last value; deviations: a calm part
SHOWN = 6  # windows that the figure shows


class ForecastExample(NamedTuple):
    """One window as a figure shows it; numbers of the first target.

    Attributes:
        history: float (T,).
        targets, forecast, lower, upper: float (H,).
        label: series and date.
    """

    history: np.ndarray
    targets: np.ndarray
    forecast: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    label: str


class Walk(NamedTuple):
    """All forecasters on the windows of a part.

    Attributes:
        sums: errors by forecaster.
        interval: coverage and width of the network's.
        times, series: int (N,), when each window was forecast from, and of what.
        first_step: the network's forecasts of it, the rows before and those to come,
            (N, K) each.
        shown: some windows for a figure.
    """

    sums: dict[str, Sums]
    interval: Sums
    times: np.ndarray
    series: np.ndarray
    first_step: tuple[np.ndarray, np.ndarray, np.ndarray]
    shown: list[ForecastExample]


# What came (B, H, K), answers, series (B,), and the last rows within them (B,).
Keep = Callable[[np.ndarray, Mapping[str, np.ndarray], np.ndarray, np.ndarray], None]


def baselines_of(data: SeriesData, thetas: Thetas = None) -> dict[str, Baseline]:
    """Persistence, drift, seasonal naive, for the sample the best possible, and Theta
    where those of `fit_theta` are given."""
    horizon, season = data.horizon, data.season
    found: dict[str, Baseline] = {
        "persistence": lambda w, s, r: persistence(w, horizon),
        "drift": lambda w, s, r: drift(w, horizon),
    }
    if 1 < season <= data.lookback:
        found["seasonal_naive"] = lambda w, s, r: seasonal_naive(w, horizon, season)
    if thetas:
        found["theta"] = partial(_theta, thetas, horizon)
    if data.simulated:
        best = data.simulated.best_forecasts
        found[BEST_POSSIBLE] = lambda w, s, r: best(s, r, horizon)[..., None]
    return found


def _theta(
    thetas: Sequence[Sequence[Theta]],
    horizon: int,
    windows: np.ndarray,
    series: np.ndarray,
    rows: np.ndarray,
) -> np.ndarray:
    forecasts = np.empty((len(windows), horizon, windows.shape[2]))
    for one in np.unique(series):
        where = series == one
        for k, theta in enumerate(thetas[one]):
            forecasts[where, :, k] = theta.forecast(rows[where], horizon)
    return forecasts


def calibrate_on(
    plan: WindowPlan,
    observed: np.ndarray,
    forecaster: Callable,
    deviation: np.ndarray,
    coverage: float,
    relative: bool = False,
) -> Calibration:
    """Shifts of the interval's ends, out of the windows of the validation part.

    Args:
        plan: the validation windows.
        observed: bool (R, K).
        forecaster: raw window -> answers (B, H, K, Q).
        deviation: float (K,), as `ends_and_width` has it.
        coverage: share of targets to lie inside.
        relative: bound ends in parts of the last value, as returns are, and not in
            deviations.
    """
    ends = tf.function(
        lambda window: (
            *ends_and_width(forecaster(window), window, deviation),
            reach_unit(window, deviation, relative),
        )
    )
    found, farthest = [], np.array(LEAST_REACH[relative])
    for _, window, known in _batches(plan, observed):
        lower, forecast, upper, width, unit = (part.numpy() for part in ends(window))
        found.append([known, lower, upper, width])
        missed = np.nan_to_num(np.abs(known - forecast) / unit)
        farthest = np.maximum(farthest, missed.max(axis=0))
    targets, lower, upper, width = (np.concatenate(part) for part in zip(*found))
    shifts = calibrate(targets, lower, upper, width, coverage)
    return shifts._replace(farthest=FARTHEST * farthest)


def walk_windows(
    data: SeriesData,
    plan: WindowPlan,
    answer: Answer,
    ridge: Answer,
    baselines: Mapping[str, Baseline],
    *,
    units: Units,
    keep: Keep | None = None,
) -> Walk:
    """Asks a network, the ridge baseline and others for the windows of a plan over the
    rows of `data`; `units` measure their errors, and `keep` is given each batch."""
    table, (times, observed, offsets) = data.table, row_facts(data.table)
    sums = {name: Sums() for name in (NETWORK, *baselines, "ridge")}
    interval, first_step, where, shown = Sums(), [], [], []
    wanted = set(np.linspace(0, plan.num_windows - 1, SHOWN).astype(int).tolist())
    for numbers, window, known in _batches(plan, observed):
        series, firsts = plan.first_rows(numbers)
        local = firsts - 1 - offsets[series]
        answers = {n: _with_targets(v.numpy()) for n, v in answer(window).items()}
        for name in ("forecast", "lower", "upper"):
            check_answers(answers[name], name, first=int(numbers[0]))
        past = window.numpy()[..., : table.num_targets].astype(np.float64)
        made = {name: one(past, series, local) for name, one in baselines.items()}
        made["ridge"] = _with_targets(ridge(window)["forecast"].numpy())
        made[NETWORK] = answers["forecast"]
        for name, forecasts in made.items():
            sums[name].add(measures(known, forecasts, past[:, -1], units, series))
        interval.add(_covered(known, answers))
        if keep is not None:
            keep(known, answers, series, local)
        first_step.append([answers["forecast"][:, 0], past[:, -1], known[:, 0]])
        where.append([times[firsts - 1], series])
        for place in [i for i, number in enumerate(numbers) if number in wanted]:
            one = table.series[series[place]]
            label = one.name + _date_label(one.dates, local[place])
            ends = {n: answers[n][place, :, 0] for n in ("forecast", "lower", "upper")}
            history, targets = past[place, :, 0], known[place, :, 0]
            shown.append(ForecastExample(history, targets, **ends, label=label))
    forecasts, last, known = (np.concatenate(part) for part in zip(*first_step))
    ends_at, series = (np.concatenate(part) for part in zip(*where))
    return Walk(sums, interval, ends_at, series, (forecasts, last, known), shown)


def report_on(
    task: str, data: SeriesData, walks: Sequence[Walk], nominal: float
) -> dict[str, Any]:
    """The report of `forecast_report` on one part, or on the folds of a backtest.

    Of several walks over the same series, the last of them over `data`, forecasters
    that one lacks are left out. The intervals should hold the share `nominal`.
    """
    names = [n for n in walks[0].sums if all(n in walk.sums for walk in walks)]
    sums = {n: Sums.joined([walk.sums[n] for walk in walks]) for n in names}
    series = np.concatenate([walk.series for walk in walks])
    parts = zip(*(walk.first_step for walk in walks))
    forecasts, last, known = (np.concatenate(part) for part in parts)
    table = data.table
    return forecast_report(
        task,
        sums,
        Sums.joined([walk.interval for walk in walks]),
        times=np.concatenate([walk.times for walk in walks]),
        series=series,
        series_names=[one.name for one in table.series],
        target_names=table.columns[: table.num_targets],
        lag=lag_check(forecasts, last, known, series),
        nominal=nominal,
        is_prices=table.is_prices,
        notes=_left_out(data, names),
    )


def _left_out(data: SeriesData, baselines: Sequence[str]) -> dict[str, str]:
    """Why a baseline that the report could have is not there."""
    notes = {
        "seasonal_naive": f"left out, as a season has {data.season} rows and a window "
        f"{data.lookback}",
        "theta": "left out, as it is fitted on train rows, which no export holds, with "
        "statsmodels",
    }
    if data.season < 2:
        del notes["seasonal_naive"]
    return {name: note for name, note in notes.items() if name not in baselines}


def _batches(
    plan: WindowPlan, observed: np.ndarray
) -> Iterator[tuple[np.ndarray, tf.Tensor, np.ndarray]]:
    """Numbers, window, and targets float64 (B, H, K) of all windows in order; nan where
    a hole was filled: nobody saw a value."""
    start = 0
    for window, targets in make_window_dataset(plan, batch_size=BATCH_SIZE):
        numbers = np.arange(start, start + len(window))
        _, firsts = plan.first_rows(numbers)
        seen = observed[firsts[:, None] + np.arange(plan.horizon)]
        yield numbers, window, np.where(seen, targets.numpy().astype(float), np.nan)
        start += len(window)


def _covered(known: np.ndarray, answers: Mapping[str, np.ndarray]) -> np.ndarray:
    """Whether targets lie inside, and how wide the interval is: (B, H, K, 2)."""
    lower, upper = answers["lower"], answers["upper"]
    inside = ((known >= lower) & (known <= upper)).astype(float)
    inside = np.where(np.isnan(known), np.nan, inside)
    return np.stack([inside, (upper - lower).astype(float)], axis=-1)


def _with_targets(values: np.ndarray) -> np.ndarray:
    return values[..., None] if values.ndim == 2 else values


def _date_label(dates: np.ndarray | None, row: int) -> str:
    if dates is None:
        return f", row {row}"
    return ", " + str(dates[row]).removesuffix("T00:00:00").replace("T", " ")
