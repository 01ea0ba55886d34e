"""What evaluate knows of a training: units of errors, and columns by their names."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.series.table import read_series
from keras_seq.serving.saved_model import load_exported
from keras_seq.tasks.stock.exported import evaluate_forecasts, forecast_next
from keras_seq.tasks.stock.like import read_like
from tests.series_files import NOISE, ROWS, WALK, T, finished, prepared, write


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict, Path]:
    """A model of three series: one dear, one cheap, one that stood still in train."""
    folder = tmp_path_factory.mktemp("three")
    for name, values in (
        ("dear", 5000 + 90 * WALK),
        ("cheap", 3 + 0.02 * NOISE),
        ("halted", np.where(T < 145, 8.0, 8 + NOISE)),
    ):
        write(folder / f"{name}.csv", np.round(values, 4))
    data = prepared(read_series(str(folder / "*.csv")))
    report, version = finished(data, folder)
    return folder, report, version


def scored_again(three: tuple, *names: str) -> dict:
    exported = load_exported(three[2])
    paths = [three[0] / f"{name}.csv" for name in names]
    return evaluate_forecasts("t", three[2], read_like(exported, paths))


@pytest.mark.slow
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
    cells = {
        "date": hours,
        "x": np.round(3 + 0.02 * NOISE, 4),
        "volume": T * 1e6,
        "y": T,
        "price": WALK,
        "X": WALK,
    }
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


def test_advice_names_no_option_that_evaluate_lacks(three: tuple, tmp_path: Path):
    exported = load_exported(three[2])
    lines = (three[0] / "cheap.csv").read_text().splitlines(True)
    off, short = tmp_path / "off.csv", tmp_path / "short.csv"
    off.write_text("".join(lines[:-1]) + lines[-1].replace(":00,", ":30,"))
    with pytest.raises(UserError) as error:
        read_like(exported, off)
    said = "no whole step of h; the step of the rows that trained the model"
    assert said in str(error.value) and "--" not in str(error.value)
    short.write_text("".join(lines[:173]))
    with pytest.raises(UserError) as error:
        evaluate_forecasts("t", three[2], read_like(exported, short))
    assert str(error.value).endswith("needs 3: 3 to forecast; give more rows")


def test_files_without_names_have_as_many_columns(tmp_path: Path):
    rows = [f"{number},{value:.3f}" for number, value in enumerate(WALK)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(rows))
    more = tmp_path / "y.csv"
    more.write_text("\n".join(f"7,{row}" for row in rows))
    with pytest.raises(UserError, match="y.csv: other columns than .*3 instead of 2"):
        read_series([path, more], target=["2"])


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path):
    for folder, values in (("a", WALK), ("b", WALK[::-1])):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "prices.csv", values)
    table = read_series([tmp_path / "a/prices.csv", tmp_path / "b/prices.csv"])
    names = [one.name for one in table.series]
    assert names == [str(tmp_path / "a" / "prices"), str(tmp_path / "b" / "prices")]
