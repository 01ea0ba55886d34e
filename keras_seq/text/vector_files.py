"""Files of word vectors: a word a line, then its numbers, as GloVe and fastText write.

    the 0.418 0.24968 -0.41242        GloVe
    2000000 300                       word2vec and fastText: how many, and how long
    the 0.1073 0.0089 0.0006

Plain, `.gz`, or the one file of a `.zip`. One line is in memory at a time.
"""

import codecs
import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from keras_seq.data.places import error_at, exists, listed, user_path
from keras_seq.data.text_files import opened
from keras_seq.errors import UserError
from keras_seq.log import log

_ODD = (b"  ", b"\t", b"\r", b"\v", b"\f")  # between words, where one space is usual
LONGEST_LINE = 1 << 20  # bytes
LARGEST = 3.4e38  # of float32
_SAMPLE = 1 << 14  # bytes


class Row(NamedTuple):
    """A word with its numbers, not yet read."""

    number: int
    word: str
    values: bytes


def check_embeddings(path: str | Path | None, *, documented: bool = False) -> None:
    """Reads the first vector, so that a wrong file is named before any long work.

    Args:
        path: of the option `embeddings`; None is none.
        documented: the option, which takes no vectors.

    Raises:
        UserError: There is no such file, it holds no word vectors, or nothing takes
            them.
    """
    if path is None:
        return
    if documented:
        raise UserError("--documented starts from no vectors; leave out --embeddings")
    path = user_path(path)
    numbers_of(path, next(read_vectors(path)))


def read_vectors(path: Path) -> Iterator[Row]:
    """Rows of a file of word vectors, each with as many values as the first.

    A word may hold spaces, as some of GloVe's do: the values are the last ones.

    Raises:
        UserError: The file cannot be read, is binary, holds no vectors, or a row has
            another number of values.
    """
    promised, dim, count = None, 0, 0
    with _opened(path) as file:
        lines = iter(lambda: file.readline(LONGEST_LINE), b"")
        for number, line in enumerate(lines, start=1):
            if len(line) == LONGEST_LINE:
                raise error_at(f"{path}:{number}", "the line is longer than 1 MiB")
            parts = line.split(None, 2)
            if number == 1 and len(parts) == 2 and all(p.isdigit() for p in parts):
                promised, dim = int(parts[0]), int(parts[1])
            elif parts:
                row = _row(f"{path}:{number}", number, line.strip(), dim)
                dim, count = dim or len(row.values.split()), count + 1
                yield row
    if not count:
        raise error_at(path, "holds no word vectors: a word a line, then its numbers")
    if promised not in (None, count):
        what = f"its first line speaks of {promised:,} vectors, but it holds {count:,}"
        log.info(f"{path}: {what}")


def _row(place: str, number: int, line: bytes, dim: int) -> Row:
    """Word and values of one line; `dim` is 0 at the first, which decides on it."""
    word, _, values = line.partition(b" ")
    if not dim or line.count(b" ") != dim or any(map(line.__contains__, _ODD)):
        parts = line.split()
        dim = dim or len(parts) - 1
        extra = parts[1:-dim]
        if not dim or len(parts) <= dim or extra and _is_number(extra[-1]):
            wanted = dim or "numbers"
            what = f"{len(parts) - 1} values behind the word; expected {wanted}"
            raise error_at(place, what)
        word, values = b" ".join(parts[:-dim]), b" ".join(parts[-dim:])
    try:
        return Row(number, word.decode("utf-8"), values)
    except UnicodeDecodeError as error:
        what = "the word is not UTF-8; save the file as UTF-8"
        raise error_at(place, what) from error


def numbers_of(path: Path, row: Row) -> list[float]:
    """The values of a row.

    Raises:
        UserError: One is no finite number; the line says which.
    """
    values = row.values.split()
    for number, value in enumerate(values, start=1):
        if not _is_number(value):
            shown = value[:40].decode("utf-8", "replace")
            what = f"value {number} of {row.word[:40]!r} is {shown!r}; expected "
            raise error_at(f"{path}:{row.number}", what + "a finite number")
    return [float(value) for value in values]


def _is_number(value: bytes) -> bool:
    try:
        number = float(value)
    except ValueError:
        return False
    # NaN is not below it, and float32 holds no larger one; Python alone reads 1_000.
    return abs(number) < LARGEST and b"_" not in value


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked, once they look like text."""
    if not exists(path):
        raise error_at(path, "no such file")
    if path.is_dir():
        raise error_at(path, "is a folder; name the file of word vectors")
    with _unpacked(path) as file:
        sample = file.read(_SAMPLE)
    if not sample:
        raise error_at(path, "is empty; expected a word a line, then its numbers")
    if path.suffix.lower() == ".bin" or b"\0" in sample:
        what = "is binary; give word vectors as text (.vec, .txt), which word2vec "
        raise error_at(path, what + "and fastText write, too")
    with _unpacked(path) as file:
        if sample.startswith(codecs.BOM_UTF8):
            file.read(len(codecs.BOM_UTF8))
        yield file


@contextlib.contextmanager
def _unpacked(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() != ".zip":
        with opened(path) as plain:
            yield plain
        return
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
            if len(names) != 1:
                what = f"holds {listed(names)}; unpack the one you mean and name that"
                raise error_at(path, what)
            with archive.open(names[0]) as file:
                yield file
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise error_at(path, f"not a sound zip archive: {error}") from error
