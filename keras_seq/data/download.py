"""Named data sets from the net: fetched once, checked, unpacked beside nothing else.

A download goes on where the last one stopped, counts only when its size and SHA-256 are
the published ones, and appears under its name whole or not at all. This module knows
neither models nor what the files are for.

`keras.utils.get_file` and pooch begin anew after a broken connection, follow an https
address to http, and find a file too long when all of it is on the disk.
"""

import hashlib
import http.client
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from filelock import FileLock

from keras_seq.data.archives import disk_errors, megabytes
from keras_seq.data.places import user_path
from keras_seq.errors import UserError

_CHUNK = 1 << 18  # bytes
_ATTEMPTS = 3  # in a row without a byte gained
_TIMEOUT = 30  # seconds of silence
REFUSED_RANGE = 416
# What a connection may die of; other OSErrors are those of the disk.
_BROKEN = (
    urllib.error.URLError,
    http.client.HTTPException,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
)
T = TypeVar("T")


class Source(NamedTuple):
    """A file on the net and what proves it: address, SHA-256, size in bytes."""

    url: str
    sha256: str
    size: int


def default_cache() -> Path:
    """Where downloads stay: `$KERAS_SEQ_CACHE`, else `~/.cache/keras_seq`."""
    return user_path(os.environ.get("KERAS_SEQ_CACHE") or "~/.cache/keras_seq")


def in_cache(cache_dir: str | Path | None, *names: str) -> Path:
    """A place in the cache that no link leads to.

    Args:
        cache_dir: the cache, which its owner may well have put elsewhere by a link;
            None takes `default_cache()`.
        names: of folders and the last of all of what is wanted, each in the one before.

    Raises:
        UserError: One of them is a link: what it leads to is neither read nor written.
    """
    path = Path(cache_dir) if cache_dir is not None else default_cache()
    for name in names:
        path = path / name
        if path.is_symlink():
            raise UserError(f"{path}: is a link, and caches follow none; remove it")
    return path


def fetch(
    url: str, sha256: str, size: int, cache_dir: str | Path | None = None
) -> Path:
    """Downloads a file once and proves it; the next call finds it there.

    What an interrupted download left (`<name>.part`) is continued.

    Raises:
        UserError: No connection, another size or checksum, no room on the disk, or a
            link lies in its place.
    """
    folder = in_cache(cache_dir)
    name = url.rstrip("/").rsplit("/", 1)[-1]
    names = (name, f"{name}.part", f"{name}.lock")
    path, part, lock = (in_cache(folder, each) for each in names)
    with disk_errors(folder, size):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):  # one process at a time
            if path.exists() and _problem(path, sha256) is None:
                return path
            _download(url, part, size)
            problem = _problem(part, sha256)
            if problem:
                part.unlink()
                what = f"{problem}; it was removed, run again to download it anew"
                raise UserError(f"{url}: {what}")
            os.replace(part, path)
    return path


def _problem(path: Path, sha256: str) -> str | None:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != sha256.lower():
        return f"the file's SHA-256 is {digest}, expected {sha256.lower()}"
    return None


def _download(url: str, part: Path, size: int) -> None:
    """Brings the partial file to its full size, over several connections if need be."""
    if part.exists() and part.stat().st_size > size:
        part.unlink()
    with part.open("ab") as file:
        try:
            tried(partial(_receive, url, file, size), received=file.tell)
        except ConnectionError as error:
            have = f"{megabytes(file.tell())} of {megabytes(size)} are here"
            what = f"cannot be downloaded: {error}; {have}, run again to go on"
            raise UserError(" ".join(f"{url}: {what}".split())) from error


def tried(connect: Callable[[], T], received: Callable[[], int] = lambda: 0) -> T:
    """What a connection gives, tried three times in a row without a byte gained.

    Args:
        connect: connects once; raises what a connection may die of.
        received: bytes that are kept from one connection to the next.

    Raises:
        ConnectionError: All failed, or the server says that it will not do better.
    """
    failures = 0
    while True:
        before = received()
        try:
            return connect()
        except urllib.error.HTTPError as error:
            error.close()
            why = f"the server answered {error.code} {error.reason}"
            if 400 <= error.code < 500 and error.code != REFUSED_RANGE:
                failures = _ATTEMPTS
        except _BROKEN as error:
            why = f"{getattr(error, 'reason', None) or error}"
        failures = 0 if received() > before else failures + 1
        if failures >= _ATTEMPTS:
            raise ConnectionError(why)
        time.sleep(failures)


def _receive(url: str, file: BinaryIO, size: int) -> None:
    """Appends what one connection gives to what a file has."""
    if (start := file.tell()) == size:
        return
    request = urllib.request.Request(url, headers={"User-Agent": "keras_seq"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        answer = open_url(request)
    except urllib.error.HTTPError as error:
        if error.code == REFUSED_RANGE:
            # What is here is no beginning of what the server has.
            file.truncate(file.seek(0))
        raise
    with answer:
        if answer.status != 206:
            # The server sends all of it whatever was asked for.
            start = file.truncate(file.seek(0))
        length = content_length(url, answer)
        if length is not None and start + length != size:
            what = f"the server's file has {start + length:,} bytes, expected"
            raise UserError(f"{url}: {what} {size:,}; it is not the published one")
        with _Progress(url, size) as progress:
            while start < size and (chunk := answer.read(_CHUNK)):
                start += file.write(chunk[: size - start])
                progress.show(start)
    if start < size:
        raise ConnectionError("the connection closed")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect that leaves https, and none to anything but http."""

    def redirect_request(self, request, file, code, message, headers, url):  # as urllib
        before, after = (a.partition(":")[0].lower() for a in (request.full_url, url))
        if after != "https" and (before, after) != ("http", "http"):
            what = f"the server redirects to {url}, which is not safe"
            raise UserError(f"{request.full_url}: {what}; nothing was downloaded")
        return super().redirect_request(request, file, code, message, headers, url)


def open_url(request: urllib.request.Request) -> http.client.HTTPResponse:
    """The answer to a request, where every redirect is as safe as the address."""
    return urllib.request.build_opener(_SafeRedirects).open(request, timeout=_TIMEOUT)


def content_length(url: str, answer: http.client.HTTPResponse) -> int | None:
    """The size that a server announces.

    Raises:
        UserError: It is no number.
    """
    length = answer.headers.get("Content-Length")
    if length is None:
        return None
    if not (length.isascii() and length.isdigit()):
        raise UserError(f"{url}: the server's Content-Length is {length[:40]!r}")
    return int(length)


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
        line = f"{self._name}: {percent} % of {megabytes(self._size)}"
        if line != self._shown:
            end = "" if self._moving else "\n"
            print(f"\r{line}" if self._moving else line, end=end, file=sys.stderr)
            sys.stderr.flush()
            self._shown = line

    def __exit__(self, *_: object) -> None:
        if self._moving and self._shown:
            print(file=sys.stderr)
