"""One cell that holds a date: what it says in each order that it could be written in.

A cell is a day and, behind it, perhaps a time of the day and a time zone. Which order
of day, month and year is meant, no cell can tell; `dates` looks at the whole column.
"""

import datetime
import functools
import math
import re
from collections.abc import Callable
from typing import NamedTuple

YEAR_FIRST, DAY_FIRST, MONTH_FIRST = "year-first", "day-first", "month-first"
SECONDS, MILLISECONDS = "seconds", "milliseconds"
# Names of columns that hold dates, lower-cased; and of those that hold their parts.
DATE_NAMES = ("date", "datetime", "timestamp", "time", "month", "day", "period", "ds")
CLOCK = ("year", "month", "day", "hour", "minute", "second")
FURTHER_DATES = "datum fecha dates unix epoch unixtime opentime dateandtime".split()
NAMES = (YEAR_FIRST, DAY_FIRST, MONTH_FIRST, SECONDS, MILLISECONDS)

DAY = 86_400  # seconds
YEAR_DAY_MONTH = "%Y-%d-%m"  # hardly ever: looked at where no month fits
_ORDERS = {YEAR_FIRST: (0, 1, 2), DAY_FIRST: (2, 1, 0), MONTH_FIRST: (2, 0, 1)}
_ORDERS[YEAR_DAY_MONTH] = (0, 2, 1)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_LONG_MONTHS = (
    "january february march april may june july august september october november "
    "december sept"
).split()
_DAY_NAMES = "mon tue wed thu fri sat sun".split()
_ZONE = r"(Z|UTC|GMT|[+-]\d{2}:?(?:\d{2})?)"
_TIME = re.compile(
    r"(.*?)[T ,]*(?<!\d)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?"
    rf"\s*([AaPp]\.?[Mm]\.?)?\s*{_ZONE}?"
)
# ISO 8601 without colons; what has no part of a second and no half of a day.
_SHORT_TIME = re.compile(rf"(.*\d)T(\d{{2}})(\d{{2}})?(\d{{2}})?()(){_ZONE}?")
_NUMBERS = re.compile(r"(\d{1,4})([-/. ])\s?(\d{1,2})\2\s?(\d{1,4})\.?")
_YEAR_MONTH = re.compile(r"(\d{4})[-/. ](\d{1,2})")
_MONTH_YEAR = re.compile(r"(\d{1,2})[-/. ](\d{4})")
_QUARTER = re.compile(r"(?:(\d{4})[-/ ]?[Qq]([1-4])|[Qq]([1-4])[-/ ]?(\d{4}))")
_WEEK = re.compile(r"(\d{4})-?W(\d{2})(?:-?([1-7]))?")
_DIGITS = {  # of so many digits alone: strptime's patterns that could be meant
    4: ("%Y",),
    6: ("%Y%m", "%y%m%d", "%d%m%y", "%m%d%y"),
    8: ("%Y%m%d", "%d%m%Y", "%m%d%Y"),
    10: ("%Y%m%d%H", "%y%m%d%H%M"),
    12: ("%Y%m%d%H%M", "%y%m%d%H%M%S"),
    14: ("%Y%m%d%H%M%S",),
}
_EPOCHS = {9: 1, 10: 1, 12: 1_000, 13: 1_000, 16: 1_000_000, 19: 1_000_000_000}
YEARS = range(1600, 2101)  # what four digits, no sign behind them, may be


class When(NamedTuple):
    """What a cell says: seconds of its own clock since 1970, the part of a second that
    was cut off, and the offset of its time zone in seconds, if it names one."""

    seconds: int
    rest: bool = False
    zone: int | None = None


Read = Callable[[str], When | None]


