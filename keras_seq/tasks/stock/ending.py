"""What a forecasting task does after its training.

The ridge baseline, calibrated intervals, scores, the run folder, the proven export.

Shapes: B batch, T steps, F columns, H horizon, K targets, N inputs of a target.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_seq.layers.scaling import Scaling
from keras_seq.log import stage
from keras_seq.models.forecaster import build_forecaster
from keras_seq.models.linear import build_linear_forecaster
from keras_seq.series.window_batches import make_window_dataset
from keras_seq.series.windows import WindowPlan
from keras_seq.tasks.run import Ending
from keras_seq.tasks.stock.baselines import solve_ridge
from keras_seq.tasks.stock.data import SeriesData, fit_theta, row_facts
from keras_seq.tasks.stock.figures import draw_forecasts
from keras_seq.tasks.stock.scores import (
    Keep,
    Walk,
    baselines_of,
    calibrate_on,
    report_on,
    walk_windows,
)
from keras_seq.tasks.stock.server import UNITS, PriceForecaster
from keras_seq.tasks.stock.units import training_units

COVERAGE = 0.8  # share of what comes that an interval should hold
TOLERANCE = 1e-5
PROVEN = 32  # held-out windows that an export is proven on


class Scored(NamedTuple):
    """A server of forecasts, with its reports, and the walk over the test part."""

    server: PriceForecaster
    validation: dict[str, Any]
    test: dict[str, Any]
    walk: Walk


def fit_ridge(data: SeriesData, scaling: Scaling) -> keras.Model:
    """Ridge regression on the network's own windows and features.

    Args:
        data: its train part is fitted, its validation part chooses the penalty.
        scaling: as the network has it.

    Returns:
        raw window (B, T, F) -> raw forecasts (B, H, K, 1).
    """
    linear = build_linear_forecaster(
        scaling.encode.output_shape[1:],
        horizon=data.horizon,
        num_targets=data.table.num_targets,
    )
    inputs = keras.Model(linear.input, linear.get_layer("inputs").output)
    encode = tf.function(lambda window: inputs(scaling.encode(window)))

    def batches(part: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        plan = data.plans[part]
        for window, targets in make_window_dataset(
            plan, batch_size=1024, scale_targets=scaling.to_scaled
        ):
            x = encode(window).numpy()  # (B, K, N)
            y = targets.numpy().transpose(0, 2, 1)  # (B, K, H)
            yield x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])

    weights, bias, _ = solve_ridge(batches("train"), batches("validation"))
    linear.get_layer("ridge").set_weights([weights, bias])
    return build_forecaster(linear, scaling)[1]


def score_forecaster(
    task: str,
    forecaster: keras.Model,
    scaling: Scaling,
    data: SeriesData,
    nominal: float = COVERAGE,
    keep: Keep | None = None,
) -> Scored:
    """Calibrates a trained forecaster on validation, and scores it on both parts.

    Args:
        task: its name.
        forecaster: raw window -> raw answers (B, H, K, Q).
        scaling: what the ridge baseline reads.
        data: what it was trained on.
        nominal: share of targets that the intervals should hold.
        keep: is given each batch of the test part.
    """
    _, observed, _ = row_facts(data.table)
    deviation = data.units.deviation
    table, relative = data.table, data.target_transform == "returns"
    calibration = calibrate_on(
        data.plans["validation"], observed, forecaster, deviation, nominal, relative
    )
    num_positive = table.num_targets + table.num_prices if relative else 0
    server = PriceForecaster(
        forecaster,
        calibration,
        deviation,
        fit_ridge(data, scaling),
        table.columns,
        num_positive,
    )
    served = server.signatures()
    answer, ridge = (
        tf.function(function, input_signature=specs)
        for function, specs in (served["serving_default"], served["ridge"])
    )
    with stage("baselines"):
        baselines = baselines_of(data, fit_theta(data))
    with stage("scoring"):
        walk = partial(
            walk_windows,
            data,
            answer=answer,
            ridge=ridge,
            baselines=baselines,
            units=data.units,
        )
        walks = walk(data.plans["validation"]), walk(data.plans["test"], keep=keep)
        validation, test = (report_on(task, data, [w], nominal) for w in walks)
    return Scored(server, validation, test, walks[-1])


def score_run(
    task: str, forecaster: keras.Model, data: SeriesData, scaling: Scaling
) -> Ending:
    """Scores a trained forecaster beside the baselines, on validation and test.

    Args:
        task: its name.
        forecaster: raw window -> raw answers (B, H, K, Q).
        data: what it was trained on.
        scaling: of the same data.
    """
    scored = score_forecaster(task, forecaster, scaling, data)
    server, windows = scored.server, _some_windows(data.plans["test"])
    return Ending(
        models=[forecaster, server.baseline],
        server=server,
        signatures=server.signatures(),
        proofs=server.proofs(windows),
        reports={"validation": scored.validation, "test": scored.test},
        metadata=_facts(data),
        draw=partial(draw_forecasts, scored.test, scored.walk, data.table),
        tolerance=(tolerance := _tolerance(data)),
        # Near 0 a forecast is as exact as the sums it is made of.
        absolute=np.maximum(tolerance, 1e-5 * data.units.deviation),
    )


def _tolerance(data: SeriesData) -> float:
    """Of the proof, beside 1 + |forecast|: in float64 a part of what targets move by.

    A relative difference of 1e-5 would let 1e8 and cents pass whatever they are, an
    absolute one would let 1e-40 pass.
    """
    values = data.plans["test"].values
    if values.dtype != np.float64:
        return TOLERANCE
    targets = np.abs(values[:, : data.table.num_targets]).max(axis=0)
    parts = data.units.deviation / (1 + targets)
    return float(min(TOLERANCE, 1e-4 * parts.min()))


def _some_windows(plan: WindowPlan) -> np.ndarray:
    """Windows spread over a part: (B, T, F)."""
    numbers = np.unique(np.linspace(0, plan.num_windows - 1, PROVEN).astype(int))
    _, firsts = plan.first_rows(numbers)
    return plan.values[firsts[:, None] + np.arange(-plan.lookback, 0)]


def _facts(data: SeriesData) -> dict[str, Any]:
    table = data.table
    one, (_, test) = table.series[0], data.cuts[0]
    window: dict[str, Any] = {
        "axes": ["window", "row", "column"],
        "rows": f"{data.lookback} in a row, the oldest first",
        "columns": table.columns,
        "units": [UNITS] * len(table.columns),
    }
    if table.known_future:  # these hold what comes so many rows later
        window["rows_ahead"] = dict.fromkeys(table.known_future, data.horizon)
    return {
        "columns": table.columns,
        "num_targets": table.num_targets,
        "num_prices": table.num_prices,
        "header": list(table.header),
        "inputs": {"window": window},
        "outputs": {
            "targets": table.columns[: table.num_targets],
            "steps": data.horizon,
            "units": UNITS,
        },
        "units": {name: UNITS for name in table.columns},
        "date_column": table.date_column,
        "date_format": table.read_as.date_format,
        "decimal": table.read_as.decimal,
        "series_column": table.series_column,
        "known_future": list(table.known_future),
        "frequency": table.frequency and str(table.frequency),
        "lookback": data.lookback,
        "horizon": data.horizon,
        "season": data.season,
        "target_transform": data.target_transform,
        "coverage": COVERAGE,
        "series": [one.name for one in table.series],
        "test_start": None if one.dates is None else str(one.dates[test]),
        "data": data.fingerprint,
        "units_of_training": training_units(data),
    }
