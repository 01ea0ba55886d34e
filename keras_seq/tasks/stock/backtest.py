"""Rolling origin: train, test on what comes next, move on and train again.

A single split says how a model did once; folds say how often. Each fold refits
everything that is fitted, on rows before it alone: scaling, network, intervals,
baselines. This module needs no architecture.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_seq.ranges import check_settings
from keras_seq.series.simulator import SimulatedPrices
from keras_seq.series.table import Series, SeriesTable
from keras_seq.tasks.stock.data import SeriesData, prepare_series
from keras_seq.tasks.stock.ending import score_forecaster
from keras_seq.tasks.stock.figures import show_backtest
from keras_seq.tasks.stock.training import TrainedForecaster
from keras_seq.training.run_folder import write_facts

FIRST_TEST = 0.7  # share of the rows before the first fold
NUM_FOLDS = 5
VALIDATION = 0.15  # share of a fold's rows that validates

Learn = Callable[[SeriesData], TrainedForecaster]


def backtest_folds(
    task: str,
    table: SeriesTable | SimulatedPrices,
    learn: Learn,
    *,
    run_dir: Path,
    refit_every: int | None = None,
    **settings: Any,
) -> Iterator[dict[str, Any]]:
    """Scores of each fold as they come; at the end all stand in the run folder.

    Args:
        task: its name.
        table: of `read_series` or `simulate_prices`.
        learn: prepared data -> what `learn_forecaster` returns, freshly trained.
        run_dir: takes metrics.json, and the skill by fold as a figure.
        refit_every: rows from one refit to the next; None makes five folds of the last
            30 % of the rows.
        settings: horizon, lookback, season and target_transform, as `prepare_series`
            has them.

    Yields:
        {"fold", "start", "end", "n", "mase", "baseline", "skill", "coverage",
        "persistence_skill", "baselines"}.

    Raises:
        UserError: Too few rows, or folds shorter than the horizon.
    """
    check_settings(refit_every=refit_every)
    found: list[dict[str, Any]] = []
    for start, end, data in _folds(table, refit_every, settings):
        learned = learn(data)
        report = score_forecaster(task, *learned[:2], data).test
        found.append({"fold": len(found) + 1, "start": start, "end": end})
        found[-1] |= _shortened(report)
        yield found[-1]
    write_facts(run_dir, "metrics.json", {"task": task, "folds": found})
    show_backtest(run_dir, found)


def _folds(
    table: SeriesTable | SimulatedPrices,
    refit_every: int | None,
    settings: dict[str, Any],
) -> Iterator[tuple[Any, Any, SeriesData]]:
    """First and last test row of each fold, and its data: no row after the fold."""
    whole = table.table if isinstance(table, SimulatedPrices) else table
    dated = whole.frequency is not None
    if dated:
        keys = np.unique(np.concatenate([one.dates for one in whole.series]))
    else:
        keys = np.arange(min(len(one.values) for one in whole.series))
    first = int(FIRST_TEST * len(keys))
    every = refit_every or max(1, -(-(len(keys) - first) // NUM_FOLDS))
    horizon = 1
    for start in range(first, len(keys), every):
        end = min(start + every, len(keys))
        ended = keys[end] if end < len(keys) else None
        validation = keys[int(start * (1 - VALIDATION))]
        if start > first and end - start < horizon:
            return  # the rest of the last fold is shorter than one forecast
        data = prepare_series(
            _until(table, ended, dated),
            cuts=_rows(whole, validation, keys[start], dated),
            **settings,
        )
        horizon = data.horizon
        yield _shown(keys[start]), _shown(keys[end - 1]), data


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


def _until(
    given: SeriesTable | SimulatedPrices, end: Any, dated: bool
) -> SeriesTable | SimulatedPrices:
    """The rows before a date or number; all of them where it is None."""
    if isinstance(given, SimulatedPrices):
        return given._replace(table=_table_until(given.table, end, dated))
    return _table_until(given, end, dated)


def _table_until(table: SeriesTable, end: Any, dated: bool) -> SeriesTable:
    if end is None:
        return table
    kept = []
    for one in table.series:
        row = _place(one, end) if dated else int(end)
        kept.append(
            one._replace(
                dates=None if one.dates is None else one.dates[:row],
                values=one.values[:row],
                observed=one.observed[:row],
                lines=one.lines[:row],
            )
        )
    return table._replace(series=kept)


def _rows(
    table: SeriesTable, validation: Any, test: Any, dated: bool
) -> list[tuple[int, int]]:
    if not dated:
        return [(int(validation), int(test)) for _ in table.series]
    return [(_place(one, validation), _place(one, test)) for one in table.series]


def _place(one: Series, date: np.datetime64) -> int:
    """The first row of a dated series that does not lie before a date."""
    assert one.dates is not None
    return int(np.searchsorted(one.dates, date))


def _shown(key: Any) -> Any:
    if isinstance(key, np.datetime64):
        return str(key).removesuffix("T00:00:00")
    return int(key)
