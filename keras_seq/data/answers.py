"""A table in, the same table out with what a model answers to each of its rows.

Rows are read, answered and written as they come: of a table of any size no more is in
memory than what the model reads at a time.
"""

import csv
import gzip
import io
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from keras_seq.data.columns import find_column
from keras_seq.data.places import error_at, exists, place_of, user_path
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import find_files, kind_of, read_columns, read_rows
from keras_seq.data.text_table import text_of
from keras_seq.files import plain, written_aside
from keras_seq.log import log

Row = dict[str, object]
Answer = Callable[[Iterator[Any]], Iterable[Mapping[str, object]]]
Read = Callable[[str, Path | None, int], object]  # a value, its table and its row

WRITTEN = (".csv", ".tsv", ".jsonl", ".ndjson")
EVERY = 10.0  # seconds between two lines of progress


def answer_table(
    data: str | Path | Sequence[str | Path],
    answer: Answer,
    *,
    column: str | None = None,
    usual: Sequence[str],
    kind: str = "text",
    table_format: TableFormat = AS_FOUND,
    read: Read | None = None,
) -> Iterator[Row]:
    """Rows of a table, all columns kept, with a model's answers to one of them.

    Args:
        data: file, glob, or a list of both, with the same columns.
        answer: values of the column in, an answer to each out, in order.
        column: its name; None takes the first of the usual ones.
        usual: such names.
        kind: what the column holds, as its option is called.
        table_format: how the files are to be read.
        read: makes of a value, its file and its row what is answered; None leaves it.

    Yields:
        Values by column, then by answer; an answer that is called as a column is
        `predicted_<name>`.

    Raises:
        UserError: A file or row cannot be read, or has no value to answer.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = path.write_text("id,text,length\\n7,ab,?\\n")
    >>> list(answer_table(path, lambda texts: ({"length": len(t)} for t in texts),
    ...                   usual=["text"]))
    [{'id': '7', 'text': 'ab', 'length': '?', 'predicted_length': 2}]
    """
    paths = find_files(data, partial(kind_of, table_format=table_format))
    columns = read_columns(paths[0], table_format)
    wanted = find_column(paths[0], columns, table_format, kind, column, usual)
    for path in paths[1:]:
        if read_columns(path, table_format) != columns:
            raise error_at(path, f"its columns are not those of {paths[0]}")
    names, at = _distinct(columns), columns.index(wanted)
    rows, asked = itertools.tee(_rows(paths, at, wanted, table_format, read))
    answers = answer(text for text, _ in asked)
    for number, (answered, (_, values)) in enumerate(zip(answers, rows)):
        if number == 0:
            own = names_of_answers(answered, names)
        yield dict(zip([*names, *own], [*values, *answered.values()]))


def _rows(
    paths: Sequence[Path],
    at: int,
    column: str,
    table_format: TableFormat,
    read: Read | None,
) -> Iterator[tuple[object, list[object]]]:
    """(what is answered, all values)."""
    left_out = 0
    for path in paths:
        for number, values in read_rows(path, None, table_format):
            try:
                text = text_of(values[at])
            except ValueError as error:
                if table_format.drop_missing:
                    left_out += 1
                    continue
                what = f"{error.args[0]} in column {column!r}; mend or remove the row, "
                what += "or leave such rows out with --drop-missing"
                raise error_at(place_of(path, number), what) from error
            yield text if read is None else read(text, path, number), values
    if left_out:
        log.info(f"{paths[0]}: {left_out:,} rows without a value to answer left out")


def names_of_answers(answers: Iterable[str], columns: Sequence[str]) -> list[str]:
    """Names of columns for answers: what a column is called already is `predicted_`."""
    return [f"predicted_{name}" if name in columns else name for name in answers]


def _distinct(columns: Sequence[str]) -> list[str]:
    """Names of columns, none of them empty or twice."""
    names: list[str] = []
    for number, name in enumerate(columns, 1):
        name = name or f"column {number}"
        names.append(f"{name} ({number})" if name in names else name)
    return names


def check_output(output: str | Path, data: str | Path | Sequence[str | Path]) -> Path:
    """Refuses a file that cannot be written, or is the one that is read.

    Raises:
        UserError: It is such a file.

    Example:

    >>> check_output("answers.xlsx", "reviews.csv")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: answers.xlsx: unknown file type to write; known are \
.csv, .tsv, .jsonl, .ndjson, each also as .gz
    """
    path = user_path(output)
    if not path.name.lower().removesuffix(".gz").endswith(WRITTEN):
        known = ", ".join(WRITTEN)
        what = f"unknown file type to write; known are {known}, each also as .gz"
        raise error_at(path, what)
    if exists(path) and path.is_dir() or not path.parent.is_dir():
        raise error_at(path, "is a folder, or lies in none that is there; name a file")
    given = [data] if isinstance(data, str | Path) else data
    if exists(path) and any(
        exists(user_path(one)) and path.samefile(user_path(one)) for one in given
    ):
        raise error_at(path, "is the file that is read; give another --output")
    return path


def write_rows(rows: Iterable[Row], output: str | Path) -> Row:
    """Writes rows to a table that is whole or absent, and logs how far it is.

    Args:
        rows: values by column, all with the same columns.
        output: CSV, TSV (with names in quotes, so that quotes are none of the text's)
            or JSON Lines, each plain or .gz.

    Returns:
        Name of the file and number of rows, for the summary.
    """
    output = user_path(output)
    is_json = "json" in Path(output.name.lower().removesuffix(".gz")).suffix
    with written_aside(output) as aside, aside.open("wb") as file:
        packed = gzip.open(file, "wb") if output.suffix.lower() == ".gz" else file
        text = io.TextIOWrapper(packed, "utf-8", "backslashreplace", newline="")
        write = _json_lines if is_json else _delimited
        count = write(_with_progress(rows, output), text, output)
        text.flush()
        if packed is not file:
            packed.close()
    return {"output": str(output), "rows": count}


def _with_progress(rows: Iterable[Row], output: Path) -> Iterator[Row]:
    logged = time.monotonic()
    for number, row in enumerate(rows, 1):
        yield row
        if time.monotonic() - logged > EVERY:
            logged = time.monotonic()
            log.info(f"{output}: {number:,} rows are answered")


def _json_lines(rows: Iterator[Row], file: io.TextIOWrapper, _: Path) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):
        file.write(json.dumps(_shown(row), ensure_ascii=False) + "\n")
    return count


def _delimited(rows: Iterator[Row], file: io.TextIOWrapper, output: Path) -> int:
    is_tsv = output.name.lower().removesuffix(".gz").endswith(".tsv")
    writer = csv.writer(
        file,
        delimiter="\t" if is_tsv else ",",
        quoting=csv.QUOTE_ALL if is_tsv else csv.QUOTE_MINIMAL,
    )
    count = 0
    for count, row in enumerate(rows, start=1):
        if count == 1:
            writer.writerow(row)
        writer.writerow([_cell(value) for value in _shown(row).values()])
    return count


def _shown(row: Row) -> Row:
    """Arrays as lists, dates as text, what is no number as nothing."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: object) -> object:
    try:
        return plain(value)
    except ValueError:  # a date, or what else a file can hold
        return str(value)


def _cell(value: object) -> object:
    is_nested = isinstance(value, list | dict)
    return json.dumps(value, ensure_ascii=False) if is_nested else value
