"""What a forecasting task asks of a model that it exported.

Scores on another file, and the steps that come next.

Shapes: B batch, T steps, F columns, H horizon.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_seq.log import log
from keras_seq.series.calendar import next_dates, parse_frequency
from keras_seq.series.numbers import train_facts
from keras_seq.series.series_table import Series, SeriesTable
from keras_seq.series.windows import all_rows, plan_part
from keras_seq.serving.saved_model import Exported, load_exported
from keras_seq.tasks.result import Evaluation
from keras_seq.tasks.stock.data import SeriesData
from keras_seq.tasks.stock.like import target_transform_of, window_dtype
from keras_seq.tasks.stock.report import format_forecast_report
from keras_seq.tasks.stock.scores import baselines_of, report_on, walk_windows
from keras_seq.tasks.stock.units import same_series, units_of

ANSWERS = ("forecast", "lower", "upper")


def evaluate_forecasts(task: str, model: Path, table: SeriesTable) -> Evaluation:
    """Scores an exported forecaster on a table, beside baselines on the same windows.

    Rows before the test part of the training are not scored where dates tell. Errors
    are measured in the units of the training. What is fitted a series at a time (Theta)
    is left out: no train rows are known here.

    Args:
        task: its name.
        model: folder of an export, or of one version.
        table: of `read_like`, or simulated.

    Returns:
        The report, as `forecast_report` has it.

    Raises:
        UserError: It is no export, or the rows are too few or trained the model.
    """
    exported = load_exported(model)
    facts = exported.metadata
    lookback, horizon = facts["lookback"], facts["horizon"]
    starts = [_first_unseen(one, facts) for one in table.series]
    bounds = [(start, len(one.values)) for start, one in zip(starts, table.series)]
    values = all_rows(table, window_dtype(exported))
    plan = plan_part(table, bounds, lookback, horizon, values=values, has_options=False)
    season = facts["season"]
    before = [(max(start, lookback), 0) for start in starts]
    shortest = min(rows for rows, _ in before)
    own = train_facts(table, before, season if season < shortest else 1)
    data = SeriesData(
        table,
        before,
        {"test": plan},
        own,
        lookback,
        horizon,
        season,
        target_transform_of(facts),
    )
    walk = walk_windows(
        data,
        plan,
        lambda w: exported.signature()(window=w),
        lambda w: exported.signature("ridge")(window=w),
        baselines_of(data),
        units=units_of(facts, table, data.units),
    )
    report = report_on(task, data, [walk], facts["coverage"])
    return Evaluation(report, format_forecast_report)


def _first_unseen(one: Series, facts: Mapping[str, Any]) -> int:
    """The first row that is later than all that trained the model."""
    known = same_series(one, facts)
    test_start = known["test_start"] if known else facts["test_start"]
    if one.dates is None or test_start is None:
        log.info(
            f"{one.path}: without dates, rows that trained the model are not told "
            "apart; give rows that came later",
        )
        return 0
    row = int(np.searchsorted(one.dates, np.datetime64(test_start)))
    if row == len(one.dates):
        what = f"ends before {test_start}: the model was trained and calibrated "
        raise one.error(-1, f"{what}on such days, so they score nothing")
    return row


def forecast_next(exported: Exported, table: SeriesTable) -> Iterator[dict[str, Any]]:
    """The steps after the last row of each series, with date, forecast and interval.

    Args:
        exported: of `load_exported`.
        table: of `read_like`.

    Yields:
        {"input", "series" where a file holds several, "target", "date" or "step",
        "forecast", "lower", "upper"}, H of each series and target. Holidays are not
        known: a date may be one.

    Raises:
        UserError: A series is shorter than a window.
    """
    facts = exported.metadata
    for one in table.series:
        source = {"input": str(one.path)}
        source |= {"series": one.part} if one.part else {}
        found = forecast_series(exported, one)
        when: list[dict[str, int | str]]
        when = [{"step": number} for number in range(1, facts["horizon"] + 1)]
        if found.dates is not None:
            when = [{"date": str(d).removesuffix("T00:00:00")} for d in found.dates]
        for place, name in enumerate(facts["columns"][: facts["num_targets"]]):
            for number, steps in enumerate(when):
                answers = {n: float(v[number, place]) for n, v in found.answers.items()}
                yield {**source, "target": name, **steps, **answers}


class Forecast(NamedTuple):
    """What follows a series.

    Attributes:
        dates: datetime64[s] (H,); None of a series without.
        answers: "forecast", "lower" and "upper", each float (H, K).
    """

    dates: np.ndarray | None
    answers: dict[str, np.ndarray]


def forecast_series(exported: Exported, one: Series) -> Forecast:
    """The steps after the last row of one series; UserError where it has no window."""
    facts = exported.metadata
    lookback, horizon = facts["lookback"], facts["horizon"]
    if len(one.values) < lookback:
        what = f"ends after {len(one.values)} rows; the model reads {lookback}"
        raise one.error(-1, what)
    window = tf.constant(one.values[None, -lookback:], window_dtype(exported))
    served = exported.signature()(window=window)
    answers = {
        name: served[name].numpy().reshape(horizon, facts["num_targets"])
        for name in ANSWERS
    }
    dates = None
    if one.dates is not None and facts["frequency"]:
        step = parse_frequency(facts["frequency"])
        dates = next_dates(one.dates[-1], step, horizon)
        if one.ahead_dates is not None and len(one.ahead_dates) >= horizon:
            dates = one.ahead_dates[:horizon]
    return Forecast(dates, answers)
