"""Forecasting knows nothing of the future: statistics, features, windows, predictions.

The rows after a time t are replaced by others, and nothing up to t may change, along
the whole path: reading, filling, cutting, scaling, training, calibration, baselines,
forecasts. Each test was seen to fail with a look ahead put into the code.
"""

from pathlib import Path

import numpy as np
import pytest

from keras_seq.layers.scaling import Scaling
from keras_seq.models.segments import build_segment_rnn
from keras_seq.series.table import read_series
from keras_seq.series.window_batches import make_window_dataset
from keras_seq.tasks.stock.data import (
    SeriesData,
    fit_theta,
    make_scaling,
    prepare_series,
)
from keras_seq.tasks.stock.ending import fit_ridge, score_forecaster
from keras_seq.tasks.stock.training import TrainedForecaster, train_forecaster

ROWS, LOOKBACK, HORIZON = 300, 12, 4
VALIDATION, TEST = 200, 250
DAYS = np.busday_offset("2020-01-01", np.arange(ROWS)).astype(str)


def write(path: Path, changed_from: int | None = None, hole: int | None = None) -> str:
    """Prices of ROWS days; from a row on, those of another world."""
    rng = np.random.default_rng(0)
    steps, volumes = rng.normal(0, 0.02, ROWS), rng.integers(100, 999, ROWS)
    if changed_from is not None:
        other = np.random.default_rng(1)
        steps[changed_from:] = other.normal(0.05, 0.2, ROWS - changed_from)
        volumes[changed_from:] = other.integers(10**6, 10**7, ROWS - changed_from)
    closes = 50 * np.exp(np.cumsum(steps))
    lines = ["Date,Open,High,Low,Close,Volume"]
    for row, (day, close, volume) in enumerate(zip(DAYS, closes, volumes)):
        shown = "" if row == hole else f"{close:.6f}"
        lines.append(
            f"{day},{close:.6f},{close * 1.1:.6f},{close * 0.9:.6f},{shown},{volume}"
        )
    path.write_text("\n".join(lines))
    return str(path)


def prepared(path: str, target_transform: str, fill: str | None = None) -> SeriesData:
    return prepare_series(
        read_series(path, fill=fill),
        lookback=LOOKBACK,
        horizon=HORIZON,
        target_transform=target_transform,
        validation_start=DAYS[VALIDATION],
        test_start=DAYS[TEST],
    )


def learned(data: SeriesData) -> TrainedForecaster:
    def build(data: SeriesData, scaling: Scaling, documented: bool):
        return build_segment_rnn(
            scaling.encode.output_shape[1:],
            horizon=HORIZON,
            segment_length=4,
            units=4,
            quantiles=(0.1, 0.5, 0.9),
        )

    return train_forecaster(data, build, (0.1, 0.5, 0.9), epochs=2, batch_size=64)


def windows(data: SeriesData, part: str, until: int) -> list[np.ndarray]:
    """Of a part: inputs of what is forecast up to `until`, and targets before it."""
    plan, scaling = data.plans[part], make_scaling(data)
    _, firsts = plan.first_rows(np.arange(plan.num_windows))
    batches = make_window_dataset(plan, scale_targets=scaling.to_scaled)
    windows, targets = (np.concatenate(part) for part in zip(*batches))
    # A window forecasts row f from the rows before it, so f itself may be another.
    windows, targets = windows[firsts <= until], targets[firsts + HORIZON <= until]
    return [windows, targets, np.array(scaling.encode(windows))]


@pytest.mark.parametrize("target_transform", ["returns", "level"])
def test_nothing_of_train_changes_with_the_rows_that_follow(
    tmp_path: Path, target_transform: str
):
    one = prepared(write(tmp_path / "a.csv"), target_transform)
    other = prepared(
        write(tmp_path / "a.csv", changed_from=VALIDATION), target_transform
    )
    assert not np.allclose(one.plans["test"].values, other.plans["test"].values)
    for own, again in zip(one.facts, other.facts):
        assert np.array_equal(own, again)
    for own, again in zip(
        windows(one, "train", VALIDATION), windows(other, "train", VALIDATION)
    ):
        assert len(own) == VALIDATION - LOOKBACK - HORIZON + 1
        assert np.array_equal(own, again)
    assert one.fingerprint == other.fingerprint


