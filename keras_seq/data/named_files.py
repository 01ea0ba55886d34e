"""Files that the rows of a table name: beside it, in a folder beside it, in archives.

Knows files and their names alone, and nothing of what they hold.
"""

import functools
import itertools
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from keras_seq.data.file_places import Files, FolderFiles, ZipFiles
from keras_seq.data.in_memory import is_in_memory
from keras_seq.data.places import error_at, place_of


def archives_of(table: Path) -> list[Files]:
    """The archive of the same name, else all that lie beside a table."""
    own = table.with_suffix(".zip")
    paths = [own] if own.is_file() else sorted(table.parent.glob("*.zip"))
    return [ZipFiles(path) for path in paths]


class FileFinder:
    """Files that a table names: beside it, or in the archives, whole or by ending.

    Archives often put everything into one folder that the table does not name, and
    corpora keep their files in a folder beside the table (clips/, wavs/), or leave the
    ending of a name out. A folder of the table's own name is looked into first; what is
    found twice elsewhere is refused.

    Args:
        table: whose rows name files.
        archives: that are looked into first.
        endings: that a name may lack.
    """

    def __init__(
        self, table: Path, archives: Sequence[Files], endings: Sequence[str] = ()
    ) -> None:
        self._endings, self._own = endings, table.stem
        self._in_memory = is_in_memory(table)
        self._beside = FolderFiles(Path() if self._in_memory else table.parent)
        self._where = "in the working directory" if self._in_memory else "beside it"
        self._whole: dict[str, list[tuple[Files, str]]] = {}
        self._ends: dict[str, list[tuple[Files, str]]] = {}
        for files in archives:
            for name in dict.fromkeys(files.names):
                self._whole.setdefault(name, []).append((files, name))
                own = f"{files.path.stem}/{name}"
                for end in dict.fromkeys((name.partition("/")[2], own)):
                    self._ends.setdefault(end, []).append((files, name))
        self._last_read = functools.lru_cache(maxsize=1)(lambda at, name: at.read(name))

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
            what += " or ".join(
                repr(f"{at.path.stem}/{own}" if isinstance(at, ZipFiles) else own)
                for at, own in found[:2]
            )
            raise error_at(row, what)
        return found[0]

    def _in_folders(self, name: str) -> list[tuple[Files, str]]:
        """In a folder beside the table, or in the working directory; with an ending."""
        endings = (
            [""]
            if PurePosixPath(name).suffix.lower() in self._endings
            else ["", *self._endings]
        )
        for ending in endings:
            for known in (self._whole, self._ends):
                if name + ending in known:
                    return known[name + ending]
        for folders in ([self._own], self._folders):
            found: list[tuple[Files, str]] = [
                (self._beside, (Path(folder) / (name + ending)).as_posix())
                for folder, ending in itertools.product(folders, endings)
                if _is_file(self._beside.path / folder / (name + ending))
            ]
            if found:
                return found
        here = FolderFiles(Path())
        return [
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


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text where a name was expected
        return False


class NamedFileReader:
    """(name, bytes) of a file that is to be answered, given by name or by a table.

    A file that a table names lies beside it, or in its archive.

    Raises:
        UserError: It cannot be read.
    """

    endings: Sequence[str] = ()

    def __init__(self) -> None:
        self._finders: dict[Path, FileFinder] = {}

    def __call__(
        self, name: str, table: Path | None = None, row: int = 0
    ) -> tuple[str, bytes]:
        if table is not None:
            if table not in self._finders:
                finder = FileFinder(table, archives_of(table), self.endings)
                self._finders[table] = finder
            files, found = self._finders[table].find(name, place_of(table, row))
            return files.place(found), files.read(found)
        try:
            return name, Path(name).expanduser().read_bytes()
        except OSError as error:
            raise error_at(name, error.strerror or "unreadable") from error
