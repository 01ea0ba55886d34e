"""Columns that say which piece of a longer file a row is. Opens no file."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from keras_seq.audio.recording import Piece
from keras_seq.data.places import error_at

# Names of columns; of each also with _s, _sec, _seconds and _ms behind it.
STARTS = "start offset start_time begin begin_time segment_start".split()
ENDS = "end end_time stop stop_time finish segment_end".split()
DURATIONS = "duration dur".split()
UNITS = {"": 1.0, "_s": 1.0, "_sec": 1.0, "_secs": 1.0, "_seconds": 1.0, "_ms": 1e-3}
UNITS |= {"_msec": 1e-3, "_milliseconds": 1e-3}
COUNTED = ("_sample", "_samples", "_frame", "_frames")


class PieceColumns:
    """The columns of a manifest that cut its rows out of longer files.

    A duration alone cuts nothing: it is a fact about the file.

    Args:
        path: the manifest.
        columns: its columns.

    Attributes:
        names: the columns that are read, none where rows are whole files.

    Raises:
        UserError: A column says where pieces begin and none where they end, or they are
            counted in samples.

    Example:

    >>> cut = PieceColumns(Path("a.csv"), ["file", "text", "offset", "duration"])
    >>> cut.names, cut.of({"offset": "1.5", "duration": "2"}, "a.csv:2")
    (['offset', 'duration'], Piece(start=1.5, end=3.5))
    """

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        lower = {column.lower(): column for column in reversed(columns)}
        for name in lower:
            for mark in COUNTED:
                stem = name.removesuffix(mark)
                if stem != name and stem in STARTS + ENDS:
                    what = f"column {lower[name]!r} cuts pieces out of files by samples"
                    raise error_at(path, f"{what}; give start and end in seconds")
        self._start, self._end, self._duration = (
            _found(lower, usual) for usual in (STARTS, ENDS, DURATIONS)
        )
        if self._start and not (self._end or self._duration):
            what = f"column {self._start[0]!r} says where a piece of a file begins, "
            what += "and no column where it ends; add one called end or duration, or "
            raise error_at(path, what + "rename it where every row is a whole file")
        cut = self._start or self._end
        used = [self._start, self._end, self._duration] if cut else []
        self.names = [each[0] for each in used if each is not None]

    def of(self, row: Mapping[str, str], place: str) -> Piece | None:
        """The piece that a row is, or None where it is a whole file.

        Args:
            row: texts by column.
            place: the row's, for errors.

        Raises:
            UserError: A value is no number, or a piece does not end behind its begin.
        """
        if not self.names:
            return None
        start, end, duration = (
            _seconds(row, column, place)
            for column in (self._start, self._end, self._duration)
        )
        if start is None and end is None:
            return None
        if end is None and duration is not None:
            end = (start or 0) + duration
        if end is None:
            what = f"names no end of the piece that begins at {start:g} s"
            raise error_at(place, what)
        if end <= (start or 0):
            what = f"a piece of the file from {start or 0:g} to {end:g} s"
            raise error_at(place, f"{what}; it has to end behind its begin")
        return Piece(start or 0.0, end)


def _found(lower: Mapping[str, str], usual: Sequence[str]) -> tuple[str, float] | None:
    """A column and the seconds of its unit."""
    for name in usual:
        for unit, factor in UNITS.items():
            if name + unit in lower:
                return lower[name + unit], factor
    return None


def _seconds(
    row: Mapping[str, str], column: tuple[str, float] | None, place: str
) -> float | None:
    if column is None or not row[column[0]].strip():
        return None
    given = row[column[0]].strip()
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        what = f"{given!r} in column {column[0]!r} is no time; expected seconds, or "
        raise error_at(place, what + "rename the column where rows are whole files")
    return value * column[1]
