"""The layouts that tables of series come in, each read as rows of one kind.

Beside the plain one these are yfinance's tables, whose header takes two or three rows,
and tables that hold a series a row, such as those of the M4 competition. Both are read
as if a column said which series a row belongs to.

Shapes: none; cells are as the file holds them.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from keras_seq.data.number_cells import MISSING, reads_as_number
from keras_seq.data.places import error_at, listed
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import kind_of, read_columns, read_rows
from keras_seq.series.date_cells import (
    CLOCK,
    DATE_NAMES,
    FURTHER_DATES,
    is_number,
    readings,
)

PLAIN, TICKERS, WIDE = "plain", "tickers", "wide"
TICKER, STEP, VALUE = "Ticker", "date", "value"  # names of columns that no file has
SAMPLE = 30  # rows that show a layout
WIDEST = 10  # columns of numbers from which on rows may be series

_CORNERS = ("price", "ticker", "attributes", "")  # of yfinance's header rows
_INDEX = ("date", "datetime")
Row = tuple[int, list[object]]


class Sheet(NamedTuple):
    """A file, and how its rows are read.

    Attributes:
        path: the file.
        header: names of the columns that `rows` yields.
        first: cells of its first rows, to look at.
        layout: PLAIN, TICKERS or WIDE.
        table_format: how the file is to be read.
        names: the file's own header.
        skipped: rows behind the header that hold no data.
        tickers: of each column of TICKERS, None for the dates.
    """

    path: Path
    header: list[str]
    first: list[list[object]]
    layout: str
    table_format: TableFormat
    names: list[str]
    skipped: int = 0
    tickers: Sequence[str | None] = ()

    def rows(self) -> Iterator[Row]:
        """Line or row number, and a cell for each column of the header."""
        rows = read_rows(self.path, None, self.table_format, self.skipped)
        if self.layout == PLAIN:
            return rows
        if self.layout == TICKERS:
            return _of_tickers(self, rows)
        return _of_a_row(rows, self.names)


def open_sheet(
    path: Path,
    table_format: TableFormat = AS_FOUND,
    series_column: Sequence[str] | None = None,
) -> Sheet:
    """Looks at a file's header and first rows.

    A table of a series a row is read so where its column of names is given.

    Raises:
        UserError: The file is empty, two columns share a name, it has no header, or it
            holds a series a row and the column of names is not given.
    """
    names = read_columns(path, table_format)
    is_text = kind_of(path, table_format) in ("csv", "tsv", "excel")
    rows = read_rows(path, None, table_format)
    first = [row for _, row in itertools.islice(rows, SAMPLE)]
    rows.close()
    if is_text and names and all(map(is_number, names)) and not table_format.no_header:
        numbers = [str(number) for number in range(1, len(names) + 1)]
        as_data = replace(table_format, no_header=True)
        return Sheet(path, numbers, [[*names], *first], PLAIN, as_data, names)
    if skipped := _header_rows(names, first):
        return _with_tickers(path, table_format, names, first, skipped)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise error_at(path, f"two columns are named {listed(twice)}; rename one")
    if is_text and not table_format.no_header and _is_data(names, first):
        what = f"its first row holds data, not names: {listed(names, 4)}"
        raise error_at(path, f"{what}; --no-header names the columns 1, 2, ...")
    own = names[0]
    if _is_wide(names, first, list(series_column or ()) == [own]):
        if series_column is None:
            what = f"each row looks like a series of its own, named by column {own!r}"
            what += f"; --series-column {own} reads them so"
            raise error_at(path, what)
        if list(series_column) == [own]:
            dated = all(readings(name) for name in names[1:])
            header = [own, *([STEP] if dated else []), VALUE]
            return Sheet(path, header, [], WIDE, table_format, names)
    return Sheet(path, names, first, PLAIN, table_format, names)


def check_columns(
    path: Path,
    header: Sequence[str],
    needed: Sequence[str],
    like: Sequence[str],
    whose: str | Path,
) -> None:
    """UserError unless a file has columns by their names, in any order.

    Args:
        path: the file.
        header: its columns.
        needed: names to find; further columns are left alone.
        like: all columns of what it is read like: where these are mere numbers, as in a
            file without names, there must be as many.
        whose: where `like` and `needed` are from.
    """
    missing = [name for name in needed if name not in header]
    if missing:
        raise error_at(
            path,
            f"other columns than {whose}: no {listed(missing)}; has: "
            f"{listed(list(header))}",
        )
    numbers = [str(number) for number in range(1, len(like) + 1)]
    if like and [*like] == numbers and len(header) != len(like):
        raise error_at(
            path,
            f"other columns than {whose}: {len(header)} instead of {len(like)}, and no "
            "names to find them by",
        )


def text_of(cell: object) -> str:
    """A cell as text; "" where there is none."""
    return "" if cell is None or cell != cell else str(cell).strip()


def _header_rows(names: Sequence[str], first: Sequence[Sequence[object]]) -> int:
    """How many rows behind the first belong to yfinance's header; 0 in others."""
    if names[0].lower() not in (*_CORNERS, *_INDEX) or len(first) < 3 or len(names) < 2:
        return 0
    rows = [[text_of(cell) for cell in row] for row in first[:2]]
    if rows[0][0].lower() not in _CORNERS or any(
        not name or is_number(name) for name in rows[0][1:]
    ):
        return 0
    if rows[1][0].lower() in _INDEX and not any(rows[1][1:]):
        return 2
    if names[0] and rows[0][0]:  # two names at the corner stand over the dates' name
        return 0
    is_dated = len(readings(rows[1][0])) > 0
    return 1 if is_dated and all(map(_is_value, rows[1][1:])) else 0


