"""What a table of series is: rows with a date, columns of numbers, the targets first.

Shapes: N rows, F columns, K targets.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_seq.data.places import error_at, place_of
from keras_seq.errors import UserError
from keras_seq.series.calendar import Frequency


class ReadAs(NamedTuple):
    """How a table was read: the order of its dates, and its decimal mark."""

    date_format: str | None = None
    decimal: str | None = None


class Series(NamedTuple):
    """The rows of one series.

    Attributes:
        name: the file's name without its ending, or what a column calls the series.
        path: the file.
        dates: datetime64[s] (N,), rising; None where the table has none.
        values: float64 (N, F), finite.
        observed: bool (N, F); False where `fill` put the value in.
        lines: int64 (N,), where each row stands in the file; 0 where `fill` put it.
        part: its name where the file holds several, else "".
        ahead: float64 (M, L), of the columns that are known ahead, in rows behind the
            last target; None where there are none.
        ahead_dates: datetime64[s] (M,) of these rows.
        ahead_lines: int64 (M,), where each of them stands in the file.
    """

    name: str
    path: Path
    dates: np.ndarray | None
    values: np.ndarray
    observed: np.ndarray
    lines: np.ndarray
    part: str = ""
    ahead: np.ndarray | None = None
    ahead_dates: np.ndarray | None = None
    ahead_lines: np.ndarray | None = None

    @property
    def label(self) -> str:
        """What a message calls it."""
        return f"{self.path} ({self.part})" if self.part else str(self.path)

    def rows(self, which: slice | np.ndarray) -> "Series":
        """The series of some of its rows."""
        return self._replace(
            dates=None if self.dates is None else self.dates[which],
            values=self.values[which],
            observed=self.observed[which],
            lines=self.lines[which],
        )

    def error(self, row: int, what: str) -> UserError:
        """The error of a row."""
        return error_at(place_of(self.path, int(self.lines[row])), what)


class SeriesTable(NamedTuple):
    """Series with the same columns.

    Attributes:
        series: one or more.
        columns: F names, the K targets first, then what moves like a price.
        num_targets: K.
        num_prices: how many columns behind the targets are prices, too.
        is_prices: the target is a price.
        date_column: its name or names; empty where there are no dates.
        frequency: None without dates.
        header: names of all columns of the first file.
        series_column: the columns that tell series of a file apart, [] for none; None
            where that was not asked.
        read_as: how dates and numbers were read.
        known_future: the last columns, whose values are known of rows to come.
        rows_ahead: by how many rows these columns stand moved up; 0 as they are read.
    """

    series: list[Series]
    columns: list[str]
    num_targets: int
    num_prices: int
    is_prices: bool
    date_column: list[str]
    frequency: Frequency | None
    header: Sequence[str] = ()
    series_column: Sequence[str] | None = None
    read_as: ReadAs = ReadAs()
    known_future: Sequence[str] = ()
    rows_ahead: int = 0


def with_own_names(series: Sequence[Series]) -> list[Series]:
    """Series of several files may share names; they are then called by both."""
    names = [one.name for one in series]
    shared = [names.count(one.name) > 1 and one.part for one in series]
    both = [one._replace(name=f"{one.path.stem} {one.name}") for one in series]
    return [
        new if is_shared else one for one, new, is_shared in zip(series, both, shared)
    ]


def names_of_files(paths: Sequence[Path]) -> list[str]:
    """Names of files without their endings; with their folders where those repeat."""
    names = [path.name.split(".")[0] for path in paths]
    named = [
        str(path.with_name(name)) if names.count(name) > 1 else name
        for path, name in zip(paths, names)
    ]
    # Figures and TensorBoard show them, and take UTF-8 alone.
    return [name.encode("utf-8", "backslashreplace").decode() for name in named]
