"""Pictures of forecasts as arrays, for TensorBoard or a file.

Independent of TensorBoard or of models. Drawn as `figures` draws: in memory, without
a screen.

Shapes: T steps of a window, H horizon.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.evaluation.figures import _shortened, rendered

HISTORY = 3  # horizons of the past that are drawn


def forecasts_figure(windows: Sequence[Any]) -> np.ndarray:
    """Draws some windows: the past, what came, and the forecast with its interval.

    Args:
        windows: of `series_scores.ForecastExample`, one or more.

    Returns:
        uint8 (H, W, 4), RGBA.
    """
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
        axes.set_title(_shortened(window.label), fontsize=9)
        axes.grid(alpha=0.3)
        if place == 1:
            axes.legend(fontsize=8)
    return rendered(figure)


def error_by_step_figure(
    by_step: Mapping[str, Mapping[str, Sequence[float]]], measure: str = "mase"
) -> np.ndarray:
    """Draws how the error of each forecaster grows with the step.

    Args:
        by_step: forecaster to measure to one value a step, of a report.
        measure: which of them.

    Returns:
        uint8 (H, W, 4), RGBA.

    Example:

    >>> error_by_step_figure({"network": {"mase": [1.0, 1.2]}}).dtype
    dtype('uint8')
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, values in by_step.items():
        steps = np.arange(1, len(values[measure]) + 1)
        style = {"lw": 2.5, "color": "black"} if name == "network" else {"lw": 1.2}
        marker = "o" if len(steps) < 20 else None
        axes.plot(steps, values[measure], marker=marker, label=name, **style)
    axes.set_xlabel("steps ahead")
    axes.set_ylabel(measure)
    axes.grid(alpha=0.3)
    axes.legend()
    return rendered(figure)


def skill_by_fold_figure(folds: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Draws the skill of each fold of a backtest, with its interval.

    Args:
        folds: each {"start", "skill": {"value", "low", "high"}}.

    Returns:
        uint8 (H, W, 4), RGBA.

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
    names = [_shortened(str(fold["start"])) for fold in folds]
    axes.set_xticks(places, names, rotation=45, ha="right")
    axes.set_ylabel("skill against the best baseline")
    axes.grid(alpha=0.3)
    return rendered(figure)
