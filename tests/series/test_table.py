"""Files as series: what is found, what is refused and where, what is filled in."""

import gzip
from pathlib import Path

import pytest

from keras_seq.errors import UserError
from keras_seq.series.table import read_series

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08"]
HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"


def prices(closes=(10, 11, 12, 11, 13), days=DAYS, **changes) -> str:
    """Rows of prices; `row_3="..."` replaces the third line of the file."""
    rows = [HEADER]
    for day, close in zip(days, closes):
        rows.append(f"{day},{close},{close + 1},{close - 1},{close},{close},1000")
    for name, row in changes.items():
        rows[int(name.removeprefix("row_")) - 1] = row
    return "\n".join(rows) + "\n"


def write(folder: Path, text: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_prices_are_known_by_their_columns(tmp_path: Path):
    table = read_series(write(tmp_path, prices(), "AAPL.csv"))
    assert table.columns == ["Close", "Open", "High", "Low", "Volume"]
    assert (table.num_targets, table.num_prices, table.is_prices) == (1, 3, True)
    assert str(table.frequency) == "B"
    one = table.series[0]
    assert one.name == "AAPL"
    assert one.values[:, 0].tolist() == [10, 11, 12, 11, 13]
    assert one.lines.tolist() == [2, 3, 4, 5, 6]
    assert one.dates.astype("datetime64[D]").astype(str).tolist() == DAYS
    assert one.observed.all()


def test_several_files_are_as_many_series(tmp_path: Path):
    for name in ("A", "B"):
        write(tmp_path, prices(), f"{name}.csv")
    table = read_series(str(tmp_path / "*.csv"))
    assert [one.name for one in table.series] == ["A", "B"]


def test_a_table_without_dates_or_names_has_numbered_columns(tmp_path: Path, capsys):
    path = tmp_path / "rates.csv.gz"
    path.write_bytes(gzip.compress(b"0.5,1\n0.5,2\n0.7,3\n"))
    table = read_series(path, target=["all"])
    assert table.columns == ["1", "2"]
    assert table.series[0].values.tolist() == [[0.5, 1], [0.5, 2], [0.7, 3]]
    assert table.series[0].dates is None and table.frequency is None
    assert "no date column found" in capsys.readouterr().err


def test_date_column_target_features_and_clock(tmp_path: Path):
    text = "No,year,month,day,hour,pm2.5,TEMP,wind\n"
    text += "".join(f"{n},2010,1,1,{n},{n * 10},-{n},NW\n" for n in range(5))
    table = read_series(write(tmp_path, text), target=["pm2.5"], features=["TEMP"])
    assert table.date_column == ["year", "month", "day", "hour"]
    assert (str(table.frequency), table.frequency.season) == ("h", 24)
    assert table.series[0].values[3].tolist() == [30, -3]
    again = read_series(
        write(tmp_path, "when,x\n3/12/2020,1\n3/13/2020,2\n3/14/2020,5\n"),
        date_column=["when"],
    )
    assert again.columns == ["x"] and str(again.frequency) == "D"


def test_frequency_can_be_given(tmp_path: Path):
    path = write(tmp_path, "date,x\n2020-01-01,1\n2020-01-02,2\n2020-01-04,2\n")
    with pytest.raises(UserError, match="a.csv:4: 2020-01-04 after 2020-01-02: 1 row"):
        read_series(path)
    with pytest.raises(UserError, match="no whole step of 3D"):
        read_series(path, frequency="3D")
    with pytest.raises(UserError, match="--frequency fortnight: expected B"):
        read_series(path, frequency="fortnight")


BAD = {
    "unsorted": (
        prices(days=[*DAYS[:2], DAYS[3], DAYS[2], DAYS[4]]),
        "a.csv:5: date 2024-01-04 comes after 2024-01-05; sort the rows by date",
    ),
    "repeated": (
        prices(days=[*DAYS[:2], DAYS[1], *DAYS[3:]]),
        "a.csv:4: date 2024-01-03 stands twice; keep one of the rows",
    ),
    "no date": (prices(row_4="soon,1,1,1,1,1,1"), "a.csv:4: 'soon' is no date"),
    "gap": (
        prices(days=[*DAYS[:4], "2024-02-08"]),
        "a.csv:6: 2024-02-08 after 2024-01-05: 23 rows of step B missing, 23 of 28 in",
    ),
    "NaN": (
        prices(row_3="2024-01-03,1,2,1,nan,1,1"),
        "a.csv:3: column 'Close' has no value; --fill forward",
    ),
    "infinite": (
        prices(row_3="2024-01-03,1,2,1,inf,1,1"),
        "a.csv:3: column 'Close' holds 'inf', which is no number",
    ),
    "text": (
        prices(row_3="2024-01-03,1,2,1,ten,1,1"),
        "a.csv:3: column 'Close' holds 'ten', which is no number",
    ),
    "zero price": (
        prices(row_5="2024-01-05,1,2,1,0,1,1"),
        "a.csv:5: Close is 0; a price is above zero",
    ),
    "negative price": (
        prices(row_5="2024-01-05,1,2,-1,1,1,1"),
        "a.csv:5: Low is -1; a price is above zero",
    ),
    "negative volume": (
        prices(row_5="2024-01-05,1,2,1,1,1,-4"),
        "a.csv:5: Volume is -4; a volume is not negative",
    ),
    "low above high": (
        prices(row_6="2024-01-08,1,2,3,2,2,1"),
        "a.csv:6: Low 3 is above High 2",
    ),
    "ragged": (prices(row_4="2024-01-04,1"), "a.csv:4: 2 fields, but the header has 7"),
    "one row": (prices(closes=(10,)), "a.csv: fewer than two rows"),
    "two targets": ("date,x,y\n2020-01-01,1,2\n", "name the column to forecast with"),
    "twice": ("date,x,x\n2020-01-01,1,2\n", "two columns are named 'x'; rename one"),
    "empty": ("", "a.csv: the file is empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_with_its_row(case: str, tmp_path: Path):
    text, message = BAD[case]
    with pytest.raises(UserError) as caught:
        read_series(write(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_that_are_not_there_are_named(tmp_path: Path):
    path = write(tmp_path, prices())
    for options in (
        {"target": ["Klose"]},
        {"features": ["Klose"]},
        {"date_column": ["Klose"]},
    ):
        with pytest.raises(UserError, match="'Klose'; its columns are: 'Date'|'Op"):
            read_series(path, **options)
    other = write(tmp_path, "Date,Close\n2020-01-01,1\n", "b.csv")
    with pytest.raises(UserError, match="b.csv: other columns than"):
        read_series([path, other])


HOLES = "date,x\n2020-01-01,\n2020-01-02,1\n2020-01-03,NA\n2020-01-05,4\n"
HOLES += "2020-01-06,5\n2020-01-07,6\n"


def test_fill_forward_repeats_what_was_known_and_says_so(tmp_path: Path, capsys):
    table = read_series(write(tmp_path, HOLES), fill="forward")
    one = table.series[0]
    assert one.values[:, 0].tolist() == [1, 1, 1, 4, 5, 6]
    assert one.observed[:, 0].tolist() == [True, False, False, True, True, True]
    assert one.lines.tolist() == [3, 4, 0, 5, 6, 7]
    told = capsys.readouterr().err
    assert "1 missing rows of step D added" in told
    assert "1 rows before the first known values left out" in told
    assert "2 missing values repeated" in told


def test_fill_drop_leaves_rows_out_and_says_so(tmp_path: Path, capsys):
    one = read_series(write(tmp_path, HOLES), fill="drop").series[0]
    assert one.values[:, 0].tolist() == [1, 4, 5, 6]
    assert one.observed.all()
    assert "2 rows with a missing value left out" in capsys.readouterr().err


def test_a_value_known_before_another_column_begins_is_repeated(tmp_path: Path):
    text = "date,x,y\n2020-01-01,7,\n2020-01-02,,3\n2020-01-03,9,4\n"
    one = read_series(write(tmp_path, text), target=["all"], fill="forward").series[0]
    assert one.values.tolist() == [[7, 3], [9, 4]]


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (2, "2:1 split"),
        (4.1, "4:1 split"),
        (1 / 20, "1:20 split"),
        (1.3, ""),
        (2.5, ""),
    ],
)
def test_a_jump_like_a_split_is_warned_of(
    ratio: float, said: str, tmp_path: Path, capsys
):
    closes = [100, 101, 100 / ratio, 101 / ratio, 99 / ratio]
    read_series(write(tmp_path, prices(closes)))
    told = capsys.readouterr().err
    assert (f"a.csv:4: Close goes from 101 to {100 / ratio:g}" in told) == bool(said)
    assert said in told


@pytest.mark.parametrize("header", ["", "x\n", "Price,Close\nTicker,AAPL\nDate,\n"])
def test_as_many_rows_are_said_as_are_read(header: str, tmp_path: Path, capsys):
    days = [f"2021-03-0{day}," if "," in header else "" for day in range(1, 6)]
    text = header + "".join(f"{day}{7 - n}.5\n" for n, day in enumerate(days))
    one = read_series(write(tmp_path, text)).series[0]
    assert one.values[:, 0].tolist() == [7.5, 6.5, 5.5, 4.5, 3.5]
    assert "a.csv: 5 rows\n" in capsys.readouterr().err


def test_limit_keeps_the_last_rows(tmp_path: Path):
    one = read_series(write(tmp_path, prices()), limit=2).series[0]
    assert one.values[:, 0].tolist() == [11, 13] and len(one.dates) == 2


@pytest.mark.real_data
def test_real_files_are_read(data_dir: Path, capsys):
    table = read_series(str(data_dir / "stock" / "*.csv"))
    assert len(table.series) == 9 and str(table.frequency) == "B"
    lines = capsys.readouterr().err.splitlines()
    assert all(line.endswith(" rows") for line in lines)  # no gap, no split
    with pytest.raises(UserError, match="csv:1462: 1985-01-01 after 1984-12-30: 1 row"):
        read_series(data_dir / "timeseries" / "daily-min-temperatures.csv")
    months = read_series(data_dir / "timeseries" / "airline-passengers.csv")
    assert (str(months.frequency), months.frequency.season) == ("M", 12)