@pytest.mark.parametrize("until", [VALIDATION + 10, TEST + 5, ROWS - 1])
def test_windows_and_features_up_to_a_row_do_not_know_the_next(
    tmp_path: Path, until: int
):
    one = prepared(write(tmp_path / "a.csv"), "returns")
    other = prepared(write(tmp_path / "a.csv", changed_from=until), "returns")
    part = "validation" if until < TEST else "test"
    pairs = zip(windows(one, part, until), windows(other, part, until))
    for own, again in pairs:
        assert len(own) > 0 and np.array_equal(own, again)


def test_training_and_calibration_do_not_know_the_test_part(tmp_path: Path):
    """Trained, calibrated and scored twice: what was said before TEST is the same."""
    pytest.importorskip("statsmodels")
    found = []
    for changed in (None, TEST):
        data = prepared(write(tmp_path / "a.csv", changed), "returns")
        network = learned(data)
        scored = score_forecaster("t", *network[:2], data)
        plan = data.plans["test"]
        # The first test window ends with row TEST - 1: all of it was known.
        known = plan.values[None, TEST - LOOKBACK : TEST]
        answer = {n: v.numpy() for n, v in scored.server(known).items()}
        found.append(
            {
                "weights": network.forecaster.get_weights(),
                "history": network.history.history,
                "answer": answer,
                "validation": scored.validation["scores"],
                "baselines": scored.validation["baselines"],
                "ridge": scored.server.ridge(known)["forecast"].numpy(),
                "test": scored.test["scores"],
            }
        )
    one, other = found
    for own, again in zip(one["weights"], other["weights"]):
        assert np.array_equal(own, again)
    for name in ("history", "validation", "baselines"):
        assert one[name] == other[name], name
    for name in ("forecast", "lower", "upper"):
        assert np.array_equal(one["answer"][name], other["answer"][name])
    assert np.array_equal(one["ridge"], other["ridge"])
    assert one["test"] != other["test"]


def test_baselines_are_fitted_on_train_rows_alone(tmp_path: Path):
    pytest.importorskip("statsmodels")
    rows = np.arange(LOOKBACK, VALIDATION)
    found = []
    for changed in (None, VALIDATION):
        data = prepared(write(tmp_path / "a.csv", changed), "returns")
        found.append(fit_theta(data)[0][0].forecast(rows, HORIZON))
    assert np.array_equal(*found)
    data = prepared(write(tmp_path / "a.csv", changed_from=TEST), "returns")
    before = prepared(write(tmp_path / "a.csv"), "returns")
    weights = [
        fit_ridge(each, make_scaling(each)).get_weights() for each in (data, before)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(*weights))


@pytest.mark.parametrize("hole", [150, TEST - 1])
def test_a_hole_is_filled_from_before(tmp_path: Path, hole: int):
    found = []
    for changed in (None, hole + 1):
        path = write(tmp_path / "a.csv", changed, hole)
        values = read_series(path, fill="forward").series[0].values
        found.append(values[: hole + 1])
    assert np.array_equal(*found)
    assert found[0][hole, 0] == found[0][hole - 1, 0]


def test_a_forecast_is_of_its_window_alone(tmp_path: Path):
    """In a batch or alone, and whatever the rows before the window were."""
    data = prepared(write(tmp_path / "a.csv"), "returns")
    forecaster = learned(data).forecaster
    values = data.plans["test"].values
    batch = np.stack([values[t - LOOKBACK : t] for t in (60, 100, 250)])
    together = np.array(forecaster(batch))
    for row in range(3):
        alone = np.array(forecaster(batch[row : row + 1]))[0]
        assert alone == pytest.approx(together[row], rel=1e-5)