def readings(example: str, years: range = YEARS) -> list[str]:
    """The names of all orders and patterns in which a cell like this could be read.

    Args:
        example: one cell of the column.
        years: that four digits alone may stand for.

    Example:

    >>> readings("03/04/2020"), readings("2020-03-04"), readings("Mar 4, 2020")
    (['day-first', 'month-first'], ['year-first'], ['year-first'])
    >>> readings("200304"), readings("17")
    (['%Y%m', '%y%m%d', '%d%m%y', '%m%d%y'], [])
    """
    text = whole_number(example)
    if text is None:
        day = _split(example)[0]
        numbers = _NUMBERS.fullmatch(day)
        if numbers is None:
            return [YEAR_FIRST] if _day(day, YEAR_FIRST, 0) is not None else []
        if len(numbers[1]) == 4:
            return [YEAR_FIRST]
        return [DAY_FIRST, MONTH_FIRST] + [YEAR_FIRST] * (len(numbers[4]) < 4)
    if len(text) == 4 and int(text) not in years:
        return []
    size = len(text)
    found = [*_DIGITS.get(size, ())]
    if size in (5, 7):  # a zero was lost in front
        found = [p for p in _DIGITS[size + 1] if p not in ("%Y%m", "%Y%m%d")]
    if unit := _EPOCHS.get(size):
        found.append(SECONDS if unit == 1 else MILLISECONDS)
    return found


def whole_number(text: str) -> str | None:
    """The digits of a cell that is a whole number, also where it is written 17.0."""
    digits, _, rest = text.partition(".")
    return digits if digits.isdecimal() and not rest.strip("0") else None


