"""Text files as lines or blocks, plain or gzipped, in whatever encoding they are.

At most one line or block is in memory. A fault names file and line, and where UTF-8
fails, the encoding that fits.
"""

import codecs
import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from keras_seq.data.encodings import likely_encoding, marked_encoding
from keras_seq.data.places import error_at, place_of
from keras_seq.errors import UserError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Without a limit, a file with no line ends or an open quote would be read whole.
_LONGEST_LINE = 1 << 26  # bytes
_NO_TEXT = {  # beginnings of files, and what to do with them
    b"\x1f\x8b": "packed by gzip: let its name end in .gz",
    b"PK\x03\x04": "a zip archive or a workbook: unpack it, or let it end in .xlsx",
    b"PAR1": "Parquet: let its name end in .parquet",
    b"\xd0\xcf\x11\xe0": "an old workbook: save it as .xlsx or CSV",
    b"%PDF-": "PDF: give its text",
    b"\xfd7zXZ": "packed by xz: unpack it",
    b"BZh9": "packed by bzip2: unpack it",
    b"SQLite f": "a database: export its table as CSV",
}
_SAMPLE = 1 << 18  # bytes that a hint looks at
_MARK = "\ufeff"  # of byte order; files that were joined have it inside, too
# What packs 200 times is no text that anybody wrote; small files may be that even.
MOST_PACKED, ALWAYS_READ = 200, 1 << 26


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked; failures of reading name the file.

    Raises:
        UserError: The file cannot be read, or it unpacks to what nobody means.
    """
    try:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            if path.suffix.lower() == ".gz":
                packed = stack.enter_context(gzip.open(file))
                most = max(ALWAYS_READ, MOST_PACKED * path.stat().st_size)
                bounded = _Bounded(path, packed, most)
                file = stack.enter_context(io.BufferedReader(bounded, 1 << 16))
            yield file
    except EOFError as error:
        raise error_at(path, "the gzip file is cut short; copy it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise error_at(path, f"not a sound gzip file: {error}") from error
    except OSError as error:
        raise error_at(path, f"cannot be read: {error.strerror or error}") from error


class _Bounded(io.RawIOBase):
    """The bytes of a packed file, as long as they are no bomb's."""

    def __init__(self, path: Path, file: gzip.GzipFile, most: int) -> None:
        self._path, self._file, self._left = path, file, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        size = self._file.readinto(buffer)
        self._left -= size
        if self._left < 0:
            what = f"unpacks to more than {MOST_PACKED} times its size; if it is meant "
            raise error_at(self._path, what + "to, unpack it and name that file")
        return size


def _encoding(path: Path, file: BinaryIO, given: str | None) -> str:
    """The encoding to read a file in: what is given, else of its mark, else UTF-8.

    Raises:
        UserError: It is no text, but of a binary format under the name of one.
    """
    # Without reading on: whoever asks then reads the file from here.
    beginning = cast(io.BufferedReader, file).peek(8)[:8]
    for mark, kind in _NO_TEXT.items():
        if beginning.startswith(mark):
            raise error_at(path, f"is no text, but {kind}")
    marked = marked_encoding(beginning)
    if given is None:
        return marked or "utf-8"
    # The codec of a marked file leaves the mark out, also where the plain one is named.
    named = codecs.lookup(given).name
    if marked is None:
        return given
    same = codecs.lookup(marked).name.startswith(named) or named.startswith(marked)
    return marked if same else given


def is_text(path: Path, encoding: str | None = None) -> bool:
    """Whether a file begins as text: in its encoding, and without zero bytes."""
    with opened(path) as file:
        name = _encoding(path, file, encoding)
        beginning = file.read(4096)
    try:
        text = codecs.getincrementaldecoder(name)().decode(beginning)
    except UnicodeDecodeError:
        return False
    return bool(text) and "\0" not in text


