"""Series that stand still, repeat exactly, or are tiny or huge: a score or one line."""

import math
from pathlib import Path

import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.series.numbers import needed_dtype
from keras_seq.series.table import read_series
from keras_seq.serving.saved_model import load_exported
from keras_seq.tasks.stock.data import SeriesData, prepare_series
from keras_seq.tasks.stock.ending import score_forecaster
from keras_seq.tasks.stock.exported import evaluate_forecasts, forecast_next
from keras_seq.tasks.stock.like import read_like
from keras_seq.tasks.stock.report import format_forecast_report
from tests.series_files import (
    NOISE,
    ROWS,
    TRAIN,
    WALK,
    T,
    finished,
    prepared,
    trained,
    write,
)

STUCK = np.where((T > 115) & (T < 175), WALK[115], WALK)


def report_of(data: SeriesData) -> dict:
    return score_forecaster("t", *trained(data)[:2], data).test


REFUSED = {
    "constant": (
        np.full(ROWS, 5.0),
        "x.csv:141: column 'x' is 5 in each of the 140 "
        "rows that train: there is nothing to forecast; give rows in whi",
    ),
    "zero": (np.zeros(ROWS), "column 'x' is 0 in each of the 140 rows"),
    "a number with no end": (np.full(ROWS, 0.1), "column 'x' is 0.1 in each"),
    "negative": (np.full(ROWS, -3e7), "column 'x' is -3e+07 in each"),
    "halted until it is tested": (np.where(T < 180, 7.0, WALK), "column 'x' is 7 in"),
    "a step in the validation part": ((T > 150) * 1.0, "column 'x' is 0 in each"),
    "a spike at the end": ((T == 199) * 1e6, "column 'x' is 0 in each"),
    "rounding": (0.3 + 1e-16 * (T % 2), "changes by float64's rounding alone in the"),
    "finer than float64": (
        1e17 + 16.0 * (T % 2),
        "changes by float64's rounding alone in the 140 rows that train",
    ),
    "too small": (WALK * 1e-300, "x.csv:2: column 'x' is 1.2573e-301; expected sizes"),
    "beyond all squares": (1e308 * (-1.0) ** T, "x.csv:2: column 'x' is 1e+308; expec"),
    "too large": (np.where(T == 150, 1e200, WALK), "x.csv:152: column 'x' is 1e+200"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_nobody_can_forecast_is_one_line_before_training(
    case: str, tmp_path: Path
):
    values, line = REFUSED[case]
    with pytest.raises(UserError) as error:
        prepared(read_series(write(tmp_path / "x.csv", values)))
    assert line in str(error.value) and "--" not in str(error.value)


def test_of_several_targets_the_still_one_is_left_out_as_the_line_says(
    tmp_path: Path, capsys
):
    both = np.stack([WALK, np.full(ROWS, 4.0)], axis=1)
    path = write(tmp_path / "x.csv", both, "xy")
    with pytest.raises(UserError, match="leave it out: --target x$"):
        prepared(read_series(path, target=["all"]))
    data = prepared(read_series(path, target=["x"], features=["y"]))  # as it says
    assert "'y': no change in the rows that train; not read" in capsys.readouterr().err
    leaps = both.copy()
    leaps[TRAIN:, 1] = 1e9  # what it does later is not read either
    path = write(tmp_path / "y.csv", leaps, "xy")
    other = prepared(read_series(path, target=["x"], features=["y"]))
    assert other.facts.deviation[1] == data.facts.deviation[1] == math.inf


def test_returns_of_what_is_not_above_zero_are_refused_wherever_it_stands(
    tmp_path: Path,
):
    for row in (3, 150, 199):
        values = np.where(row == T, -2.0, 50 + WALK)
        table = read_series(write(tmp_path / "x.csv", values))
        with pytest.raises(UserError) as error:
            prepared(table, target_transform="returns")
        assert f"x.csv:{row + 2}: column 'x' is -2; returns are" in str(error.value)
        assert "use --target-transform level" in str(error.value)
        assert (
            prepared(table, target_transform="level").target_transform == "level"
        )  # as it says


SCORED = {  # and the MASE that persistence or its like has to have
    "an exact season": (
        np.tile(np.sin(2 * np.pi * np.arange(24) / 24), 9)[:ROWS],
        "seasonal_naive",
        0.0,
    ),
    "stuck at the end": (np.where(T < 130, WALK, WALK[130]), "persistence", 0.0),
    "stuck in the middle": (STUCK, "persistence", None),
    "a step": ((T > 70) * 1.0, "persistence", 0.0),
    "a spike": ((T == 50) * 1e3, "persistence", 0.0),
    "two values": (np.where(T % 2, 1.0, -1.0), "ridge", 0.0),
    "a line": (-1e4 - T * 1e-3, "drift", 0.0),
}


SLOW = ("stuck at the end", "a spike", "a line")  # as others here, for the night


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=[pytest.mark.slow] if case in SLOW else [])
        for case in SCORED
    ],
)
def test_what_hardly_moves_is_scored(case: str, tmp_path: Path):
    values, name, wanted = SCORED[case]
    table = read_series(write(tmp_path / "x.csv", values))
    report = report_of(prepare_series(table, horizon=3, lookback=24))
    assert all(math.isfinite(one["value"]) for one in report["scores"].values())
    assert set(report["baselines"]["ridge"]) == set(report["scores"]) - {"coverage"}
    skill = report["comparison"]["skill"]
    assert -1000 <= skill["low"] <= skill["value"] <= skill["high"] <= 1
    if wanted is not None:
        assert report["baselines"][name]["mase"] == pytest.approx(wanted, abs=1e-6)
    spread = 10 * np.ptp(values)
    assert report["scores"]["mae"]["value"] < spread
    assert report["interval"]["mean_width"] < spread
    assert "MASE" in format_forecast_report(report)


