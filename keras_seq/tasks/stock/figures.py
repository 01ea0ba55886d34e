"""What of forecasts is worth a look beside their scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_seq.tasks.stock.pictures import (
    error_by_step_figure,
    forecasts_figure,
    skill_by_fold_figure,
)
from keras_seq.tasks.stock.report import format_forecast_report
from keras_seq.training.report_board import ReportBoard


def draw_forecasts(
    report: Mapping[str, Any], windows: Sequence[Any], board: ReportBoard
) -> None:
    """Some windows with their forecasts, the error by step, and the skill.

    Args:
        report: of the test part.
        windows: some, to draw.
        board: of the run.
    """
    board.image("forecasts", forecasts_figure(windows))
    board.image("error_by_step", error_by_step_figure(report["by_step"]))
    skill = report["comparison"]["skill"]["value"]
    board.scalars({"test_skill/network": skill})


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
