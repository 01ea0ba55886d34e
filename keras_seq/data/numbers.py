"""Numbers as people write them: 1,166.71 and 1.166,71, $224.93, 12.3M, (5), 5 %.

A point or a comma is the decimal mark in all of a file or in none of it, so one cell
that leaves no doubt decides for the others; where none does, it is asked.
"""

import contextlib
from array import array
from collections.abc import Sequence
from typing import NamedTuple, SupportsFloat

import numpy as np

from keras_seq.data.number_cells import (
    COMMA,
    MISSING,
    NUMBER,
    POINT,
    is_open,
    mark_of,
    may_be_thousands,
    number_of,
)
from keras_seq.errors import UserError

MARKS = {"point": POINT, "comma": COMMA, POINT: POINT, COMMA: COMMA}
OPTION = "--decimal"
_FEWEST = 5  # cells that show how many digits stand behind the point


def check_decimal(name: str | None) -> str | None:
    """The mark that `--decimal` means, `point` or `comma`; UserError if it is none.

    Example:

    >>> check_decimal("comma"), check_decimal(None)
    (',', None)
    """
    if name is not None and name not in MARKS:
        raise UserError(f"{OPTION} {name!r}: expected point or comma")
    return None if name is None else MARKS[name]


class Wrong(NamedTuple):
    """A cell that is no number, and why; `what` follows the cell in a message."""

    row: int
    cell: str
    what: str


class NumberColumn:
    """The cells of one column as they come; numbers once all are known.

    Example:

    >>> column = NumberColumn()
    >>> for cell in ("1.166,71", "999", "-", "$1.000"):
    ...     column.add(cell)
    >>> column.proves(",")
    True
    >>> column.values(",")[0].tolist()
    [1166.71, 999.0, nan, 1000.0]
    """

    def __init__(self) -> None:
        self._plain = array("d")
        self._texts: dict[int, str] = {}  # what float() does not read, by its row
        # Rows of 1.234, which may mean a thousand and more; how many of them end in 0.
        self._open, self._round = array("q"), 0
        self._whole = 0  # numbers of three digits without a mark
        self._points = False  # one has a point that is no thousands' mark

    def __len__(self) -> int:
        return len(self._plain)

    def add(self, cell: object) -> None:
        """Takes the next cell; None and NA are missing."""
        number = np.nan
        if isinstance(cell, str):
            number = self._looked_at(cell)
        elif cell is not None:
            number = _float_of(cell)
            if np.isinf(number):
                self._texts[len(self)], number = str(cell), np.nan
        self._plain.append(number)

    def _looked_at(self, cell: str) -> float:
        try:
            number = float(cell)
        except ValueError:
            if cell.strip().lower() not in MISSING:
                self._texts[len(self)] = cell.strip()
            return np.nan
        if number - number != 0:  # not finite
            if number == number:
                self._texts[len(self)] = cell.strip()
            return np.nan
        if "." not in cell:
            self._whole += 100 <= abs(number) < 1000
        elif cell[-4:-3] == "." and may_be_thousands(cell.strip().lstrip("+-")):
            self._open.append(len(self))
            self._round += cell[-1] == "0"
        else:
            self._points = True
        return number

    def proves(self, mark: str) -> bool:
        """Whether a cell cannot be read but with this decimal mark."""
        if mark == POINT and self._points:
            return True
        return any(mark_of(text) == mark for text in self._texts.values())

    @property
    def has_mixed_thousands(self) -> bool:
        """999 stands beside 1.000: no decimals end so, and the point parts thousands.

        A number of three decimals is written 1.5 or 1.500 in all rows of a column, and
        thousands are the only ones that are whole below and never shorter above.
        """
        return self._in_doubt and self._round > 0 and self._whole > 0

    @property
    def in_doubt(self) -> str | None:
        """A cell that could be read with either mark, where the column does not say."""
        if self._in_doubt and not self.has_mixed_thousands:
            return f"{self._plain[self._open[0]]:.3f}"
        if self._points or self._open:
            return None
        return next((t for t in self._texts.values() if is_open(t)), None)

    @property
    def _in_doubt(self) -> bool:
        """Points before three digits, and numbers without a point."""
        number = np.asarray(self._plain)
        bare = int(np.count_nonzero(~np.isnan(number))) - len(self._open)
        return bool(self._open) and not self._points and bare > 0

    def row_in_doubt(self) -> int:
        """The row of the cell that `in_doubt` names."""
        if self._open:
            return self._open[0]
        return next(row for row, text in self._texts.items() if is_open(text))

    def values(self, mark: str) -> tuple[np.ndarray, Wrong | None]:
        """float64 (N,), NaN where missing, and the first cell that is no number.

        Args:
            mark: the decimal mark of the file.
        """
        found = np.array(self._plain, np.float64)
        if mark == COMMA:
            rows = np.array(self._open, np.int64)
            found[rows] = np.round(found[rows] * 1000)
            if self._points:
                row = int((found % 1 > 0).argmax())
                shown = f"{found[row]:g}"
                return found, Wrong(row, shown, "in which the point is no thousands'")
        signs: dict[str, int] = {}
        for row, text in self._texts.items():
            match, what = NUMBER.fullmatch(text), "which is no number"
            if match is None:
                return found, Wrong(row, text, what)
            number = number_of(match, mark)
            if number is None:
                what += f" with a decimal {'point' if mark == POINT else 'comma'}"
            if number is None or np.isinf(number):
                return found, Wrong(row, text, what)
            found[row] = number
            sign = (match["money"] + match["end"]) or "no sign"
            signs.setdefault(sign, row)
        return found, self._mixed_signs(signs)

    def _mixed_signs(self, signs: dict[str, int]) -> Wrong | None:
        """5 % beside 5, or dollars beside euros, are no numbers of one column."""
        named = {sign: row for sign, row in signs.items() if sign != "no sign"}
        has_bare = "no sign" in signs or np.any(~np.isnan(np.array(self._plain)))
        if len(named) > 1:
            row = max(named.values())
        elif "%" in named and has_bare:
            row = named["%"]
        else:
            return None
        return Wrong(row, self._texts[row], "in another unit than other rows")