SIZES = {
    "tiny": (0.0, 1e-40),
    "huge": (0.0, 1e39),
    "1e8 and cents": (1e8, 0.01),
    "1e15 and a few": (-1e15, 30.0),
}


@pytest.fixture(scope="module")
def plain() -> dict[str, dict]:
    """MASE of network and baselines on the walk, by the first of its sizes."""
    return {}


@pytest.mark.parametrize("case", SIZES)
def test_any_size_has_the_scores_of_the_true_data(
    case: str, tmp_path: Path, plain: dict[str, dict]
):
    """The same walk in another unit, about another zero, is the same to forecast."""
    base, unit = SIZES[case]
    walk = np.round(WALK, 2) if base else WALK
    data = prepared(read_series(write(tmp_path / "x.csv", base + unit * walk)))
    assert data.plans["test"].values.dtype == np.float64
    report = report_of(data)
    train, errors = walk[:TRAIN], []
    scale = np.abs(train[24:] - train[:-24]).mean()
    for first in range(170, ROWS - 2):
        errors.append(np.abs(walk[first : first + 3] - walk[first - 1]))
    wanted = np.mean(errors) / scale
    found = report["baselines"]["persistence"]["mase"]
    assert found == pytest.approx(wanted, rel=1e-3)
    scores = {name: values["mase"] for name, values in report["baselines"].items()}
    scores["network"] = report["scores"]["mase"]["value"]
    if base == 0:
        assert plain.setdefault("both", scores) == pytest.approx(scores, rel=1e-3)
    assert scores["network"] < 3 * wanted
    assert 0 < report["interval"]["mean_width"] < 100 * unit


def test_what_float32_holds_stays_float32(tmp_path: Path):
    shares = 190 + np.round(WALK, 2)
    for values, dtype in (
        (shares, "float32"),
        (1e6 * np.round(NOISE + 9), "float32"),
        (np.where(T == 9, 190.13, 190.12), "float32"),
        (5e7 + NOISE, "float64"),
        (shares * 1e20, "float64"),
        (np.full(ROWS, 1e8 + 1), "float32"),
    ):
        assert needed_dtype(read_series(write(tmp_path / "x.csv", values))) == dtype


@pytest.mark.slow
def test_an_export_reads_cents_beside_1e8(tmp_path: Path):
    values = 1e8 + np.round(np.sin(T / 3), 3)
    path = write(tmp_path / "x.csv", values)
    table = read_series(path)
    report, version = finished(prepared(table), tmp_path, epochs=3)
    exported = load_exported(version)
    served = exported.metadata["signatures"]["serving_default"]
    assert served["inputs"]["window"]["dtype"] == "float64"
    assert served["outputs"]["forecast"]["dtype"] == "float64"
    assert report["baselines"]["ridge"]["mase"] < 0.1
    rows = list(forecast_next(exported, read_like(exported, path)))
    forecasts = np.array([row["forecast"] for row in rows])
    assert (np.abs(forecasts - 1e8) < 4).all() and len(set(forecasts % 8)) == 3
    again = evaluate_forecasts("t", version, read_like(exported, path))
    assert again["scores"]["mase"]["value"] == report["scores"]["mase"]["value"]
    assert again["n"] == report["n"]
