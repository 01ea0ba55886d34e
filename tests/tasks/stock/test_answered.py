"""A table of series comes back whole, with the forecast of what follows below it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from keras_seq.data.answers import write_rows
from keras_seq.errors import UserError
from keras_seq.series.table import read_series
from keras_seq.tasks.stock.answered import answer_series
from keras_seq.tasks.stock.like import named_files, read_like

HORIZON = 2


def exported(path: Path, **options: object) -> SimpleNamespace:
    """What is asked of an export whose answer is the last row, and one more a step."""
    table = read_series(str(path), **options)
    count = table.num_targets

    def serve(window: tf.Tensor) -> dict[str, tf.Tensor]:
        last = window[:, -1:, :count] + np.arange(1.0, HORIZON + 1)[:, None]
        last = last if count > 1 else last[..., 0]
        return {"forecast": last, "lower": last - 0.5, "upper": last + 0.5}

    facts = {
        "columns": table.columns,
        "num_targets": count,
        "date_column": table.date_column,
        "series_column": table.series_column,
        "known_future": list(table.known_future),
        "frequency": None if table.frequency is None else str(table.frequency),
        "date_format": table.read_as.date_format,
        "decimal": table.read_as.decimal,
        "header": table.header,
        "lookback": 3,
        "horizon": HORIZON,
        "target_transform": "level",
        "signatures": {"serving_default": {"inputs": {"window": {"dtype": "float64"}}}},
    }
    return SimpleNamespace(metadata=facts, signature=lambda: serve)


def answered(path: Path, **options: object) -> list[dict[str, object]]:
    model = exported(path, **options)
    return list(answer_series(model, read_like(model, str(path), needs_ahead=True)))


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


DATES = {
    "ISO": ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-06"],
    "day first": ["28.1.2024", "29.1.2024", "30.1.2024", "31.1.2024", "1.2.2024"],
    "with names": [f"Jan 0{n} 2024".replace(" 2024", ", 2024") for n in range(1, 6)],
    "epoch": [str(1704067200 + 86400 * n) for n in range(5)],
    "months": [f"2024-0{n}" for n in range(1, 6)],
    "hours": [f"2024-01-02 0{n}:00" for n in range(1, 6)],
}


@pytest.mark.parametrize("kind", DATES)
def test_new_rows_are_dated_as_those_above(kind: str, tmp_path: Path):
    known, new = DATES[kind][:3], DATES[kind][3:]
    path = tmp_path / "a.csv"
    rows = [f'"{date}",{n},note {n}' for n, date in enumerate(known)]
    path.write_text(lines("date,value,note", *rows))
    found = answered(path, target=["value"])
    assert [row["date"] for row in found] == [*known, *new]
    assert [row["note"] for row in found[:3]] == ["note 0", "note 1", "note 2"]
    assert [row["forecast"] for row in found] == [None, None, None, 3.0, 4.0]
    assert found[-1]["value"] is None and found[-1]["upper"] == 4.5


def test_each_series_goes_on_below(tmp_path: Path):
    path = tmp_path / "shops.csv"
    rows = [
        f"{shop},2024-01-0{day},{10 * place + day},x"
        for day in (1, 2, 3, 4)
        for place, shop in enumerate(("north", "south"))
    ]
    path.write_text(lines("shop,date,sales,remark", *rows))
    found = answered(path, series_column=["shop"], target=["sales"])
    assert len(found) == 8 + 2 * HORIZON
    below = [(r["shop"], r["date"], r["sales"], r["forecast"]) for r in found[8:]]
    assert below == [
        ("north", "2024-01-05", None, 5.0),
        ("north", "2024-01-06", None, 6.0),
        ("south", "2024-01-05", None, 15.0),
        ("south", "2024-01-06", None, 16.0),
    ]


def test_rows_that_are_known_ahead_are_filled(tmp_path: Path):
    path = tmp_path / "sales.csv"
    rows = [f"2024-01-0{day},{day},{day % 2}" for day in range(1, 7)]
    path.write_text(
        lines("date,sales,promotion", *rows, "2024-01-07,,1", "2024-01-08,,0")
    )
    options = {"target": ["sales"], "known_future": ["promotion"]}
    found = answered(path, **options)
    assert len(found) == 8
    assert [(r["date"], r["forecast"]) for r in found[5:]] == [
        ("2024-01-06", None),
        ("2024-01-07", 7.0),
        ("2024-01-08", 8.0),
    ]


def test_rows_without_dates_and_columns_of_the_same_name(tmp_path: Path):
    path = tmp_path / "steps.csv"
    rows = [f"{n},{n * n},f" for n in range(1, 6)]
    path.write_text(lines("x,y,forecast_x", *rows))
    found = answered(path, target=["x", "y"])
    assert list(found[-1]) == [
        *("x", "y", "forecast_x", "predicted_forecast_x", "lower_x", "upper_x"),
        *("forecast_y", "lower_y", "upper_y"),
    ]
    assert found[-1]["predicted_forecast_x"] == 7 and found[-1]["forecast_y"] == 27
    assert found[0]["forecast_x"] == "f" and found[0]["forecast_y"] is None


def test_a_table_of_several_shares_and_dates_in_two_columns(tmp_path: Path):
    path = tmp_path / "two.csv"
    path.write_text(
        lines(
            "Ticker,AAPL,MSFT",
            "Price,Close,Close",
            "Date,,",
            *(f"2024-01-0{day},{day},{day + 50}" for day in range(1, 6)),
        )
    )
    found = answered(path)
    assert len(found) == 10 + 2 * HORIZON
    assert [(r["Ticker"], r["forecast"]) for r in found[-4:]] == [
        *(("AAPL", 6.0), ("AAPL", 7.0), ("MSFT", 56.0), ("MSFT", 57.0))
    ]
    clock = tmp_path / "power.csv"
    rows = [f"16/12/2006,17:{minute}:00,{minute}" for minute in range(24, 30)]
    clock.write_text(lines("Date,Time,power", *rows))
    found = answered(clock, date_column=["Date", "Time"], target=["power"])
    assert (found[-1]["Date"], found[-1]["Time"]) == ("16/12/2006", "17:31:00")


def test_what_is_written_is_read_again(tmp_path: Path):
    path = tmp_path / "a.csv"
    rows = [f"{day}.01.2024,{day}" for day in range(11, 18)]
    path.write_text(lines("date,value", *rows))
    written = write_rows(answered(path), tmp_path / "b.csv.gz")
    assert written["rows"] == 9
    frame = pd.read_csv(tmp_path / "b.csv.gz")
    assert list(frame) == ["date", "value", "forecast", "lower", "upper"]
    assert frame.date[8] == "19.01.2024" and frame.forecast[8] == 19


def test_what_is_asked_is_said_in_one_way(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("date,value\n")
    wrong = [
        (["a.csv"], "a.csv", None, "as arguments or in --data: one way"),
        (["a.csv"], None, "b.csv", "--output needs a table; name it with --data"),
        ([], str(path), str(path), "is the file that is read"),
        ([], str(path), "b.xlsx", "unknown file type to write"),
    ]
    for files, data, output, line in wrong:
        with pytest.raises(UserError, match=line):
            named_files(files, data, output)
