"""Named data sets from the net: fetched once, checked, unpacked beside nothing else.

A download goes on where the last one stopped, counts only when its size and SHA-256 are
the published ones, and appears under its name whole or not at all. This module knows
neither models nor what the files are for.
"""

import contextlib
import errno
import hashlib
import http.client
import itertools
import os
import shutil
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from keras_seq.errors import UserError

_CHUNK = 1 << 18  # bytes
_ATTEMPTS = 3  # in a row without a byte gained
_TIMEOUT = 30  # seconds of silence


class Source(NamedTuple):
    """A file on the net and what proves it: address, SHA-256, size in bytes."""

    url: str
    sha256: str
    size: int


# Size and SHA-256 as TensorFlow Datasets publishes them, in its file
# tensorflow_datasets/url_checksums/imdb_reviews.txt.
IMDB = Source(
    "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    84_125_825,
)


def default_cache() -> Path:
    """Where downloads stay: `$KERAS_SEQ_CACHE`, else `~/.cache/keras_seq`."""
    folder = os.environ.get("KERAS_SEQ_CACHE")
    return Path(folder) if folder else Path.home() / ".cache" / "keras_seq"


def fetch(
    url: str, sha256: str, size: int, cache_dir: str | Path | None = None
) -> Path:
    """Downloads a file once, with progress on stderr; the next call finds it there.

    What an interrupted download left (`<name>.part`) is continued.

    Args:
        url: Address, http or https; its last part names the file.
        sha256: Expected SHA-256, 64 hex digits.
        size: Expected size in bytes.
        cache_dir: Folder to keep it in; by default `default_cache()`.

    Returns:
        The file, its content proven.

    Raises:
        UserError: No connection, another size or checksum, no room on the disk.
    """
    folder = Path(cache_dir) if cache_dir is not None else default_cache()
    name = url.rstrip("/").rsplit("/", 1)[-1]
    path, part = folder / name, folder / f"{name}.part"
    with _disk_errors(folder, size):
        folder.mkdir(parents=True, exist_ok=True)
        with _only_one(folder / f"{name}.lock"):
            if path.exists() and _problem(path, sha256, size) is None:
                return path
            _download(url, part, size)
            problem = _problem(part, sha256, size)
            if problem:
                part.unlink()
                what = f"{problem}; it was removed, run again to download it anew"
                raise UserError(f"{url}: {what}")
            os.replace(part, path)
    return path


@contextlib.contextmanager
def _disk_errors(folder: Path, size: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        if error.errno == errno.ENOSPC:
            what = f"no room on the disk for {_megabytes(size)}"
        what += "; KERAS_SEQ_CACHE names another folder"
        raise UserError(f"{folder}: {what}") from error


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Lets one process at a time download a file, where the system can lock files."""
    with path.open("ab") as file:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _problem(path: Path, sha256: str, size: int) -> str | None:
    found = path.stat().st_size
    if found != size:
        return f"the file has {found:,} bytes, expected {size:,}"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256.lower():
        return f"the file's SHA-256 is {digest}, expected {sha256.lower()}"
    return None


def _download(url: str, part: Path, size: int) -> None:
    """Brings the partial file to its full size, over several connections if need be."""
    if part.exists() and part.stat().st_size > size:
        part.unlink()
    failures = 0
    with part.open("ab") as file:
        while (start := file.seek(0, os.SEEK_END)) < size:
            try:
                _receive(url, file, start, size)
                why = "the connection closed"
            except urllib.error.HTTPError as error:
                error.close()
                why = f"the server answered {error.code} {error.reason}"
                failures += _ATTEMPTS * (400 <= error.code < 500)
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as e:
                why = f"{getattr(e, 'reason', None) or e or type(e).__name__}"
            except ConnectionError as error:
                why = f"{error.strerror or error}"
            if file.seek(0, os.SEEK_END) > start:
                failures = 0
                continue
            failures += 1
            if failures >= _ATTEMPTS:
                have = f"{_megabytes(start)} of {_megabytes(size)} are here"
                what = f"cannot be downloaded: {why}; {have}, run again to go on"
                raise UserError(" ".join(f"{url}: {what}".split()))
            time.sleep(failures)


def _receive(url: str, file: BinaryIO, start: int, size: int) -> None:
    """Appends what one connection gives, from byte `start`."""
    request = urllib.request.Request(url, headers={"User-Agent": "keras_seq"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        if answer.status != 206:
            # The server sends all of it whatever was asked for.
            start = 0
            file.truncate(0)
        length = answer.headers.get("Content-Length")
        if length is not None and start + int(length) != size:
            what = f"the server's file has {start + int(length):,} bytes, expected"
            raise UserError(f"{url}: {what} {size:,}; it is not the published one")
        with _Progress(url, size) as progress:
            while start < size and (chunk := answer.read(_CHUNK)):
                start += file.write(chunk[: size - start])
                progress.show(start)
        file.flush()


class _Progress:
    """Bytes so far: one line that moves on a terminal, else one line a tenth."""

    def __init__(self, url: str, size: int) -> None:
        self._name, self._size = url.rsplit("/", 1)[-1], size
        self._moving, self._shown = sys.stderr.isatty(), ""

    def __enter__(self) -> "_Progress":
        return self

    def show(self, done: int) -> None:
        percent = 100 * done // self._size
        percent -= 0 if self._moving else percent % 10
        line = f"{self._name}: {percent} % of {_megabytes(self._size)}"
        if line != self._shown:
            end = "" if self._moving else "\n"
            print(f"\r{line}" if self._moving else line, end=end, file=sys.stderr)
            sys.stderr.flush()
            self._shown = line

    def __exit__(self, *_: object) -> None:
        if self._moving and self._shown:
            print(file=sys.stderr)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


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

    Returns:
        The folder.

    Raises:
        UserError: The archive is unsafe or damaged, or the disk is full.
    """
    archive, folder = Path(archive), Path(folder)
    if folder.is_dir():
        return folder
    with _disk_errors(folder.parent, archive.stat().st_size):
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            _unpack(archive, aside, keep)
            aside.chmod(0o755)
            _rename(aside, folder)
        except (tarfile.TarError, EOFError, zlib.error, UnicodeError) as error:
            what = f"not a sound archive: {error}; remove it and run again"
            raise UserError(" ".join(f"{archive}: {what}".split())) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
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
                with path.open("xb") as file:
                    shutil.copyfileobj(tar.extractfile(member), file)


def _rename(aside: Path, folder: Path) -> None:
    try:
        os.rename(aside, folder)
    except OSError:
        # Another process was quicker: its folder is as good.
        if not folder.is_dir():
            raise
