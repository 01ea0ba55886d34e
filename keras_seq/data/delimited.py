"""Records of CSV and TSV files: separators are found, and no quote swallows rows.

A separator is looked for where none is given: the one that cuts the first rows alike.
In CSV a field in quotes may hold separators and line ends; in TSV a quote is a
character, unless every name of the header stands in quotes.
"""

import csv
import itertools
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Literal

from keras_seq.data.places import error_at, listed, log_once, place_of, plural
from keras_seq.data.table_format import SEPARATORS, TableFormat
from keras_seq.data.text_files import read_lines

Record = tuple[int, list[str]]  # the line where it starts, its fields

_LONGEST_FIELD = 1 << 24  # characters
_FOUND_AMONG = ("comma", "semicolon", "tab", "pipe")
_LOOKED_AT = 30  # lines that show a separator
_LEARNED = 500  # rows whose short values are remembered
_FEW, _SHORT = 50, 40  # values of a column of categories, and characters of one
_MANY = 50  # lines of a field
_PLAIN = 10  # rows without quotes that are enough to learn from


def read_records(
    path: Path, is_tsv: bool, table_format: TableFormat
) -> Generator[Record, None, None]:
    """Records of a file, the header first where there is one.

    Raises:
        UserError: A row cannot be read, quotes run over rows, or two separators fit.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    first = list(itertools.islice(read_lines(path, table_format.encoding), _LOOKED_AT))
    mark = table_format.delimiter or _found_separator(path, first, is_tsv)
    is_tsv = (
        is_tsv or mark == "\t" and not path.name.lower().endswith((".csv", ".csv.gz"))
    )
    as_is = is_tsv and not _is_quoted(next(filter(str.strip, first), ""), mark)
    kept: list[str] = []  # lines since the last record

    def lines() -> Iterator[str]:
        for line in read_lines(path, table_format.encoding):
            kept.append(line)
            yield line

    # Strict: otherwise an open quote swallows the rest of the file without a word.
    reader = csv.reader(lines(), delimiter=mark, quoting=_quoting(as_is), strict=True)
    rows, header = _RowsInQuotes(path, mark), not table_format.no_header
    while True:
        start = reader.line_num + 1
        kept.clear()
        try:
            record = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            what = f"unreadable row ({error}); "
            what += "close every quote, and double the quotes inside a quoted field"
            what += "; where quotes are characters, call it .tsv, with --separator"
            if "new-line" in str(error):
                what = "a carriage return (CR) stands in it that ends no line; save "
                what += "the file with line ends of one kind (LF, or CR LF)"
            raise error_at(place_of(path, start), what) from error
        if record:
            rows.look(start, record, kept)
            yield start, [name.strip() for name in record] if header else record
            header = False
    rows.end()


def _quoting(as_is: bool) -> Literal[0, 3]:
    return csv.QUOTE_NONE if as_is else csv.QUOTE_MINIMAL


def _is_quoted(header: str, mark: str) -> bool:
    names = header.rstrip("\r\n").split(mark)
    return all(len(n) > 1 and n[0] == n[-1] == '"' for n in names)


def _found_separator(path: Path, lines: Sequence[str], is_tsv: bool) -> str:
    """The separator that cuts the first rows into as many fields each."""
    own = "tab" if is_tsv else "comma"
    widths = {name: _widths(lines, SEPARATORS[name], is_tsv) for name in _FOUND_AMONG}
    alike = [n for n, own in widths.items() if len(own) > 1 and len(set(own)) == 1]
    alike = [name for name in alike if widths[name][0] > 1]
    if is_tsv and widths["tab"][:1] > [1]:
        return "\t"
    if len(alike) > 1:
        what = f"{listed(alike)} cut the first rows alike; name one with --separator"
        raise error_at(path, what)
    if not alike and widths[own][:1] <= [1]:
        # Rows differ: the header alone decides, where only one separator is in it.
        alike = [name for name, own in widths.items() if own[:1] > [1]]
    if len(alike) == 1 and alike != [own]:
        log_once(f"{path}: columns are separated by {alike[0]}s")
        return SEPARATORS[alike[0]]
    return SEPARATORS[own]


def _widths(lines: Sequence[str], mark: str, is_tsv: bool) -> list[int]:
    """Fields of each record; the last lines may be cut out of one."""
    quoting, widths = _quoting(is_tsv), []
    try:
        for record in csv.reader(lines, delimiter=mark, quoting=quoting, strict=True):
            widths += [len(record)] if record else []
    except csv.Error:
        pass
    return widths


class _RowsInQuotes:
    """Finds rows that an open quote has swallowed.

    The lines within a field in quotes are read once more as rows: with as many fields
    as the header, and in one column a short value that this column has elsewhere, they
    are rows and no text. Texts with line ends have no such lines.
    """

    def __init__(self, path: Path, mark: str) -> None:
        self._path, self._mark = path, mark
        self._known: list[set[str] | None] = []  # of each column
        self._rows, self._several, self._first = 0, 0, 0
        # The line where a field starts, how many rows it may hold, and its lines, cut.
        self._doubtful: list[tuple[int, int, list[list[str]]]] = []

    def look(self, start: int, record: Sequence[str], lines: Sequence[str]) -> None:
        """Remembers a record's short values, and reads its lines as rows."""
        if not self._known:
            self._known = [set() for _ in record]
            return
        if len(lines) > 1:
            self._several += 1
            self._first = self._first or start
            self._look_inside(start, lines)
        elif self._rows < _LEARNED:
            self._rows += 1
            self._learn(record)

    def _learn(self, record: Sequence[str]) -> None:
        for number, value in enumerate(record[: len(self._known)]):
            known = self._known[number]
            if known is not None and value:
                known.add(value)
                if len(value) > _SHORT or len(known) > _FEW:
                    self._known[number] = None

    def _look_inside(self, start: int, lines: Sequence[str]) -> None:
        width = len(self._known)
        cut = [line.rstrip("\r\n").split(self._mark) for line in lines]
        rows = [fields for fields in cut if len(fields) == width > 1]
        if len(rows) >= _enough(lines):
            self._doubtful.append((start, len(rows), cut[:_MANY]))
            if self._rows >= _LEARNED:
                self._judge()

    def _judge(self) -> None:
        """Refuses the first field in doubt whose lines are rows."""
        if self._rows < _PLAIN <= len(self._doubtful):
            # Hardly a row is free of quotes: what repeats in their lines is known.
            for fields in itertools.chain(*(cut for _, _, cut in self._doubtful)):
                self._learn(fields)
        for start, rows, cut in self._doubtful:
            found = sum(map(self._reads_as_row, cut))
            if found >= _enough(cut) or not any(self._known) and rows > _MANY:
                what = f"a field in quotes runs over {len(cut)} lines or more that are "
                what += "rows of their own; close its quote, or double it where it is "
                raise error_at(place_of(self._path, start), f"{what}a character")
        self._doubtful.clear()

    def _reads_as_row(self, fields: Sequence[str]) -> bool:
        return len(fields) == len(self._known) and any(
            known and field in known for known, field in zip(self._known, fields)
        )

    def end(self) -> None:
        """The last word on what was in doubt, and how many rows hold line ends."""
        self._judge()
        if self._several:
            rows = plural(self._several, "row")
            line = f"{rows} with line ends in quotes, the first at line {self._first}"
            log_once(f"{self._path}: {line}")


def _enough(lines: Sequence[object]) -> float:
    """Lines that have to be rows: all of a few, half of many."""
    return len(lines) if len(lines) < 4 else len(lines) / 2
