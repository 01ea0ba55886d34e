"""Named data sets from the net: fetched once, checked, unpacked beside nothing else.

A download goes on where the last one stopped, counts only when its size and SHA-256 are
the published ones, and appears under its name whole or not at all. This module knows
neither models nor what the files are for.
"""

import hashlib
import http.client
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO, NamedTuple

from filelock import FileLock

from keras_seq.data.archives import disk_errors, megabytes, safe_extract
from keras_seq.data.places import user_path
from keras_seq.data.text_table import LabelFolders
from keras_seq.errors import UserError

_CHUNK = 1 << 18  # bytes
_ATTEMPTS = 3  # in a row without a byte gained
_TIMEOUT = 30  # seconds of silence
# What a connection may die of; other OSErrors are those of the disk.
_BROKEN = (
    urllib.error.URLError,
    http.client.HTTPException,
    ssl.SSLError,
    ConnectionError,
    TimeoutError,
)


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
    failures = 0
    with part.open("ab") as file:
        while (start := file.seek(0, os.SEEK_END)) < size:
            try:
                _receive(url, file, start, size)
                why = "the connection closed"
            except urllib.error.HTTPError as error:
                error.close()
                why = f"the server answered {error.code} {error.reason}"
                if error.code == 416:
                    # What is here is no beginning of what the server has.
                    file.truncate(0)
                else:
                    failures += _ATTEMPTS * (400 <= error.code < 500)
            except _BROKEN as error:
                why = f"{getattr(error, 'reason', None) or error}"
            if file.seek(0, os.SEEK_END) > start:
                failures = 0
                continue
            failures += 1
            if failures >= _ATTEMPTS:
                have = f"{megabytes(start)} of {megabytes(size)} are here"
                what = f"cannot be downloaded: {why}; {have}, run again to go on"
                raise UserError(" ".join(f"{url}: {what}".split()))
            time.sleep(failures)


def _receive(url: str, file: BinaryIO, start: int, size: int) -> None:
    """Appends what one connection gives, from byte `start`."""
    request = urllib.request.Request(url, headers={"User-Agent": "keras_seq"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    with open_url(request) as answer:
        if answer.status != 206:
            # The server sends all of it whatever was asked for.
            start = 0
            file.truncate(0)
        length = content_length(url, answer)
        if length is not None and start + length != size:
            what = f"the server's file has {start + length:,} bytes, expected"
            raise UserError(f"{url}: {what} {size:,}; it is not the published one")
        with _Progress(url, size) as progress:
            while start < size and (chunk := answer.read(_CHUNK)):
                start += file.write(chunk[: size - start])
                progress.show(start)
        file.flush()


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


def load_imdb(
    cache_dir: str | Path | None = None, source: Source = IMDB
) -> dict[str, LabelFolders]:
    """The 50,000 labelled film reviews of Maas et al. (2011), downloaded once.

    Args:
        cache_dir: Folder to keep archive and reviews in; by default `default_cache()`.
        source: Where the archive is.

    Returns:
        "train" and "test", each 25,000 samples with the labels "positive" and
        "negative" in equal numbers.

    Raises:
        UserError: The download fails; one line says why.
    """
    folder = in_cache(cache_dir)
    reviews = in_cache(folder, f"aclImdb-{source.sha256[:12]}", "aclImdb").parent
    if not reviews.is_dir():
        # Half of the archive's files are reviews without a label.
        safe_extract(
            fetch(*source, folder),
            reviews,
            keep=lambda name: "/unsup/" not in name and name.endswith(".txt"),
        )
    parts = ("train", "test")
    return {name: _reviews(reviews / "aclImdb" / name) for name in parts}


def _reviews(folder: Path) -> LabelFolders:
    names = {"neg": "negative", "pos": "positive"}
    if not all((folder / name).is_dir() for name in names):
        what = "holds no reviews; remove the folder above it and run again"
        raise UserError(f"{folder}: {what}")
    return LabelFolders(folder, names)