def is_number(text: str) -> bool:
    """Whether a cell reads as a finite one."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def reader(name: str, turn: int = 2000) -> Read:
    """The function that reads cells in one order or pattern: seconds since 1970.

    Args:
        name: of `NAMES`, or one of strptime's patterns.
        turn: two-digit years lie in the hundred years from this one on.

    Example:

    >>> reader("day-first")("02.01.1970 00:00:07").seconds
    86407
    >>> reader("%y%m%d", 1950)("700103").seconds, reader("year-first")("2020-02-30")
    (172800, None)
    """
    if name in (SECONDS, MILLISECONDS):
        return _epoch
    if name in _ORDERS:
        return _reader_of_order(name, turn)
    return functools.partial(_in_pattern, name, turn)


def _reader_of_order(order: str, turn: int) -> Read:
    """Reads cells with a day of three numbers or with a name of a month. Days and times
    are kept, as columns repeat them."""
    known_days: dict[str, int | None] = {}
    known_clocks: dict[str, tuple[int, bool, int | None]] = {}

    def read(text: str) -> When | None:
        start, _, end = text.rpartition(" ")
        days, clock = known_days.get(start), known_clocks.get(end)
        if days is not None and clock is not None:
            return When(days * DAY + clock[0], *clock[1:])
        day, seconds, rest, zone = _split(text)
        if day not in known_days:
            known_days[day] = _day(day, order, turn)
        days = known_days[day]
        if days is None or seconds is None:
            return None
        if day == start:
            known_clocks[end] = seconds, rest, zone
        return When(days * DAY + seconds, rest, zone)

    return read


def _in_pattern(pattern: str, turn: int, text: str) -> When | None:
    """As strptime reads a cell; digits alone are as many as the pattern has."""
    is_digits = re.fullmatch(r"(%[YymdHMS])+", pattern)
    if is_digits:
        size = len(pattern) + 2 * pattern.count("%Y")
        text = (whole_number(text) or "").zfill(size)
    try:
        when = datetime.datetime.strptime(text, pattern)
        if "%y" in pattern and "%Y" not in pattern:
            when = when.replace(year=(when.year - turn) % 100 + turn)
    except ValueError:  # no date, or 29 February of another year
        return None
    if is_digits and "%Y" in pattern and when.year not in YEARS:
        return None
    offset, a_second = when.utcoffset(), datetime.timedelta(seconds=1)
    seconds = (when.replace(tzinfo=None) - datetime.datetime(1970, 1, 1)) // a_second
    zone = None if offset is None else offset // a_second
    return When(seconds, when.microsecond > 0, zone)


def _epoch(text: str) -> When | None:
    digits = whole_number(text)
    if digits is None:
        return None
    unit = _EPOCHS.get(len(digits))
    return When(int(digits) // unit, int(digits) % unit > 0) if unit else None


def _split(text: str) -> tuple[str, int | None, bool, int | None]:
    """Day, seconds of the clock, whether a part of a second was cut off, zone."""
    match = (_TIME if ":" in text else _SHORT_TIME).fullmatch(text)
    if match is None:
        if text.endswith(("Z", "UTC")):
            return text.removesuffix("Z").removesuffix("UTC").strip(" T"), 0, False, 0
        return text, 0, False, None
    day, hour, minute, second, rest, half, zone = match.groups()
    hour, minute, second = int(hour), int(minute or 0), int(second or 0)
    if half and 1 <= hour <= 12:
        hour = hour % 12 + 12 * half.lower().startswith("p")
    sound = hour < 24 and minute < 60 and second < 60
    clock = hour * 3600 + minute * 60 + second if sound else None
    return day.strip(), clock, bool(rest and rest.strip("0")), _zone(zone)


def _zone(text: str | None) -> int | None:
    if text is None:
        return None
    if text[0] not in "+-":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    size = int(digits[:2]) * 3600 + int(digits[2:]) * 60
    return -size if text[0] == "-" else size


def _day(text: str, order: str, turn: int) -> int | None:
    """Days since 1970; None where the text is no day in this order."""
    for sign in "年月":
        text = text.replace(sign, "-")
    text = text.replace("日", "").strip()
    numbers = _NUMBERS.fullmatch(text)
    try:
        if numbers:
            return _of_numbers([numbers[n] for n in (1, 3, 4)], order, turn)
        if match := _YEAR_MONTH.fullmatch(text):
            return _since_1970(int(match[1]), int(match[2]), 1)
        if match := _MONTH_YEAR.fullmatch(text):
            return _since_1970(int(match[2]), int(match[1]), 1)
        if match := _QUARTER.fullmatch(text):
            quarter = int(match[2] or match[3])
            return _since_1970(int(match[1] or match[4]), 3 * quarter - 2, 1)
        if match := _WEEK.fullmatch(text):
            week = (int(match[1]), int(match[2]), int(match[3] or 1))
            return (datetime.date.fromisocalendar(*week) - _EPOCH).days
        if text.isdecimal() and len(text) == 8:
            return _since_1970(int(text[:4]), int(text[4:6]), int(text[6:]))
        return _of_a_month_name(text, turn)
    except ValueError:
        return None


_EPOCH = datetime.date(1970, 1, 1)


def _since_1970(year: int, month: int, day: int) -> int:
    return (datetime.date(year, month, day) - _EPOCH).days


def _of_numbers(numbers: list[str], order: str, turn: int) -> int | None:
    if len(numbers[0]) == 4 and order != YEAR_DAY_MONTH:
        order = YEAR_FIRST
    year, month, day = (numbers[place] for place in _ORDERS[order])
    if len(year) not in (2, 4) or max(len(month), len(day)) > 2:
        return None
    return _since_1970(_full_year(year, turn), int(month), int(day))


def _full_year(text: str, turn: int) -> int:
    return int(text) if len(text) == 4 else (int(text) - turn) % 100 + turn


def _of_a_month_name(text: str, turn: int) -> int | None:
    """Jan 02, 2020 or 2-Jan-20 or January 2020, with or without a day of the week."""
    words = re.findall(r"\d+|[A-Za-z]+", text)
    names = [word.lower() for word in words if word.isalpha()]
    months = [n for n in names if n in _MONTHS or n in _LONG_MONTHS]
    others = {n for n in names if n not in months and n[:3] not in _DAY_NAMES}
    numbers = [word for word in words if word.isdecimal()]
    if len(months) != 1 or others - {"of", "st", "nd", "rd", "th"}:
        return None
    month = _MONTHS.index(months[0][:3]) + 1
    if len(numbers) == 1 and len(numbers[0]) in (2, 4):
        return _since_1970(_full_year(numbers[0], turn), month, 1)
    if len(numbers) != 2:
        return None
    year, day = numbers if len(numbers[0]) == 4 else reversed(numbers)
    if len(year) not in (2, 4) or len(day) > 2:
        return None
    return _since_1970(_full_year(year, turn), month, int(day))
