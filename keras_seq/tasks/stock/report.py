"""The report of forecasts: plain values, a table, and plain sentences.

Shapes: H horizon, K targets, M measures.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.errors import UserError
from keras_seq.evaluation import table, verdict
from keras_seq.evaluation.finite import ADVICE
from keras_seq.evaluation.forecast_scores import (
    IN_UNITS,
    INTERVAL_MEASURES,
    MEASURES,
    NETWORK,
    Sums,
    compared,
    finished,
    shortest_block,
    with_intervals,
)
from keras_seq.evaluation.reports import gather_report

HEADLINE = "mase"  # a forecast is a median: its mean absolute error is what it lowers
BEST_POSSIBLE = "best_possible"


def forecast_report(
    task: str,
    sums: Mapping[str, Sums],
    interval: Sums,
    *,
    times: np.ndarray,
    series: np.ndarray,
    series_names: Sequence[str],
    target_names: Sequence[str],
    lag: Mapping[str, float],
    nominal: float,
    is_prices: bool,
    notes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The scores of a network and its baselines, as `metrics.json` holds them.

    Args:
        task: its name.
        sums: by forecaster; "network" and one baseline at least. "best_possible" is
            shown, but no baseline to beat: it knows how the data were made.
        interval: the network's coverage and width.
        times: int (N,), when each window was forecast from.
        series: int (N,), which series it is of.
        series_names: S names.
        target_names: K names.
        lag: of `lag_check`.
        nominal: share of targets that the intervals should hold.
        is_prices: the words are those of prices.
        notes: what to know of a baseline, by name.

    Returns:
        {"task", "n", "scores", "baselines", "notes", "verdict", "comparison",
        "by_step", "by_series", "by_target", "lag", "interval"}.

    Raises:
        UserError: The network forecasts NaN or Inf, or every baseline does; or the
            headline is defined on no window.
    """
    sums, left_out = _scored_alike(sums)
    horizon = sums[NETWORK].steps[0].shape[0]
    shortest = shortest_block(horizon)
    several = len(target_names) > 1
    scores = with_intervals(MEASURES, sums[NETWORK], times, shortest)
    # What is defined on no window (a direction where nothing moved) is no score.
    shown = [
        name
        for name in MEASURES
        if not (several and name in IN_UNITS) and np.isfinite(scores[name]["value"])
    ]
    if HEADLINE not in shown:
        raise UserError(
            "no target that is scored changed in the rows that train: MASE, which is "
            "measured against such changes, is not defined; score other series"
        )
    scores = {name: scores[name] for name in shown}
    covered = with_intervals(INTERVAL_MEASURES, interval, times, shortest)
    scores["coverage"] = covered["coverage"]
    notes = notes or {}
    values = {n: _measured(*one.windows) for n, one in sums.items() if n != NETWORK}
    best_possible = values.pop(BEST_POSSIBLE, None)
    baselines = {who: {m: found[m] for m in shown} for who, found in values.items()}
    best = min(
        baselines, key=lambda name: np.nan_to_num(baselines[name][HEADLINE], nan=np.inf)
    )
    against = {
        name: compared(sums[NETWORK], sums[name], times, shortest) for name in baselines
    }
    skills = {name: found.interval for name, (found, _) in against.items()}
    found, redraw = against[best]
    conclusion = verdict.conclude(
        found, best, HEADLINE, False, called="skill", note=notes.get(best, "")
    )
    copied = _copied(skills.get("persistence"), lag, is_prices)
    comparison = {
        "baseline": best,
        "metric": HEADLINE,
        "skill": skills[best],
        "skill_against": skills,
        "units": verdict.units_of(redraw),
        **conclusion,
        "sentence": " ".join([conclusion["sentence"], *copied]),
    }
    further: dict[str, Any] = {
        "interval": {
            "nominal": nominal,
            "coverage": covered["coverage"]["value"],
            "mean_width": None if several else covered["width"]["value"],
            "coverage_by_step": _by_step(INTERVAL_MEASURES, interval)[:, 0],
        },
        "lag": dict(lag),
        "by_step": {
            name: dict(zip(MEASURES, _by_step(MEASURES, one).T))
            for name, one in sums.items()
        },
        "by_target": _by_target(sums, target_names) if several else {},
        "by_series": _by_series(sums, series, series_names),
    }
    if best_possible is not None:
        own = scores["rmse"]["value"]
        further["best_possible"] = {
            **{name: best_possible[name] for name in shown},
            "rmse_ratio": own / best_possible["rmse"],
        }
    return gather_report(
        task,
        {"n": len(times)},
        scores,
        baselines,
        comparison,
        notes=notes,
        left_out=left_out,
        **further,
    )


