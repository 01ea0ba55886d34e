"""Where recordings and their transcripts are: manifests, folders and zip archives.

    train.csv            file,transcript,...      beside the files, or beside train.zip
    yes/a.wav no/b.wav   the folder is the label
    84/121/84-121.trans.txt + 84-121-0000.flac    a LibriSpeech tree

Each also inside a zip archive, which is read in place. This module opens files and
never decodes sound.
"""

import functools
import glob
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from keras_seq.data.file_places import Files, FolderFiles, ZipFiles
from keras_seq.data.in_memory import Table, as_file, is_in_memory
from keras_seq.data.tables import (
    KINDS,
    error_at,
    listed,
    place_of,
    read_columns,
    read_rows,
)
from keras_seq.log import log

AUDIO = {".wav", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff", ".au", ".opus"}
# Usual names in order of preference.
FILE_COLUMNS = "file path wav audio filename file_name audio_path wav_filename".split()
TRANSCRIPT_COLUMNS = (
    "transcript text sentence transcription label command keyword word digit".split()
)
SPEAKER_COLUMNS = "speaker speaker_id client_id".split()
PART_COLUMNS = "split part subset".split()
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PARTS |= dict.fromkeys(("dev", "valid", "val", "validation"), "validation")


class Recording(NamedTuple):
    """One file with what is said in it.

    Attributes:
        place: how to name it in a message.
        transcript: as the data has it.
        read: the file's bytes.
        speaker: "" where nobody says.
        part: "train", "validation", "test" or "" where nobody says.
    """

    place: str
    transcript: str
    read: Callable[[], bytes]
    speaker: str = ""
    part: str = ""


def find_recordings(
    data: Table,
    file_column: str | None = None,
    transcript_column: str | None = None,
    any_parts: bool = False,
) -> list[Recording]:
    """Lists recordings without decoding them.

    Args:
        data: A manifest (CSV, TSV, JSON Lines, Parquet), a folder, a zip archive, a
            glob, or a list of those; or a DataFrame or a list of (file, transcript),
            whose files lie in the working directory where their paths are relative.
        file_column: Of a manifest; by default found by its usual names.
        transcript_column: Likewise.
        any_parts: A manifest's column of parts may say what it likes; else a word that
            names no part is an error.

    Returns:
        One or more recordings, in the order of the data.

    Raises:
        UserError: Something is missing, of no known kind, or holds no recording.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "yes").mkdir()
    >>> _ = (folder / "yes" / "a.wav").write_bytes(b"RIFF")
    >>> [(r.transcript, r.read()) for r in find_recordings(folder)]
    [('yes', b'RIFF')]
    """
    found = []
    for path in _expand(as_file(data, ("file", "transcript"))):
        if path.is_dir():
            found += _tree(FolderFiles(path))
        elif path.suffix.lower() == ".zip":
            manifest = _manifest_of(path)
            if manifest is None:
                found += _tree(ZipFiles(path))
            else:
                found += _manifest(manifest, [ZipFiles(path)], file_column,
                                   transcript_column, any_parts)  # fmt: skip
        else:
            found += _manifest(path, None, file_column, transcript_column, any_parts)
    return found


def log_parts(recordings: Sequence[Recording]) -> None:
    """One line where what is scored names several parts, or one that is not known."""
    words = Counter(r.part for r in recordings if r.part)
    if len(words) > 1 or not words.keys() <= set(PARTS.values()):
        shown = ", ".join(f"{word!r} {count:,}" for word, count in words.most_common(8))
        log.info(
            f"{recordings[0].place} and others: the column of parts says {shown}; all "
            f"{len(recordings):,} recordings are scored",
        )


def _expand(data: str | Path | Sequence[str | Path]) -> Iterator[Path]:
    for given in [data] if isinstance(data, str | Path) else data:
        path = Path(given).expanduser()
        if path.exists():
            yield path
        elif any(sign in str(path) for sign in "*?["):
            matches = sorted(glob.glob(str(path), recursive=True))
            if not matches:
                raise error_at(path, "matches no file")
            yield from map(Path, matches)
        else:
            raise error_at(path, "no such file or folder")


def _tree(files: Files) -> list[Recording]:
    """Recordings of a tree: LibriSpeech's where there are .trans.txt files."""
    # Archives made on a Mac hold a shadow of every file.
    names = [
        name
        for name in files.names
        if not any(p.startswith((".", "__MACOSX", "_")) for p in name.split("/"))
    ]
    scripts = [name for name in names if name.endswith(".trans.txt")]
    sounds = [name for name in names if PurePosixPath(name).suffix.lower() in AUDIO]
    found = _librispeech(files, scripts, sounds) if scripts else []
    for name in [] if scripts else sounds:
        label = PurePosixPath(name).parent.name
        if label:
            found.append(_recording(files, name, label))
    if not found:
        raise error_at(
            files.path, "holds neither LABEL/x.wav nor x.trans.txt; give a manifest"
        )
    return found


def _recording(
    files: Files, name: str, transcript: str, speaker: str = "", part: str = ""
) -> Recording:
    read = functools.partial(files.read, name)
    return Recording(files.place(name), transcript, read, speaker, part)


def _librispeech(
    files: Files, scripts: Sequence[str], sounds: Sequence[str]
) -> list[Recording]:
    """Lines `84-121123-0000 GO DO YOU HEAR`; the speaker is the first number."""
    sound_of = {PurePosixPath(name).with_suffix("").as_posix(): name for name in sounds}
    found = []
    for script in scripts:
        text = files.read(script).decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), start=1):
            stem, _, transcript = line.strip().partition(" ")
            if not stem:
                continue
            sound = sound_of.get((PurePosixPath(script).parent / stem).as_posix())
            if sound is None:
                place = f"{files.place(script)}:{number}"
                raise error_at(place, f"there is no sound file {stem!r} beside it")
            speaker = stem.partition("-")[0]
            found.append(_recording(files, sound, transcript, speaker))
    return found


