"""Columns that are known ahead: the horizon's values stand in a window's last rows."""

from pathlib import Path

import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.series.known_future import check_lookback, with_known_future
from keras_seq.series.table import read_series

DAYS = np.arange("2024-01-01", "2024-02-10", dtype="datetime64[D]")


def write(
    folder: Path, rows: int = 30, ahead: int = 4, gap: int = 0, dates: bool = True
) -> Path:
    """Sales of `rows` days, and offers of so many days more."""
    lines = ["day,sold,offer"[0 if dates else 4 :]]
    for n in range(rows + ahead):
        day = f"{DAYS[n + gap * (n >= rows)]}," * dates
        sold = str(50 + n) if n < rows else ""
        lines.append(f"{day}{sold},{n * 10}")
    path = folder / "shop.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def read(path: Path, **options):
    return read_series(path, target=["sold"], known_future=["offer"], **options)


def test_rows_without_a_target_are_those_to_come(tmp_path: Path):
    table = read(write(tmp_path))
    one = table.series[0]
    assert table.columns == ["sold", "offer"] and table.known_future == ["offer"]
    assert one.values[-1].tolist() == [79, 290] and len(one.values) == 30
    assert one.ahead.tolist() == [[300], [310], [320], [330]]
    assert one.ahead_dates.astype("datetime64[D]").tolist() == DAYS[30:34].tolist()
    bare = read(write(tmp_path, dates=False), date_column=[]).series[0]
    assert bare.ahead_dates is None and len(bare.ahead) == 4


def test_the_column_is_moved_up_by_the_horizon(tmp_path: Path):
    table = with_known_future(read(write(tmp_path)), 3)
    one = table.series[0]
    assert table.rows_ahead == 3
    assert one.values[:, 1].tolist() == [*range(30, 300, 10), 300, 310, 320]
    assert one.values[:, 0].tolist() == list(range(50, 80))
    assert with_known_future(table, 3) is table  # once


def test_a_window_for_training_reads_no_row_that_the_file_has_not(tmp_path: Path):
    one = with_known_future(read(write(tmp_path, ahead=0)), 3).series[0]
    assert one.values[:-3, 1].tolist() == list(range(30, 300, 10))
    assert one.values[-3:, 1].tolist() == [290] * 3  # a last window ends before them


def test_a_forecast_needs_the_rows_to_come(tmp_path: Path):
    table = read(write(tmp_path, ahead=2))
    with pytest.raises(UserError) as error:
        with_known_future(table, 3, needs_ahead=True)
    line = "shop.csv:31: 'offer' must be known of the 3 rows to come: give 3 rows more"
    assert f"{line}, without 'sold' (there are 2)" in str(error.value)
    assert with_known_future(table, 2, needs_ahead=True).rows_ahead == 2


def test_rows_to_come_follow_the_last_one(tmp_path: Path):
    with pytest.raises(UserError, match="32: 2024-02-02 after 2024-01-30: 2 rows"):
        read(write(tmp_path, gap=2))


def test_what_is_known_ahead_is_a_column_of_its_own(tmp_path: Path):
    path = write(tmp_path)
    for name in ("sold", "day", "offers"):
        with pytest.raises(UserError, match=f"no column '{name}'; .* --known-future"):
            read_series(path, target=["sold"], known_future=[name])
    table = read_series(
        path, target=["sold"], features=["offer"], known_future=["offer"]
    )
    assert table.columns == ["sold", "offer"]


def test_a_window_is_as_long_as_the_horizon():
    check_lookback(["offer"], 7, 7), check_lookback([], 3, 7)
    with pytest.raises(UserError, match="--known-future needs windows of 7 rows"):
        check_lookback(["offer"], 6, 7)


def test_without_the_option_rows_to_come_are_rows_without_a_value(tmp_path: Path):
    with pytest.raises(UserError, match="shop.csv:32: column 'sold' has no value"):
        read_series(write(tmp_path), target=["sold"], features=["offer"])