def _scored_alike(sums: Mapping[str, Sums]) -> tuple[dict[str, Sums], list[str]]:
    """Forecasters with as many errors as there are targets, and the other names.

    An error that is no number was not summed: who has fewer has forecast NaN or Inf.
    """
    counts = {name: one.steps[1].sum(axis=(0, 1)) for name, one in sums.items()}  # (M,)
    most = np.max(list(counts.values()), axis=0)
    broken = [name for name in counts if (counts[name] < most).any()]
    if NETWORK in broken:
        raise UserError(
            f"the network forecasts NaN or Inf: errors of {counts[NETWORK][0]:.0f} of "
            f"{most[0]:.0f} targets are numbers; {ADVICE}"
        )
    if broken and set(sums) - set(broken) <= {NETWORK, BEST_POSSIBLE}:
        raise UserError(
            f"baselines forecast NaN or Inf: {', '.join(broken)}; none is left to "
            "compare with"
        )
    return {name: one for name, one in sums.items() if name not in broken}, broken


def _measured(sums: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """Each measure of sums and counts (..., M), over all but the last axis."""
    axes = tuple(range(sums.ndim - 1))
    found = finished(MEASURES, sums.sum(axis=axes), counts.sum(axis=axes))
    return dict(zip(MEASURES, found.tolist()))


def _by_step(names: Sequence[str], sums: Sums) -> np.ndarray:
    total, count = (part.sum(axis=1) for part in sums.steps)
    return finished(names, total, count)  # (H, M)


def _by_target(
    sums: Mapping[str, Sums], names: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    steps = {who: one.steps for who, one in sums.items()}  # (H, K, M)
    return {
        name: {who: _measured(s[:, k], c[:, k]) for who, (s, c) in steps.items()}
        for k, name in enumerate(names)
    }


def _by_series(
    sums: Mapping[str, Sums], series: np.ndarray, names: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    if len(names) == 1:
        return {}
    windows = {who: one.windows for who, one in sums.items()}  # (N, M)
    masks = {name: series == number for number, name in enumerate(names)}
    return {
        name: {who: _measured(s[own], c[own]) for who, (s, c) in windows.items()}
        for name, own in masks.items()
    }


def _copied(
    of_skill: Mapping[str, float] | None, lag: Mapping[str, float], is_prices: bool
) -> list[str]:
    """Sentences on a network that may do no more than to copy the last value."""
    if of_skill is None or of_skill["low"] > 0:
        return []
    last = "yesterday's price" if is_prices else "the last value"
    if of_skill["high"] < 0:
        sentences = [f"It is worse than {last}."]
    elif of_skill["value"] <= 0:
        sentences = [f"It is no better than {last}."]
    else:
        sentences = [f"It is not proven to be better than {last}."]
    if lag["with_last_row"] > lag["with_target"]:
        sentences.append(
            "Its one-step forecasts follow the row before (correlation "
            f"{lag['with_last_row']:.4f}) rather than the row to come "
            f"({lag['with_target']:.4f}): the curve looks right, one step late."
        )
    return sentences


def format_forecast_report(report: Mapping[str, Any]) -> str:
    """Writes a report for people: a table, the interval, the plain sentences.

    Args:
        report: of `forecast_report`, or the same read from `metrics.json`.

    Returns:
        Lines without a final line end.
    """
    interval, extra_columns = report["interval"], {}
    if "best_possible" in report:
        extra_columns["best possible"] = report["best_possible"]
    held = (
        f"Intervals of {interval['nominal']:.0%} hold {interval['coverage']:.1%} of "
        "the targets."
    )
    return table.format_report(
        report, unit="windows", shown=_short, extra_columns=extra_columns, lines=[held]
    )


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:.4g}"
