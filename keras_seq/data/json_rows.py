"""Objects of JSON files: one a line, or an array of them, read one by one."""

import json
from collections.abc import Generator, Iterator
from pathlib import Path

from keras_seq.data.places import error_at, place_of
from keras_seq.data.text_files import read_blocks, read_lines
from keras_seq.errors import UserError

Object = tuple[int, dict[str, object]]  # the line where it starts

_BLOCK = 1 << 16  # characters
_LARGEST = 1 << 26  # characters of an object


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
