"""Data that is in memory, as a file: what reads files then reads it by the same rules.

A DataFrame or lists become a temporary JSON Lines file, running texts a text file; an
error about a row names it by its number there. The files are gone with the process.
"""

import functools
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_seq.errors import UserError

MOST_CHARACTERS = 10_000  # of paths; what is longer are texts
# What readers of tables take: paths, or data that is in memory.
if TYPE_CHECKING:
    import pandas as pd

    Columns = Mapping[str, Sequence] | tuple[Sequence, ...]
    Table = str | Path | Sequence[str | Path | tuple] | Columns | pd.DataFrame
    Data = SeveralData = Table | None
else:  # what the shell can give of it
    Table = object
    Data, SeveralData = str | Table | None, Sequence[str] | Table | None


def as_file(data: Any, names: Sequence[str]) -> Any:
    """Paths as they are; a table that is in memory as the path of a file.

    Args:
        data: one path or several; or DataFrames, whose index is a column where it has
            dates; a mapping of columns; a tuple of as many columns as `names`; or a
            list of rows that are such tuples.
        names: of columns that come without names.

    Returns:
        What `find_files` takes.

    Raises:
        UserError: It is none of these, or columns differ in length.

    Example:

    >>> path = as_file((["a film", "a play"], [1, 0]), ["text", "label"])
    >>> print(path.name, path.read_text("utf-8"))
    lists.jsonl {"text": "a film", "label": 1}
    {"text": "a play", "label": 0}
    <BLANKLINE>
    """
    if _is_paths(data):
        return data
    if isinstance(data, list | tuple) and any(map(_is_frame, data)):
        if all(_is_frame(each) or _is_paths(each) for each in data):
            return [as_file(each, names) for each in data]
    if _is_frame(data):
        return _written("DataFrame.jsonl", _lines(_columns_of(data)))
    if isinstance(data, Mapping):
        return _written("columns.jsonl", _lines(data))
    if isinstance(data, list) and data and all(isinstance(x, tuple) for x in data):
        data = tuple(zip(*data))
    if isinstance(data, tuple) and len(data) == len(names):
        return _written("lists.jsonl", _lines(dict(zip(names, data))))
    expected = f"the name of a file, a DataFrame, or ({', '.join(names)})"
    raise UserError(f"data is a {type(data).__name__}; expected {expected}")


def is_in_memory(path: Path) -> bool:
    """Whether `as_file` wrote a file: names of files in it lie beside no table."""
    return bool(_kept) and path.parent.parent == _folder()


def as_text_file(texts: Sequence[str]) -> Path:
    """Running texts as the path of a file, with a line end behind each.

    Raises:
        UserError: One is no text, or the name of a file.
    """
    for number, text in enumerate(texts, start=1):
        if not isinstance(text, str):
            what = f"is a {type(text).__name__}; expected a string"
            raise UserError(f"text {number} of data {what}")
        if len(text) < 256 and "\n" not in text and Path(text).is_file():
            what = f"{text!r} is a file; give its text, or the name of one file alone"
            raise UserError(f"text {number} of data: {what}")
    lines = (text if text.endswith("\n") else text + "\n" for text in texts)
    return _written("texts.txt", lines)


def described(data: Any) -> Any:
    """What settings keep of data: paths, or of what kind and size it was.

    Example:

    >>> described("a.csv"), described((["film"], [1]))
    ('a.csv', 'tuple in memory, 2 long')
    """
    if data is None or _is_paths(data) and len(str(data)) < MOST_CHARACTERS:
        return data
    size = f", {len(data):,} long" if isinstance(data, Sized) else ""
    return f"{type(data).__name__} in memory{size}"


def _is_paths(data: Any) -> bool:
    if isinstance(data, list | tuple):
        return all(isinstance(each, str | Path) for each in data)
    return isinstance(data, str | Path)


def _is_frame(data: Any) -> bool:
    return type(data).__name__ == "DataFrame" and hasattr(data, "iloc")


def _columns_of(frame: "pd.DataFrame") -> dict[str, Any]:
    import pandas as pd

    if frame.columns.nlevels > 1:
        what = "its columns have names of several levels; keep one: "
        what += "df.columns = df.columns.get_level_values(0)"
        raise UserError(f"DataFrame: {what}")
    if isinstance(frame.index, pd.DatetimeIndex | pd.PeriodIndex):
        frame = frame.rename_axis(frame.index.name or "date").reset_index()
    names = [str(name) for name in frame.columns]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"DataFrame: two columns are named {twice[0]!r}; rename one")
    values = frame.astype(object).where(frame.notna(), None)
    return {name: values.iloc[:, n].tolist() for n, name in enumerate(names)}


def _lines(columns: Mapping[str, Any]) -> Iterator[str]:
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) != 1:
        shown = ", ".join(f"{name} {size}" for name, size in sizes.items()) or "none"
        raise UserError(f"data: columns differ in length, or there is none: {shown}")
    for row in zip(*columns.values()):
        values = dict(zip(columns, map(_plain, row)))
        yield json.dumps(values, ensure_ascii=False, default=str) + "\n"


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python has them."""
    return value.tolist() if hasattr(value, "tolist") else value


def _written(name: str, lines: Iterator[str]) -> Path:
    """A file of a folder that bears the digest of its content: written once."""
    part, digest = _folder() / name, hashlib.sha256()
    with open(part, "wb") as file:
        for line in lines:
            encoded = line.encode("utf-8", "backslashreplace")
            digest.update(encoded)
            file.write(encoded)
    path = _folder() / digest.hexdigest()[:16] / name
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        part.unlink()
    else:
        part.rename(path)
    return path


@functools.cache
def _folder() -> Path:
    _kept.append(tempfile.TemporaryDirectory(prefix="keras_seq-"))
    return Path(_kept[0].name)


_kept: list[tempfile.TemporaryDirectory] = []  # until the process ends
