"""A folder of compiled libraries, of which only whole ones of our own are loaded.

A library that is cut short ends the process that maps it, and one that somebody else
has put there runs with our rights. So each has a digest beside it, and both must be
regular files that this user owns and nobody else may write. It knows neither compilers
nor TensorFlow.
"""

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock

from keras_seq.files import written_aside

WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Unsafe(OSError):
    """A folder or file that cannot be trusted; the message says why."""


def folders() -> list[Path]:
    """Where libraries may lie: the user's cache, then a folder for temporary files."""
    found = []
    if given := os.environ.get("KERAS_SEQ_CACHE"):
        found.append(Path(given, "native"))
    else:
        with contextlib.suppress(RuntimeError):  # an account without a home
            found.append(Path.home() / ".cache" / "keras_seq" / "native")
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    with contextlib.suppress(OSError):  # no such folder can be written
        found.append(Path(tempfile.gettempdir(), f"keras_seq-{user}"))
    return [folder.absolute() for folder in found]


def library(path: Path, build: Callable[[Path], None]) -> Path:
    """A library's path, once it is whole and ours; built where it is not.

    Raises:
        OSError: The folder cannot be used; what `build` raises passes through.
    """
    _private_folder(path.parent)
    if not is_whole(path):
        with _one_at_a_time(path.parent / "lock"):
            if not is_whole(path):  # another process may have been first
                _publish(path, build)
    return path


def is_whole(path: Path) -> bool:
    """Whether a library may be loaded: it and its digest are ours, and they agree."""
    try:
        return _own_bytes(_digest_path(path)) == _digest(path.name, _own_bytes(path))
    except OSError:
        return False


def _digest_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _digest(name: str, content: bytes) -> bytes:
    """Of the name, too: a library under the name of another is not what it says."""
    return hashlib.sha256(name.encode() + b"\0" + content).hexdigest().encode()


def _own_bytes(path: Path) -> bytes:
    """A regular file of ours; links are not followed, and a pipe is not waited for."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        _check_ours(path, os.fstat(descriptor), stat.S_ISREG)
        return file.read()


def _check_ours(
    path: Path, found: os.stat_result, is_kind: Callable[[int], bool]
) -> None:
    if not is_kind(found.st_mode):
        raise Unsafe(f"{path} is of another kind, or a link")
    if not hasattr(os, "getuid"):
        return
    if found.st_uid != os.getuid():
        raise Unsafe(f"{path} belongs to another user")
    if found.st_mode & OTHERS_WRITE:
        raise Unsafe(f"{path} can be written by others")


def _private_folder(folder: Path) -> None:
    """Makes a folder that only its owner enters, or makes sure of one that is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) != 0o700:
        with contextlib.suppress(PermissionError):  # not ours, as is found next
            folder.chmod(0o700)
    _check_ours(folder, folder.lstat(), stat.S_ISDIR)


def _publish(path: Path, build: Callable[[Path], None]) -> None:
    """Each of the two is whole or absent; between them they do not agree."""
    with written_aside(path) as aside, written_aside(_digest_path(path)) as digest:
        build(aside)
        aside.chmod(0o700)
        digest.write_bytes(_digest(path.name, aside.read_bytes()))
        digest.chmod(0o600)


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """One process builds, the others wait. Where a disk has no locks each builds, and
    what is renamed last stands."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(FileLock(path, mode=0o600))
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise
        yield
