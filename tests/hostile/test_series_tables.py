"""Tables of series as people have them: read right, asked about, or refused by row.

Each case is a file and what becomes of it: its last number of each series, or words of
the one line that says what to do.
"""

from pathlib import Path

import numpy as np
import pytest

from keras_seq.data.table_format import TableFormat
from keras_seq.errors import UserError
from keras_seq.series.table import ReadAs, read_series

N = 40
DAYS = [str(d) for d in np.arange("2022-05-02", "2022-08-01", dtype="datetime64[D]")][
    :N
]
HOURS = [str(h) for h in np.arange("2022-05-02T00", "2022-05-05T00", dtype="M8[h]")][:N]
WEEKDAYS = [d for d in DAYS if np.is_busday(d)]


def rows(*columns, header: str = "", mark: str = ",", end: str = "") -> str:
    lines = [header] if header else []
    lines += [mark.join(map(str, row)) for row in zip(*columns)]
    return "\n".join(lines) + "\n" + end


def turned(days: list[str], mark: str = "/", short: bool = False) -> list[str]:
    """Days with the day first."""
    parts = [day.split("-") for day in days]
    return [mark.join((d, m, y[2:] if short else y)) for y, m, d in parts]


X = list(range(1, N + 1))
PRICES = [f"{60 + n}.5" for n in X]
TWO = "Close,Close,Open,Open,High,High,Low,Low"
WIDE = "\n".join(
    [",".join(["id", *(f"V{n}" for n in range(2, 20))])]
    + [
        ",".join([name, *map(str, range(1, size)), *[""] * (19 - size)])
        for name, size in (("Y1", 19), ("Y2", 12), ("Y3", 17))
    ]
)
WIDE_DATED = "\n".join(
    [
        "shop," + ",".join(DAYS[:12]),
        "a," + ",".join(map(str, range(12))),
        "b," + ",".join(map(str, range(20, 32))),
    ]
)

