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
from keras_seq.series.dates import (
    NO_DATES,
    Counter,
    DateError,
    Dates,
    read_dates,
)
from keras_seq.series.sheets import Sheet, text_of

MAY_COUNT = ("time", "timestamp", "t", "period", "day", "month")  # and are no years


class Cells(NamedTuple):
    """What was read of a file.

    Attributes:
        lines: int64 (N,).
        dates: N texts; empty where there are none.
        names: N names of series; empty where none are read.
        numbers: F columns.
    """

    lines: np.ndarray
    dates: list[str]
    names: list[tuple[str, ...]]
    numbers: list[NumberColumn]


def read_cells(
    sheet: Sheet,
    dates_from: Sequence[str],
    names_from: Sequence[str],
    columns: Sequence[str],
) -> Cells:
    """Reads a file once, and keeps what is asked for.

    Args:
        sheet: the file.
        dates_from: columns of dates.
        names_from: columns that name a row's series.
        columns: F columns of numbers.
    """
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
    return Cells(np.array(lines, np.int64), dates, names, numbers)


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
    sheet: Sheet,
    cells: Cells,
    columns: Sequence[str],
    decimal: str | None,
    likely: str | None,
) -> tuple[np.ndarray, str]:
    """The numbers of all columns, and the decimal mark they have.

    Args:
        sheet: the file.
        cells: of it.
        columns: their names.
        decimal: the mark that the user gave.
        likely: the one to take where the file leaves it open, such as a model's.

    Returns:
        float64 (N, F), NaN where missing.

    Raises:
        UserError: A cell is no number, or could be two.
    """
    mark = decimal or decimal_mark(cells.numbers) or likely
    if mark is None:
        place = next(n for n, column in enumerate(cells.numbers) if column.in_doubt)
        column = cells.numbers[place]
        what = f"column {columns[place]!r} holds {column.in_doubt!r}: is its mark the "
        what += f"decimal one or that of thousands? {OPTION} point or {OPTION} comma "
        line = int(cells.lines[column.row_in_doubt()])
        raise error_at(place_of(sheet.path, line), f"{what}says which is decimal")
    values = np.empty((len(cells.lines), len(columns)))
    for place, (name, column) in enumerate(zip(columns, cells.numbers)):
        values[:, place], wrong = column.values(mark)
        if wrong is not None:
            what = f"column {name!r} holds {wrong.cell[:40]!r}, {wrong.what}"
            if "decimal" in wrong.what:
                what += f"; {OPTION} names another mark"
            raise error_at(place_of(sheet.path, int(cells.lines[wrong.row])), what)
    return values, mark


def dates_of(
    sheet: Sheet,
    cells: Cells,
    dates_from: Sequence[str],
    groups: Sequence[np.ndarray],
    *,
    is_given: bool,
    date_format: str | None,
    likely: str | None,
) -> Dates | None:
    """The dates of all rows; None where the column counts them.

    Args:
        sheet: the file.
        cells: of it.
        dates_from: columns of the dates.
        groups: rows of each series.
        is_given: whether the user named them.
        date_format: as `read_dates` has it.
        likely: the same.

    Raises:
        UserError: A cell is no date, two orders fit, or a count leaves rows out.
    """
    name = dates_from[0]
    try:
        found = read_dates(
            cells.dates,
            date_format=date_format,
            likely=likely,
            groups=groups,
            may_be_years=name.lower() not in MAY_COUNT,
        )
    except DateError as error:
        raise _date_error(sheet, cells, error) from error
    except Counter as error:
        if is_given:
            what = f"column {name!r} holds {cells.dates[0][:40]!r}, which counts rows "
            what += f"and is no date; {NO_DATES}, --date-format names a pattern"
            place = place_of(sheet.path, int(cells.lines[0]))
            raise error_at(place, what) from error
        _check_count(sheet, cells, name, groups)
        return None
    for note in found.notes:
        log.info(f"{sheet.path}: {note}")
    return found


def _date_error(sheet: Sheet, cells: Cells, error: DateError) -> UserError:
    if error.row is None:
        return error_at(sheet.path, error.what)
    return error_at(place_of(sheet.path, int(cells.lines[error.row])), error.what)


def _check_count(
    sheet: Sheet, cells: Cells, name: str, groups: Sequence[np.ndarray]
) -> None:
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
            raise error_at(place_of(sheet.path, int(cells.lines[row])), what)
    what = f"column {name!r} counts rows and holds no dates, rows are taken as equal "
    log.info(f"{sheet.path}: {what}steps in time; --date-column names another")


def check_one_series(sheet: Sheet, cells: Cells, names_from: Sequence[str]) -> None:
    """UserError where a column by its name tells several series apart."""
    for place, name in enumerate(names_from):
        found = {names[place] for names in cells.names}
        if 1 < len(found) <= len(cells.names) / 2:
            shown = listed(sorted(found), 4)
            what = f"column {name!r} has {len(found)} values ({shown}): is each a "
            what += f"series of its own? --series-column {' '.join(names_from)} trains "
            what += 'over all of them, --series-column "" takes all rows as one'
            raise error_at(sheet.path, what)


def _clock_text(cell: Sequence[str]) -> str:
    """Year, month, day and perhaps hour ... as numbers of their own."""
    if not all(map(is_number, cell)):
        return " ".join(cell)
    parts = [part.split(".")[0] for part in cell]
    parts += ["1", "1", "0", "0", "0"][len(parts) - 1 :]
    year, month, day, hour, minute, second = parts[:6]
    date = f"{year.zfill(4)}-{month.zfill(2)}-{day.zfill(2)}"
    return f"{date} {hour.zfill(2)}:{minute.zfill(2)}:{second.zfill(2)}"
