"""Files of a folder and files of a zip archive, by their names in it, alike.

They are read where they are: an archive stays packed.
"""

import functools
import zipfile
import zlib
from pathlib import Path

from keras_seq.data.tables import error_at


class FolderFiles:
    """Files below a folder, by their names relative to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @functools.cached_property
    def names(self) -> list[str]:
        every = (path for path in self.path.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.path).as_posix() for path in every)

    def place(self, name: str) -> str:
        return str(self.path / name)

    def read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise error_at(self.place(name), error.strerror or "unreadable") from error


class ZipFiles:
    """Files of a zip archive, by their names in it; the archive stays packed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise error_at(path, f"not a sound zip archive: {error}") from error

    @functools.cached_property
    def names(self) -> list[str]:
        every = (info.filename for info in self._zip.infolist() if not info.is_dir())
        return sorted(every)

    def place(self, name: str) -> str:
        return f"{self.path}/{name}"

    def read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError) as error:
            raise error_at(self.place(name), f"cannot be unpacked: {error}") from error


Files = FolderFiles | ZipFiles
