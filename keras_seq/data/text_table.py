"""A table's rows as (text, label) pairs, read from its files on every pass.

A row without a text or a label is an error, or left out and counted where that is asked
for. Knows neither file formats (tables.py) nor models.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_seq.data.labels import check_missing, clean_label, reads_as_missing
from keras_seq.data.places import error_at, place_of
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import read_rows
from keras_seq.errors import UserError
from keras_seq.log import log

# How spreadsheets and pandas write that there is no text.
_MISSING = {"", "nan", "null"}


class TextTable:
    """(text, label) pairs that are read from the files again on every pass.

    Attributes:
        paths: The files, in order.
        text_column: Name of the column of texts.
        label_column: Name of the column of labels, or None when they are not read;
            every label is then "".
        labels_as_written: A label such as NA is a class; else it is an error.
        table_format: How the files are to be read.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        text_column: str,
        label_column: str | None,
        labels_as_written: bool = False,
        table_format: TableFormat = AS_FOUND,
    ) -> None:
        self.table_format = table_format
        self.paths = tuple(paths)
        self.text_column = text_column
        self.label_column = label_column
        self.labels_as_written = labels_as_written

    def __str__(self) -> str:
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}"

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((text, label.strip()) for _, _, text, label in self.rows())

    def rows(self) -> Iterator[tuple[Path, int, str, str]]:
        """Yields (file, line or row number, text, label as it is written).

        Raises:
            UserError: A row cannot be read, lacks a text or a label, or there is none.
        """
        columns = [name for name in (self.text_column, self.label_column) if name]
        found, left_out = 0, []
        for path in self.paths:
            for number, values in read_rows(path, columns, self.table_format):
                try:
                    text, label = self._checked(path, number, values)
                except _Missing as missing:
                    if not self.table_format.drop_missing:
                        raise missing.error from missing
                    left_out.append(place_of(path, number))
                    continue
                found += 1
                yield path, number, text, label
        if left_out:
            count = f"{len(left_out):,} row{'s' * (len(left_out) != 1)}"
            log.info(f"{left_out[0]}: {count} without a text or label left out, this "
                     "one first")  # fmt: skip
        if not found:
            raise error_at(self.paths[0], "holds no rows")

    def _checked(
        self, path: Path, number: int, values: list[object]
    ) -> tuple[str, str]:
        """Text and label of a row."""
        place, label = place_of(path, number), ""
        names = (self.text_column, self.label_column)
        try:
            text = text_of(values[0])
            label = _label_of(values[1]) if self.label_column else ""
        except ValueError as error:
            what = f"{error.args[0]} in column {names[error.args[1]]!r}; "
            if len(error.args) < 3:  # of another type
                raise error_at(place, f"{what}mend or remove the row") from error
            what += "mend or remove the row, or leave such rows out with --drop-missing"
            raise _Missing(error_at(place, what)) from error
        if not self.labels_as_written and reads_as_missing(label):
            try:
                check_missing(place, [label], droppable=True)
            except UserError as error:
                raise _Missing(error) from error
        return text, label


class _Missing(Exception):
    """A row lacks a text or a label, with the error that says so."""

    def __init__(self, error: UserError) -> None:
        super().__init__(error)
        self.error = error


def text_of(value: object) -> str:
    """The text of a cell.

    Raises:
        ValueError: What is wrong, 0, and "missing" where there is none.
    """
    if not isinstance(value, str):
        if value is None or value != value:
            raise ValueError("no text", 0, "missing")
        raise ValueError(f"{type(value).__name__} instead of text", 0)
    if len(value) < 8 and value.strip().lower() in _MISSING or value.isspace():
        raise ValueError("no text", 0, "missing")
    try:
        value.encode()
    except UnicodeEncodeError:
        # Half of a pair, as JSON writers leave when they cut a text.
        return value.encode("utf-8", "replace").decode()
    return value


def _label_of(value: object) -> str:
    if value is None or value != value:
        raise ValueError("no label", 1, "missing")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int):
        what = f"{type(value).__name__} instead of a label (a word or a whole number)"
        raise ValueError(what, 1)
    if not clean_label(str(value)):
        raise ValueError("no label", 1, "missing")
    return str(value).encode("utf-8", "replace").decode()
