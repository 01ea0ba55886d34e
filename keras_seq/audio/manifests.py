"""Manifests: tables whose rows name a sound file and what is said in it.

The files lie beside the table, in a folder beside it, or in zip archives. This module
opens files and never decodes sound.
"""

import functools
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from keras_seq.audio.pieces import PieceColumns
from keras_seq.audio.recording import AUDIO, PARTS, Recording, part_named
from keras_seq.data.file_places import Files, FolderFiles, ZipFiles
from keras_seq.data.in_memory import is_in_memory
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
    finder = Finder(path, archives_beside(path) if archives is None else archives)
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


def archives_beside(manifest: Path) -> list[Files]:
    """The archive of the same name, else all that lie beside a manifest."""
    own = manifest.with_suffix(".zip")
    paths = [own] if own.is_file() else sorted(manifest.parent.glob("*.zip"))
    return [ZipFiles(path) for path in paths]


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


class Finder:
    """Files that a manifest names: beside it, or in the archives, whole or by ending.

    Archives often put everything into one folder that the manifest does not name, and
    corpora keep their sounds in a folder beside the table (clips/, wavs/), or leave the
    ending of a name out. What is found twice is refused.
    """

    def __init__(self, manifest: Path, archives: Sequence[Files]) -> None:
        self._in_memory = is_in_memory(manifest)
        self._beside = FolderFiles(Path() if self._in_memory else manifest.parent)
        self._where = "in the working directory" if self._in_memory else "beside it"
        self._whole: dict[str, list[tuple[Files, str]]] = {}
        self._ends: dict[str, list[tuple[Files, str]]] = {}
        for files in archives:
            for name in dict.fromkeys(files.names):
                self._whole.setdefault(name, []).append((files, name))
                own = f"{files.path.stem}/{name}"
                for end in dict.fromkeys((name.partition("/")[2], own)):
                    self._ends.setdefault(end, []).append((files, name))
        self._last_read = functools.lru_cache(maxsize=1)(_read)

    def find(self, name: str, row: str) -> tuple[Files, str]:
        """The file that a row names.

        Raises:
            UserError: There is none, or more than one.
        """
        if not name:
            raise error_at(row, "names no file")
        if found := self._whole.get(name) or self._ends.get(name):
            return self._only(name, found, row)
        if _is_file(self._beside.path / name):
            return self._beside, name
        if found := self._in_folders(name):
            return self._only(name, found, row)
        if "\\" in name:  # as Windows writes paths
            return self.find(name.replace("\\", "/"), row)
        what = f"there is no file {name!r} {self._where} or in an archive"
        raise error_at(row, what)

    def reader(self, files: Files, name: str) -> functools.partial:
        """Reads a file; the last one is kept, as pieces of one stand together."""
        return functools.partial(self._last_read, files, name)

    def _only(
        self, name: str, found: Sequence[tuple[Files, str]], row: str
    ) -> tuple[Files, str]:
        if len(found) > 1:
            places = " and ".join(files.place(inner) for files, inner in found[:2])
            what = f"{name!r} could be {places}; write "
            what += " or ".join(repr(self._unique(*each)) for each in found[:2])
            raise error_at(row, what)
        return found[0]

    def _unique(self, files: Files, name: str) -> str:
        return f"{files.path.stem}/{name}" if isinstance(files, ZipFiles) else name

    def _in_folders(self, name: str) -> list[tuple[Files, str]]:
        """In a folder beside the table, or in the working directory; with an ending."""
        endings = [""] if PurePosixPath(name).suffix.lower() in AUDIO else ["", *AUDIO]
        for ending in endings:
            for known in (self._whole, self._ends):
                if name + ending in known:
                    return known[name + ending]
        found: list[tuple[Files, str]] = [
            (self._beside, (Path(folder) / (name + ending)).as_posix())
            for folder, ending in itertools.product(self._folders, endings)
            if _is_file(self._beside.path / folder / (name + ending))
        ]
        here = FolderFiles(Path())
        return found or [
            (here, name + ending) for ending in endings if _is_file(Path(name + ending))
        ]

    @functools.cached_property
    def _folders(self) -> list[str]:
        """ "" and the folders beside the table, where it is a file."""
        if self._in_memory:
            return [""]
        try:
            every = sorted(p.name for p in self._beside.path.iterdir() if p.is_dir())
        except OSError:
            every = []
        return ["", *every]


def _read(files: Files, name: str) -> bytes:
    return files.read(name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a transcript where a name was expected
        return False


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


class SoundReader:
    """(name, bytes) of a file that is to be answered, given by name or by a table.

    A file that a table names lies beside it, or in its archive.

    Raises:
        UserError: It cannot be read.
    """

    def __init__(self) -> None:
        self._finders: dict[Path, Finder] = {}

    def __call__(
        self, name: str, manifest: Path | None = None, row: int = 0
    ) -> tuple[str, bytes]:
        if manifest is not None:
            if manifest not in self._finders:
                finder = Finder(manifest, archives_beside(manifest))
                self._finders[manifest] = finder
            files, found = self._finders[manifest].find(name, place_of(manifest, row))
            return files.place(found), files.read(found)
        try:
            return name, Path(name).expanduser().read_bytes()
        except OSError as error:
            raise error_at(name, error.strerror or "unreadable") from error
