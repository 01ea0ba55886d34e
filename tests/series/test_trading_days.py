"""Weekdays without a row, counted against the holidays of some markets."""

import numpy as np
import pytest

from keras_seq.series.trading_days import (
    FRANKFURT,
    LONDON,
    US,
    holidays,
    report_missing_days,
)

HOLIDAYS = {
    US: "2023-01-02 2023-01-16 2023-02-20 2023-04-07 2023-05-29 2023-06-19 2023-07-04 "
    "2023-09-04 2023-11-23 2023-12-25",
    LONDON: "2023-01-02 2023-04-07 2023-04-10 2023-05-01 2023-05-29 2023-08-28 "
    "2023-12-25 2023-12-26",
    FRANKFURT: "2023-04-07 2023-04-10 2023-05-01 2023-12-25 2023-12-26",
}


def weekdays(first: str, last: str) -> np.ndarray:
    days = np.arange(first, last, dtype="datetime64[D]")
    return days[np.is_busday(days)]


@pytest.mark.parametrize("market", HOLIDAYS)
def test_a_market_has_its_holidays(market: str, capsys):
    year = weekdays("2023-01-01", "2024-01-01")
    found = holidays(market, year[0], year[-1])
    closed = np.array(HOLIDAYS[market].split(), "datetime64[D]")
    assert np.intersect1d(found, year).tolist() == closed.tolist()
    traded = np.setdiff1d(year, closed).astype("datetime64[s]")
    assert report_missing_days("a.csv", traded) == 0
    assert capsys.readouterr().err == ""


def test_days_that_no_holiday_explains_are_told_by_their_number(capsys):
    closed = np.array(HOLIDAYS[US].split(), "datetime64[D]")
    traded = np.setdiff1d(weekdays("2023-01-01", "2024-01-01"), closed)
    kept = np.delete(traded, [50, 51, 120]).astype("datetime64[s]")
    assert report_missing_days("a.csv", kept) == 3
    told = capsys.readouterr().err
    assert f"a.csv: 3 weekdays without a row beside the holidays of {US}, the" in told
    assert f"the first {traded[50]}" in told


def test_new_york_was_closed_where_no_rule_says_so(capsys):
    days = weekdays("2001-09-04", "2001-09-29")
    kept = days[
        (days < np.datetime64("2001-09-11")) | (days > np.datetime64("2001-09-14"))
    ]
    assert report_missing_days("a", kept.astype("datetime64[s]")) == 0
