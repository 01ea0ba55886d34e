"""What of forecasts is worth a look beside their scores: pictures and tables.

Pictures are arrays, uint8 (H, W, 4), RGBA, drawn in memory as `figures` draws.

Shapes: T steps of a window, H horizon.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_seq.evaluation.figures import rendered, short_label
from keras_seq.evaluation.forecast_scores import MEASURES, NETWORK, finished
from keras_seq.series.table import SeriesTable
from keras_seq.tasks.stock.report import HEADLINE, format_forecast_report
from keras_seq.tasks.stock.scores import Walk
from keras_seq.training.report_board import ReportBoard

WORST = 10  # windows
HISTORY = 3  # horizons of the past that are drawn


def draw_forecasts(
    report: Mapping[str, Any], walk: Walk, table: SeriesTable, board: ReportBoard
) -> None:
    """Some windows with their forecasts, the error by step, the worst, the skill."""
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


def forecasts_figure(windows: Sequence[Any]) -> np.ndarray:
    """Draws some windows: the past, what came, and the forecast with its interval."""
    from matplotlib.figure import Figure

    columns = min(len(windows), 3)
    rows = -(-len(windows) // columns)
    figure = Figure(figsize=(5 * columns, 3.2 * rows), layout="constrained")
    for place, window in enumerate(windows, start=1):
        axes = figure.add_subplot(rows, columns, place)
        horizon = len(window.forecast)
        past = window.history[-max(HISTORY * horizon, 20) :]
        ahead = np.arange(1, horizon + 1)
        axes.plot(np.arange(-len(past) + 1, 1), past, color="black", label="past")
        axes.plot(ahead, window.targets, color="black", ls=":", label="what came")
        marker = "o" if horizon == 1 else None
        axes.plot(ahead, window.forecast, color="C0", marker=marker, label="forecast")
        axes.fill_between(ahead, window.lower, window.upper, color="C0", alpha=0.25)
        axes.set_title(short_label(window.label), fontsize=9)
        axes.grid(alpha=0.3)
        if place == 1:
            axes.legend(fontsize=8)
    return rendered(figure)


def error_by_step_figure(
    by_step: Mapping[str, Mapping[str, Sequence[float]]],
) -> np.ndarray:
    """Draws how the error of each forecaster grows with the step.

    Example:

    >>> error_by_step_figure({"network": {"mase": [1.0, 1.2]}}).dtype
    dtype('uint8')
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, values in by_step.items():
        steps = np.arange(1, len(values[HEADLINE]) + 1)
        style = {"lw": 2.5, "color": "black"} if name == "network" else {"lw": 1.2}
        marker = "o" if len(steps) < 20 else None
        axes.plot(steps, values[HEADLINE], marker=marker, label=name, **style)
    axes.set_xlabel("steps ahead")
    axes.set_ylabel(HEADLINE)
    axes.grid(alpha=0.3)
    axes.legend()
    return rendered(figure)


def skill_by_fold_figure(folds: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Draws the skill of each fold of a backtest, with its interval.

    Example:

    >>> fold = {"start": "2020-01-01", "skill": {"value": 0.1, "low": 0, "high": 0.2}}
    >>> skill_by_fold_figure([fold]).shape[2]
    4
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(5, len(folds)), 4), layout="constrained")
    axes = figure.add_subplot()
    value, low, high = (
        np.array([fold["skill"][name] for fold in folds])
        for name in ("value", "low", "high")
    )
    places = np.arange(len(folds))
    axes.axhline(0, color="black", lw=1)
    axes.errorbar(places, value, [value - low, high - value], fmt="o", capsize=4)
    names = [short_label(str(fold["start"])) for fold in folds]
    axes.set_xticks(places, names, rotation=45, ha="right")
    axes.set_ylabel("skill against the best baseline")
    axes.grid(alpha=0.3)
    return rendered(figure)
