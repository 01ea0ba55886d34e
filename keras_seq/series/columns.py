"""Which columns of a table hold dates, names of series, targets and features.

Usual names come first, then what the cells of the first rows are; what is left open is
asked.
"""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from keras_seq.data.number_cells import reads_as_number
from keras_seq.data.places import error_at, listed
from keras_seq.log import log
from keras_seq.series.date_cells import (
    CLOCK,
    DATE_NAMES,
    FURTHER_DATES,
    is_number,
    readings,
)
from keras_seq.series.sheets import SAMPLE, TICKER, WIDE, Sheet, text_of

SERIES_NAMES = (
    "unique_id series_id series item_id id name symbol ticker stock store store_id "
    "store_nbr shop item sku product product_id station station_id sensor sensor_id "
    "meter meter_id customer client region location"
).split()
PRICES = ("open", "high", "low", "close")
_OTHERWISE = {
    "close/last": "close",
    "price": "close",
    "last": "close",
    "vol.": "volume",
    "vol": "volume",
    "adj_close": "adj close",
    "adj. close": "adj close",
}
_CLOCK_TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")


def price_name(column: str) -> str:
    """What a column of prices is called elsewhere: open, high, low, close, volume.

    Example:

    >>> price_name("Close/Last"), price_name("Vol."), price_name("Open")
    ('close', 'volume', 'open')
    """
    return _OTHERWISE.get(column.lower(), column.lower())


def find_date_columns(sheet: Sheet, given: Sequence[str] | None) -> list[str]:
    """The columns that a table's dates are read from: one, those of year, month ... in
    their order, a day and its time, or none. The user gave none with [] or [""].

    Raises:
        UserError: There is no such column, or several hold dates.
    """
    if given is not None:
        given = [name for name in given if name]
        check_names(sheet.path, sheet.header, given, "--date-column")
        return given
    header = sheet.header
    for usual in DATE_NAMES:
        for name in header:
            of_a_clock = usual in CLOCK and "year" in map(str.lower, header)
            if name.lower() == usual and not of_a_clock:
                return _with_time(sheet, name)
    clock = [name for part in CLOCK for name in header if name.lower() == part]
    if clock and clock[0].lower() == "year":
        return clock
    found = [name for name in header if all(map(readings, _cells(sheet, name)))]
    letters = {name: re.sub("[^a-z]", "", name.lower()) for name in found}
    known = [n for n in found if letters[n] in (*DATE_NAMES, *FURTHER_DATES)]
    found = known or [n for n in found if not is_number(_cells(sheet, n)[0])]
    if len(found) > 1:
        what = f"{listed(found)} hold dates; name one with --date-column"
        raise error_at(sheet.path, what)
    if found:
        log.info(f"{sheet.path}: dates are those of column {found[0]!r}")
        return _with_time(sheet, found[0])
    what = "no date column found, rows are taken as equal steps in time"
    log.info(f"{sheet.path}: {what}; --date-column names one")
    return []


def find_series_columns(
    sheet: Sheet, given: Sequence[str] | None, taken: Sequence[str]
) -> list[str]:
    """The columns that name a row's series, or could do so by their names and are not
    taken for something else. The user gave none with [] or [""].

    Raises:
        UserError: There is no such column.
    """
    if given is not None:
        given = [name for name in given if name]
        check_names(sheet.path, sheet.header, given, "--series-column")
        return given
    if TICKER in sheet.header and sheet.tickers:
        return [TICKER]
    return [
        name
        for name in sheet.header
        if name.lower().replace(" ", "_") in SERIES_NAMES and name not in taken
    ]


def choose_columns(
    sheet: Sheet,
    taken: Sequence[str],
    target: Sequence[str] | None,
    features: Sequence[str] | None,
) -> tuple[list[str], list[str], bool]:
    """The columns to forecast, the others to read, and whether the first are prices.

    Raises:
        UserError: There is no such column, or no usual one to forecast.
    """
    path, header = sheet.path, sheet.header
    lower = {price_name(name): name for name in reversed(header)}
    is_prices = all(name in lower for name in PRICES)
    free = [name for name in header if name not in taken]
    likely = [name for name in free if _may_be_target(sheet, name)]
    if target is None and is_prices:
        target = [lower["close"]]
    elif target is None and len(likely or free) == 1:
        target = likely or free
    elif target is None:
        what = f"name the column to forecast with --target: {listed(likely)}"
        raise error_at(path, what)
    elif list(target) == ["all"]:
        target = free
    check_names(path, free, target, "--target")
    is_prices = is_prices and all(
        price_name(name) in (*PRICES, "adj close") for name in target
    )
    if features is None:
        usual = (*PRICES, "volume") if is_prices else ()
        features = [lower[name] for name in usual if name in lower]
    check_names(path, free, features, "--features")
    targets = list(dict.fromkeys(target))
    others = [name for name in features if name not in targets]
    return targets, others, is_prices


def check_names(
    path: Path, header: Sequence[str], names: Sequence[str], option: str
) -> None:
    """UserError at the first name that is no column of the header."""
    for name in names:
        if name not in header:
            what = f"no column {name!r}; its columns are: {listed(list(header))}; "
            raise error_at(path, f"{what}name one with {option}")


def _may_be_target(sheet: Sheet, name: str) -> bool:
    """Whether a column holds numbers, and none that name a series."""
    if name.lower().replace(" ", "_") in SERIES_NAMES:
        return False
    return sheet.layout == WIDE or all(map(reads_as_number, _cells(sheet, name)))


def _cells(sheet: Sheet, name: str) -> list[str]:
    """The first cells of a column, without those that are missing."""
    place = sheet.header.index(name)
    return [text for row in sheet.first if (text := text_of(row[place]))] or [""]


def _with_time(sheet: Sheet, name: str) -> list[str]:
    """The column of days, and that of times where days repeat."""
    days = _cells(sheet, name)
    times = [
        other
        for other in sheet.header
        if other != name and all(map(_CLOCK_TIME.fullmatch, _cells(sheet, other)))
    ]
    if len(times) != 1 or len(set(days)) == len(days) or ":" in days[0]:
        return [name]
    log.info(f"{sheet.path}: dates are those of columns {name!r} and {times[0]!r}")
    return [name, times[0]]


def columns_that_part(
    sheet: Sheet, dates: Sequence[str], given: Sequence[str]
) -> list[str]:
    """The columns, one or two more than are given, that tell rows of the same date
    apart; [] if none do. Reads the file once more; `dates` are as it writes them."""
    rows = [[text_of(cell) for cell in row] for _, row in sheet.rows()]
    columns = dict(zip(sheet.header, zip(*rows)))
    few = [
        name
        for name, cells in columns.items()
        if 1 < len(set(cells)) <= len(cells) / 2
        and not set(cells) & set(dates[:SAMPLE])
    ]
    further = [name for name in few if name not in given]
    for size in (1, 2):
        for names in itertools.combinations(further, size):
            found = [*given, *names]
            keys = set(zip(dates, *(columns[name] for name in found)))
            if len(keys) == len(dates):
                return found
    return []