READ = {  # file, content, options, last values of the target, frequency
    "days first, newest first": (
        "a.csv",
        rows(turned(DAYS)[::-1], X[::-1], header="date,x"),
        {},
        [N],
        "D",
    ),
    "short years with points": (
        "a.csv",
        rows(turned(WEEKDAYS, ".", True), X, header="Datum;x", mark=";").replace(
            ",", ";"
        ),
        {},
        [len(WEEKDAYS)],
        "B",
    ),
    "seconds of an epoch": (
        "a.csv",
        rows([1_650_000_000 + 60 * n for n in X], X, header="timestamp,x"),
        {},
        [N],
        "min",
    ),
    "milliseconds in JSON": (
        "a.jsonl",
        "".join(
            f'{{"ts": "x", "time": {(1_650_000_000 + 60 * n) * 1000}, ' f'"x": {n}}}\n'
            for n in X
        ),
        {"target": ["x"]},
        [N],
        "min",
    ),
    "a day and its time": (
        "a.csv",
        rows(
            [h[:10] for h in HOURS],
            [h[11:] + ":00" for h in HOURS],
            X,
            header="Date,Time,x",
        ),
        {},
        [N],
        "h",
    ),
    "dates of another name": (
        "a.csv",
        rows(DAYS, X, header="week ending on,x"),
        {},
        [N],
        "D",
    ),
    "a counter": ("a.csv", rows(X, X, header="time,x"), {}, [N], None),
    "a zone": (
        "a.csv",
        rows([f"{d} 00:00:00+09:00" for d in DAYS], X, header="date,x"),
        {},
        [N],
        "D",
    ),
    "decimal commas": (
        "a.csv",
        rows(DAYS, [f"{n},5" for n in X], header="date;x", mark=";"),
        {},
        [N + 0.5],
        "D",
    ),
    "thousands in quotes": (
        "a.csv",
        rows(DAYS, [f'"1,{n:03}.25"' for n in X], header="date,x"),
        {},
        [1000.25 + N],
        "D",
    ),
    "shares in percent": (
        "a.csv",
        rows(DAYS, [f"{n}.5%" for n in X], header="date,x"),
        {},
        [N + 0.5],
        "D",
    ),
    "pounds and volumes": (
        "a.csv",
        rows(
            DAYS,
            *[[f"£{p}" for p in PRICES]] * 4,
            [f"{n}.5M" for n in X],
            header="Date,Last,Open,High,Low,Vol.",
        ),
        {},
        [100.5],
        "D",
    ),
    "yfinance, one share": (
        "a.csv",
        rows(
            ["Ticker", "Date", *DAYS],
            ["NU", "", *PRICES],
            ["NU", "", *PRICES],
            ["NU", "", *PRICES],
            ["NU", "", *PRICES],
            header="Price,Close,High,Low,Open",
        ),
        {},
        [100.5],
        "D",
    ),
    "yfinance, shares above prices": (
        "a.csv",
        rows(
            ["Price", "Date", *DAYS],
            *(
                [kind, "", *(PRICES if share == "NU" else X)]
                for share in ("NU", "XI")
                for kind in ("Open", "High", "Low", "Close")
            ),
            header="Ticker" + ",NU" * 4 + ",XI" * 4,
        ),
        {},
        [100.5, N],
        "D",
    ),
    "yfinance, two rows of names": (
        "a.csv",
        rows(
            ["", *DAYS],
            *([share, *PRICES] for share in ("NU", "XI") * 4),
            header="," + TWO,
        ),
        {"refuse_copies": False},
        [100.5, 100.5],
        "D",
    ),
    "a column of shops": (
        "a.csv",
        rows(DAYS[:20] * 2, ["n"] * 20 + ["s"] * 20, X, header="date,shop,x"),
        {"series_column": ["shop"]},
        [20, 40],
        "D",
    ),
    "shops by turns, newest first": (
        "a.csv",
        rows(
            [d for d in DAYS[:20][::-1] for _ in "ns"],
            ["n", "s"] * 20,
            X[::-1],
            header="date,shop,x",
        ),
        {"series_column": ["shop"]},
        [40, 39],
        "D",
    ),
    "two columns of names": (
        "a.csv",
        rows(
            DAYS[:10] * 4,
            ["n"] * 20 + ["s"] * 20,
            (["1"] * 10 + ["2"] * 10) * 2,
            X,
            header="date,shop,item,x",
        ),
        {"series_column": ["shop", "item"]},
        [10, 20, 30, 40],
        "D",
    ),
    "shops without dates": (
        "a.csv",
        rows(["n"] * 20 + ["s"] * 20, X, header="shop,x"),
        {"series_column": ["shop"]},
        [20, 40],
        None,
    ),
    "all rows as one": (
        "a.csv",
        rows(DAYS, ["n"] * 20 + ["s"] * 20, X, header="date,shop,x"),
        {"series_column": [""], "target": ["x"]},
        [40],
        "D",
    ),
    "a series a row": ("a.csv", WIDE, {"series_column": ["id"]}, [18, 11, 16], None),
    "a series a row, by date": (
        "a.csv",
        WIDE_DATED,
        {"series_column": ["shop"]},
        [11, 31],
        "D",
    ),
    "no header": (
        "a.csv",
        rows(DAYS, X),
        {"table_format": TableFormat(no_header=True)},
        [N],
        "D",
    ),
    "another name, pipes": (
        "a.dat",
        rows(DAYS, X, header="date|x", mark="|"),
        {"table_format": TableFormat(separator="pipe")},
        [N],
        "D",
    ),
    "UTF-16 of a spreadsheet": (
        "a.csv",
        rows(DAYS, X, header="date\tx", mark="\t").encode("utf-16"),
        {},
        [N],
        "D",
    ),
    "rows with holes left out": (
        "a.csv",
        rows(DAYS, [*X[:-3], "", "n/a", N], header="date,x"),
        {"table_format": TableFormat(drop_missing=True)},
        [N],
        "D",
    ),
    "two orders, and one is given": (
        "a.csv",
        rows([f"0{n}/03/2022" for n in range(1, 9)], X, header="date,x"),
        {"date_format": "day-first"},
        [8],
        "D",
    ),
    "two orders, and a model knew one": (
        "a.csv",
        rows([f"0{n}/03/2022" for n in range(1, 9)], X, header="date,x"),
        {"likely": ReadAs("day-first", ".")},
        [8],
        "D",
    ),
    "commas that are given": (
        "a.csv",
        rows(DAYS, [f'"1,{n:03}"' for n in X], header="date,x"),
        {"decimal": "comma"},
        [1.04],
        "D",
    ),
}


@pytest.mark.parametrize("case", READ)
def test_what_leaves_no_doubt_is_read(case: str, tmp_path: Path):
    name, content, options, last, frequency = READ[case]
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / name).write_bytes(content)
    table = read_series(tmp_path / name, **options)
    assert [one.values[-1, 0] for one in table.series] == last
    assert (table.frequency and str(table.frequency)) == frequency
    for one in table.series:
        assert one.dates is None or np.all(np.diff(one.dates) > np.timedelta64(0, "s"))


