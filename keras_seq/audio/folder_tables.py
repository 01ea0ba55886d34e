"""Tables among the sounds of a folder: those that name the sounds are read, or named.

One whose header has the usual names is a manifest; train, dev and test tables are parts
of one corpus. One that cannot be read so is an error which says how to give it, for
labels out of folder names would be a guess.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from keras_seq.audio.manifests import ManifestFormat, read_manifest
from keras_seq.audio.recording import AUDIO, Recording, part_named
from keras_seq.data.file_places import Files, FolderFiles
from keras_seq.data.places import error_at
from keras_seq.data.tables import KINDS, read_columns
from keras_seq.errors import UserError
from keras_seq.log import log

LISTS = (".txt", ".list", ".lst", ".trn")  # tables by another name
LOOKED_AT = 50  # lines of each
MOST = 200  # tables that are looked at
_BREAKS = re.compile(r"""[,;|\t"'\s]+""")


def read_folder_tables(
    files: Files, names: Sequence[str], sounds: Sequence[str], given: ManifestFormat
) -> list[Recording]:
    """The recordings of the tables that name sounds; none where no table does.

    Raises:
        UserError: A table names the sounds, and its columns are not known, or it lies
            in an archive; or there are several, and their names are no parts.
    """
    kinds = (*KINDS, *LISTS)
    tables = [n for n in names if n.lower().removesuffix(".gz").endswith(kinds)]
    known = {PurePosixPath(name).stem for name in sounds}
    tables = [name for name in tables[:MOST] if _names_sounds(files, name, known)]
    if not tables:
        return []
    if not isinstance(files, FolderFiles):
        what = "names the sounds of its archive and is not read there; put it beside "
        raise error_at(files.place(tables[0]), f"{what}the archive, under its name")
    paths = [files.path / name for name in tables]
    readable = [path for path in paths if _is_manifest(path, given)]
    if not readable:
        raise error_at(paths[0], _how_to_read(paths[0]))
    parts = {path: part_named(path.stem) or "" for path in readable}
    if len(readable) > 1:
        readable = [path for path in readable if parts[path]]
        if len(readable) < 2 or len({parts[path] for path in readable}) < len(readable):
            shown = ", ".join(path.name for path in parts)
            what = f"several tables name its sounds: {shown}; give one with --data"
            raise error_at(files.path, what)
    if unread := [path.name for path in paths if path not in readable]:
        log.info(f"{files.path}: {', '.join(unread[:6])} not read")
    found = []
    for path in readable:
        part = parts[path] if len(readable) > 1 else ""
        found += read_manifest(path, None, given, part)
    return found


def _names_sounds(files: Files, name: str, stems: set[str]) -> bool:
    """Whether every second line of a table, or more, holds the name of a sound."""
    if name.lower().endswith((".parquet", ".xlsx", ".gz")):
        return isinstance(files, FolderFiles) and _is_manifest(
            files.path / name, ManifestFormat()
        )
    try:
        text = files.read(name)[: 1 << 16].decode("utf-8", "replace")
    except UserError:
        return False
    lines = [line for line in text.splitlines()[: LOOKED_AT + 1] if line.strip()]
    found = sum(any(map(stems.__contains__, _stems(line))) for line in lines)
    return found >= max(1, (len(lines) - 1) / 2)


def _stems(line: str) -> Iterator[str]:
    """What may be names of sounds; without an ending no words and no plain numbers."""
    for word in _BREAKS.split(line):
        name = PurePosixPath(word.replace("\\", "/")).name
        stem, _, ending = name.rpartition(".")
        if f".{ending.lower()}" in AUDIO:
            yield stem
        elif len(name) > 4 and not name.isalpha() and not name.isdigit():
            yield name


def _is_manifest(path: Path, given: ManifestFormat) -> bool:
    try:
        given.find_columns(path, read_columns(path, given.table_format))
    except UserError:
        return False
    return True


def _how_to_read(path: Path) -> str:
    """What to type to read a table whose columns have no usual names."""
    what = "names the sounds beside it, and no columns that are known by their names; "
    what += f"give it with --data {path.name}, --file-column and --transcript-column"
    first = path.read_bytes()[: 1 << 16].decode("utf-8", "replace").partition("\n")[0]
    mark = next((m for m in "\t|;," if m in first), " ")
    words = {"\t": "tab", "|": "pipe", ";": "semicolon", ",": "comma", " ": "space"}
    if path.suffix.lower() in LISTS or mark == "|":
        what += f", --separator {words[mark]}"
    return f"{what}, and where its first row is no header, --no-header and numbers: 1"