def _is_value(text: str) -> bool:
    return is_number(text) or text.lower() in MISSING


def _with_tickers(
    path: Path,
    table_format: TableFormat,
    names: list[str],
    first: list[list[object]],
    skipped: int,
) -> Sheet:
    """Of the two rows of names the prices' is the one with a Close."""
    kinds, tickers = names, [text_of(cell) for cell in first[0]]
    if "close" in map(str.lower, tickers):
        kinds, tickers = tickers, names
    date = text_of(first[1][0]) if skipped == 2 else names[0]
    header = [date or "Date", *dict.fromkeys(kinds[1:])]
    if len(set(tickers[1:])) == 1:
        if len(header) != len(names):
            raise error_at(path, "two columns share both names of their header")
        kept = first[skipped:]
        return Sheet(path, header, kept, PLAIN, table_format, names, skipped)
    header, of_each = [*header, TICKER], [None, *tickers[1:]]
    sheet = Sheet(path, header, [], TICKERS, table_format, kinds, skipped, of_each)
    return sheet._replace(first=[r for _, r in itertools.islice(sheet.rows(), SAMPLE)])


def _of_tickers(sheet: Sheet, rows: Iterator[Row]) -> Iterator[Row]:
    """A row for each ticker, with its name at the end."""
    first: dict[tuple[str | None, str], int] = {}
    for place, column in enumerate(zip(sheet.tickers, sheet.names)):
        first.setdefault(column, place)
    kinds = sheet.header[1:-1]
    places = {own: [first.get((own, kind)) for kind in kinds] for own in sheet.tickers}
    del places[None]  # the dates
    for line, row in rows:
        for ticker, at in places.items():
            cells = [None if n is None else row[n] for n in at]
            yield line, [row[0], *cells, ticker]


def _of_a_row(rows: Iterator[Row], names: Sequence[str]) -> Iterator[Row]:
    """A row for each value of a series that stands in one row; its end may be empty."""
    dated = all(readings(name) for name in names[1:])
    for line, row in rows:
        size = max((n + 1 for n, c in enumerate(row) if text_of(c)), default=1)
        for name, cell in zip(names[1:size], row[1:size]):
            yield line, [row[0], *([name] if dated else []), cell]


def _is_wide(
    names: Sequence[str], first: Sequence[Sequence[object]], is_named: bool
) -> bool:
    """Whether rows are series: a name that no other row has, then many numbers."""
    fewest, rows = (2, 1) if is_named else (WIDEST, 2)
    if len(names) <= fewest or len(first) < rows:
        return False
    if any(name.lower() in (*DATE_NAMES, *FURTHER_DATES, *CLOCK) for name in names):
        return False  # a row has its date, and is none of a whole series
    own = [text_of(row[0]) for row in first]
    if len(set(own)) < len(own) or any(is_number(n) or readings(n) for n in own):
        return False
    return all(_is_value(text_of(cell)) for row in first for cell in row[1:])


def _is_data(names: Sequence[str], first: Sequence[Sequence[object]]) -> bool:
    """Whether the header is a row like the others: numbers and dates where they have
    them."""
    if not first:
        return False
    kinds = [_kind(name) for name in names]
    likes = [_kind(text_of(cell)) for cell in first[0]]
    numbers = [int(name) for name in names if name.isdecimal()]
    steps = {after - before for before, after in itertools.pairwise(numbers)}
    return kinds == likes and set(kinds) != {"text"} and steps != {1}


def _kind(text: str) -> str:
    if reads_as_number(text):
        return "number"
    return "date" if readings(text) else "text"