REFUSED = {  # content, options, words of the line
    "two orders": (
        rows([f"0{n}/03/2022" for n in range(1, 9)], X, header="date,x"),
        {},
        "a.csv: the dates can be read in 2 ways; give --date-format day-first (2022-03",
    ),
    "a day that is none": (
        rows([*turned(DAYS)[:-1], "31/06/2022"], X, header="date,x"),
        {},
        "a.csv:41: '31/06/2022' is no date as the rows before it have them (day-first)",
    ),
    "a pattern that does not fit": (
        rows(DAYS, X, header="date,x"),
        {"date_format": "%d.%m.%Y"},
        "a.csv:2: '2022-05-02' is no date in --date-format %d.%m.%Y",
    ),
    "no such order": (
        rows(DAYS, X, header="date,x"),
        {"date_format": "dmy"},
        "--date-format 'dmy': expected year-first, day-first, month-first, seconds",
    ),
    "months on daily rows": (
        rows(DAYS, X, header="date,x"),
        {"frequency": "M"},
        "a.csv:3: 2022-05-03 after 2022-05-02 is no whole step of M; --frequency names",
    ),
    "the same, filled": (
        rows(DAYS, X, header="date,x"),
        {"frequency": "M", "fill": "forward"},
        "is no whole step of M",
    ),
    "the same, dropped": (
        rows(DAYS, X, header="date,x"),
        {"frequency": "Q", "fill": "drop"},
        "is no whole step of Q",
    ),
    "trading days on weeks": (
        rows(DAYS[::7], X, header="date,x"),
        {"frequency": "B"},
        "a.csv:3: 2022-05-09 after 2022-05-02 is no whole step of B",
    ),
    "trading days on hours": (
        rows(HOURS, X, header="date,x"),
        {"frequency": "B"},
        "no whole step of B",
    ),
    "days on weeks": (
        rows(DAYS[::7], X, header="date,x"),
        {"frequency": "D", "fill": "forward"},
        "a.csv:3: 2022-05-09 after 2022-05-02: 6 rows of step D missing, 30 of 36 in a",
    ),
    "months read as days, filled": (
        rows(
            [f"01/{n % 12 + 1:02}/{2000 + n // 12}" for n in range(N)],
            X,
            header="date,x",
        ),
        {"date_format": "month-first", "fill": "forward"},
        "in all, so that filling would make most rows up; --frequency names",
    ),
    "hardly any value": (
        rows(DAYS, [1, *[""] * 30, *range(9)], header="date,x"),
        {"fill": "forward"},
        "a.csv: column 'x' has a value in 10 of 40 rows, and most would be made up; le",
    ),
    "a counter with a gap": (
        rows([*X[:-1], 99], X, header="time,x"),
        {},
        "a.csv:41: column 'time' counts 99 after 39, where steps are 1; --date-column",
    ),
    "a counter that is named": (
        rows(X, X, header="time,x"),
        {"date_column": ["time"]},
        "a.csv:2: column 'time' holds '1', which counts rows and is no date; --date-co",
    ),
    "two columns of dates": (
        rows(DAYS, DAYS, X, header="sold on,paid on,x"),
        {},
        "a.csv: 'sold on', 'paid on' hold dates; name one with --date-column",
    ),
    "parts of a second": (
        rows([f"2022-05-02 00:00:00.{n:02}" for n in X], X, header="date,x"),
        {},
        'rows less than a second apart are not read by date; --date-column "" takes',
    ),
    "commas in doubt": (
        rows(DAYS, [f'"1,{n:03}"' for n in X], header="date,x"),
        {},
        "a.csv:2: column 'x' holds '1,001': is its mark the decimal one or that of tho",
    ),
    "points in doubt": (
        rows(DAYS, ["7", *(f"1.{n + 100}" for n in X[1:] if n % 10)], header="date,x"),
        {},
        "a.csv:3: column 'x' holds '1.102': is its mark the decimal one or that of",
    ),
    "no such mark": (
        rows(DAYS, X, header="date,x"),
        {"decimal": "dot"},
        "--decimal 'dot': expected point or comma",
    ),
    "a mark that does not fit": (
        rows(DAYS, [f'"{n},50"' for n in X], header="date,x"),
        {"decimal": "point"},
        "a.csv:2: column 'x' holds '1,50', which is no number with a decimal point; --",
    ),
    "points where commas are given": (
        rows(DAYS, [f"{n}.5" for n in X], header="date,x"),
        {"decimal": "comma"},
        "a.csv:2: column 'x' holds '1.5', in which the point is no thousands'",
    ),
    "both marks": (
        rows(DAYS, ['"1,5"', "2.5", *X[2:]], header="date,x"),
        {},
        "a.csv:2: column 'x' holds '1,5', which is no number with a decimal point; --d",
    ),
    "two currencies": (
        rows(DAYS, [f"${n}" for n in X[:-1]] + ["€9"], header="date,x"),
        {},
        "a.csv:41: column 'x' holds '€9', in another unit than other rows",
    ),
    "shops one after the other": (
        rows(DAYS[:20] * 2, ["n"] * 20 + ["s"] * 20, X, header="date,shop,x"),
        {"target": ["x"]},
        "a.csv: column 'shop' has 2 values ('n', 's'): is each a se",
    ),
    "shops whose dates go on": (
        rows(DAYS, ["n"] * 20 + ["s"] * 20, X, header="date,shop,x"),
        {},
        '--series-column shop trains over all of them, --series-column "" takes all',
    ),
    "shops without dates": (
        rows(["n"] * 20 + ["s"] * 20, X, header="shop,x"),
        {},
        "--series-column shop",
    ),
    "a column of an odd name": (
        rows(DAYS[:20] * 2, ["n"] * 20 + ["s"] * 20, X, header="date,branch,x"),
        {"target": ["x"]},
        "is each branch a series of its own? --series-column branch reads them so",
    ),
    "two columns of odd names": (
        rows(
            DAYS[:10] * 4,
            ["n"] * 20 + ["s"] * 20,
            ["1"] * 10 + ["2"] * 20 + ["1"] * 10,
            X,
            header="date,branch,kind,x",
        ),
        {"target": ["x"]},
        "--series-column branch kind reads them so",
    ),
    "one column of two": (
        rows(
            DAYS[:10] * 4,
            ["n"] * 20 + ["s"] * 20,
            (["1"] * 10 + ["2"] * 10) * 2,
            X,
            header="date,shop,item,x",
        ),
        {"target": ["x"], "series_column": ["shop"]},
        "--series-column shop item reads them so",
    ),
    "no such column of series": (
        rows(DAYS, X, header="date,x"),
        {"series_column": ["shop"]},
        "no column 'shop'; its columns are: 'date', 'x'; name one with --series-column",
    ),
    "a series of one row": (
        rows(DAYS, ["n"] * 39 + ["s"], X, header="date,shop,x"),
        {"series_column": ["shop"]},
        "a.csv:41: series 's' has one row; a forecast nee",
    ),
    "a series a row": (
        WIDE,
        {},
        "a.csv: each row looks like a series of its own, named by column 'id'",
    ),
    "no header": (
        rows(DAYS, X),
        {},
        "a.csv: its first row holds data, not names: '2022-05-02', "
        "'1'; --no-header names the columns 1, 2, ...",
    ),
    "both ways to fill": (
        rows(DAYS, X, header="date,x"),
        {"fill": "forward", "table_format": TableFormat(drop_missing=True)},
        "--fill forward or --drop-missing: one of the two",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_be_two_things_is_asked_and_what_is_wrong_is_refused(
    case: str, tmp_path: Path
):
    content, options, words = REFUSED[case]
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(UserError) as caught:
        read_series(tmp_path / "a.csv", **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_names_of_series_stand_before_their_files_where_they_repeat(tmp_path: Path):
    content = rows(DAYS[:20] * 2, ["n"] * 20 + ["s"] * 20, X, header="date,shop,x")
    for name, values in (("a", X), ("b", X[::-1])):
        content = rows(
            DAYS[:20] * 2, ["n"] * 20 + ["s"] * 20, values, header="date,shop,x"
        )
        (tmp_path / f"{name}.csv").write_text(content)
    table = read_series(str(tmp_path / "*.csv"), series_column=["shop"])
    assert [one.name for one in table.series] == ["a n", "a s", "b n", "b s"]
    assert table.series[1].label == f"{tmp_path / 'a.csv'} (s)"


def test_how_a_table_was_read_is_kept(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text(
        rows(turned(DAYS), [f"{n},5" for n in X], header="date;x", mark=";")
    )
    assert read_series(path).read_as == ReadAs("day-first", ",")