def read_lines(path: Path, encoding: str | None = None) -> Iterator[str]:
    """Lines of a text file with their ends; a fault names file and line.

    Args:
        path: plain, or gzipped where its name ends in .gz.
        encoding: None is UTF-8, or what a byte order mark says.
    """
    with opened(path) as file:
        encoding = _encoding(path, file, encoding)
        # Where a line end is not one byte, lines are cut after decoding.
        lines = _decoded if "a".encode(encoding)[-1:] == b"a" else _wide_lines
        if encoding == "utf-8-sig":
            file.read(3)
        yield from lines(path, file, encoding)


def _decoded(path: Path, file: BinaryIO, encoding: str) -> Iterator[str]:
    number = 0
    while raw := file.readline(_LONGEST_LINE):
        number += 1
        if len(raw) == _LONGEST_LINE:
            raise _too_long(path, number)
        try:
            line = raw.decode("utf-8" if encoding == "utf-8-sig" else encoding)
        except UnicodeDecodeError as error:
            sample = raw + file.read(_SAMPLE)
            what = _unreadable(error, sample)
            raise error_at(place_of(path, number), what) from error
        if number == 1 and "\0" in line[:200]:
            raise _zero_bytes(place_of(path, 1), raw[:_SAMPLE])
        yield line.removeprefix(_MARK)


def _wide_lines(path: Path, file: BinaryIO, encoding: str) -> Iterator[str]:
    number = 0
    with io.TextIOWrapper(file, encoding, newline="") as text:
        try:
            while line := text.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE:
                    raise _too_long(path, number)
                yield line.removeprefix(_MARK)
        except UnicodeDecodeError as error:
            what = f"not {encoding} ({error.reason})"
            raise error_at(place_of(path, number + 1), what) from error


def read_blocks(path: Path, size: int, encoding: str | None = None) -> Iterator[str]:
    """Blocks of at most `size` characters, whose line ends are all plain ones."""
    lines, last = 1, "\n"
    with opened(path) as file:
        name = _encoding(path, file, encoding)
        text = io.TextIOWrapper(file, name)
        try:
            while block := text.read(size):
                if lines == 1 and "\0" in block[:200]:
                    sample = block[:_SAMPLE].encode(name, "replace")
                    raise _zero_bytes(place_of(path, 1), sample)
                lines += block.count("\n")
                marked = last == "\n" and block.startswith(_MARK)
                last = block[-1]
                if block := block[marked:].replace("\n" + _MARK, "\n"):
                    yield block
        except UnicodeDecodeError as error:
            for _ in _readable_lines(path, encoding):
                pass  # names the line itself, unless one before it is too long
            what = f"at line {lines} or later: {_unreadable(error, error.object)}"
            raise error_at(path, what) from error


def _readable_lines(path: Path, encoding: str | None) -> Iterator[str]:
    """Those before one that is too long, which blocks may be."""
    try:
        yield from read_lines(path, encoding)
    except UserError as error:
        if isinstance(error.__cause__, UnicodeDecodeError):
            raise


def _zero_bytes(place: str, sample: bytes) -> Exception:
    hint = likely_encoding(sample) or "that of the file"
    what = f"the text holds zero bytes; read it with --encoding {hint}"
    return error_at(place, what)


def _too_long(path: Path, number: int) -> Exception:
    what = f"the line is longer than {_LONGEST_LINE >> 20} MiB"
    return error_at(place_of(path, number), what)


def _unreadable(error: UnicodeDecodeError, sample: bytes) -> str:
    """What is wrong with a byte, and the encoding that would fit."""
    byte = f"byte 0x{error.object[error.start]:02x} (number {error.start + 1})"
    if error.encoding.lower() not in ("utf-8", "utf8"):
        return f"{byte} is not {error.encoding}; give another --encoding"
    fits = likely_encoding(sample[:_SAMPLE])
    hint = f"--encoding {fits}, which fits" if fits else "--encoding and what it is in"
    return f"{byte} is not UTF-8 text; save the file as UTF-8, or give {hint}"
