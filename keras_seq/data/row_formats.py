"""Rows of JSON, Excel and fastText files, read one by one.

Objects of JSON stand one a line, or in an array; of a workbook the first sheet is read,
with openpyxl; fastText has a text a line, its labels in it as words `__label__...`.
"""

import contextlib
import json
import warnings
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path

from keras_seq.data.places import error_at, log_once, place_of
from keras_seq.data.text_files import opened, read_blocks, read_lines
from keras_seq.errors import UNREADABLE, UserError

Object = tuple[int, dict[str, object]]  # the line where it starts
PREFIX = "__label__"
COLUMNS = ["label", "text"]  # of fastText

_BLOCK = 1 << 16  # characters
_LARGEST = 1 << 26  # characters of an object
# An archive's list says what it unpacks to; shared texts of a workbook are in memory.
MOST_UNPACKED, MOST_PACKED = 1 << 31, 200


def read_objects(
    path: Path, encoding: str | None = None
) -> Generator[Object, None, None]:
    """The objects of a file, whether it is JSON Lines or a JSON array.

    Raises:
        UserError: Something else stands there.
    """
    first = ""
    for line in read_lines(path, encoding):
        if first := line.strip():
            break
    is_array = first.startswith("[") and not _is_value(first)
    objects = _of_array if is_array or first.startswith("[{") else _of_lines
    for number, value in objects(path, encoding):
        if not isinstance(value, dict):
            what = f"JSON, but {type(value).__name__}; every row is one object"
            raise error_at(place_of(path, number), what)
        yield number, value


def _is_value(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _of_lines(path: Path, encoding: str | None) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(read_lines(path, encoding), start=1):
        if line.isspace():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            what = f"not JSON ({error}); every line is one object"
            raise error_at(place_of(path, number), what) from error


def _of_array(path: Path, encoding: str | None) -> Iterator[tuple[int, object]]:
    return _Array(path, read_blocks(path, _BLOCK, encoding)).values()


class _Array:
    """The values of an array; one of them and a block are in memory."""

    def __init__(self, path: Path, blocks: Iterator[str]) -> None:
        self._path, self._blocks = path, blocks
        self._text, self._line = "", 1

    def values(self) -> Iterator[tuple[int, object]]:
        """The line where a value starts, and the value."""
        self._take("[")
        while self._next() != "]":
            yield self._line, self._value()
            if self._next() != "]":
                self._take(",")
        self._take("]")
        if self._next():
            raise self._error("something stands behind the array")

    def _next(self) -> str:
        """The next character that is no space, or "" at the end."""
        while True:
            bare = self._text.lstrip(" \t\r\n")
            self._skip(len(self._text) - len(bare))
            if bare or not self._read():
                return bare[:1]

    def _take(self, sign: str) -> None:
        if self._next() != sign:
            raise self._error(f"expected {sign} but {self._next() or 'nothing'} comes")
        self._skip(1)

    def _value(self) -> object:
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self._text)
            except (ValueError, RecursionError) as error:
                if len(self._text) < _LARGEST and self._read():
                    continue
                raise self._error(str(error)) from error
            self._skip(end)
            return value

    def _skip(self, size: int) -> None:
        self._line += self._text.count("\n", 0, size)
        self._text = self._text[size:]

    def _read(self) -> bool:
        """Reads as much again as is waiting, so that a long value costs no square."""
        size, blocks = max(1, len(self._text)), []
        while size > 0 and (block := next(self._blocks, "")):
            blocks.append(block)
            size -= len(block)
        self._text += "".join(blocks)
        return bool(blocks)

    def _error(self, what: str) -> UserError:
        return error_at(place_of(self._path, self._line), f"not JSON: {what}")


def read_cells(path: Path) -> Generator[tuple[int, list[object]], None, None]:
    """(row number from 1, its cells) of the first sheet; empty rows are passed over.

    Raises:
        UserError: openpyxl is not installed, or it is no sound workbook.
    """
    _check_size(path)
    try:
        import openpyxl
    except ImportError as error:
        what = "Excel files need openpyxl: python -m pip install openpyxl"
        raise error_at(path, f"{what}; or save the sheet as CSV") from error
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # styles and other parts that are not read
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            stack.callback(book.close)
            sheet, *others = book.worksheets
            if others:
                names = f"{len(others)} more: " + ", ".join(s.title for s in others[:5])
                log_once(f"{path}: sheet {sheet.title!r} is read; there are {names}")
            sheet.reset_dimensions()  # which some writers state wrongly
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                if any(cell is not None for cell in cells):
                    yield number, list(cells)
        except (*UNREADABLE, SyntaxError) as error:
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise error_at(path, f"not a sound Excel workbook: {what}") from error


def _check_size(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            sizes = [(i.file_size, i.compress_size) for i in packed.infolist()]
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise error_at(path, f"not a sound Excel workbook: {error}") from error
    unpacked = sum(size for size, _ in sizes)
    most = max(1 << 26, MOST_PACKED * sum(packed for _, packed in sizes))
    if unpacked > min(MOST_UNPACKED, most):
        raise error_at(path, f"unpacks to {unpacked >> 20} MiB; save the sheet as CSV")


def is_fasttext(path: Path) -> bool:
    """Whether a file begins with a label."""
    with opened(path) as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(PREFIX.encode())


def read_labelled_lines(
    path: Path, encoding: str | None = None
) -> Iterator[tuple[int, list[object]]]:
    """(line, [labels, text]); several labels are joined by `|`.

    Raises:
        UserError: A line has no label.
    """
    for number, line in enumerate(read_lines(path, encoding), start=1):
        words = line.split()
        if not words:
            continue
        labels = [word.removeprefix(PREFIX) for word in words if _is_label(word)]
        if not labels:
            raise error_at(place_of(path, number), f"no word {PREFIX}...; add a label")
        yield number, ["|".join(labels), " ".join(w for w in words if not _is_label(w))]


def _is_label(word: str) -> bool:
    return word.startswith(PREFIX) and word != PREFIX