def _manifest_of(archive: Path) -> Path | None:
    """The table beside an archive: of the same name, or `manifest`."""
    for stem in (archive.stem, "manifest"):
        for suffix in KINDS:
            if (archive.parent / f"{stem}{suffix}").is_file():
                return archive.parent / f"{stem}{suffix}"
    return None


def _manifest(
    path: Path,
    archives: list[Files] | None,
    file_column: str | None,
    transcript_column: str | None,
    any_parts: bool,
) -> list[Recording]:
    columns = read_columns(path)
    wanted = [
        _column(path, columns, "file", file_column, FILE_COLUMNS),
        _column(path, columns, "transcript", transcript_column, TRANSCRIPT_COLUMNS),
    ]
    optional = [_usual(columns, usual) for usual in (SPEAKER_COLUMNS, PART_COLUMNS)]
    names = wanted + [name for name in optional if name is not None]
    if archives is None:
        archives = _archives_next_to(path)
    finder = _Finder(path, archives)
    found = []
    for number, values in read_rows(path, names):
        row = dict(zip(names, ("" if v is None else str(v) for v in values)))
        files, name = finder.find(row[wanted[0]], place_of(path, number))
        speaker, word = ("" if n is None else row[n].strip() for n in optional)
        part = part_named(word)
        if word and part is None and not any_parts:
            what = f"{word!r} in column {optional[1]!r} names no part; expected "
            what += f"{', '.join(PARTS)}; rename it, or the column, or give each part "
            what += "as a file: --data, --validation-data, --test-data"
            raise error_at(place_of(path, number), what)
        part = word if part is None else part
        found.append(_recording(files, name, row[wanted[1]], speaker, part))
    if not found:
        raise error_at(path, "holds no rows")
    return found


def part_named(word: str) -> str | None:
    """The part that a manifest's word names: its first part does, as in train-clean.

    Example:

    >>> part_named("Dev"), part_named("train-clean-100"), part_named("fold3")
    ('validation', 'train', None)
    """
    first = re.split(r"[^a-z]", word.strip().lower(), maxsplit=1)[0]
    return PARTS.get(first) if word.strip() else ""


def _archives_next_to(manifest: Path) -> list[Files]:
    """The archive of the same name, else all that lie beside a manifest."""
    own = manifest.with_suffix(".zip")
    paths = [own] if own.is_file() else sorted(manifest.parent.glob("*.zip"))
    return [ZipFiles(path) for path in paths]


class _Finder:
    """Files that a manifest names: beside it, or in the archives, whole or by ending.

    Archives often put everything into one folder that the manifest does not name.
    """

    def __init__(self, manifest: Path, archives: Sequence[Files]) -> None:
        in_memory = is_in_memory(manifest)
        self._beside = FolderFiles(Path() if in_memory else manifest.parent)
        self._where = "in the working directory" if in_memory else "beside it"
        self._held: dict[str, tuple[Files, str]] = {}
        for files in archives:
            for name in files.names:
                self._held.setdefault(name, (files, name))
                self._held.setdefault(name.partition("/")[2], (files, name))

    def find(self, name: str, row: str) -> tuple[Files, str]:
        if not name:
            raise error_at(row, "names no file")
        if name in self._held:
            return self._held[name]
        if (self._beside.path / name).is_file():
            return self._beside, name
        what = f"there is no file {name!r} {self._where} or in an archive"
        raise error_at(row, what)


def _usual(columns: Sequence[str], usual: Sequence[str]) -> str | None:
    lower = {column.lower(): column for column in reversed(columns)}
    return next((lower[name] for name in usual if name in lower), None)


def _column(
    path: Path, columns: Sequence[str], kind: str, asked: str | None,
    usual: Sequence[str],
) -> str:  # fmt: skip
    found = _usual(columns, usual if asked is None else [asked.lower()])
    if found is None:
        what = f"no {kind} column found" if asked is None else f"no column {asked!r}"
        what += f"; its columns are: {listed(columns)}; name one with --{kind}-column"
        raise error_at(path, what)
    return found


class SoundReader:
    """(name, bytes) of a file that is to be answered, given by name or by a table.

    A file that a table names lies beside it, or in its archive.

    Raises:
        UserError: It cannot be read.
    """

    def __init__(self) -> None:
        self._finders: dict[Path, _Finder] = {}

    def __call__(
        self, name: str, manifest: Path | None = None, row: int = 0
    ) -> tuple[str, bytes]:
        if manifest is not None:
            if manifest not in self._finders:
                finder = _Finder(manifest, _archives_next_to(manifest))
                self._finders[manifest] = finder
            files, found = self._finders[manifest].find(name, place_of(manifest, row))
            return files.place(found), files.read(found)
        try:
            return name, Path(name).expanduser().read_bytes()
        except OSError as error:
            raise error_at(name, error.strerror or "unreadable") from error
