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


def show_backtest(run_dir: Path, folds: Sequence[Mapping[str, Any]]) -> None:
    """Puts the skill of each fold into `figures/` and TensorBoard.

    Args:
        run_dir: the run's folder.
        folds: of `backtest_folds`, one or more.
    """
    lines = [
        f"{fold['start']} to {fold['end']}: skill {fold['skill']['value']:+.3f} "
        f"against {fold['baseline']}"
        for fold in folds
    ]
    mean = float(np.mean([fold["skill"]["value"] for fold in folds]))
    with ReportBoard(run_dir) as board:
        board.text("report", "\n".join(lines))
        board.image("skill_by_fold", skill_by_fold_figure(folds))
        board.scalars({"backtest_skill/mean": mean})
