"""Series that stand still, repeat exactly, or are tiny or huge: a score or one line."""

import json
import math
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_seq.data.series import SeriesTable, read_series
from keras_seq.data.series_numbers import needed_dtype
from keras_seq.errors import UserError
from keras_seq.evaluation.forecast_report import format_forecast_report
from keras_seq.export import load_exported
from keras_seq.series_data import SeriesData, prepare_series
from keras_seq.series_export import evaluate_forecasts, forecast_next, read_like
from keras_seq.series_run import finish_forecasts, score_forecaster
from keras_seq.series_training import Learned, learn_forecaster

ROWS, TRAIN = 200, 140
QUANTILES = (0.1, 0.5, 0.9)
T = np.arange(ROWS)
NOISE = np.random.default_rng(0).normal(size=ROWS)
WALK = np.cumsum(NOISE)
STUCK = np.where((T > 115) & (T < 175), WALK[115], WALK)


def write(
    path: Path, values: np.ndarray, columns: str = "x", dated: bool = True
) -> Path:
    """A file of hours, or of rows without dates."""
    lines = [",".join(["date"] * dated + list(columns))]
    for number, row in enumerate(np.reshape(values, (len(values), -1)).tolist()):
        hour = np.datetime64("2020-01-01T00", "h") + number
        lines.append(",".join([f"{hour}:00"] * dated + [repr(value) for value in row]))
    path.write_text("\n".join(lines) + "\n")
    return path


def prepared(table: SeriesTable, **options) -> SeriesData:
    return prepare_series(table, horizon=3, lookback=6, **options)


def trained(data: SeriesData, epochs: int = 1) -> Learned:
    """A network of one layer."""

    def build(data: SeriesData, scaling, documented: bool) -> keras.Model:
        size = data.horizon * data.table.num_targets * 3
        layers = [keras.Input(scaling.encode.output_shape[1:]),
                  keras.layers.Flatten(), keras.layers.Dense(size)]
        return keras.Sequential(layers)

    return learn_forecaster(data, build, QUANTILES, epochs=epochs, batch_size=64)


def report_of(data: SeriesData) -> dict:
    return score_forecaster("t", *trained(data)[:2], data).test


REFUSED = {
    "constant": (np.full(ROWS, 5.0), "x.csv:141: column 'x' is 5 in each of the 140 "
                 "rows that train: there is nothing to forecast; give rows in whi"),
    "zero": (np.zeros(ROWS), "column 'x' is 0 in each of the 140 rows"),
    "a number with no end": (np.full(ROWS, 0.1), "column 'x' is 0.1 in each"),
    "negative": (np.full(ROWS, -3e7), "column 'x' is -3e+07 in each"),
    "halted until it is tested": (np.where(T < 180, 7.0, WALK), "column 'x' is 7 in"),
    "a step in the validation part": ((T > 150) * 1.0, "column 'x' is 0 in each"),
    "a spike at the end": ((T == 199) * 1e6, "column 'x' is 0 in each"),
    "rounding": (0.3 + 1e-16 * (T % 2), "changes by float64's rounding alone in the"),
    "finer than float64": (1e17 + 16.0 * (T % 2), "changes by float64's rounding alone "
                           "in the 140 rows that train"),
    "too small": (WALK * 1e-300, "x.csv:2: column 'x' is 1.2573e-301; expected sizes"),
    "too large": (np.where(T == 150, 1e200, WALK), "x.csv:152: column 'x' is 1e+200"),
}  # fmt: skip


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
            prepared(table, form="returns")
        assert f"x.csv:{row + 2}: column 'x' is -2; returns are" in str(error.value)
        assert "use --form level" in str(error.value)
        assert prepared(table, form="level").form == "level"  # as it says


SCORED = {  # and the MASE that persistence or its like has to have
    "an exact season": (np.tile(np.sin(2 * np.pi * np.arange(24) / 24), 9)[:ROWS],
                        "seasonal_naive", 0.0),
    "stuck at the end": (np.where(T < 130, WALK, WALK[130]), "persistence", 0.0),
    "stuck in the middle": (STUCK, "persistence", None),
    "a step": ((T > 70) * 1.0, "persistence", 0.0),
    "a spike": ((T == 50) * 1e3, "persistence", 0.0),
    "two values": (np.where(T % 2, 1.0, -1.0), "ridge", 0.0),
    "a line": (-1e4 - T * 1e-3, "drift", 0.0),
}  # fmt: skip


@pytest.mark.parametrize("case", SCORED)
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


SIZES = {"tiny": (0.0, 1e-40), "huge": (0.0, 1e39), "1e8 and cents": (1e8, 0.01),
         "1e15 and a few": (-1e15, 30.0)}  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> dict[str, float]:
    """MASE of the baselines on a walk of usual size."""
    keras.utils.set_random_seed(0)
    return {}


@pytest.mark.parametrize("case", SIZES)
def test_any_size_has_the_scores_of_the_true_data(
    case: str, tmp_path: Path, plain: dict[str, float]
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
        (shares, "float32"), (1e6 * np.round(NOISE + 9), "float32"),
        (np.where(T == 9, 190.13, 190.12), "float32"), (5e7 + NOISE, "float64"),
        (shares * 1e20, "float64"), (np.full(ROWS, 1e8 + 1), "float32"),
    ):  # fmt: skip
        assert needed_dtype(read_series(write(tmp_path / "x.csv", values))) == dtype


