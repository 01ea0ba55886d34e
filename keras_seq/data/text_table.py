"""(text, label) pairs, read from their files on every pass: of a table, or of folders.

A row without a text or a label is an error, or left out and counted where that is asked
for. Knows neither file formats (tables.py) nor models.
"""

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from keras_seq.data.label_format import (
    ONE_LABEL,
    LabelFormat,
    is_marked,
    label_of,
    split_marked,
)
from keras_seq.data.labels import check_missing
from keras_seq.data.places import error_at, listed, place_of, plural
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import read_rows
from keras_seq.data.text_files import read_blocks
from keras_seq.errors import UserError
from keras_seq.log import log

# How spreadsheets and pandas write that there is no text.
_MISSING = {"", "nan", "null"}
SUFFIXES = (".txt", ".text", ".md", ".html")
UNLABELLED = ("unsup", "unlabeled", "unlabelled")  # as aclImdb has one
PARTS = ("train", "test", "valid", "validation", "dev")
_LARGEST = 1 << 26  # characters of a text


@dataclass(frozen=True, eq=False)
class TextTable:
    """(text, label) pairs that are read from the files again on every pass.

    Attributes:
        paths: The files, in order.
        text_column: Name of the column of texts.
        label_column: Name of the column of labels, or None when they are not read;
            every label is then "".
        labels_as_written: A label such as NA is a class; else it is an error.
        table_format: How the files are to be read.
        label_format: What a label is; its columns stand for `label_column`.
    """

    paths: Sequence[Path]
    text_column: str
    label_column: str | None
    labels_as_written: bool = False
    table_format: TableFormat = AS_FOUND
    label_format: LabelFormat = ONE_LABEL

    @functools.cached_property
    def _columns(self) -> list[str]:
        one = [self.label_column] if self.label_column else []
        return [self.text_column, *(self.label_format.label_columns or one)]

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
        found, left_out = 0, []
        for path in self.paths:
            for number, values in read_rows(path, self._columns, self.table_format):
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
            count = plural(len(left_out), "row")
            log.info(
                f"{left_out[0]}: {count} without a text or label left out, this "
                "one first"
            )
        if not found:
            raise error_at(self.paths[0], "holds no rows")

    def _checked(
        self, path: Path, number: int, values: list[object]
    ) -> tuple[str, str]:
        """Text and label of a row."""
        place, label = place_of(path, number), ""
        column: str | None = self._columns[0]
        try:
            text = text_of(values[0])
            if values[1:]:
                column = None
                label = label_of(values[1:], self.label_format)
        except ValueError as error:
            column = column or self._columns[1 + error.args[1]]
            what = f"{error.args[0]} in column {column!r}; "
            if len(error.args) < 3:  # of another type
                raise error_at(place, f"{what}mend or remove the row") from error
            what += "mend or remove the row, or leave such rows out with --drop-missing"
            raise _Missing(error_at(place, what)) from error
        if not self.labels_as_written:
            parts = split_marked(label) if is_marked(label) else [label]
            try:
                check_missing(place, parts, droppable=True)
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


class LabelFolders:
    """(text, label) samples of `LABEL/x.txt`, read from the files on every pass.

    The labels take turns, so that the first rows hold all of them.

    Args:
        folder: holds a folder for each label.
        names: label by the folder's name, where it is another.
        encoding: of the files; None is UTF-8, or what a byte order mark says.

    Raises:
        UserError: The folder holds no labels, or parts that hold them.
    """

    def __init__(
        self,
        folder: Path,
        names: Mapping[str, str] | None = None,
        encoding: str | None = None,
    ) -> None:
        self._folder, self._encoding = folder, encoding
        names = names or {}
        self._files = {
            names.get(label.name, label.name): files
            for label in sorted(folder.iterdir())
            if label.is_dir()
            and not label.name.startswith(".")
            and label.name.lower() not in UNLABELLED
            and (files := _texts_in(label))
        }
        self._check()

    def _check(self) -> None:
        parts = [p for p in PARTS if any(self._folder.glob(f"{p}/*/"))]
        if parts and not set(self._files) - set(parts):
            what = f"holds the parts {listed(parts)}; give {self._folder / parts[0]}"
            raise error_at(self._folder, f"{what}, and the others by options of theirs")
        if not self._files:
            what = f"holds no LABEL/x.txt ({', '.join(SUFFIXES)}); name a file, or a "
            raise error_at(self._folder, f"{what}glob: {self._folder}/*.csv")
        for name in UNLABELLED:
            if (self._folder / name).is_dir():
                log.info(f"{self._folder / name}: left out, as it has no label")

    def __str__(self) -> str:
        return str(self._folder)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((text, label) for _, _, text, label in self.rows())

    def rows(self) -> Iterator[tuple[Path, int, str, str]]:
        """Yields (file, 1, text, label)."""
        count = 0
        for turn in itertools.zip_longest(*self._files.values()):
            for label, path in zip(self._files, turn):
                if path is not None:
                    count += 1
                    yield path, 1, self._text_of(path), label
        found = f"{count:,} texts in {len(self._files)} folders"
        log.info(f"{self._folder}: {found}")

    def _text_of(self, path: Path) -> str:
        text = next(read_blocks(path, _LARGEST, self._encoding), "")
        if not text.strip():
            raise error_at(path, "holds no text; remove the file")
        return text


def _texts_in(folder: Path) -> list[Path]:
    names = (p for p in folder.iterdir() if p.name.lower().endswith(SUFFIXES))
    return sorted(path for path in names if path.is_file())
