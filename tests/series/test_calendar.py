"""Frequencies: told from dates, counted, and continued."""

import numpy as np
import pytest

from keras_seq.series.calendar import (
    Frequency,
    infer_frequency,
    next_dates,
    parse_frequency,
    phases,
    steps_between,
)


def dates(*texts: str) -> np.ndarray:
    return np.array(texts, "datetime64[s]")


def range_of(start: str, step: str, count: int = 50) -> np.ndarray:
    return np.datetime64(start, "s") + np.arange(count) * np.timedelta64(
        *(lambda n, u: (int(n), u))(*step.split())
    )


CASES = {
    "15min": (range_of("2024-01-01", "15 m"), 96),
    "h": (range_of("2024-01-01", "1 h"), 24),
    "D": (range_of("2024-01-01", "1 D"), 7),
    "W": (range_of("2024-01-01", "7 D"), 52),
    "M": (np.arange("2020-01", "2024-01", dtype="datetime64[M]").astype("M8[s]"), 12),
    "Q": (np.arange("2010-01", "2024-01", 3, "datetime64[M]").astype("M8[s]"), 4),
    "Y": (np.arange("1950", "2024", dtype="datetime64[Y]").astype("M8[s]"), 1),
    "B": (np.busday_offset("2024-01-01", np.arange(50)).astype("M8[s]"), 5),
}


@pytest.mark.parametrize("name", CASES)
def test_the_step_is_told_from_dates_and_goes_on(name: str):
    found, season = CASES[name]
    frequency = infer_frequency(found[:-3])
    assert (str(frequency), frequency.season) == (name, season)
    assert parse_frequency(name) == frequency
    assert (steps_between(found, frequency) == 1).all()
    assert (next_dates(found[-4], frequency, 3) == found[-3:]).all()
    moved = phases(found, frequency, season, len(found))
    assert len(np.unique(moved)) == season if season <= len(found) else True
    assert ((np.diff(moved) % season) == 1 % season).all()


def test_a_missing_row_counts():
    hours = range_of("2024-01-01", "1 h", 5)[[0, 1, 4]]
    assert steps_between(hours, Frequency("h")).tolist() == [1, 3]
    # A week without trading is a holiday; a month is a gap.
    days = dates("2001-09-10", "2001-09-17", "2001-10-17")
    assert steps_between(days, Frequency("B")).tolist() == [1, 22]


def test_holidays_do_not_shift_the_weekday():
    days = dates("2024-01-12", "2024-01-16")  # Monday was a holiday
    assert phases(days, Frequency("B"), 5, 2).tolist() == [4, 1]
