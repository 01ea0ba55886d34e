"""Manifests: tables whose rows name a sound file and what is said in it.

The files lie beside the table, in a folder beside it, or in zip archives. This module
opens files and never decodes sound.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from keras_seq.audio.pieces import PieceColumns
from keras_seq.audio.recording import AUDIO, PARTS, Recording, part_named
from keras_seq.data.file_places import Files
from keras_seq.data.in_memory import is_in_memory
from keras_seq.data.named_files import FileFinder, NamedFileReader, archives_beside
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import (
    KINDS,
    error_at,
    listed,
    place_of,
    read_columns,
    read_rows,
)
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
    wanted = [
        _column(path, columns, "file", given.file_column, FILE_COLUMNS),
        _column(
            path, columns, "transcript", given.transcript_column, TRANSCRIPT_COLUMNS
        ),
    ]
    optional = [usual_column(columns, each) for each in (SPEAKER_COLUMNS, PART_COLUMNS)]
    pieces = PieceColumns(path, [name for name in columns if name not in wanted])
    names = wanted + [name for name in optional if name is not None] + pieces.names
    beside = archives_beside(path) if archives is None else archives
    finder = FileFinder(path, beside, tuple(AUDIO))
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


def log_parts_beside(path: Path) -> None:
    """One line where tables beside a manifest bear the names of other parts.

    Args:
        path: the manifest that is read alone.
    """
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


def usual_column(columns: Iterable[str], usual: Sequence[str]) -> str | None:
    """The first of the usual names that a table has, whatever its case."""
    lower = {column.lower(): column for column in reversed(list(columns))}
    return next((lower[name] for name in usual if name in lower), None)


def _column(
    path: Path,
    columns: Sequence[str],
    kind: str,
    asked: str | None,
    usual: Sequence[str],
) -> str:
    found = usual_column(columns, usual if asked is None else [asked.lower()])
    if found is None:
        what = f"no {kind} column found" if asked is None else f"no column {asked!r}"
        what += f"; its columns are: {listed(columns)}; name one with --{kind}-column"
        if KINDS.get(path.suffix.lower()) in ("csv", "tsv"):
            what += ", or where this row is no header, give --no-header and a number"
        raise error_at(path, what)
    return found


class SoundReader(NamedFileReader):
    """Reads sound files, which a table may name without their ending."""

    endings = tuple(AUDIO)
