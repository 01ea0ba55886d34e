"""Scoring and calibrating what was trained: what is left out, and what is held."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.evaluation.conformal import Calibration
from keras_seq.layers.scaling import Scaling
from keras_seq.series.calendar import Frequency
from keras_seq.series.simulator import simulate_prices
from keras_seq.series.table import Series, SeriesTable
from keras_seq.tasks.stock.data import SeriesData, make_scaling, prepare_series
from keras_seq.tasks.stock.ending import fit_ridge
from keras_seq.tasks.stock.scores import (
    baselines_of,
    calibrate_on,
    report_on,
    walk_windows,
)
from keras_seq.tasks.stock.server import PriceForecaster


def table_of(values: np.ndarray, observed: np.ndarray | None = None) -> SeriesTable:
    if observed is None:
        observed = np.ones(values.shape, bool)
    hours = np.datetime64("2020-01-01", "s") + np.arange(len(values)) * 3600
    lines = np.arange(len(values)) + 2
    one = Series("a", Path("a.csv"), hours, values, observed, lines)
    names = list("xy"[: values.shape[1]])
    return SeriesTable([one], names, len(names), 0, False, ["date"], Frequency("h"))


def scored(data: SeriesData, answer: Callable, ridge: Callable) -> dict:
    """The report on the test part."""
    beside, plan = baselines_of(data), data.plans["test"]
    walk = walk_windows(data, plan, answer, ridge, beside, units=data.units)
    return report_on("t", data, [walk], 0.8)


def report_of(data: SeriesData) -> dict:
    """Scores of the last value as a forecast."""

    def answer(window: tf.Tensor) -> dict[str, tf.Tensor]:
        last = tf.repeat(window[:, -1:], data.horizon, axis=1)
        return {"forecast": last, "lower": last - 1, "upper": last + 1}

    return scored(data, answer, answer)


def test_what_was_filled_in_is_no_target():
    values = np.random.default_rng(0).normal(size=(300, 1))
    observed = np.ones(values.shape, bool)
    observed[280:283] = False
    settings = {"lookback": 10, "horizon": 3, "season": 1}
    reports = []
    for filled in (0.0, 1000.0):
        changed = np.where(observed, values, filled)
        data = prepare_series(table_of(changed, observed), **settings)
        # Targets alone are another: no window that reads row 280 or later is scored.
        plan = data.plans["test"]
        kept = plan._replace(counts=plan.counts - (300 - 280) + 2)
        reports.append(report_of(data._replace(plans=data.plans | {"test": kept})))
    assert reports[0]["n"] == reports[1]["n"] > 20
    assert reports[0]["scores"] == reports[1]["scores"]


def test_scores_are_those_of_a_plain_loop_over_the_windows():
    values = np.cumsum(np.random.default_rng(1).normal(size=(300, 2)), axis=0)
    data = prepare_series(table_of(values), lookback=10, horizon=3, season=4)
    report = report_of(data)
    _, start = data.cuts[0]
    errors, seasonal = [], []
    for first in range(start, 300 - 3 + 1):
        target = values[first : first + 3]
        errors.append(np.abs(target - values[first - 1]))
        seasonal.append(np.abs(target - values[first - 4 : first - 1]))
    train = values[: data.cuts[0][0]]
    scale = np.abs(train[4:] - train[:-4]).mean(axis=0)
    assert report["n"] == len(errors)
    mase = np.mean(np.array(errors) / scale)
    assert report["scores"]["mase"]["value"] == pytest.approx(mase, rel=1e-4)
    assert report["baselines"]["persistence"]["mase"] == pytest.approx(mase, rel=1e-4)
    assert report["baselines"]["seasonal_naive"]["mase"] == pytest.approx(
        np.mean(np.array(seasonal) / scale), rel=1e-4
    )
    wanted = np.mean(np.array(errors) / train.std(axis=0))
    found = report["scores"]["mae_standardised"]["value"]
    assert found == pytest.approx(wanted, rel=1e-4)
    inside = np.mean(np.array(errors) <= 1)
    assert report["interval"]["coverage"] == pytest.approx(inside, abs=1e-3)


def calibrated(data: SeriesData, scaling: Scaling) -> tuple[float, dict]:
    """Ridge with an interval of calibration alone, and what it holds on the test."""
    ridge = fit_ridge(data, scaling)
    deviation = data.units.deviation
    observed = np.ones((len(data.plans["test"].values), 1), bool)
    shifts = calibrate_on(data.plans["validation"], observed, ridge, deviation, 0.8)
    server = PriceForecaster(ridge, shifts, deviation, ridge)
    report = scored(data, tf.function(server), tf.function(server.ridge))
    return report["interval"]["coverage"], report


def test_ridge_nears_the_best_possible_and_its_interval_holds():
    data = prepare_series(simulate_prices(seed=2, num_series=8))
    coverage, report = calibrated(data, make_scaling(data))
    assert report["best_possible"]["rmse_ratio"] < 1.06
    assert (
        report["best_possible"]["rmse"]
        < 0.7 * report["baselines"]["persistence"]["rmse"]
    )
    assert coverage == pytest.approx(0.8, abs=0.04)


def test_shifts_are_one_a_step_and_target():
    values = np.cumsum(np.random.default_rng(1).normal(size=(400, 2)), axis=0)
    data = prepare_series(table_of(values), lookback=10, horizon=3, season=1)
    observed = np.ones((400, 2), bool)
    shifts = calibrate_on(
        data.plans["validation"],
        observed,
        fit_ridge(data, make_scaling(data)),
        data.units.deviation,
        0.8,
    )
    assert isinstance(shifts, Calibration)
    assert shifts.lower.shape == shifts.upper.shape == (3, 2)
    assert (np.diff(shifts.lower + shifts.upper, axis=0) > 0).all()  # wider with time


def careless(data: SeriesData, wide: float) -> keras.Model:
    """The last value; its quantiles cross after a step up, else they are far apart."""
    window = keras.Input((data.lookback, 1))
    last, before = window[:, -1], window[:, -2]  # (B, 1)
    width = keras.ops.where(last > before, -1.0, wide)
    ends = keras.ops.stack([last - width, last, last + width], axis=-1)  # (B, 1, 3)
    return keras.Model(window, keras.ops.repeat(ends[:, None], data.horizon, axis=1))


@pytest.mark.parametrize(
    ("target_transform", "wide"), [("level", 11.0), ("returns", 11.0), ("level", 1e4)]
)
def test_quantiles_that_cross_on_some_windows_do_not_throw_others_out(
    target_transform: str, wide: float
):
    """One collapsed width in four once made a shift of 26,000 widths."""
    values = 190 + np.cumsum(np.random.default_rng(3).normal(size=(500, 1)), axis=0)
    data = prepare_series(
        table_of(values),
        lookback=8,
        horizon=2,
        season=1,
        target_transform=target_transform,
    )
    observed, deviation = np.ones((500, 1), bool), data.units.deviation
    model = careless(data, wide)
    shifts = calibrate_on(
        data.plans["validation"],
        observed,
        model,
        deviation,
        0.8,
        target_transform == "returns",
    )
    server = PriceForecaster(
        model, shifts, deviation, num_positive=target_transform == "returns"
    )
    _, firsts = data.plans["test"].first_rows(np.arange(data.plans["test"].num_windows))
    windows = values[firsts[:, None] + np.arange(-8, 0)].astype("float32")
    answer = server(tf.constant(windows))
    assert np.abs(answer["upper"] - 190).max() < 190
    assert np.abs(answer["lower"] - 190).max() < 190


def test_a_series_that_stood_still_while_it_was_calibrated_has_bounded_ends():
    values = 190 + np.cumsum(np.random.default_rng(4).normal(size=(500, 1)), axis=0)
    values[345:424] = values[345]  # the validation part, and what it reads
    data = prepare_series(table_of(values), lookback=8, horizon=2, season=1)
    window = keras.Input((8, 1))
    model = keras.Model(window, keras.ops.repeat(window[:, -1:, :, None], 2, axis=1))
    observed, deviation = np.ones((500, 1), bool), data.units.deviation
    shifts = calibrate_on(data.plans["validation"], observed, model, deviation, 0.8)
    assert np.isfinite(shifts.lower).all() and np.isfinite(shifts.farthest).all()
    server = PriceForecaster(model, shifts, deviation)
    answer = server(tf.constant(values[None, -8:], tf.float32))
    assert np.abs(answer["upper"] - values[-1]).max() <= 4.01 * deviation
