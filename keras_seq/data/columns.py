"""The columns of texts and labels of a table: found by usual names, or asked for."""

import shlex
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from keras_seq.data.label_format import is_flag
from keras_seq.data.table_format import SEPARATORS, TableFormat
from keras_seq.data.tables import error_at, kind_of, listed, read_rows
from keras_seq.errors import UserError

# Usual names in order of preference. A rating says how much, not which class.
TEXT_COLUMNS = (
    "text review sentence content comment body message tweet document review_text "
    "reviewtext review_body review_content comment_text full_text utterance description"
).split()
LABEL_COLUMNS = (
    "label sentiment class category target labels polarity label_name class_name "
    "airline_sentiment intent topic emotion y"
).split()

NUMBER_COLUMNS = "score rating stars grade value target label y".split()
FEWEST, PEEKED = 10, 200  # rows that say what a column holds
MARKS = set(SEPARATORS.values()) - {" "}  # between the names of a header


def is_header(
    line: str,
    usual: Sequence[Sequence[str]] = (TEXT_COLUMNS, LABEL_COLUMNS),
    marks: Iterable[str] = MARKS,
) -> bool:
    """Whether a line names columns, as a table's first one does.

    Args:
        line: of a file.
        usual: names of each column that it has to hold, by default of texts and labels.
        marks: separators that may stand between the names.

    Example:

    >>> is_header("id,text,label"), is_header("This text, and its label, are fine.")
    (True, False)
    """
    rows = ({n.strip(' "\r\n').lower() for n in line.split(mark)} for mark in marks)
    return any(all(names.intersection(each) for each in usual) for names in rows)


def find_column(
    path: Path,
    columns: Sequence[str],
    table_format: TableFormat,
    kind: str,
    asked: str | None,
    usual: Sequence[str],
) -> str:
    """The column that is asked for, whatever its case, or the first usual one there is.

    Raises:
        UserError: There is none, or several share the name.
    """
    names = [asked] if asked is not None else usual
    found = find_optional_column(path, columns, names)
    if found is None:
        raise error_at(path, _no_column(path, columns, table_format, kind, asked))
    return found


def find_optional_column(
    path: Path, columns: Sequence[str], usual: Sequence[str]
) -> str | None:
    """The first of some names that a table has, whatever its case; None without one.

    Raises:
        UserError: Several columns share the name.

    Example:

    >>> find_optional_column(Path("a.csv"), ["id", "Text"], TEXT_COLUMNS)
    'Text'
    """
    for name in usual:
        matches = [column for column in columns if column == name] or [
            column for column in columns if column.lower() == name.lower()
        ]
        if len(matches) > 1:
            what = f"{len(matches)} columns are called {listed(matches)}; rename one"
            raise error_at(path, what)
        if matches:
            return matches[0]
    return None


def check_one_of_flags(
    path: Path, columns: Sequence[str], table_format: TableFormat
) -> None:
    """Refuses to take one label column of several that hold 0 and 1.

    Raises:
        UserError: No column has the usual name of a label, and two or more hold 0 and 1
            alone; or one that has it is among three or more such.
    """
    usual = [column for column in columns if column.lower() in LABEL_COLUMNS]
    try:
        flags = _flag_columns(path, columns, table_format)
    except UserError:  # said with its place when the rows are read
        return
    if len(flags) < 2 or usual and (len(flags) < 3 or not set(usual) & set(flags)):
        return
    what = f"columns {listed(flags)} hold 0 and 1 alone, so a text may have several "
    what += f"labels: --label-columns {shlex.join(flags)} learns each of them, "
    raise error_at(path, f"{what}--label-column NAME one")


def _flag_columns(
    path: Path, columns: Sequence[str], table_format: TableFormat
) -> list[str]:
    some = islice(read_rows(path, None, table_format), PEEKED)
    rows = [values for _, values in some]
    if table_format.no_header or len(rows) < FEWEST:
        return []
    return [
        name for name, cells in zip(columns, zip(*rows)) if all(map(is_flag, cells))
    ]


def _no_column(
    path: Path,
    columns: Sequence[str],
    table_format: TableFormat,
    kind: str,
    asked: str | None,
) -> str:
    """What to do where no column is the one, with what the file has to choose from."""
    what = f"no column {asked!r}" if asked is not None else f"no {kind} column found"
    if not table_format.no_header:
        what += f"; its columns are: {listed(columns)}; name one with --{kind}-column"
        named = kind_of(path, table_format) in ("json", "parquet", "fasttext")
        if not named:
            what += ", or where this row is no header, give --no-header and a number"
        return what
    _, first = next(read_rows(path, None, table_format))
    shown = [f"{n} holds {str(cell)[:30]!r}" for n, cell in zip(columns, first)]
    more = ", and so on" if len(shown) > 12 else ""
    what += f"; column {', '.join(shown[:12])}{more}; "
    return what + f"name one by its number from 1: --{kind}-column {columns[-1]}"
