"""What the stock script reads: before TensorFlow comes, and as the training did."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_seq.data.table_format import TableFormat
from keras_seq.errors import UserError
from keras_seq.series.table import read_series
from keras_seq.serving.exported import Described
from keras_seq.serving.saved_model import load_exported
from keras_seq.tasks.stock.exported import forecast_next
from keras_seq.tasks.stock.like import read_like
from tests.series_files import finished, prepared

CODE = """
import sys
from keras_seq.scripts import stock
try:
    list(getattr(stock, sys.argv[1])({}) or ())
except Exception as error:
    print(type(error).__name__, "tensorflow" in sys.modules, error)
"""
CALLS = {
    "train": "data='a.csv'",
    "evaluate": "data='a.csv', model='exported'",
    "predict": "*['a.csv'], model='exported'",
}
FACTS = {
    "columns": ["x"],
    "num_targets": 1,
    "header": ["date", "x"],
    "date_column": ["date"],
    "frequency": "D",
    "form": "level",
    "horizon": 3,
    "signatures": {"serving_default": {"inputs": {"window": {"dtype": "float32"}}}},
}


@pytest.mark.parametrize("verb", CALLS)
def test_a_wrong_row_is_said_before_tensorflow_is_imported(verb: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text("date,x\n2021-03-01,1\n2021-03-02,one\n")
    extra = tmp_path / "exported" / "1" / "assets.extra"
    extra.mkdir(parents=True)
    (extra.parent / "saved_model.pb").touch()
    (extra / "model.json").write_text(json.dumps(FACTS))
    code = CODE.replace("({})", f"({CALLS[verb]})")
    done = subprocess.run(
        [sys.executable, "-c", code, verb], cwd=tmp_path, capture_output=True, text=True
    )
    line = "UserError False a.csv:3: column 'x' holds 'one', which is no number\n"
    assert done.stdout == line, done.stderr


def days(count: int, pattern: str = "%d/%m/%Y", start: str = "2021-03-01") -> list[str]:
    first = np.datetime64(start, "D")
    return [(first + n).item().strftime(pattern) for n in range(count)]


def test_what_a_file_leaves_open_is_as_in_the_training(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text(
        "date,x\n" + "".join(f'{d},"1,{n:03}"\n' for n, d in enumerate(days(9)))
    )
    with pytest.raises(UserError, match="is its mark the decimal one"):
        read_like(Described(path, FACTS), path)
    facts = FACTS | {"date_format": "day-first", "decimal": "."}
    one = read_like(Described(path, facts), path).series[0]
    assert one.values[-1, 0] == 1008 and str(one.dates[-1])[:10] == "2021-03-09"
    facts |= {"date_format": "month-first"}
    with pytest.raises(UserError, match="no whole step of D|of step D missing"):
        read_like(Described(path, facts), path)
    given = read_like(
        Described(path, facts), path, date_format="day-first", decimal="comma"
    )
    assert given.series[0].values[-1, 0] == 1.008


def test_series_and_format_of_the_training_are_found_again(tmp_path: Path):
    path = tmp_path / "a.txt"
    lines = [
        f"{d}|{shop}|{n}" for n, d in enumerate(days(9, "%Y-%m-%d")) for shop in "ab"
    ]
    path.write_text("date|shop|x\n" + "\n".join(lines))
    facts = FACTS | {"series_column": ["shop"], "header": ["date", "shop", "x"]}
    form = TableFormat(separator="|")
    found = read_like(Described(path, facts), path, table_format=form)
    assert [one.part for one in found.series] == ["a", "b"]
    with pytest.raises(UserError, match="--series-column shop"):
        read_like(Described(path, FACTS), path, table_format=form)


@pytest.mark.slow
def test_a_forecast_is_decided_by_what_is_known_ahead(tmp_path: Path):
    offer = np.random.default_rng(3).integers(0, 2, 300)
    sold = 20 + 10 * offer
    dates = days(300, "%Y-%m-%d")
    rows = [f"{d},{s},{o}" for d, s, o in zip(dates, sold, offer)]

    def written(name: str, ahead: list[int]) -> Path:
        path = tmp_path / name
        more = [f"{d},,{o}" for d, o in zip(days(4, "%Y-%m-%d", "2021-12-26"), ahead)]
        path.write_text("\n".join(["date,sold,offer", *rows, *more]) + "\n")
        return path

    table = read_series(
        written("shop.csv", []), target=["sold"], known_future=["offer"]
    )
    _, version = finished(prepared(table), tmp_path)
    exported = load_exported(version)
    window = exported.metadata["inputs"]["window"]
    assert exported.metadata["known_future"] == ["offer"]
    assert window["rows_ahead"] == {"offer": 3}
    ridge = exported.signature("ridge")  # which learns at once
    for ahead in ([1, 0, 1], [0, 1, 0]):
        table = read_like(exported, written("next.csv", ahead), needs_ahead=True)
        last = table.series[0].values[None, -6:].astype("float32")
        found = ridge(window=last)["forecast"].numpy()[0]
        assert found == pytest.approx(20 + 10 * np.array(ahead), abs=0.5)
        answers = list(forecast_next(exported, table))
        assert [row["date"] for row in answers] == days(3, "%Y-%m-%d", "2021-12-26")
    with pytest.raises(UserError, match="'offer' must be known of the 3 rows to come"):
        read_like(exported, tmp_path / "shop.csv", needs_ahead=True)
