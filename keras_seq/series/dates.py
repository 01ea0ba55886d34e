"""The dates of a column: the one order that gives rising, regular dates, or a question.

03/04/2020 is a day of March or of April; all rows together leave no doubt, mostly. An
order is taken where every cell is a date in it, the dates rise or fall from row to row,
and they do not leave out more rows than there are. Where two orders do, it is asked.

Shapes: N rows.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from keras_seq.errors import UserError
from keras_seq.series.calendar import infer_frequency, steps_between
from keras_seq.series.date_cells import (
    DAY,
    NAMES,
    SECONDS,
    YEAR_DAY_MONTH,
    YEAR_FIRST,
    YEARS,
    When,
    is_number,
    reader,
    readings,
    whole_number,
)

MOST_MADE_UP = 0.5  # of the rows: an order that leaves out more is not what was meant
MOSTLY = 0.9  # of whole numbers that are dates: what is none among them is an error
SAMPLE = 2000  # cells that rule out orders of many
OPTION = "--date-format"
_PLAIN = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}(:\d{2}){0,2})?")
NO_DATES = '--date-column "" takes the rows as equal steps'


class DateError(ValueError):
    """What is wrong with a column, and at which row; row None: with all of it."""

    def __init__(self, row: int | None, what: str) -> None:
        super().__init__(what)
        self.row, self.what = row, what


class Counter(ValueError):
    """The column counts its rows and holds no dates."""


class Dates(NamedTuple):
    """The dates of a column.

    Attributes:
        values: datetime64[s] (N,), by the clock of their own time zone.
        date_format: the order or pattern that they were read in.
        notes: what is worth a line to the user.
    """

    values: np.ndarray
    date_format: str
    notes: list[str]


def check_date_format(name: str | None) -> None:
    """UserError unless `--date-format` names an order or is a pattern of strptime."""
    if name is not None and name not in NAMES and "%" not in name:
        raise UserError(
            f"{OPTION} {name!r}: expected {', '.join(NAMES)}, or a pattern such as "
            "%d.%m.%Y"
        )


def read_dates(
    texts: Sequence[str],
    *,
    date_format: str | None = None,
    likely: str | None = None,
    groups: Sequence[np.ndarray] | None = None,
    may_be_years: bool = True,
) -> Dates:
    """Reads a column of dates.

    Args:
        texts: N cells.
        date_format: the order or pattern that the user gave.
        likely: which one to take where several fit, such as a model's.
        groups: rows of each series, int (n,), where several stand in the column.
        may_be_years: whether four digits alone are a year.

    Raises:
        DateError: A cell is no date, or two orders fit.
        Counter: They are whole numbers, and no dates.

    Example:

    >>> months = read_dates(["01/01/2000", "01/02/2000", "01/03/2000", "01/04/2000"],
    ...                     likely="day-first")
    >>> months.values.astype("datetime64[M]").astype(str).tolist(), months.date_format
    (['2000-01', '2000-02', '2000-03', '2000-04'], 'day-first')
    >>> read_dates(["30/11/2019", "01/12/2019"]).date_format
    'day-first'
    """
    texts = [text.strip() for text in texts]
    check_date_format(date_format)
    plain = None if date_format else _plain(texts)
    if plain is not None:
        return Dates(plain, YEAR_FIRST, [])
    groups = [np.arange(len(texts))] if groups is None else groups
    names = [date_format] if date_format else _possible(texts, may_be_years, likely)
    if len(texts) > 2 * SAMPLE and len(names) > 1:
        few = texts[:: len(texts) // SAMPLE]
        rows = [np.arange(len(few))]
        names = [n for n in names if not _Reading(n, few, rows).wrong] or names
    read = [_Reading(name, texts, groups) for name in names]
    whole = [one for one in read if not one.wrong]
    if not whole and names == [YEAR_FIRST] and not date_format:
        other = _Reading(YEAR_DAY_MONTH, texts, groups)
        whole = [] if other.wrong else [other]
    if not whole:
        raise _first_wrong(texts, read, date_format)
    found = _chosen(whole, likely)
    return Dates(*found.in_own_clock(), found.notes)


def _plain(texts: Sequence[str]) -> np.ndarray | None:
    """Dates as ISO 8601 writes them, all alike, which NumPy reads at once."""
    if not _PLAIN.fullmatch(texts[0]) or len(set(map(len, texts))) > 1:
        return None
    try:
        return np.array(texts, "datetime64[s]")
    except ValueError:
        return None


def _possible(
    texts: Sequence[str], may_be_years: bool, likely: str | None
) -> list[str]:
    years = YEARS if may_be_years else range(0)
    found: dict[str, None] = {}
    sizes = set()
    for text in texts:
        if len(text) not in sizes:  # digits alone differ in their number
            sizes.add(len(text))
            found |= dict.fromkeys(readings(text, years))
    if not found:
        if likely is not None and "%" in likely:
            return [likely]
        if all(map(is_number, texts)):
            raise Counter
        raise DateError(
            0,
            f"{texts[0][:40]!r} is no date that is known; give its pattern with "
            f"{OPTION}, such as %d.%m.%Y; {NO_DATES}",
        )
    return list(found)


class _Reading:
    """A column as one order reads it.

    Attributes:
        name: of the order or pattern.
        wrong: rows that it cannot read.
        seconds: datetime64[s] (N,), by the clock of each cell; empty where a row is
            wrong.
        notes: what is worth a line to the user.
    """

    def __init__(
        self, name: str, texts: Sequence[str], groups: Sequence[np.ndarray]
    ) -> None:
        self.name, self._groups = name, groups
        self.notes: list[str] = []
        first = self._read(texts, 1970)
        if first is None or self.wrong:
            return
        if _has_short_years(name, texts[0], first):
            self._find_century(texts)

    def _read(self, texts: Sequence[str], turn: int) -> When | None:
        """Reads all cells; returns the first of them."""
        read = reader(self.name, turn)
        whens = [read(text) for text in texts]
        self.wrong = [row for row, when in enumerate(whens) if when is None]
        whole = [when for when in whens if when is not None and not self.wrong]
        self.seconds = np.array([when.seconds for when in whole], "datetime64[s]")
        self._zones = [when.zone for when in whole]
        self._is_cut = any(when.rest for when in whole)
        return whens[0]

    def _find_century(self, texts: Sequence[str]) -> None:
        """Data are of the past, so the latest year is this one or the next; where dates
        rise in another century only, it is that."""
        this_year = date.today().year
        for turn in (this_year - 98, 2000, 1900, this_year - 98):
            self._read(texts, turn)
            if not self.wrong and self.rises:
                break
        if not self.wrong:
            ends = [str(when)[:4] for when in np.sort(self.seconds)[[0, -1]]]
            self.notes.append(f"two-digit years are read as {ends[0]} to {ends[1]}")

    @property
    def rises(self) -> bool:
        """Whether the dates of each series rise, or fall, from row to row."""
        for rows in self._groups:
            steps = np.diff(self.seconds[rows].astype(np.int64))
            if np.any(steps > 0) and np.any(steps < 0):
                return False
        return True

    @property
    def is_regular(self) -> bool:
        """Whether at most as many rows are left out as there are."""
        days = np.unique(self.seconds)
        if len(days) < 3:
            return True
        steps = steps_between(days, infer_frequency(days))
        missing = np.maximum(steps - 1, 0).sum() + np.sum(steps < 1)
        return missing <= MOST_MADE_UP * (missing + len(days))

    def in_own_clock(self) -> tuple[np.ndarray, str]:
        """The dates, and the name of their order.

        A time zone keeps the local day. Where the clock was changed within rows of less
        than a day, all are put by the clock of the first.
        """
        zones, local = self._zones, self.seconds
        named = [zone is not None for zone in zones]
        if any(named) and not all(named):
            what = "some dates name a time zone and others do not"
            raise DateError(named.index(not named[0]), what)
        if any(named) and len(set(zones)) > 1:
            if len(np.unique(local.astype(np.int64) % DAY)) > 1:
                shifts = np.array(zones) - zones[0]
                local = local - shifts.astype("timedelta64[s]")
        if self._is_cut and any(
            len(np.unique(local[rows])) < len(rows) for rows in self._groups
        ):
            what = f"rows less than a second apart are not read by date; {NO_DATES}"
            raise DateError(None, what)
        return local, self.name


def _has_short_years(name: str, text: str, when: When) -> bool:
    if "%" in name:
        return "%y" in name and "%Y" not in name
    if name == SECONDS or whole_number(text) is not None:
        return False
    year = str(np.datetime64(when.seconds, "s"))[:4]
    return year not in text and not re.search(r"\d{4}", text)


def _chosen(whole: Sequence[_Reading], likely: str | None) -> _Reading:
    """The only reading that fits, or the question which one is meant."""
    differing: dict[bytes, _Reading] = {}
    for one in whole:
        differing.setdefault(one.seconds.tobytes(), one)
    whole = [*differing.values()]
    for fits in (lambda one: one.rises, lambda one: one.is_regular):
        if len(whole) > 1:
            whole = [one for one in whole if fits(one)] or whole
    if len(whole) == 1:
        return whole[0]
    for one in whole:
        if one.name == likely:
            return one
    shown = []
    for one in whole:
        start, end = (
            str(when).replace("T00:00:00", "") for when in one.seconds[[0, -1]]
        )
        shown.append(f"{OPTION} {one.name} ({start} to {end})")
    what = f"the dates can be read in {len(whole)} ways; give {' or '.join(shown)}"
    raise DateError(None, what)


def _first_wrong(
    texts: Sequence[str], read: Sequence[_Reading], date_format: str | None
) -> ValueError:
    """The first cell that the best of the orders cannot read."""
    best = min(read, key=lambda one: len(one.wrong))
    share = 1 - len(best.wrong) / len(texts)
    if share < MOSTLY and not date_format and all(map(is_number, texts)):
        return Counter()
    row, name = best.wrong[0], best.name
    what = f"{texts[row][:40]!r} is no date as the rows before it have them ({name})"
    if date_format:
        what = f"{texts[row][:40]!r} is no date in {OPTION} {name}"
    elif row == 0 or share < MOSTLY:
        what = f"{texts[row][:40]!r} is no date as the other rows have them ({name}); "
        what += f"{OPTION} names another order or pattern"
    return DateError(row, what)
