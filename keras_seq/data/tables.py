"""Files as streams of rows: CSV, TSV, JSON Lines and Parquet, each plain or gzipped.

This module knows neither texts nor labels: it yields the values of named columns and
the place where they stand, and says in one line what is wrong with a file. At most one
line of text, or one batch of a Parquet file, is in memory at a time.
"""

import contextlib
import csv
import glob
import gzip
import io
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from keras_seq.errors import UserError

# Rows as (line or row number from 1, values of the asked-for columns).
Rows = Iterator[tuple[int, list[object]]]

KINDS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_DELIMITERS = {"csv": ",", "tsv": "\t"}
# Without a limit, a file with no line ends or an open quote would be read whole.
_LONGEST_LINE = 1 << 26  # bytes
_LONGEST_FIELD = 1 << 24  # characters


def error_at(place: str | Path, what: str) -> UserError:
    """The error of a file or row, on one line whatever the file holds.

    Example:

    >>> error_at("reviews.csv:7", "3 fields, but the header has 2")
    UserError('reviews.csv:7: 3 fields, but the header has 2')
    """
    return UserError(" ".join(f"{place}: {what}".split()))


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names for an error message, long ones and long lists cut.

    Example:

    >>> listed(["id", "review"])
    "'id', 'review'"
    """
    shown = [repr(name if len(name) <= 40 else name[:37] + "...") for name in names]
    more = [f"and {len(shown) - most} more"] if len(shown) > most else []
    return ", ".join(shown[:most] + more) or "none"


def place_of(path: Path, number: int) -> str:
    """Where a row stands, as editors understand it; Parquet files have no lines."""
    name = Path(path).name.lower().removesuffix(".gz")
    return f"{path}: row {number}" if name.endswith(".parquet") else f"{path}:{number}"


def kind_of(path: Path) -> str:
    """The format that the name of a file tells: csv, tsv, jsonl or parquet."""
    name = path.name.lower().removesuffix(".gz")
    kind = KINDS.get(Path(name).suffix)
    if kind is None:
        known = ", ".join(KINDS)
        raise error_at(path, f"unknown file type; known are {known}, each also as .gz")
    return kind


def find_files(
    paths: str | Path | Sequence[str | Path], kind: Callable[[Path], str] = kind_of
) -> list[Path]:
    """The files that names and globs stand for, sorted within each glob.

    Args:
        paths: A file name, a glob such as `data/*.csv` (`**` reaches into folders), or
            a list of both; `~` is the home folder.
        kind: the type of a file, or the error that it is none that is known.

    Returns:
        Files that exist and have a known type, at least one.

    Raises:
        UserError: A file is missing, a folder, or of no known type; a glob matches
            nothing.
    """
    found = []
    for given in [paths] if isinstance(paths, str | Path) else paths:
        path = Path(given).expanduser()
        if path.is_dir():
            raise error_at(path, f"is a folder; name a file, or a glob: {path}/*.csv")
        if path.exists():
            matches = [path]
        elif any(sign in str(path) for sign in "*?["):
            matches = [Path(name) for name in glob.glob(str(path), recursive=True)]
            matches = sorted(match for match in matches if match.is_file())
            if not matches:
                raise error_at(path, "matches no file")
        else:
            raise error_at(path, "no such file")
        found += matches
    if not found:
        raise UserError("no data file was named")
    for path in found:
        kind(path)
    return found


def read_columns(path: Path) -> list[str]:
    """The names of a file's columns; those of the first object of a JSON Lines file.

    Raises:
        UserError: The file is empty or its beginning cannot be read.
    """
    kind = kind_of(path)
    if path.stat().st_size == 0:
        raise error_at(path, "the file is empty")
    if kind == "parquet":
        with _parquet(path) as table:
            return list(table.schema_arrow.names)
    records = _objects(path) if kind == "jsonl" else _records(path)
    with contextlib.closing(records):
        for _, record in records:
            return list(record)
    raise error_at(path, "the file is empty")


def read_rows(path: Path, columns: Sequence[str] | None) -> Rows:
    """Streams the values of some columns, row by row.

    Args:
        path: A file of a known type.
        columns: Names out of `read_columns(path)`; None reads all of them.

    Yields:
        The line where a row starts (Parquet: its number), from 1, and its values:
        strings from CSV and TSV, else what the file holds.

    Raises:
        UserError: The file or a row cannot be read.
    """
    kind = kind_of(path)
    if columns is None and kind in ("parquet", "jsonl"):
        columns = read_columns(path)
    if kind == "parquet":
        yield from _parquet_rows(path, columns)
    elif kind == "jsonl":
        for number, record in _objects(path):
            for name in columns:
                if name not in record:
                    have = listed(list(record))
                    raise error_at(place_of(path, number), f"no {name!r}; has: {have}")
            yield number, [record[name] for name in columns]
    else:
        records = _records(path)
        header = next(records, (0, []))[1]
        where = list(range(len(header)))
        if columns is not None:
            where = [header.index(name) for name in columns]
        for number, record in records:
            if len(record) != len(header):
                fields = f"{len(record)} field{'s' * (len(record) != 1)}"
                what = f"{fields}, but the header has {len(header)}: {listed(header)}"
                raise error_at(place_of(path, number), what)
            yield number, [record[index] for index in where]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked; failures of reading name the file."""
    try:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            if path.suffix.lower() == ".gz":
                packed = stack.enter_context(gzip.open(file))
                file = stack.enter_context(io.BufferedReader(packed, 1 << 16))
            yield file
    except EOFError as error:
        raise error_at(path, "the gzip file is cut short; copy it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise error_at(path, f"not a sound gzip file: {error}") from error
    except OSError as error:
        raise error_at(path, f"cannot be read: {error.strerror or error}") from error


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a text file with their ends; a fault names file and line."""
    with _opened(path) as file:
        number = 0
        while raw := file.readline(_LONGEST_LINE):
            number += 1
            if len(raw) == _LONGEST_LINE:
                what = f"the line is longer than {_LONGEST_LINE >> 20} MiB"
                raise error_at(place_of(path, number), what)
            try:
                yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                byte = f"byte 0x{raw[error.start]:02x} (number {error.start + 1})"
                what = f"{byte} is not UTF-8; save the file as UTF-8"
                raise error_at(place_of(path, number), what) from error


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line where it starts, fields) of CSV and TSV records, the header first."""
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    # Strict: otherwise an open quote swallows the rest of the file without a word.
    delimiter = _DELIMITERS[kind_of(path)]
    reader = csv.reader(read_lines(path), delimiter=delimiter, strict=True)
    header = True
    while True:
        start = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            what = f"unreadable row ({error}); "
            what += "close every quote, and double the quotes inside a quoted field"
            raise error_at(place_of(path, start), what) from error
        if record:
            yield start, [name.strip() for name in record] if header else record
            header = False


def _objects(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(read_lines(path), start=1):
        if line.isspace():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            what = f"not JSON ({error}); every line is one object"
            raise error_at(place_of(path, number), what) from error
        if not isinstance(record, dict):
            what = f"JSON, but {type(record).__name__}; every line is one object"
            raise error_at(place_of(path, number), what)
        yield number, record


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    """The file as a pyarrow.parquet.ParquetFile."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        what = "Parquet files need pyarrow: python -m pip install pyarrow"
        raise error_at(path, what) from error
    with _opened(path) as file, tempfile.TemporaryFile() as unpacked:
        if path.suffix.lower() == ".gz":
            # Parquet is read from its end, which a gzip stream reaches last.
            shutil.copyfileobj(file, unpacked)
            file = unpacked
        try:
            with pyarrow.parquet.ParquetFile(file, buffer_size=1 << 20) as table:
                yield table
        except (pyarrow.ArrowException, UnicodeDecodeError) as error:
            raise error_at(path, f"not a sound Parquet file: {error}") from error


def _parquet_rows(path: Path, columns: Sequence[str]) -> Rows:
    number = 0
    with _parquet(path) as table:
        for batch in table.iter_batches(batch_size=1024, columns=list(columns)):
            values = [batch.column(name).to_pylist() for name in columns]
            for row in zip(*values, strict=True):
                number += 1
                yield number, list(row)
