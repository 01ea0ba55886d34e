"""Columns of dates: the only order that fits, a question, or the first wrong cell."""

import datetime

import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.series.date_cells import reader, readings
from keras_seq.series.dates import Counter, DateError, check_date_format, read_dates

DAY, HOUR = datetime.timedelta(days=1), datetime.timedelta(hours=1)
START = datetime.datetime(2021, 3, 1)


def written(pattern: str, count: int, step=DAY, start=START) -> list[str]:
    return [(start + number * step).strftime(pattern) for number in range(count)]


def months(pattern: str, count: int, first_year: int = 1998) -> list[str]:
    return [
        datetime.date(first_year + n // 12, n % 12 + 1, 1).strftime(pattern)
        for n in range(count)
    ]


def seconds(count: int, step: int, scale: int = 1) -> list[str]:
    return [str((1_614_556_800 + n * step) * scale) for n in range(count)]


FOUND = {  # cells, the order that is found, first and last date
    "days first": (written("%d/%m/%Y", 40), "day-first", "2021-03-01", "2021-04-09"),
    "months first": (
        written("%m-%d-%Y", 40),
        "month-first",
        "2021-03-01",
        "2021-04-09",
    ),
    "points": (written("%d.%m.%Y", 40), "day-first", "2021-03-01", "2021-04-09"),
    "no steps at all, but in order": (
        ["01/02/2021", "05/02/2021", "12/02/2021", "02/03/2021", "09/03/2021"],
        "day-first",
        "2021-02-01",
        "2021-03-09",
    ),
    "no zeros": (
        ["28/2/2021", "1/3/2021", "2/3/2021"],
        "day-first",
        "2021-02-28",
        "2021-03-02",
    ),
    "months as days of January": (
        months("%d/%m/%Y", 50),
        "day-first",
        "1998-01-01",
        "2002-02-01",
    ),
    "the same by months first": (
        months("%m/%d/%Y", 50),
        "month-first",
        "1998-01-01",
        "2002-02-01",
    ),
    "hours of twelve days": (
        written("%d/%m/%Y %H:%M", 280, HOUR),
        "day-first",
        "2021-03-01",
        "2021-03-12T15",
    ),
    "newest first": (
        written("%m/%d/%y", 40)[::-1],
        "month-first",
        "2021-04-09",
        "2021-03-01",
    ),
    "two-digit years": (
        written("%d.%m.%y", 40),
        "day-first",
        "2021-03-01",
        "2021-04-09",
    ),
    "years first, two digits": (
        written("%y-%m-%d", 40),
        "year-first",
        "2021-03-01",
        "2021-04-09",
    ),
    "the century before": (
        [f"31.12.{year}" for year in range(38, 72)],
        "day-first",
        "1938-12-31",
        "1971-12-31",
    ),
    "over the turn": (
        [f"31/12/{year % 100:02}" for year in range(1985, 2012)],
        "day-first",
        "1985-12-31",
        "2011-12-31",
    ),
    "month and short year": (
        months("%b-%y", 40, 1958),
        "year-first",
        "1958-01-01",
        "1961-04-01",
    ),
    "names of months": (
        written("%b %d, %Y", 40),
        "year-first",
        "2021-03-01",
        "2021-04-09",
    ),
    "names of days, too": (
        written("%A, %d %B %Y", 40),
        "year-first",
        "2021-03-01",
        "2021-04-09",
    ),
    "six digits": (written("%y%m%d", 40), "%y%m%d", "2021-03-01", "2021-04-09"),
    "six digits, days first": (
        written("%d%m%y", 40),
        "%d%m%y",
        "2021-03-01",
        "2021-04-09",
    ),
    "months in six digits": (months("%Y%m", 40), "%Y%m", "1998-01-01", "2001-04-01"),
    "eight digits": (written("%Y%m%d", 40), "%Y%m%d", "2021-03-01", "2021-04-09"),
    "eight digits as floats": (
        [f"{cell}.0" for cell in written("%Y%m%d", 40)],
        "%Y%m%d",
        "2021-03-01",
        "2021-04-09",
    ),
    "a zero that was lost": (
        [str(int(cell)) for cell in written("%d%m%Y", 40)],
        "%d%m%Y",
        "2021-03-01",
        "2021-04-09",
    ),
    "hours in ten digits": (
        written("%Y%m%d%H", 40, HOUR),
        "%Y%m%d%H",
        "2021-03-01",
        "2021-03-02T15",
    ),
    "epoch seconds": (seconds(40, 3600), "seconds", "2021-03-01", "2021-03-02T15"),
    "epoch milliseconds": (
        seconds(40, 60, 1000),
        "milliseconds",
        "2021-03-01",
        "2021-03-01T00:39",
    ),
    "epoch nanoseconds": (
        seconds(40, 60, 10**9),
        "milliseconds",
        "2021-03-01",
        "2021-03-01T00:39",
    ),
    "years": ([str(y) for y in range(1900, 1940)], "%Y", "1900-01-01", "1939-01-01"),
    "quarters": (
        ["2019Q3", "2019Q4", "2020Q1"],
        "year-first",
        "2019-07-01",
        "2020-01-01",
    ),
    "weeks": (
        ["2020-W52", "2020-W53", "2021-W01"],
        "year-first",
        "2020-12-21",
        "2021-01-04",
    ),
    "year and day before month": (
        ["2021-13-05", "2021-14-05"],
        "%Y-%d-%m",
        "2021-05-13",
        "2021-05-14",
    ),
    "local days": (
        [f"2021-03-{n:02} 00:00:00-0{5 - (n > 13)}:00" for n in range(1, 31)],
        "year-first",
        "2021-03-01",
        "2021-03-30",
    ),
    "an hour that comes twice": (
        [
            "2021-11-07 00:00:00-04:00",
            "2021-11-07 01:00:00-04:00",
            "2021-11-07 01:00:00-05:00",
            "2021-11-07 02:00:00-05:00",
        ],
        "year-first",
        "2021-11-07",
        "2021-11-07T03",
    ),
    "halves of a day": (
        ["3/14/2021 11:00 AM", "3/14/2021 12:00 PM", "3/14/2021 1:00 PM"],
        "month-first",
        "2021-03-14T11",
        "2021-03-14T13",
    ),
    "hours alone": (
        ["2021-03-31T22", "2021-03-31T23", "2021-04-01T00"],
        "year-first",
        "2021-03-31T22",
        "2021-04-01",
    ),
    "no signs between": (
        ["20210331T2200Z", "20210331T2300Z", "20210401T0000Z"],
        "year-first",
        "2021-03-31T22",
        "2021-04-01",
    ),
    "midnight without a clock": (
        ["2021-03-31 22:00", "2021-03-31 23:00", "2021-04-01"],
        "year-first",
        "2021-03-31T22",
        "2021-04-01",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_the_only_order_that_fits_is_taken(case: str):
    cells, name, first, last = FOUND[case]
    found = read_dates(cells)
    assert found.date_format == name
    ends = np.array([first, last], "datetime64[s]")
    assert found.values[[0, -1]].tolist() == ends.tolist()
    assert len(np.unique(np.sign(np.diff(found.values).astype(int)))) == 1


WRONG = {  # cells, row, words of the error
    "nine days": (
        [f"0{n}/02/2021" for n in range(1, 10)],
        None,
        "--date-format day-first (2021-02-01 to 2021-02-09) or --date-format month-fi",
    ),
    "years or days of six digits": (
        ["210304", "220304", "230304"],
        None,
        "--date-format %y%m%d (2021-03-04 to 2023-03-04) or --date-format %d%m%y (2004",
    ),
    "no such day": (
        [*written("%d/%m/%Y", 28), "29/02/2021", *written("%d/%m/%Y", 4)],
        28,
        "'29/02/2021' is no date as the rows before it",
    ),
    "a word": (["2021-03-01", "later"], 1, "'later' is no date"),
    "nothing": (["2021-03-01", ""], 1, "'' is no date"),
    "words": (["spring", "summer"], 0, "give its pattern with --date-format"),
    "one without a zone": (
        ["2021-03-01 00:00+00:00", "2021-03-02 00:00"],
        1,
        "and others do not",
    ),
    "parts of a second": (
        [f"2021-03-01 00:00:00.{n}" for n in range(1, 5)],
        None,
        "less than a second",
    ),
    "the 25th hour": (["2021-03-01 23:00", "2021-03-01 24:30"], 1, "is no date"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_date_or_could_be_two_is_said(case: str):
    cells, row, words = WRONG[case]
    with pytest.raises(DateError) as caught:
        read_dates(cells)
    assert caught.value.row == row and words in caught.value.what


@pytest.mark.parametrize(
    "cells",
    [
        [str(n) for n in range(300)],
        [f"{n:06}" for n in range(300)],
        [str(n / 10) for n in range(50)],
        [str(n) for n in range(100_000, 100_300)],
        [str(n) for n in range(2000, 2400)],
    ],
)
def test_a_counter_is_no_date(cells: list[str]):
    with pytest.raises(Counter):
        read_dates(cells)


def test_four_digits_are_years_where_the_column_may_hold_them():
    cells = [str(n) for n in range(1900, 2000)]
    assert read_dates(cells).date_format == "%Y"
    with pytest.raises(Counter):
        read_dates(cells, may_be_years=False)


def test_an_order_that_is_given_or_likely_decides():
    cells = [f"0{n}/02/2021" for n in range(1, 10)]
    given = read_dates(cells, date_format="month-first").values
    assert str(given[1])[:10] == "2021-02-02"
    assert str(read_dates(cells, likely="day-first").values[1])[:10] == "2021-02-02"
    assert str(given[-1])[:10] == "2021-09-02"
    odd = ["7h 03~02~2021", "8h 03~02~2021"]
    found = read_dates(odd, date_format="%Hh %d~%m~%Y")
    assert str(found.values[0]) == "2021-02-03T07:00:00"
    again = read_dates(odd, likely="%Hh %d~%m~%Y")
    assert again.values.tolist() == found.values.tolist()
    with pytest.raises(DateError, match="'09/02/2021' is no date in --date-format %Y"):
        read_dates(["2021", "09/02/2021"], date_format="%Y")


def test_series_of_one_column_rise_each_on_its_own():
    days = written("%d/%m/%Y", 12)
    rows = [np.arange(12), np.arange(12, 24)]
    monthly = months("%d/%m/%Y", 12)
    with pytest.raises(DateError, match="2 ways"):
        read_dates(days + monthly[:1] + days[1:])
    whole = read_dates(months("%d/%m/%Y", 30) * 2, groups=[r * 1 for r in rows])
    assert whole.date_format == "day-first"


def test_a_format_is_a_name_or_a_pattern():
    check_date_format(None), check_date_format("%Y"), check_date_format("seconds")
    with pytest.raises(UserError, match="'dmy': expected year-first, day-first, month"):
        check_date_format("dmy")


def test_a_cell_says_in_which_orders_it_could_be_read():
    assert readings("03/04/21") == ["day-first", "month-first", "year-first"]
    assert readings("AAPL") == readings("12") == readings("3.14") == []
    assert reader("day-first")("31/04/2021") is None
    assert reader("%d%m%y", 1950)("290200").seconds == 951_782_400
