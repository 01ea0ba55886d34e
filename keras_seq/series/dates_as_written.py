"""Dates written as a file writes its own, so that new rows may stand below old ones."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from functools import partial

# What columns of dates, or parts of dates, hold; whole dates go before parts of them.
_DAYS = (
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%b %d, %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%B %d, %Y",
    "%d %B %Y",
)
_CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M", "T%H:%M:%SZ")
_PARTS = ("%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%H:%M:%S", "%H:%M")
_NUMBERS = ("%Y", "%m", "%d", "%H", "%M", "%S")
Writer = Callable[[datetime], str]


def date_writer(dates: Sequence[datetime], cells: Sequence[str]) -> Writer | None:
    """What writes a date as the cells do; None where no known pattern gives them all.

    Args:
        dates: of some rows; the more they differ, the surer the pattern.
        cells: what the file holds for them.

    Example:

    >>> days = [datetime(2024, 1, day) for day in (5, 31)]
    >>> date_writer(days, ["5.1.2024", "31.1.2024"])(datetime(2024, 2, 1))
    '1.2.2024'
    """
    if not cells:
        return None
    for write in _writers():
        if all(write(date) == cell for date, cell in zip(dates, cells)):
            return write
    return None


def _writers() -> Iterator[Writer]:
    whole = [day + clock for day in _DAYS for clock in _CLOCKS]
    for pattern in (*whole, *_PARTS, *_NUMBERS):
        yield partial(_in_pattern, pattern)
        yield partial(_unpadded, pattern)
    for a_second in (1, 1000):
        yield partial(_counted, a_second)


def _in_pattern(pattern: str, date: datetime) -> str:
    return date.strftime(pattern)


def _unpadded(pattern: str, date: datetime) -> str:
    return re.sub(r"\b0(?=\d)", "", date.strftime(pattern))


def _counted(a_second: int, date: datetime) -> str:
    return str(a_second * int(date.replace(tzinfo=timezone.utc).timestamp()))
