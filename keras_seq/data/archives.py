"""Archives unpacked into a folder that appears whole, and into nothing else.

This module knows neither where an archive comes from nor what is in it.
"""

import contextlib
import errno
import gzip
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from keras_seq.errors import UserError

_DAMAGED = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, UnicodeError)


def megabytes(size: int) -> str:
    """A number of bytes as people read it."""
    return f"{size / 1e6:.1f} MB"


@contextlib.contextmanager
def disk_errors(folder: Path, size: int) -> Iterator[None]:
    """Says in one line why nothing of about `size` bytes can be put into a folder."""
    try:
        yield
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        if error.errno == errno.ENOSPC:
            what = f"no room on the disk for {megabytes(size)}"
        what += "; KERAS_SEQ_CACHE names another folder"
        raise UserError(f"{folder}: {what}") from error


def safe_extract(
    archive: str | Path,
    folder: str | Path,
    keep: Callable[[str], bool] = lambda name: True,
) -> Path:
    """Unpacks a tar archive into a folder that appears whole or not at all.

    Archives can name places outside the folder, directly or through links. One such
    member refuses the whole archive, and only the bytes of plain files are written:
    no owner, mode, link or device comes from it.

    Args:
        archive: Tar file, plain or compressed.
        folder: Folder to make; when it is there already, nothing is done.
        keep: Which members to unpack, by their names; by default all.

    Raises:
        UserError: The archive is unsafe or damaged, or the disk is full.
    """
    archive, folder = Path(archive), Path(folder)
    if folder.is_dir():
        return folder
    with disk_errors(folder.parent, archive.stat().st_size):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{folder.name}.", dir=folder.parent, ignore_cleanup_errors=True
        ) as hidden:
            aside = Path(hidden, folder.name)
            aside.mkdir()
            try:
                _unpack(archive, aside, keep)
            except _DAMAGED as error:
                what = f"not a sound archive: {error}; remove it and run again"
                raise UserError(" ".join(f"{archive}: {what}".split())) from error
            _rename(aside, folder)
    return folder


def _unpack(archive: Path, folder: Path, keep: Callable[[str], bool]) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            name = PurePosixPath(member.name)
            inside = not (name.is_absolute() or ".." in name.parts)
            plain = member.isreg() or member.isdir()
            if not (inside and plain) or set(member.name) & set("\\:\0"):
                kind = "reaches outside" if plain else "is a link or a device"
                what = f"member {member.name!r} {kind}; it was not unpacked"
                raise UserError(f"{archive}: {what}")
            if member.isreg() and keep(member.name):
                path = folder.joinpath(*name.parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                content = tar.extractfile(member)
                assert content is not None  # a regular file has some
                with path.open("xb") as file:
                    shutil.copyfileobj(content, file)
        # The checksum of a gzip file stands at its end, behind the last member.
        while tar.fileobj.read(1 << 18):
            pass


def _rename(aside: Path, folder: Path) -> None:
    try:
        os.rename(aside, folder)
    except OSError:
        # Another process was quicker: its folder is as good.
        if not folder.is_dir():
            raise
