"""Running text: files and folders in, blocks of text out, cut in the order of reading.

A corpus is anything that can be iterated again and again and yields strings; end to end
they are the text. Nothing here holds more of it than a block, and nothing is shuffled:
what comes later is never trained on before what it is to be scored on.

This module knows neither tokens nor models, and imports no framework.
"""

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from keras_seq.data.download import Source, fetch
from keras_seq.data.in_memory import Table, as_file, as_text_file
from keras_seq.data.sources import read_table
from keras_seq.data.tables import KINDS, error_at
from keras_seq.text.python_docs import PythonDocs

Corpus = Iterable[str]

BLOCK = 1 << 20  # characters
TEXT_SUFFIXES = (".txt", ".text", ".md", ".rst", ".py", ".html", ".tex")
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

    Files are UTF-8, plain or gzipped. Where one does not end with a line end, one is
    added, so that no word grows together with the next file's.

    Args:
        paths: the files, in order.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)

    def __str__(self) -> str:
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{self.paths[0]}{more}"

    def __iter__(self) -> Iterator[str]:
        for path in self.paths:
            last = "\n"
            for block in _blocks_of(path):
                yield block
                last = block[-1]
            if last != "\n":
                yield "\n"


def _blocks_of(path: Path) -> Iterator[str]:
    """Blocks that end at a line end, as far as lines are shorter than a block."""
    rest, lines = "", 0
    try:
        opened = gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")
        with opened as raw, io.TextIOWrapper(raw, "utf-8") as file:
            while block := file.read(BLOCK):
                head, end, rest_of_it = block.rpartition("\n")
                if not end:
                    head, rest_of_it = block, ""
                yield rest + head + end
                lines += (rest + head + end).count("\n")
                rest = rest_of_it
    except UnicodeDecodeError as error:
        why = f"not UTF-8 text ({error.reason}, behind line {lines}); convert it first"
        raise error_at(path, why) from error
    except (OSError, EOFError, zlib.error) as error:
        raise error_at(path, getattr(error, "strerror", None) or error) from error
    if rest:
        yield rest


class TableTexts:
    """The texts of a table, a line each; line ends inside a text become spaces."""

    def __init__(self, path: Path, text_column: str | None = None) -> None:
        self._table = read_table(path, text_column, need_labels=False)

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


def read_text(data: Table | None = None, text_column: str | None = None) -> Corpus:
    """Opens a text to learn from; nothing is read yet.

    Args:
        data: a text file; a folder, whose text files are read in the order of their
            names; a table (CSV, TSV, JSON Lines, Parquet), for its texts;
            "shakespeare", which is downloaded once; a list of texts; a DataFrame; None
            for the standard library's documentation.
        text_column: of a table; default found by its usual names.

    Returns:
        The corpus.

    Raises:
        UserError: There is no such file, or nothing to read in the folder.

    Example:

    >>> read_text("nowhere.txt")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: nowhere.txt: no such file or folder
    """
    if data is None:
        return PythonDocs()
    if isinstance(data, list | tuple):
        return TextFiles([as_text_file(data)])
    if isinstance(data, str) and data == "shakespeare":
        return TextFiles([fetch(*SHAKESPEARE)])
    path = Path(as_file(data, ["text"])).expanduser()
    if path.is_dir():
        found = sorted(p for p in path.rglob("*") if p.is_file() and _is_text(p))
        if not found:
            known = ", ".join(TEXT_SUFFIXES)
            raise error_at(path, f"holds no text files ({known}, each also as .gz)")
        return TextFiles(found)
    if not path.exists():
        raise error_at(path, "no such file or folder")
    if _suffix(path) in KINDS:
        return TableTexts(path, text_column)
    return TextFiles([path])


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _is_text(path: Path) -> bool:
    return _suffix(path) in TEXT_SUFFIXES


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
    to the end of a word where lines are so long that a part would have none.

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
    wanted = (end - sum(sizes.values()), end - sizes["test"])
    for mark in ("\n", " ", ""):
        first, second = (
            _end_of(mark, corpus, cut) if cut < end else end for cut in wanted
        )
        bounds = dict(zip(("train", *SHARES), pairwise((0, first, second, end))))
        short = [n for n, (a, b) in bounds.items() if a >= b and n not in given]
        if first > 0 and not short:
            break
    else:
        what = f"{end} characters are too few for a {' and a '.join(short)} part"
        raise error_at(str(corpus), f"{what or 'no text'}; bring more text")
    parts = {n: given.get(n) or TextPart(corpus, *bounds[n]) for n in SHARES}
    return {"train": TextPart(corpus, 0, first), **parts}


def _end_of(mark: str, corpus: Corpus, place: int) -> int:
    """Where the line or word of a character ends, within its block."""
    start = 0
    for block in corpus:
        if start + len(block) > place:
            found = block.find(mark, place - start)
            return start + (len(block) if found < 0 else found + len(mark))
        start += len(block)
    return start
