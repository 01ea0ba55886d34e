"""Running text: files and folders in, blocks of text out, cut in the order of reading.

A corpus is anything that yields strings; end to end they are the text. Files are read
once, into what `stored_text.py` keeps. Nothing here holds more of a text than a block,
and nothing is shuffled: what comes later is never trained on before what it is to be
scored on.

This module knows neither tokens nor models, and imports no framework.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from keras_seq.data.download import Source, fetch
from keras_seq.data.in_memory import Table, as_file, as_text_file
from keras_seq.data.places import error_at, exists, listed, plural, user_path
from keras_seq.data.sources import read_table
from keras_seq.data.store import Samples
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import KINDS
from keras_seq.data.text_files import is_text, read_blocks
from keras_seq.log import log
from keras_seq.text.python_docs import PythonDocs
from keras_seq.text.stored_text import StoredText, stored_text

Corpus = Iterable[str]

BLOCK = 1 << 20  # characters
# The file of Karpathy's char-rnn, 1,115,394 characters of ASCII.
SHAKESPEARE = Source(
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/"
    "input.txt",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    1_115_394,
)
# Shares of a text to score and to stop by, and how many characters are enough for it.
SHARES = {"validation": (0.05, 100_000), "test": (0.1, 1_000_000)}


def _of_files(paths: Sequence[Path], encoding: str | None = None) -> StoredText:
    """The text of files, plain or gzipped, one behind the other.

    Where one does not end with a line end, one is added, so that no word grows together
    with the next file's.
    """
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return stored_text(_blocks(paths, encoding), f"{paths[0]}{more}")


def _blocks(paths: Sequence[Path], encoding: str | None) -> Iterator[str]:
    for path in paths:
        last = "\n"
        for block in _whole_lines(read_blocks(path, BLOCK, encoding)):
            yield block
            last = block[-1]
        if last != "\n":
            yield "\n"


def _whole_lines(blocks: Iterator[str]) -> Iterator[str]:
    """Blocks that end at a line end, as far as lines are shorter than a block."""
    rest = ""
    for block in blocks:
        head, end, behind = block.rpartition("\n")
        if not end:
            head, behind = block, ""
        yield rest + head + end
        rest = behind
    if rest:
        yield rest


def _lines_of(table: Samples) -> Iterator[str]:
    """The texts of a table, a line each; line ends inside a text become spaces."""
    lines, size = [], 0
    for text, _ in table:
        lines.append(" ".join(text.splitlines()) + "\n")
        size += len(lines[-1])
        if size >= BLOCK:
            yield "".join(lines)
            lines, size = [], 0
    if lines:
        yield "".join(lines)


def read_text(
    data: Table | None = None,
    text_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
) -> StoredText:
    """Reads a text to learn from, once, into a temporary file.

    Args:
        data: a text file; a folder, whose text files, source code or prose, are read in
            the order of their names; a table, for its texts; "shakespeare", which is
            downloaded once; a list of texts; a DataFrame; None for the standard
            library's documentation.
        text_column: of a table; default found by its usual names.
        table_format: of a table; its encoding is that of text files, too.

    Returns:
        Blocks of text, re-iterable.

    Raises:
        UserError: There is no such file, nothing to read in the folder, or what is
            there is no text.

    Example:

    >>> read_text("nowhere.txt")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: nowhere.txt: no such file or folder
    """
    if data is None:
        return stored_text(PythonDocs())
    if isinstance(data, list | tuple):
        return _of_files([as_text_file(data)])
    if isinstance(data, str) and data == "shakespeare":
        return _of_files([fetch(*SHAKESPEARE)])
    path = user_path(as_file(data, ["text"]))
    if not exists(path):
        raise error_at(path, "no such file or folder")
    if path.is_dir():
        return _of_files(_texts_in(path, table_format.encoding), table_format.encoding)
    if _suffix(path) in KINDS or table_format.separator is not None:
        table = read_table(
            path, text_column, need_labels=False, table_format=table_format
        )
        return stored_text(_lines_of(table), str(table))
    return _of_files([path], table_format.encoding)


def _texts_in(folder: Path, encoding: str | None) -> list[Path]:
    """Files of a folder that begin as text, and a line about those that do not."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    found = [p for p in files if _suffix(p) not in KINDS and is_text(p, encoding)]
    if not found:
        raise error_at(folder, "holds no text files")
    left_out = [str(p.relative_to(folder)) for p in files if p not in set(found)]
    if left_out:
        count = plural(len(left_out), "file")
        log.info(f"{folder}: {count} left out, no running text: {listed(left_out, 5)}")
    return found


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def split_text(
    given: Mapping[str, Corpus], limit: int | None = None
) -> dict[str, StoredText]:
    """Cuts the parts that are not given off the end of the train text.

    Test is the last tenth, a million characters at most, and validation stands before
    it: the last twentieth, 100,000 characters at most. Cuts are moved to a line end, or
    to the end of a word, where there is one nearby: no part shrinks by more than half.

    Args:
        given: "train", and "validation" or "test" where the user brings them.
        limit: most characters of the train text to use, from its start.

    Returns:
        "train", "validation" and "test".

    Raises:
        UserError: The text is too short to be cut.

    Example:

    >>> lines = [f"line {n}\\n" for n in range(100)]
    >>> parts = split_text({"train": lines})
    >>> {name: "".join(part).count("line") for name, part in parts.items()}
    {'train': 86, 'validation': 5, 'test': 9}
    """
    text = stored_text(given["train"])
    end = min(text.size, limit) if limit else text.size
    sizes = {
        name: 0 if name in given else min(int(share * end), most)
        for name, (share, most) in SHARES.items()
    }
    # Half of the smaller part at most.
    reach = min((size for size in sizes.values() if size), default=0) // 2
    first, second = (
        _cut_near(text, cut, min(reach, end - cut)) if cut < end else end
        for cut in (end - sum(sizes.values()), end - sizes["test"])
    )
    bounds = dict(zip(("train", *SHARES), pairwise((0, first, second, end))))
    short = [n for n, (a, b) in bounds.items() if a >= b and n not in given]
    if short or not first:
        what = f"{end} characters are too few for a {' and a '.join(short)} part"
        raise error_at(text.name, f"{what if end else 'no text'}; bring more text")
    parts = {n: text.part(*cut) for n, cut in bounds.items()}
    return parts | {n: stored_text(given[n]) for n in SHARES if n in given}


def _cut_near(text: StoredText, place: int, reach: int) -> int:
    """Where the line of a character ends, or its word, or the character itself."""
    nearby = "".join(text.part(place, place + reach))
    for mark in ("\n", " "):
        if (found := nearby.find(mark)) >= 0:
            return place + found + 1
    return place
