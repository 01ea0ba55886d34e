"""Manifests: tables whose rows name a sound file, or a piece of it, and its transcript.

The files lie beside the table, in a folder beside it, or in zip archives.
"""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from keras_seq.audio.recording import AUDIO, PARTS, Piece, Recording, part_named
from keras_seq.data.columns import find_column, find_optional_column
from keras_seq.data.file_places import Files
from keras_seq.data.in_memory import is_in_memory
from keras_seq.data.named_files import FileFinder, NamedFileReader, archives_of
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import KINDS, error_at, place_of, read_columns, read_rows
from keras_seq.log import log

# Usual names in order of preference.
FILE_COLUMNS = (
    "file path wav audio filename file_name audio_path wav_filename audio_filepath "
    "audio_file audio_filename wav_path wav_file"
).split()
TRANSCRIPT_COLUMNS = (
    "transcript text sentence transcription label command keyword word digit"
).split()
SPEAKER_COLUMNS = "speaker speaker_id client_id".split()
PART_COLUMNS = "split part subset".split()
# Names of columns; of each also with _s, _sec, _seconds and _ms behind it.
STARTS = "start offset start_time begin begin_time segment_start".split()
ENDS = "end end_time stop stop_time finish segment_end".split()
DURATIONS = "duration dur".split()
UNITS = {"": 1.0, "_s": 1.0, "_sec": 1.0, "_secs": 1.0, "_seconds": 1.0, "_ms": 1e-3}
UNITS |= {"_msec": 1e-3, "_milliseconds": 1e-3}
COUNTED = ("_sample", "_samples", "_frame", "_frames")


class ManifestFormat(NamedTuple):
    """What is given of how to read a manifest.

    Attributes:
        file_column: None is found by its usual names.
        transcript_column: likewise.
        any_parts: the column of parts may say what it likes.
        table_format: separator, encoding and what else its file leaves open.
    """

    file_column: str | None = None
    transcript_column: str | None = None
    any_parts: bool = False
    table_format: TableFormat = AS_FOUND

    def find_columns(self, path: Path, columns: Sequence[str]) -> list[str]:
        """The columns of files and of transcripts.

        Raises:
            UserError: One is missing, or several share its name.
        """
        find = partial(find_column, path, columns, self.table_format)
        return [
            find("file", self.file_column, FILE_COLUMNS),
            find("transcript", self.transcript_column, TRANSCRIPT_COLUMNS),
        ]


def read_manifest(
    path: Path, archives: Sequence[Files] | None, given: ManifestFormat, part: str = ""
) -> list[Recording]:
    """The recordings that a table names, in its order.

    Args:
        path: the table.
        archives: that hold its files; None looks beside it.
        given: how to read it.
        part: of rows that name none.

    Raises:
        UserError: A column, a file or the transcript column is missing, a row names no
            part, or is no piece of a file.
    """
    columns = read_columns(path, given.table_format)
    wanted = given.find_columns(path, columns)
    optional = [
        find_optional_column(path, columns, usual)
        for usual in (SPEAKER_COLUMNS, PART_COLUMNS)
    ]
    pieces = PieceColumns(path, [name for name in columns if name not in wanted])
    names = wanted + [name for name in optional if name is not None] + pieces.names
    places = archives_of(path) if archives is None else archives
    finder = FileFinder(path, places, tuple(AUDIO))
    found, dropped = [], 0
    for number, values in read_rows(path, names, given.table_format):
        row = dict(zip(names, ("" if v is None else str(v) for v in values)))
        if given.table_format.drop_missing and not all(
            row[name].strip() for name in wanted
        ):
            dropped += 1
            continue
        place = place_of(path, number)
        files, name = finder.find(row[wanted[0]], place)
        speaker, word = ("" if n is None else row[n].strip() for n in optional)
        in_part = part_named(word)
        if word and in_part is None and not given.any_parts:
            what = f"{word!r} in column {optional[1]!r} names no part; expected "
            what += f"{', '.join(PARTS)}; rename it, or the column, or give each part "
            what += "as a file: --data, --validation-data, --test-data"
            raise error_at(place, what)
        in_part = word if in_part is None else in_part or part
        read = finder.reader(files, name)
        piece = pieces.of(row, place)
        where = files.place(name) + (f" ({place})" if piece else "")
        found.append(Recording(where, row[wanted[1]], read, speaker, in_part, piece))
    if dropped:
        log.info(f"{path}: {dropped:,} rows without a file or transcript left out")
    if not found:
        raise error_at(path, "holds no rows" if not dropped else "no row is left")
    return found


def manifest_of(archive: Path) -> Path | None:
    """The table beside an archive: of the same name, or `manifest`."""
    for stem in (archive.stem, "manifest"):
        for suffix in KINDS:
            if (archive.parent / f"{stem}{suffix}").is_file():
                return archive.parent / f"{stem}{suffix}"
    return None


def log_other_parts(path: Path) -> None:
    """One line where tables beside a manifest bear the names of other parts."""
    if part_named(path.stem) != "train" or is_in_memory(path):
        return
    others = [
        other.name
        for other in sorted(path.parent.glob(f"*{path.suffix}"))
        if part_named(other.stem) in ("validation", "test")
    ]
    if others:
        what = f"{', '.join(others[:4])} beside it not read; --validation-data and "
        log.info(f"{path}: {what}--test-data take them")


class SoundReader(NamedFileReader):
    """Reads sound files, which a table may name without their ending."""

    endings = tuple(AUDIO)


class PieceColumns:
    """The columns of a manifest that cut its rows out of longer files.

    A duration alone cuts nothing: it is a fact about the file.

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
        """The piece that a row, texts by column, is; None where it is a whole file.

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
