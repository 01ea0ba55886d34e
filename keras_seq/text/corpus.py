"""Running text: files and folders in, blocks of text out, cut in the order of reading.

A corpus is anything that can be iterated again and again and yields strings; end to end
they are the text. Nothing here holds more of it than a block, and nothing is shuffled:
what comes later is never trained on before what it is to be scored on.

This module knows neither tokens nor models, and imports no framework.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from keras_seq.data.download import Source, fetch
from keras_seq.data.in_memory import Table, as_file, as_text_file
from keras_seq.data.places import error_at, exists, listed, plural, user_path
from keras_seq.data.sources import read_table
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import KINDS
from keras_seq.data.text_files import is_text, read_blocks
from keras_seq.log import log
from keras_seq.text.python_docs import PythonDocs

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


class TextFiles:
    """The text of files, one behind the other; read anew on every pass.

    Files are plain or gzipped. Where one does not end with a line end, one is added, so
    that no word grows together with the next file's.

    Args:
        paths: the files, in order.
        encoding: None is UTF-8, or what a byte order mark says.
    """

    def __init__(self, paths: Sequence[Path], encoding: str | None = None) -> None:
        self.paths, self._encoding = tuple(paths), encoding

    def __str__(self) -> str:
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}"

    def __iter__(self) -> Iterator[str]:
        for path in self.paths:
            last = "\n"
            for block in _whole_lines(read_blocks(path, BLOCK, self._encoding)):
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


class TableTexts:
    """The texts of a table, a line each; line ends inside a text become spaces."""

    def __init__(
        self,
        path: Path,
        text_column: str | None = None,
        table_format: TableFormat = AS_FOUND,
    ) -> None:
        self._table = read_table(
            path, text_column, need_labels=False, table_format=table_format
        )

    def __str__(self) -> str:
        return str(self._table)

    def __iter__(self) -> Iterator[str]:
        lines, size = [], 0
        for text, _ in self._table:
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
) -> Corpus:
    """Opens a text to learn from; of files the first block is read, to look at.

    Args:
        data: a text file; a folder, whose text files, source code or prose, are read in
            the order of their names; a table, for its texts; "shakespeare", which is
            downloaded once; a list of texts; a DataFrame; None for the standard
            library's documentation.
        text_column: of a table; default found by its usual names.
        table_format: of a table; its encoding is that of text files, too.

    Returns:
        The corpus.

    Raises:
        UserError: There is no such file, nothing to read in the folder, or the first
            block is no text.

    Example:

    >>> read_text("nowhere.txt")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: nowhere.txt: no such file or folder
    """
    if data is None:
        return PythonDocs()
    corpus = _opened(data, text_column, table_format)
    next(iter(corpus), "")  # what is wrong with it is said at once
    return corpus


def _opened(
    data: Table, text_column: str | None, table_format: TableFormat
) -> "TextFiles | TableTexts":
    if isinstance(data, list | tuple):
        return TextFiles([as_text_file(data)])
    if isinstance(data, str) and data == "shakespeare":
        return TextFiles([fetch(*SHAKESPEARE)])
    path = user_path(as_file(data, ["text"]))
    if not exists(path):
        raise error_at(path, "no such file or folder")
    if path.is_dir():
        return TextFiles(_texts_in(path, table_format.encoding), table_format.encoding)
    if _suffix(path) in KINDS or table_format.separator is not None:
        return TableTexts(path, text_column, table_format)
    return TextFiles([path], table_format.encoding)


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


class TextPart:
    """A stretch of a corpus, from one character to another.

    Attributes:
        start: number of its first character.
        end: number of the first character behind it.
    """

    def __init__(self, corpus: Corpus, start: int, end: int) -> None:
        self._corpus, self.start, self.end = corpus, start, end

    def __str__(self) -> str:
        return f"{self._corpus}, characters {self.start} to {self.end}"

    def __iter__(self) -> Iterator[str]:
        place = 0
        for block in self._corpus:
            piece = block[max(0, self.start - place) : max(0, self.end - place)]
            if piece:
                yield piece
            place += len(block)
            if place >= self.end:
                break


def split_text(
    given: Mapping[str, Corpus], limit: int | None = None
) -> dict[str, Corpus]:
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
    corpus = given["train"]
    size = sum(len(block) for block in corpus)
    end = min(size, limit) if limit else size
    sizes = {
        name: 0 if name in given else min(int(share * end), most)
        for name, (share, most) in SHARES.items()
    }
    # Half of the smaller part at most.
    reach = min((size for size in sizes.values() if size), default=0) // 2
    first, second = (
        _cut_near(corpus, cut, min(reach, end - cut)) if cut < end else end
        for cut in (end - sum(sizes.values()), end - sizes["test"])
    )
    bounds = dict(zip(("train", *SHARES), pairwise((0, first, second, end))))
    short = [n for n, (a, b) in bounds.items() if a >= b and n not in given]
    if short or not first:
        what = f"{end} characters are too few for a {' and a '.join(short)} part"
        raise error_at(str(corpus), f"{what if end else 'no text'}; bring more text")
    parts = {n: given.get(n) or TextPart(corpus, *bounds[n]) for n in SHARES}
    return {"train": TextPart(corpus, 0, first), **parts}


def _cut_near(corpus: Corpus, place: int, reach: int) -> int:
    """Where the line of a character ends, or its word, or the character itself."""
    text = "".join(TextPart(corpus, place, place + reach))
    for mark in ("\n", " "):
        if (found := text.find(mark)) >= 0:
            return place + found + 1
    return place
