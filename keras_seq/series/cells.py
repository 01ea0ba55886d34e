"""A table's cells as dates, numbers and series: columns whole, before rows are judged.

Shapes: N rows, F columns.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_seq.data.numbers import OPTION, NumberColumn, decimal_mark
from keras_seq.data.places import error_at, listed, place_of
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.series.date_cells import CLOCK, is_number
from keras_seq.series.dates import NO_DATES, Counter, DateError, Dates, read_dates
from keras_seq.series.sheets import Sheet, text_of

MAY_COUNT = ("time", "timestamp", "t", "period", "day", "month")  # and are no years


class Cells(NamedTuple):
    """What was read of a file.

    Attributes:
        sheet: the file.
        lines: int64 (N,).
        dates: N texts; empty where there are none.
        names: N names of series; empty where none are read.
        columns: F names.
        numbers: their cells.
    """

    sheet: Sheet
    lines: np.ndarray
    dates: list[str]
    names: list[tuple[str, ...]]
    columns: Sequence[str]
    numbers: list[NumberColumn]

    def error(self, row: int | None, what: str) -> UserError:
        """The error of a row; None: of the whole file."""
        path = self.sheet.path
        place = path if row is None else place_of(path, int(self.lines[row]))
        return error_at(place, what)


def read_cells(
    sheet: Sheet,
    dates_from: Sequence[str],
    names_from: Sequence[str],
    columns: Sequence[str],
) -> Cells:
    """Reads a file once, and keeps the columns of dates, of names and of numbers."""
    dates_at, names_at, values_at = (
        [sheet.header.index(name) for name in asked]
        for asked in (dates_from, names_from, columns)
    )
    numbers = [NumberColumn() for _ in columns]
    lines: list[int] = []
    dates: list[str] = []
    names: list[tuple[str, ...]] = []
    same: dict[tuple[str, ...], tuple[str, ...]] = {}  # one object a name
    is_clock = [name.lower() for name in dates_from[:1]] == [CLOCK[0]]
    for line, row in sheet.rows():
        lines.append(line)
        if dates_at:
            parts = [text_of(row[place]) for place in dates_at]
            is_split = is_clock and len(parts) > 1
            dates.append(_clock_text(parts) if is_split else " ".join(parts))
        if names_at:
            name = tuple(text_of(row[place]) for place in names_at)
            names.append(same.setdefault(name, name))
        for place, column in zip(values_at, numbers):
            column.add(row[place])
    return Cells(sheet, np.array(lines, np.int64), dates, names, columns, numbers)


def rows_of_series(
    names: Sequence[tuple[str, ...]], size: int
) -> dict[str, np.ndarray]:
    """The rows of each series by its name, in the order in which they come.

    Example:

    >>> rows_of_series([("a", "1"), ("b", "1"), ("a", "1")], 3)
    {'a 1': array([0, 2]), 'b 1': array([1])}
    """
    if not names:
        return {"": np.arange(size)}
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return {" ".join(name): np.array(own, np.int64) for name, own in rows.items()}


def numbers_of(
    cells: Cells, decimal: str | None, likely: str | None
) -> tuple[np.ndarray, str]:
    """The numbers of all columns, float64 (N, F), NaN where missing, and their decimal
    mark: the user's, else that of the cells, else the likely one, such as a model's.

    Raises:
        UserError: A cell is no number, or could be two.
    """
    mark = decimal or decimal_mark(cells.numbers) or likely
    if mark is None:
        doubtful = zip(cells.columns, cells.numbers)
        name, column = next(each for each in doubtful if each[1].in_doubt)
        what = f"column {name!r} holds {column.in_doubt!r}: is its mark the decimal "
        what += (
            f"one or that of thousands? {OPTION} point or {OPTION} comma says which "
        )
        raise cells.error(column.row_in_doubt(), f"{what}is decimal")
    values = np.empty((len(cells.lines), len(cells.numbers)))
    for place, (name, column) in enumerate(zip(cells.columns, cells.numbers)):
        values[:, place], wrong = column.values(mark)
        if wrong is not None:
            what = f"column {name!r} holds {wrong.cell[:40]!r}, {wrong.what}"
            if "decimal" in wrong.what:
                what += f"; {OPTION} names another mark"
            raise cells.error(wrong.row, what)
    return values, mark


def dates_of(
    cells: Cells,
    name: str,
    groups: Sequence[np.ndarray],
    *,
    is_given: bool,
    date_format: str | None,
    likely: str | None,
) -> Dates | None:
    """The dates of all rows; None where the column counts them.

    Args:
        cells: of a file.
        name: of the column of the dates, or of the first of several.
        groups: rows of each series.
        is_given: whether the user named the column.
        date_format, likely: as `read_dates` has them.

    Raises:
        UserError: A cell is no date, two orders fit, or a count leaves rows out.
    """
    try:
        found = read_dates(
            cells.dates,
            date_format=date_format,
            likely=likely,
            groups=groups,
            may_be_years=name.lower() not in MAY_COUNT,
        )
    except DateError as error:
        raise cells.error(error.row, error.what) from error
    except Counter as error:
        if is_given:
            what = f"column {name!r} holds {cells.dates[0][:40]!r}, which counts rows "
            what += f"and is no date; {NO_DATES}, --date-format names a pattern"
            raise cells.error(0, what) from error
        _check_count(cells, name, groups)
        return None
    for note in found.notes:
        log.info(f"{cells.sheet.path}: {note}")
    return found


def _check_count(cells: Cells, name: str, groups: Sequence[np.ndarray]) -> None:
    """UserError where a count of rows leaves some out; else one line."""
    for rows in groups:
        counts = np.array([float(cells.dates[row]) for row in rows])
        steps = np.diff(counts)
        usual = np.median(steps) if len(steps) else 1.0
        wrong = np.flatnonzero(np.abs(steps - usual) > 0.01 * abs(usual))
        if len(wrong):
            row = rows[wrong[0] + 1]
            what = f"column {name!r} counts {cells.dates[row]} after "
            what += f"{cells.dates[rows[wrong[0]]]}, where steps are {usual:g}"
            what += f"; {NO_DATES}"
            raise cells.error(row, what)
    what = f"column {name!r} counts rows and holds no dates, rows are taken as equal "
    log.info(f"{cells.sheet.path}: {what}steps in time; --date-column names another")


def check_one_series(cells: Cells, names_from: Sequence[str]) -> None:
    """UserError where a column by its name tells several series apart."""
    for place, name in enumerate(names_from):
        found = {names[place] for names in cells.names}
        if 1 < len(found) <= len(cells.names) / 2:
            shown = listed(sorted(found), 4)
            what = f"column {name!r} has {len(found)} values ({shown}): is each a "
            what += f"series of its own? --series-column {' '.join(names_from)} trains "
            what += 'over all of them, --series-column "" takes all rows as one'
            raise cells.error(None, what)


def _clock_text(cell: Sequence[str]) -> str:
    """Year, month, day and perhaps hour ... as numbers of their own."""
    if not all(map(is_number, cell)):
        return " ".join(cell)
    parts = [part.split(".")[0] for part in cell]
    parts += ["1", "1", "0", "0", "0"][len(parts) - 1 :]
    year, *others = parts[:6]
    month, day, hour, minute, second = (part.zfill(2) for part in others)
    return f"{year.zfill(4)}-{month}-{day} {hour}:{minute}:{second}"
