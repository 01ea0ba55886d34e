"""Sentence pairs from raw files: tables, two line-aligned files, TMX; and their faults.

Which side is read and which is written is never guessed: columns have the usual names,
or options name them. Knows no vocabulary and no model.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from keras_seq.data.columns import find_column
from keras_seq.data.copies import counted
from keras_seq.data.in_memory import Data, Table, as_file
from keras_seq.data.places import error_at, exists, place_of, plural, user_path
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import KINDS, find_files, kind_of, read_columns, read_rows
from keras_seq.data.text_files import read_lines
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.text.tmx import read_tmx

SOURCE_COLUMNS = ("source", "src", "source_text")
TARGET_COLUMNS = ("target", "tgt", "trg", "translation", "target_text")
UNLIKE = 9  # times as many characters on one side: hardly a translation
SHORT = 20  # characters of which any side may be that much longer
# Scripts that one language mixes.
_ONE_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "KATAKANA-HIRAGANA": "CJK"}


class SentencePair(NamedTuple):
    """A sentence and its translation, as people write them, and where they stand.

    Example:

    >>> SentencePair("ein Hund", "a dog", Path("a.tsv"), 3).place()
    'a.tsv:3'
    """

    source: str
    target: str
    path: Path = Path("pairs")
    line: int = 0

    def place(self) -> str:
        """For messages."""
        return place_of(self.path, self.line)


def read_pairs(
    data: Table,
    target_data: Data = None,
    source_column: str | None = None,
    target_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
) -> list[SentencePair]:
    """Reads sentence pairs; an empty side is an error, or left out and counted.

    Args:
        data: table with a column a side, TMX, or the sources' file, one a line; a file
            or glob, plain or .gz, a DataFrame, (sources, targets), or a list of pairs.
        target_data: the targets' file, one a line, where `data` holds sources alone.
        source_column: its name, or of TMX its language; default a usual name.
        target_column: likewise.
        table_format: how a table is read; `drop_missing` leaves out empty sides.

    Returns:
        Pairs in order, Unicode in its composed form (NFC), spaces at the ends gone.

    Raises:
        UserError: A file, column or side is missing, or line counts differ.

    Example:

    >>> [pair[:2] for pair in read_pairs([("ein Hund", "a dog"), ("zwei", "two")])]
    [('ein Hund', 'a dog'), ('zwei', 'two')]
    """
    if target_data is not None:
        if source_column is not None or target_column is not None:
            raise UserError("--target-data is for files without columns; name none")
        rows = _aligned(_one(data), _one(target_data), table_format.encoding)
    else:
        names = source_column, target_column
        rows = _of_tables(as_file(data, ("source", "target")), names, table_format)
    return list(_whole(rows, table_format.drop_missing))


def _whole(rows: Iterator[SentencePair], drop: bool) -> Iterator[SentencePair]:
    """Pairs with both sides; others are errors, or counted."""
    total, missing, first = 0, 0, None
    for pair in rows:
        total += 1
        source, target = (
            unicodedata.normalize("NFC", side).strip() for side in pair[:2]
        )
        if source and target:
            yield pair._replace(source=source, target=target)
            continue
        first, missing = first or pair, missing + 1
        if not drop:
            what = f"the {'target' if source else 'source'} is empty; fill it in, or "
            raise error_at(pair.place(), what + "give --drop-missing")
    if first:
        found = counted(missing, total, "pairs")
        log.info(f"{first.path}: {found} lack a side and are left out")


def _one(data: Table) -> Path:
    if not isinstance(data, str | Path):
        raise UserError("line-aligned data are two files; name one for each side")
    path = user_path(data)
    if not exists(path) or path.is_dir():
        raise error_at(path, "no such file")
    return path


def _aligned(
    source: Path, target: Path, encoding: str | None
) -> Iterator[SentencePair]:
    sides = [
        [line.rstrip("\r\n") for line in read_lines(path, encoding)]
        for path in (source, target)
    ]
    counts = [len(side) for side in sides]
    if counts[0] != counts[1]:
        what = f"{plural(counts[0], 'line')}, but {target} has {counts[1]:,}; line-"
        raise error_at(
            source, f"{what}aligned files have as many lines, a sentence each"
        )
    if not counts[0]:
        raise error_at(source, "the file is empty")
    log.info(f"{source}, {target}: {plural(counts[0], 'pair')}")
    for number, (own, other) in enumerate(zip(*sides), start=1):
        yield SentencePair(own, other, source, number)


def _kind(path: Path, table_format: TableFormat) -> str:
    name = Path(path.name.lower().removesuffix(".gz"))
    if name.suffix == ".tmx":
        return "tmx"
    if name.suffix not in KINDS and table_format.separator is None:
        what = "is one side of line-aligned files? name the other with --target-data; "
        raise error_at(path, what + "a table of another name needs --separator")
    return kind_of(path, table_format)


def _of_tables(
    paths: str | Path | Sequence[str | Path],
    asked: tuple[str | None, str | None],
    table_format: TableFormat,
) -> Iterator[SentencePair]:
    for path in find_files(paths, partial(_kind, table_format=table_format)):
        if _kind(path, table_format) == "tmx":
            for line, source, target in read_tmx(path, *asked):
                yield SentencePair(source, target, path, line)
            continue
        columns = read_columns(path, table_format)
        usual: tuple[Sequence[str], Sequence[str]] = SOURCE_COLUMNS, TARGET_COLUMNS
        if table_format.no_header and len(columns) == 2:
            usual = ("1",), ("2",)  # without names the source stands first
        found = [
            find_column(path, columns, table_format, side, name, names)
            for side, name, names in zip(("source", "target"), asked, usual)
        ]
        if found[0] == found[1]:
            raise error_at(
                path, f"column {found[0]!r} is named for both sides; name two"
            )
        for line, values in read_rows(path, found, table_format):
            own, other = ("" if value is None else str(value) for value in values)
            yield SentencePair(own, other, path, line)


def report_faults(pairs: Sequence[SentencePair]) -> dict[str, int]:
    """One line on each kind of doubtful pair, with the first; nothing is left out.

    Args:
        pairs: of one part.

    Returns:
        How many pairs each fault has.

    Example:

    >>> pairs = [SentencePair("ein Hund", "a dog")] * 9 + [SentencePair("Ok", "Ok")]
    >>> report_faults(pairs)
    {'have equal sides': 1, 'have one side 9 times longer': 0,
     'are in another script than the rest': 0}
    """
    scripts = [_usual_script(pairs, side) for side in (0, 1)]
    faults: dict[str, Callable[[SentencePair], bool]] = {
        "have equal sides": lambda pair: pair.source == pair.target,
        f"have one side {UNLIKE} times longer": _is_unlike,
        "are in another script than the rest": lambda pair: any(
            script_of(side) not in ("", usual) for side, usual in zip(pair[:2], scripts)
        ),
    }
    found = {}
    for fault, has in faults.items():
        some = [pair for pair in pairs if has(pair)]
        found[fault] = len(some)
        if some:
            said = counted(len(some), len(pairs), "pairs")
            log.info(f"{some[0].path}: {said} {fault}, the first at {some[0].place()}")
    return found


def _is_unlike(pair: SentencePair) -> bool:
    short, long = sorted(map(len, pair[:2]))
    return long > SHORT and long > UNLIKE * short


def _usual_script(pairs: Sequence[SentencePair], side: int) -> str:
    counts = Counter(script_of(pair[:2][side]) for pair in pairs)
    counts.pop("", None)
    return max(counts, key=counts.__getitem__, default="")


def script_of(text: str) -> str:
    """The script of most letters, by its Unicode name; "" where there is no letter.

    Example:

    >>> script_of("Ein Hund"), script_of("Собака!"), script_of("犬です"), script_of("3")
    ('LATIN', 'CYRILLIC', 'CJK', '')
    """
    counts = Counter(_script(char) for char in text if char.isalpha())
    return max(counts, key=counts.__getitem__, default="")


@cache
def _script(char: str) -> str:
    name = unicodedata.name(char, "OTHER").split()[0]
    return _ONE_SCRIPT.get(name, name)
