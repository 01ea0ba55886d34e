"""What is told of forecasts: a report as plain values, a table, and plain sentences.

Shapes: H horizon, K targets, M measures.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.errors import UserError
from keras_seq.evaluation.finite import ADVICE, checked_report
from keras_seq.evaluation.forecast_scores import (
    FEW_BLOCKS,
    FEWEST_BLOCKS,
    IN_UNITS,
    INTERVAL_MEASURES,
    MEASURES,
    NETWORK,
    Sums,
    block_length,
    finished,
    skill,
    with_intervals,
)

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

    Returns:
        {"task", "n", "scores", "baselines", "verdict", "comparison", "by_step",
        "by_series", "by_target", "lag", "interval"}.

    Raises:
        UserError: The network forecasts NaN or Inf, or every baseline does.
    """
    sums, left_out = _scored_alike(sums)
    horizon = sums[NETWORK].steps[0].shape[0]
    block, blocks = block_length(horizon, len(np.unique(times)))
    several = len(target_names) > 1
    scores = with_intervals(MEASURES, sums[NETWORK], times, block)
    # What is defined on no window (a direction where nothing moved) is no score.
    shown = [
        name for name in MEASURES
        if not (several and name in IN_UNITS) and np.isfinite(scores[name]["value"])
    ]  # fmt: skip
    if HEADLINE not in shown:
        raise UserError(
            "no target that is scored changed in the rows that train: MASE, which is "
            "measured against such changes, is not defined; score other series"
        )
    scores = {name: scores[name] for name in shown}
    covered = with_intervals(INTERVAL_MEASURES, interval, times, block)
    scores["coverage"] = covered["coverage"]
    values = {name: _overall(one) for name, one in sums.items() if name != NETWORK}
    best_possible = values.pop(BEST_POSSIBLE, None)
    baselines = {who: {m: found[m] for m in shown} for who, found in values.items()}
    best = min(
        baselines, key=lambda name: np.nan_to_num(baselines[name][HEADLINE], nan=np.inf)
    )
    against = {
        name: skill(sums[NETWORK], sums[name], times, block) for name in baselines
    }
    verdict = _verdict(against[best]) if blocks >= FEWEST_BLOCKS else "ties"
    report = {
        "task": task,
        "n": len(times),
        "scores": scores,
        "baselines": baselines,
        "verdict": verdict,
        "comparison": {
            "baseline": best,
            "metric": HEADLINE,
            "skill": against[best],
            "skill_against": against,
            "sentence": _sentences(
                verdict, best, against, scores, baselines, lag, is_prices, blocks
            ),
        },
        "interval": {"nominal": nominal, "coverage": covered["coverage"]["value"],
                     "mean_width": None if several else covered["width"]["value"],
                     "coverage_by_step": _by_step(INTERVAL_MEASURES, interval)[:, 0]},
        "lag": dict(lag),
        "by_step": {
            name: dict(zip(MEASURES, _by_step(MEASURES, one).T))
            for name, one in sums.items()
        },
        "by_target": _by_target(sums, target_names) if several else {},
        "by_series": _by_series(sums, series, series_names),
    }  # fmt: skip
    if best_possible is not None:
        own = scores["rmse"]["value"]
        report["best_possible"] = {
            **{name: best_possible[name] for name in shown},
            "rmse_ratio": own / best_possible["rmse"],
        }
    return checked_report(report, left_out)


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


def _overall(sums: Sums) -> dict[str, float]:
    total, count = (part.sum(axis=0) for part in sums.windows)
    return dict(zip(MEASURES, finished(MEASURES, total, count).tolist()))


def _by_step(names: Sequence[str], sums: Sums) -> np.ndarray:
    total, count = (part.sum(axis=1) for part in sums.steps)
    return finished(names, total, count)  # (H, M)


def _by_target(
    sums: Mapping[str, Sums], names: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    found = {}
    for who, one in sums.items():
        total, count = (part.sum(axis=0) for part in one.steps)  # (K, M)
        values = finished(MEASURES, total, count)
        for name, row in zip(names, values):
            found.setdefault(name, {})[who] = dict(zip(MEASURES, row.tolist()))
    return found


def _by_series(
    sums: Mapping[str, Sums], series: np.ndarray, names: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    if len(names) == 1:
        return {}
    found = {name: {} for name in names}
    for who, one in sums.items():
        total, count = one.windows
        for number, name in enumerate(names):
            rows = series == number
            values = finished(MEASURES, total[rows].sum(0), count[rows].sum(0))
            found[name][who] = dict(zip(MEASURES, values.tolist()))
    return found


def _verdict(of_skill: Mapping[str, float]) -> str:
    if of_skill["low"] > 0:
        return "wins"
    return "loses" if of_skill["high"] < 0 else "ties"


def _sentences(
    verdict: str,
    best: str,
    against: Mapping[str, Mapping[str, float]],
    scores: Mapping[str, Mapping[str, float]],
    baselines: Mapping[str, Mapping[str, float]],
    lag: Mapping[str, float],
    is_prices: bool,
    blocks: float,
) -> str:
    words = {"wins": "wins over", "ties": "ties with", "loses": "loses to"}[verdict]
    found = against[best]
    text = (
        f"The network {words} {best}: MASE {scores['mase']['value']:.3f} against "
        f"{baselines[best]['mase']:.3f} (skill {found['value']:+.3f}, 95 % interval "
        f"{found['low']:+.3f} to {found['high']:+.3f})."
    )
    copied = "yesterday's price" if is_prices else "the last value"
    no_better = "persistence" in against and against["persistence"]["low"] <= 0
    if no_better:
        text += f" It is no better than {copied}."
    if no_better and lag["with_last_row"] > lag["with_target"]:
        text += (
            " Its one-step forecasts follow the row before (correlation "
            f"{lag['with_last_row']:.4f}) rather than the row to come "
            f"({lag['with_target']:.4f}): the curve looks right, one step late."
        )
    if blocks < FEWEST_BLOCKS:
        text += " The test part is too short to prove any difference."
    elif blocks < FEW_BLOCKS:
        text += " The test part is short: this is a hint at most."
    return text


def format_forecast_report(report: Mapping[str, Any]) -> str:
    """Writes a report for people: a table, the interval, the plain sentences.

    Args:
        report: of `forecast_report`, or the same read from `metrics.json`.

    Returns:
        Lines without a final line end.
    """
    baselines = dict(report["baselines"])
    if "best_possible" in report:
        baselines["best possible"] = report["best_possible"]
    rows = [["", NETWORK, "95 % interval", *baselines]]
    for name, score in report["scores"].items():
        low, high = _short(score["low"]), _short(score["high"])
        others = [_short(values.get(name)) for values in baselines.values()]
        rows.append([name, _short(score["value"]), f"{low} to {high}", *others])
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        "  ".join([row[0].ljust(widths[0])]
                  + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])])
        for row in rows
    ]  # fmt: skip
    title = f"{report['task']}, {report['n']:,} windows"
    interval = report["interval"]
    held = (
        f"Intervals of {interval['nominal']:.0%} hold {interval['coverage']:.1%} of "
        "the targets."
    )
    return "\n".join([title, *lines, held, report["comparison"]["sentence"]])


def _short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:.4g}"
