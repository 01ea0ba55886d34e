"""What the label of a row is: one class, several labels, or a number.

Rows are strings throughout, so several labels are one string, too: each stands behind a
mark that no label holds. A list of a JSON file, columns of 0 and 1, and a cell that a
separator divides all end up as that.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from keras_seq.data.labels import clean_label
from keras_seq.data.table_format import SEPARATORS
from keras_seq.errors import UserError
from keras_seq.ranges import number

MARK = "\x1f"  # ASCII's own separator of units
_FLAGS = {"0": False, "0.0": False, "1": True, "1.0": True}
_FLAGS |= {"false": False, "true": True}
Kind = Literal["auto", "classification", "regression"]


@dataclass(frozen=True)
class LabelFormat:
    """What the options of reading labels say; by default a row has one of some classes.

    Args:
        label_separator: what stands between the labels of one text: characters, or
            comma, semicolon, tab, pipe, space.
        label_columns: columns of 0 and 1, one a label.
        kind: regression reads numbers; classification takes labels that look like
            measurements for classes; auto refuses these.

    Raises:
        UserError: Options that exclude each other are given.

    Example:

    >>> LabelFormat(label_separator="semicolon").several_of("sad; angry")
    '\\x1fsad\\x1fangry'
    """

    label_separator: str | None = None
    label_columns: Sequence[str] | None = None
    kind: Kind = "auto"

    def __post_init__(self) -> None:
        if self.label_separator is not None and not self.label_separator:
            raise UserError("--label-separator is empty; expected characters, or comma")
        given = {
            "--label-separator": self.label_separator,
            "--label-columns": self.label_columns,
            "--kind regression": self.kind == "regression" or None,
        }
        both = [option for option, value in given.items() if value]
        if len(both) > 1:
            raise UserError(f"{both[0]} and {both[1]} exclude each other; give one")

    def several_of(self, cell: str) -> str:
        """A cell with separators as `join_marked` has it."""
        if self.label_separator is None:
            return join_marked([cell])
        mark = SEPARATORS.get(self.label_separator, self.label_separator)
        return join_marked(cell.split(mark))


ONE_LABEL = LabelFormat()


def join_marked(labels: Iterable[str]) -> str:
    """Several labels as one string, of which `split_marked` makes them again.

    Example:

    >>> split_marked(join_marked(["sad", " angry", ""])), split_marked(join_marked([]))
    (['sad', 'angry'], [])
    """
    cleaned = (label.strip() for label in labels)
    return MARK + MARK.join(label for label in cleaned if label)


def split_marked(label: str) -> list[str]:
    """The labels of `join_marked`; one that has no mark is alone."""
    return [part for part in label.split(MARK) if part]


def is_marked(label: str) -> bool:
    """Whether it is what `join_marked` made."""
    return label.startswith(MARK)


def number_of(text: str) -> float | None:
    """The number that a text is; None where it is none, or not finite.

    Example:

    >>> number_of(" 3.50 "), number_of("3,5"), number_of("1e999")
    (3.5, None, None)
    """
    try:
        found = number(text.strip())
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def label_of(values: Sequence[object], label_format: LabelFormat) -> str:
    """The label of a row's cells, as a string.

    Raises:
        ValueError: What is wrong, the number of the cell, and "missing" where there is
            nothing.

    Example:

    >>> label_of(["0", 1], LabelFormat(label_columns=["sad", "angry"]))
    '\\x1fangry'
    >>> label_of([["sad", "angry"]], ONE_LABEL)
    '\\x1fsad\\x1fangry'
    """
    if label_format.label_columns:
        named = zip(label_format.label_columns, map(_flag, range(len(values)), values))
        return join_marked(name for name, holds in named if holds)
    (value,) = values
    if hasattr(value, "tolist"):  # an array of a Parquet file
        value = value.tolist()
    if isinstance(value, list | tuple | set):
        if label_format.kind == "regression":
            raise ValueError("list instead of a number", 0)
        return join_marked(_word(each) for each in value)
    if label_format.kind == "regression":
        return _number(value)
    word = _word(value)
    if label_format.label_separator:
        word = label_format.several_of(word)
        if not split_marked(word):
            raise ValueError("no label", 0, "missing")
    return word


def _word(value: object) -> str:
    if _is_missing(value):
        raise ValueError("no label", 0, "missing")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int):
        what = f"{type(value).__name__} instead of a label (a word or a whole number"
        if isinstance(value, float):
            what += "; --kind regression learns numbers"
        raise ValueError(f"{what})", 0)
    if not clean_label(str(value)):
        raise ValueError("no label", 0, "missing")
    return str(value).encode("utf-8", "replace").decode().replace(MARK, " ")


def _number(value: object) -> str:
    if _is_missing(value) or isinstance(value, str) and not clean_label(value):
        raise ValueError("no number", 0, "missing")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"{type(value).__name__} instead of a number", 0)
    found = number_of(str(value))
    if found is None:
        shown = repr(str(value)[:40])
        raise ValueError(f"{shown} is no number (such as 3.5 or -1e3)", 0)
    return repr(found)


def _flag(number: int, value: object) -> bool:
    if _is_missing(value) or isinstance(value, str) and not value.strip():
        raise ValueError("no value", number, "missing")
    flag = _FLAGS.get(str(value).strip().lower())
    if flag is None:
        raise ValueError(f"{str(value)[:40]!r} instead of 0 or 1", number)
    return flag


def is_flag(value: object) -> bool:
    """Whether a cell is 0 or 1, in one of their spellings.

    Example:

    >>> is_flag("1"), is_flag(0.0), is_flag("2")
    (True, True, False)
    """
    return not isinstance(value, list) and str(value).strip().lower() in _FLAGS


def _is_missing(value: object) -> bool:
    return value is None or isinstance(value, float) and value != value
