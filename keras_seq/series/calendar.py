"""The steps of a series: how far apart its rows are, and which dates come next.

Months and trading days are no fixed number of seconds, so a frequency is a name with a
count.
"""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from keras_seq.errors import UserError

SECONDS = {"s": 1, "min": 60, "h": 3600, "D": 86400, "W": 7 * 86400}
MONTHS = {"M": 1, "Q": 3, "Y": 12}
# Trading stopped for a week in September 2001, the longest break of the US market in
# eighty years.
LONGEST_BREAK = 7  # days between two rows of trading days
DAYS_A_WEEK = 5  # of trading


@dataclass(frozen=True)
class Frequency:
    """Step of a series: `count` times `unit`, one of s, min, h, D, W, M, Q, Y, B.

    B stands for trading days: Monday to Friday without holidays, which are not known
    here.

    Example:

    >>> parse_frequency("15min"), parse_frequency("15min").season
    (Frequency(unit='min', count=15), 96)
    """

    unit: str
    count: int = 1

    def __str__(self) -> str:
        return self.unit if self.count == 1 else f"{self.count}{self.unit}"

    @property
    def seconds(self) -> int:
        """The fixed step; 0 for months and trading days."""
        return SECONDS.get(self.unit, 0) * self.count

    @property
    def months(self) -> int:
        """The step in months; 0 where it is none."""
        return MONTHS.get(self.unit, 0) * self.count

    @property
    def season(self) -> int:
        """Rows of the season that such series have: a day, a week or a year; else 1."""
        if self.unit == "B":
            return DAYS_A_WEEK
        if self.months:
            return max(1, 12 // self.months)
        if self.seconds >= SECONDS["W"]:
            return max(1, round(52 * SECONDS["W"] / self.seconds))
        length = SECONDS["D"] if self.seconds < SECONDS["D"] else SECONDS["W"]
        return max(1, round(length / self.seconds))


def parse_frequency(text: str) -> Frequency:
    """Reads `--frequency`: B, D, W, M, Q, Y, h, min or s, with a count before it.

    Raises:
        UserError: It is something else.
    """
    match = re.fullmatch(r"(\d*)(s|min|h|D|W|M|Q|Y|B)", text)
    if not match or match[1] == "0" or (match[2] == "B" and match[1] not in ("", "1")):
        raise UserError(
            f"--frequency {text}: expected B (trading days), D, W, M, Q, Y, h, min or "
            "s, with a count before it, such as 15min"
        )
    return Frequency(match[2], int(match[1] or 1))


def infer_frequency(dates: np.ndarray) -> Frequency:
    """The step that most rows keep.

    Args:
        dates: datetime64[s] (N,), rising, N >= 2.

    Example:

    >>> days = np.array(["2024-01-04", "2024-01-05", "2024-01-08"], "datetime64[s]")
    >>> infer_frequency(days)
    Frequency(unit='B', count=1)
    """
    steps = np.diff(dates).astype(np.int64)
    step = Counter(steps.tolist()).most_common(1)[0][0]
    if 27 * SECONDS["D"] <= step <= 366 * SECONDS["D"]:
        months = Counter(np.diff(_months(dates)).tolist()).most_common(1)[0][0]
        if months:
            unit = {12: "Y", 3: "Q"}.get(months, "M")
            return Frequency(unit, 1 if unit != "M" else months)
    if step == SECONDS["D"] or (len(steps) < 5 and step % SECONDS["D"] == 0):
        weekend = np.mean(_weekdays(dates) >= DAYS_A_WEEK)
        if weekend < 0.01 and np.any(steps > SECONDS["D"]):
            return Frequency("B")
    for unit in ("W", "D", "h", "min", "s"):
        if step % SECONDS[unit] == 0:
            return Frequency(unit, int(step // SECONDS[unit]))
    raise AssertionError("every step is a whole number of seconds")


def steps_between(dates: np.ndarray, frequency: Frequency) -> np.ndarray:
    """How many steps each row is after the one before it; not whole where off the grid.

    Args:
        dates: datetime64[s] (N,), rising.

    Returns:
        float64 (N - 1,): 1 everywhere in a series without gaps. For trading days, 1 up
        to a week, then the trading days between.
    """
    if frequency.months:
        return np.diff(_months(dates)) / frequency.months
    if frequency.unit == "B":
        days = dates.astype("datetime64[D]")
        long = np.diff(days).astype(np.int64) > LONGEST_BREAK
        return np.where(long, np.busday_count(days[:-1], days[1:]), 1.0)
    return np.diff(dates).astype(np.int64) / frequency.seconds


def next_dates(last: np.datetime64, frequency: Frequency, count: int) -> np.ndarray:
    """The dates of the `count` rows after `last`: datetime64[s] (count,).

    Example:

    >>> friday = np.datetime64("2024-03-01", "s")
    >>> next_dates(friday, Frequency("B"), 2).astype("datetime64[D]").tolist()
    [datetime.date(2024, 3, 4), datetime.date(2024, 3, 5)]
    >>> next_dates(np.datetime64("2024-01-31", "s"), Frequency("M"), 2).tolist()[0]
    datetime.datetime(2024, 2, 29, 0, 0)
    """
    if frequency.unit == "B":
        tomorrow = last.astype("datetime64[D]") + 1
        days = np.busday_offset(tomorrow, np.arange(count), roll="forward")
        return days.astype("datetime64[s]")
    ahead = np.arange(1, count + 1)
    if not frequency.months:
        return last + np.timedelta64(frequency.seconds, "s") * ahead
    import pandas as pd

    start, months = pd.Timestamp(last), (frequency.months * ahead).tolist()
    if start.is_month_end:
        found = [start + pd.offsets.MonthEnd(number) for number in months]
    else:
        found = [start + pd.DateOffset(months=number) for number in months]
    return np.array(found, "datetime64[s]")


def phases(
    dates: np.ndarray | None, frequency: Frequency | None, season: int, num_rows: int
) -> np.ndarray:
    """Which step of the season each row is: int64 (N,), below `season`.

    By the calendar where there are dates, so that a holiday shifts nothing; else by the
    number of the row.
    """
    if dates is None or frequency is None:
        count = np.arange(num_rows)
    elif frequency.months:
        count = _months(dates) // frequency.months
    elif frequency.unit == "B":
        count = _weekdays(dates)
    else:
        count = dates.astype(np.int64) // frequency.seconds
    return count % season


def _months(dates: np.ndarray) -> np.ndarray:
    return dates.astype("datetime64[M]").astype(np.int64)


def _weekdays(dates: np.ndarray) -> np.ndarray:
    """0 is Monday: the epoch was a Thursday."""
    return (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