def finished(data: SeriesData, folder: Path, epochs: int = 1) -> tuple[dict, Path]:
    (folder / "run").mkdir()
    return finish_forecasts(
        "t", *trained(data, epochs), data, run_dir=folder / "run",
        export_dir=folder / "model",
    )  # fmt: skip


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


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict, Path]:
    """A model of three series: one dear, one cheap, one that stood still in train."""
    folder = tmp_path_factory.mktemp("three")
    for name, values in (("dear", 5000 + 90 * WALK), ("cheap", 3 + 0.02 * NOISE),
                         ("halted", np.where(T < 145, 8.0, 8 + NOISE))):  # fmt: skip
        write(folder / f"{name}.csv", np.round(values, 4))
    data = prepared(read_series(str(folder / "*.csv")))
    report, version = finished(data, folder)
    return folder, report, version


def scored_again(three: tuple, *names: str) -> dict:
    exported = load_exported(three[2])
    paths = [three[0] / f"{name}.csv" for name in names]
    return evaluate_forecasts("t", three[2], read_like(exported, paths))


def test_train_and_evaluate_report_the_same_units(three: tuple):
    folder, report, _ = three
    again = scored_again(three, "halted", "cheap", "dear")  # in another order
    assert again["n"] == report["n"]
    for name in ("mase", "rmsse", "mae_standardised", "mae", "coverage"):
        wanted = report["scores"][name]["value"]
        assert again["scores"][name]["value"] == pytest.approx(wanted, rel=1e-6)
    for name in ("dear", "cheap"):
        found, wanted = again["by_series"][name], report["by_series"][name]
        assert found["network"]["mase"] == pytest.approx(wanted["network"]["mase"])
        alone = scored_again(three, name)["scores"]["mase"]["value"]
        assert alone == pytest.approx(wanted["network"]["mase"])


def test_a_series_is_known_by_its_rows_whatever_its_file_is_called(three: tuple):
    folder, report, _ = three
    (folder / "other.csv").write_text((folder / "cheap.csv").read_text())
    lines = (folder / "dear.csv").read_text().splitlines(True)
    late = folder / "late" / "dear.csv"
    late.parent.mkdir()
    late.write_text("".join(lines[:1] + lines[1 + 170 - 6 :]))  # no row that trained
    for name in ("other", "late/dear"):
        wanted = report["by_series"]["dear" if "dear" in name else "cheap"]["network"]
        found = scored_again(three, name)["scores"]["mase"]["value"]
        assert found == pytest.approx(wanted["mase"])


def test_a_stranger_is_measured_against_its_own_rows_and_that_is_said(
    three: tuple, capsys
):
    write(three[0] / "stranger.csv", np.round(7 + 0.5 * NOISE[::-1], 4))
    report = scored_again(three, "stranger")
    said = capsys.readouterr().err
    assert "'stranger' did not train: MASE is against changes of their own" in said
    own = np.round(7 + 0.5 * NOISE[::-1], 4)[:170]
    scale = np.abs(own[24:] - own[:-24]).mean()
    mae = report["scores"]["mae"]["value"]
    assert report["scores"]["mase"]["value"] == pytest.approx(mae / scale)


def test_what_stood_still_in_train_has_no_mase(three: tuple):
    assert math.isnan(three[1]["by_series"]["halted"]["network"]["mase"])
    with pytest.raises(UserError, match="MASE, which is measured against such changes"):
        scored_again(three, "halted")
    metrics = json.loads((three[0] / "run" / "metrics.json").read_text())
    assert metrics["test"]["by_series"]["halted"]["network"]["mase"] is None


NAMES = {
    "reordered": ("x,date", None),
    "one more": ("date,volume,x,y", None),
    "renamed": ("date,price", "other columns than the model: no 'x'; has: 'date', 'pr"),
    "without dates": ("x,y", "other columns than the model: no 'date'; has: 'x', 'y'"),
    "another case": ("date,X", "other columns than the model: no 'x'; has: 'date', "),
}


@pytest.mark.parametrize("case", NAMES)
def test_columns_are_found_by_name(case: str, three: tuple, tmp_path: Path):
    header, line = NAMES[case]
    hours = np.datetime64("2020-01-01T00", "h") + T
    cells = {"date": hours, "x": np.round(3 + 0.02 * NOISE, 4), "volume": T * 1e6,
             "y": T, "price": WALK, "X": WALK}  # fmt: skip
    names = header.split(",")
    rows = [",".join(str(cells[name][row]) for name in names) for row in range(ROWS)]
    path = tmp_path / "cheap.csv"
    path.write_text("\n".join([header, *rows]))
    exported = load_exported(three[2])
    if line:
        with pytest.raises(UserError) as error:
            read_like(exported, path)
        assert line in str(error.value) and "--" not in str(error.value)
        return
    usual = read_like(exported, three[0] / "cheap.csv")
    found, wanted = (
        [row["forecast"] for row in forecast_next(exported, table)]
        for table in (read_like(exported, path), usual)
    )
    assert found == wanted


def test_files_without_names_have_as_many_columns(tmp_path: Path):
    rows = [f"{number},{value:.3f}" for number, value in enumerate(WALK)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(rows))
    more = tmp_path / "y.csv"
    more.write_text("\n".join(f"7,{row}" for row in rows))
    with pytest.raises(UserError, match="y.csv: other columns than .*3 instead of 2"):
        read_series([path, more], target=["2"])


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "prices.csv", WALK)
    table = read_series([tmp_path / "a/prices.csv", tmp_path / "b/prices.csv"])
    names = [one.name for one in table.series]
    assert names == [str(tmp_path / "a" / "prices"), str(tmp_path / "b" / "prices")]
