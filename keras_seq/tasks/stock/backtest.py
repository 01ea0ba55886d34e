"""Rolling origin: train, test on what comes next, move on and train again.

A single split says how a model did once; folds say how often. Each fold refits
everything that is fitted, on rows before it alone: scaling, network, intervals,
baselines. The verdict is that of all folds' windows together.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from keras_seq.ranges import check_settings
from keras_seq.series.simulator import SimulatedPrices
from keras_seq.series.table import Series, SeriesTable
from keras_seq.tasks.page import write_page
from keras_seq.tasks.stock.data import SeriesData, prepare_series
from keras_seq.tasks.stock.ending import COVERAGE, score_forecaster
from keras_seq.tasks.stock.figures import show_backtest
from keras_seq.tasks.stock.scores import Walk, report_on
from keras_seq.tasks.stock.training import TrainedForecaster
from keras_seq.training.run_folder import write_facts

FIRST_TEST = 0.7  # share of the rows before the first fold
NUM_FOLDS = 5
VALIDATION = 0.15  # share of a fold's rows that validates

FORECASTS = "forecasts.csv"
HEADER = "fold series from step date target forecast lower upper actual".split()


class Train(Protocol):
    """Trains anew on prepared data, for at most so many seconds."""

    def __call__(
        self, data: SeriesData, *, max_seconds: float | None
    ) -> TrainedForecaster: ...


def backtest_folds(
    task: str,
    table: SeriesTable | SimulatedPrices,
    train: Train,
    *,
    run_dir: Path,
    refit_every: int | None = None,
    max_seconds: float | None = None,
    **settings: Any,
) -> Iterator[dict[str, Any]]:
    """Scores of each fold as they come, then those of all; the run folder has more.

    Args:
        task: its name.
        table: of `read_series` or `simulate_prices`.
        train: prepared data -> what `train_forecaster` returns, freshly trained.
        run_dir: takes metrics.json, report.html, figures, and every forecast as CSV.
        refit_every: rows from one refit to the next; None makes five folds of the last
            30 % of the rows.
        max_seconds: of all trainings together; a fold that is done early leaves its
            rest to the others.
        settings: horizon, lookback, season and target_transform, as `prepare_series`
            has them.

    Yields:
        {"fold", "start", "end", "n", "mase", "baseline", "skill", "coverage",
        "persistence_skill", "baselines"}; of all folds the same with "fold" "all", and
        {"verdict", "sentence", "forecasts", "report"}.

    Raises:
        UserError: Too few rows, or folds shorter than the horizon.
    """
    check_settings(refit_every=refit_every, max_seconds=max_seconds)
    folds = _folds(table, refit_every, settings)
    found: list[dict[str, Any]] = []
    walks: list[Walk] = []
    seconds = 0.0
    for fold, (start, end, left, data) in enumerate(folds, start=1):
        share = None if max_seconds is None else (max_seconds - seconds) / left
        fitted = train(data, max_seconds=share)
        seconds += fitted.history.seconds
        rows: list[list] = [HEADER] if fold == 1 else []

        def keep(*batch: Any) -> None:
            rows.extend(_forecast_rows(fold, data, *batch))

        scored = score_forecaster(task, *fitted[:2], data, keep=keep)
        with open(run_dir / FORECASTS, "a", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        found.append({"fold": fold, "start": start, "end": end})
        found[-1] |= _shortened(scored.test)
        walks.append(scored.walk)
        yield found[-1]
    report = report_on(task, data, walks, COVERAGE)
    facts = {"task": task, "folds": found, "test": report, "seconds": seconds}
    write_facts(run_dir, "metrics.json", facts)
    shown = [walk.shown[-1] for walk in walks]
    sections = show_backtest(run_dir, report, found, shown)
    trained = {"folds": len(found), "seconds": round(seconds, 1)}
    page = write_page(run_dir, task, {"test": report}, sections, trained)
    yield {
        "fold": "all",
        "start": found[0]["start"],
        "end": found[-1]["end"],
        **_shortened(report),
        "verdict": report["verdict"],
        "sentence": report["comparison"]["sentence"],
        "forecasts": run_dir / FORECASTS,
        "report": page,
    }


def _forecast_rows(
    fold: int,
    data: SeriesData,
    known: np.ndarray,
    answers: Mapping[str, np.ndarray],
    series: np.ndarray,
    last: np.ndarray,
) -> Iterator[list]:
    """Every forecast of a batch, as `walk_windows` gives it, as a row of a table."""
    columns = [answers[name] for name in ("forecast", "lower", "upper")]
    values = np.stack([*columns, known], axis=-1)  # (B, H, K, 4)
    for (window, step, k), _ in np.ndenumerate(known):
        one, row = data.table.series[series[window]], int(last[window])
        start, end = (_when(one, place) for place in (row, row + 1 + step))
        where = [fold, one.name, start, step + 1, end, data.table.columns[k]]
        # Nine digits, as many as float32 has; nothing where nobody saw a value.
        numbers = ("" if np.isnan(v) else f"{v:.9g}" for v in values[window, step, k])
        yield [*where, *numbers]


def _when(one: Series, row: int) -> Any:
    return row if one.dates is None else _shown(one.dates[row])


def _folds(
    table: SeriesTable | SimulatedPrices,
    refit_every: int | None,
    settings: dict[str, Any],
) -> Iterator[tuple[Any, Any, int, SeriesData]]:
    """First and last test row of each fold, how many are left, and its data.

    No row after a fold is in its data.
    """
    whole = table.table if isinstance(table, SimulatedPrices) else table
    if whole.frequency is not None:
        keys = np.unique(np.concatenate([one.dates for one in whole.series]))
    else:
        keys = np.arange(min(len(one.values) for one in whole.series))
    first = int(FIRST_TEST * len(keys))
    every = refit_every or max(1, -(-(len(keys) - first) // NUM_FOLDS))
    horizon = 1
    for start in range(first, len(keys), every):
        end = min(start + every, len(keys))
        cuts = keys[int(start * (1 - VALIDATION))], keys[start]
        if start > first and end - start < horizon:
            return  # the rest of the last fold is shorter than one forecast
        known = whole
        if end < len(keys):
            rows = [one.rows(slice(_place(one, keys[end]))) for one in whole.series]
            known = whole._replace(series=rows)
        sample = table if isinstance(table, SimulatedPrices) else None
        data = prepare_series(
            sample._replace(table=known) if sample else known,
            cuts=[(_place(one, cuts[0]), _place(one, cuts[1])) for one in whole.series],
            **settings,
        )
        horizon = data.horizon
        left = -(-(len(keys) - start) // every)
        yield _shown(keys[start]), _shown(keys[end - 1]), left, data


def _shortened(report: dict[str, Any]) -> dict[str, Any]:
    compared = report["comparison"]
    return {
        "n": report["n"],
        "mase": report["scores"]["mase"]["value"],
        "baseline": compared["baseline"],
        "skill": compared["skill"],
        "persistence_skill": compared["skill_against"]["persistence"],
        "coverage": report["interval"]["coverage"],
        "baselines": {n: v["mase"] for n, v in report["baselines"].items()},
    }


def _place(one: Series, key: np.datetime64 | int) -> int:
    """The first row of a series that does not lie before a date, or a number of one."""
    keys = one.dates if isinstance(key, np.datetime64) else np.arange(len(one.values))
    assert keys is not None  # only dated series are cut by dates
    return int(np.searchsorted(keys, key))


def _shown(key: Any) -> Any:
    if isinstance(key, np.datetime64):
        return str(key).removesuffix("T00:00:00")
    return int(key)
