"""Which trading days a table of daily prices leaves out, by the holidays of a market.

A week of four rows is a holiday or a hole, and no table says which. So the weekdays
without a row are counted against the calendars of some markets, and what the nearest of
them does not explain is told by its number. Nothing is refused for it.

Shapes: N rows.
"""

import functools
from typing import TYPE_CHECKING

import numpy as np

from keras_seq.data.places import plural
from keras_seq.log import log

if TYPE_CHECKING:
    import pandas as pd

US, LONDON, FRANKFURT = "New York", "London", "Frankfurt"
# Days on which New York did not trade and no rule says so: mourning, attack, storm.
_CLOSED_US = (
    "1985-09-27 1994-04-27 2001-09-11 2001-09-12 2001-09-13 2001-09-14 2004-06-11 "
    "2007-01-02 2012-10-29 2012-10-30 2018-12-05 2025-01-09"
).split()


def report_missing_days(name: str, dates: np.ndarray) -> int:
    """Tells, on stderr, how many weekdays between the first and the last date have no
    row and are no holidays of the nearest of some markets; returns their number.

    Args:
        name: of the series.
        dates: datetime64[s] (N,), rising, on trading days.

    Example:

    >>> days = np.arange("2024-06-28", "2024-07-12", dtype="datetime64[D]")
    >>> days = days[np.is_busday(days) & (days != np.datetime64("2024-07-04"))]
    >>> report_missing_days("a", days)  # 4 July is a holiday
    0
    """
    days = np.unique(dates.astype("datetime64[D]"))
    between = np.arange(days[0], days[-1] + 1)
    missing = np.setdiff1d(between[np.is_busday(between)], days)
    if not len(missing):
        return 0
    left = {
        market: np.setdiff1d(missing, holidays(market, days[0], days[-1]))
        for market in (US, LONDON, FRANKFURT)
    }
    market = min(left, key=lambda name: len(left[name]))
    found = left[market]
    if len(found):
        count = plural(len(found), "weekday")
        log.info(
            f"{name}: {count} without a row beside the holidays of {market}, the first "
            f"{found[0]}; the rows are taken as steps of a trading day each"
        )
    return len(found)


def holidays(market: str, first: np.datetime64, last: np.datetime64) -> np.ndarray:
    """The days from first to last on which a market is closed: datetime64[D] (M,)."""
    found = [
        rule.dates(str(first), str(last)).to_numpy().astype("datetime64[D]")
        for rule in _rules()[market]
    ]
    closed = _CLOSED_US if market == US else []
    return np.unique(np.concatenate([*found, np.array(closed, "datetime64[D]")]))


@functools.cache
def _rules() -> "dict[str, list[pd.tseries.holiday.Holiday]]":
    from pandas.tseries import holiday as days
    from pandas.tseries.offsets import DateOffset

    rule, on = days.Holiday, days.nearest_workday
    third_monday = DateOffset(weekday=days.MO(3))
    fixed = [(1, 1), (5, 1), (12, 24), (12, 25), (12, 26), (12, 31)]
    return {
        US: [
            rule("New Year", month=1, day=1, observance=days.sunday_to_monday),
            rule("King", month=1, day=1, start_date="1998-01-01", offset=third_monday),
            days.USPresidentsDay,
            days.GoodFriday,
            days.USMemorialDay,
            rule("Juneteenth", month=6, day=19, start_date="2022-01-01", observance=on),
            rule("Independence", month=7, day=4, observance=on),
            days.USLaborDay,
            days.USThanksgivingDay,
            rule("Christmas", month=12, day=25, observance=on),
        ],
        LONDON: [
            rule("New Year", month=1, day=1, observance=days.next_monday),
            days.GoodFriday,
            days.EasterMonday,
            rule("May", month=5, day=1, offset=DateOffset(weekday=days.MO(1))),
            rule("Spring", month=5, day=31, offset=DateOffset(weekday=days.MO(-1))),
            rule("Summer", month=8, day=31, offset=DateOffset(weekday=days.MO(-1))),
            rule("Christmas", month=12, day=25, observance=days.next_monday),
            rule("Boxing", month=12, day=26, observance=days.next_monday_or_tuesday),
        ],
        FRANKFURT: [
            *(rule(f"{day}.{month}", month=month, day=day) for month, day in fixed),
            days.GoodFriday,
            days.EasterMonday,
        ],
    }