def decimal_mark(columns: Sequence[NumberColumn]) -> str | None:
    """The decimal mark of a file; None where its columns leave a doubt.

    A mark that one column proves holds for all. Where none is needed it is the point.

    Example:

    >>> def column(*cells):
    ...     made = NumberColumn()
    ...     for cell in cells:
    ...         made.add(cell)
    ...     return made
    >>> decimal_mark([column("860", "999", "1.000", "1.004")])
    ','
    >>> decimal_mark([column("1,204", "1,310")]), decimal_mark([column("1.204", "7.5")])
    (None, '.')
    """
    proven = [mark for mark in (POINT, COMMA) if any(c.proves(mark) for c in columns)]
    if proven:  # if by both, the first cell that does not fit is said
        return proven[0]
    if any(column.has_mixed_thousands for column in columns):
        return COMMA
    if any(column.in_doubt for column in columns):
        return _of_mixed_commas(columns)
    return POINT


def _of_mixed_commas(columns: Sequence[NumberColumn]) -> str | None:
    """999 stands beside 1,000 in each column of commas: these part thousands."""
    for column in columns:
        texts = [text for text in column._texts.values() if is_open(text)]
        end_round = len(texts) >= _FEWEST and any(text[-1] == "0" for text in texts)
        if column._open or texts and not (column._whole and end_round):
            return None
    return POINT


def _float_of(cell: object) -> float:
    """A cell of a file that has types; infinite where it is no number."""
    with contextlib.suppress(TypeError, ValueError):
        if isinstance(cell, (float, int, bytes, SupportsFloat)):  # the last is slow
            return float(cell)
    return np.inf
