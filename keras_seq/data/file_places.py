"""Files of a folder and files of a zip archive, by their names in it, alike.

They are read where they are: an archive stays packed.
"""

import functools
import lzma
import zipfile
from pathlib import Path

from keras_seq.data.places import error_at
from keras_seq.errors import UNREADABLE

MOST_BYTES = 1 << 31  # of one file, in memory


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
        path = self.path / name
        try:
            size = path.stat().st_size
            content = path.read_bytes() if size <= MOST_BYTES else b""
        except OSError as error:
            raise error_at(self.place(name), error.strerror or "unreadable") from error
        check_size(self.place(name), size)
        return content


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
            size = self._zip.getinfo(name).file_size
            content = self._zip.read(name) if size <= MOST_BYTES else b""
        except (*UNREADABLE, lzma.LZMAError) as error:
            raise error_at(self.place(name), f"cannot be unpacked: {error}") from error
        check_size(self.place(name), size)
        return content


def check_size(place: str, size: int) -> None:
    """Refuses a file that memory has no room for.

    Raises:
        UserError: There are more than 2 GB.
    """
    if size > MOST_BYTES:
        raise error_at(place, f"holds {size / 1e9:,.1f} GB; at most 2.1 GB are read")


Files = FolderFiles | ZipFiles
