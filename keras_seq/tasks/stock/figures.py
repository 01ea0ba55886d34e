"""What of forecasts is worth a look beside their scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_seq.evaluation.forecast_scores import MEASURES, NETWORK, finished
from keras_seq.series.table import SeriesTable
from keras_seq.tasks.stock.pictures import (
    error_by_step_figure,
    forecasts_figure,
    skill_by_fold_figure,
)
from keras_seq.tasks.stock.report import HEADLINE, format_forecast_report
from keras_seq.tasks.stock.scores import Walk
from keras_seq.training.report_board import ReportBoard

WORST = 10  # windows


def draw_forecasts(
    report: Mapping[str, Any], walk: Walk, table: SeriesTable, board: ReportBoard
) -> None:
    """Some windows with their forecasts, the error by step, the worst, and the skill.

    Args:
        report: of the test part.
        walk: over its windows.
        table: what they are of.
        board: of the run.
    """
    board.image("forecasts", forecasts_figure(walk.shown))
    board.image("error_by_step", error_by_step_figure(report["by_step"]))
    header = ("series", "forecast from", f"{HEADLINE} of the network", "persistence")
    board.table("worst_windows", header, worst_windows(walk, table))
    skill = report["comparison"]["skill"]["value"]
    board.scalars({"test_skill/network": skill})


def worst_windows(walk: Walk, table: SeriesTable) -> list[tuple[str, str, str, str]]:
    """The windows with the largest error, each with the error of its last value."""
    place = [MEASURES.index(HEADLINE)]
    both = (walk.sums[name].windows for name in (NETWORK, "persistence"))
    own, last = (
        finished((HEADLINE,), total[:, place], count[:, place])[:, 0]
        for total, count in both
    )
    order = np.argsort(-np.nan_to_num(own, nan=-np.inf), kind="stable")
    rows = []
    for window in order[:WORST]:
        one, when = table.series[walk.series[window]], str(walk.times[window])
        if one.dates is not None:
            when = str(walk.times[window].astype(one.dates.dtype))
        errors = f"{own[window]:.3f}", f"{last[window]:.3f}"
        rows.append((one.name, when.removesuffix("T00:00:00"), *errors))
    return rows


def show_backtest(
    run_dir: Path,
    report: Mapping[str, Any],
    folds: Sequence[Mapping[str, Any]],
    windows: Sequence[Any],
) -> list[str]:
    """Puts the skill of each fold into `figures/` and TensorBoard.

    Args:
        run_dir: the run's folder.
        report: of all folds together.
        folds: of `backtest_folds`, one or more.
        windows: one of each fold, to draw.

    Returns:
        Sections of the run's page.
    """
    header = ("fold", "first row", "last row", "skill", "95 % interval", "against")
    rows = []
    for fold in folds:
        value, low, high = (fold["skill"][name] for name in ("value", "low", "high"))
        where = fold["fold"], fold["start"], fold["end"]
        between = f"{low:+.3f} to {high:+.3f}"
        rows.append([*where, f"{value:+.3f}", between, fold["baseline"]])
    mean = float(np.mean([fold["skill"]["value"] for fold in folds]))
    with ReportBoard(run_dir) as board:
        board.report(report, format_forecast_report(report))
        board.image("skill_by_fold", skill_by_fold_figure(folds))
        board.table("folds", header, rows)
        board.image("forecasts", forecasts_figure(windows))
        board.image("error_by_step", error_by_step_figure(report["by_step"]))
        board.scalars({"backtest_skill/mean": mean})
    return board.sections
