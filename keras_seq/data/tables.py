"""Files as streams of rows, whatever their format: text, JSON, Parquet, Excel.

This module knows neither texts nor labels: it yields the values of named columns and
the place where they stand, and says in one line what is wrong with a file. At most one
line of text, or one batch of a Parquet file, is in memory at a time.
"""

import contextlib
import glob
import itertools
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_seq.data.delimited import read_records
from keras_seq.data.places import (
    error_at,
    exists,
    listed,
    log_once,
    place_of,
    plural,
    user_path,
)
from keras_seq.data.row_formats import (
    COLUMNS,
    is_fasttext,
    read_cells,
    read_labelled_lines,
    read_objects,
)
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.text_files import opened
from keras_seq.errors import UserError

if TYPE_CHECKING:
    import pyarrow.parquet


# Rows as (line or row number from 1, values of the asked-for columns).
Rows = Generator[tuple[int, list[object]], None, None]

KINDS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".parquet": "parquet",
    ".xlsx": "excel",
}


def kind_of(path: Path, table_format: TableFormat = AS_FOUND) -> str:
    """The format of a file by its name, or by its first bytes: csv, tsv, json, ...

    A separator that is given makes a table of a file of any name.
    """
    name = path.name.lower().removesuffix(".gz")
    kind = KINDS.get(Path(name).suffix)
    if kind == "excel" and path.suffix.lower() == ".gz":
        raise error_at(path, "unpack it; workbooks are packed already")
    if kind is not None:
        return kind
    if table_format.separator is not None:
        return "csv"
    if exists(path) and is_fasttext(path):
        return "fasttext"
    known = ", ".join(KINDS)
    what = f"unknown file type; known are {known}, each also as .gz, and fastText's; "
    what += "--separator reads a table of another name"
    if Path(name).suffix in (".xls", ".ods"):
        what = "save it as .xlsx or as CSV, which can be read"
    raise error_at(path, what)


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
        path = user_path(given)
        if exists(path) and path.is_dir():
            raise error_at(path, f"is a folder; name a file, or a glob: {path}/*.csv")
        if exists(path):
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


def read_columns(path: Path, table_format: TableFormat = AS_FOUND) -> list[str]:
    """The names of a file's columns; those of the first object of a JSON file.

    Without a header they are numbers from 1.

    Raises:
        UserError: The file is empty or its beginning cannot be read.
    """
    kind = kind_of(path, table_format)
    if path.stat().st_size == 0:
        raise error_at(path, "the file is empty")
    if table_format.no_header and kind in ("json", "parquet", "fasttext"):
        raise error_at(path, "its columns have names; leave --no-header out")
    if kind == "fasttext":
        return COLUMNS
    if kind == "parquet":
        with _parquet(path) as table:
            return list(table.schema_arrow.names)
    with contextlib.closing(_first_reader(path, kind, table_format)) as rows:
        for _, first in rows:
            if table_format.no_header:
                return [str(number) for number in range(1, len(first) + 1)]
            return ["" if name is None else str(name).strip() for name in first]
    raise error_at(path, "the file is empty")


def _first_reader(
    path: Path, kind: str, table_format: TableFormat
) -> Generator[tuple[int, Any], None, None]:
    """Rows with the header as the first; of JSON the objects."""
    if kind == "json":
        return read_objects(path, table_format.encoding)
    if kind == "excel":
        return read_cells(path)
    return read_records(path, kind == "tsv", table_format)


def read_rows(
    path: Path,
    columns: Sequence[str] | None,
    table_format: TableFormat = AS_FOUND,
    skipped: int = 0,
) -> Rows:
    """Streams the values of some columns, row by row; logs how many rows there are.

    Args:
        path: A file of a known type.
        columns: Names out of `read_columns(path)`; None reads all of them.
        table_format: What is given of how to read it.
        skipped: Rows behind the header that hold no data, and are not counted.

    Yields:
        The line where a row starts (Parquet, Excel: its number), from 1, and its
        values: strings from CSV and TSV, else what the file holds.

    Raises:
        UserError: The file or a row cannot be read.
    """
    kind, count = kind_of(path, table_format), 0
    if kind in ("parquet", "json"):
        names = read_columns(path, table_format) if columns is None else columns
    if kind == "parquet":
        rows = _parquet_rows(path, names)
    elif kind == "json":
        rows = _json_values(path, names, table_format)
    else:
        rows = _picked(path, kind, columns, table_format)
    for row in itertools.islice(rows, skipped, None):
        count += 1
        yield row
    log_once(f"{path}: {plural(count, 'row')}")


def _json_values(path: Path, columns: Sequence[str], table_format: TableFormat) -> Rows:
    for number, record in read_objects(path, table_format.encoding):
        for name in columns:
            if name not in record:
                have = listed(list(record))
                raise error_at(place_of(path, number), f"no {name!r}; has: {have}")
        yield number, [record[name] for name in columns]


def _picked(
    path: Path, kind: str, columns: Sequence[str] | None, table_format: TableFormat
) -> Rows:
    """Values by the position of their column."""
    header = read_columns(path, table_format)
    where = [header.index(name) for name in columns or ()]
    where = list(range(len(header))) if columns is None else where
    rows = read_labelled_lines(path, table_format.encoding)
    if kind != "fasttext":
        rows = _first_reader(path, kind, table_format)
        if not table_format.no_header:
            next(rows)
    for number, record in rows:
        if kind == "excel":  # which ends rows where their values end
            record = record + [None] * (len(header) - len(record))
        if len(record) != len(header):
            fields = plural(len(record), "field")
            what = f"the header has {len(header)}: {listed(header)}"
            if table_format.no_header:
                what = f"the first row has {len(header)}"
            raise error_at(place_of(path, number), f"{fields}, but {what}")
        yield number, [record[index] for index in where]


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator["pyarrow.parquet.ParquetFile"]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        what = "Parquet files need pyarrow: python -m pip install pyarrow"
        raise error_at(path, what) from error
    with opened(path) as file, tempfile.TemporaryFile() as unpacked:
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
