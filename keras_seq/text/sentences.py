"""A tagged sentence, and how one is gathered word by word from the lines of a file."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from keras_seq.data.tables import error_at, place_of

BLANKS = " \t\r\n"
LONG = 1000  # words; in a longer sentence a blank line is probably missing


class Sentence(NamedTuple):
    """Words with their tags, and where they stand.

    Attributes:
        words: T strings.
        tags: T strings; "" where they are not read.
        path: the file.
        lines: T line numbers, from 1.
        text: as it was written before it was split, where the file says.
        multiword: (first word, number of words, as written) of tokens such as `du`,
            which stands for `de le`.
    """

    words: Sequence[str]
    tags: Sequence[str]
    path: Path = Path("sentence")
    lines: Sequence[int] = ()
    text: str = ""
    multiword: Sequence[tuple[int, int, str]] = ()

    def place(self, word: int = 0) -> str:
        """Where a word stands, as editors understand it."""
        return place_of(self.path, self.lines[word] if self.lines else word + 1)


class Gathered:
    """Words of the sentence that is being read.

    Args:
        path: the file.
        need_tags: False leaves tags out.
    """

    def __init__(self, path: Path, need_tags: bool) -> None:
        self.path, self.need_tags = path, need_tags
        self.rows: list[tuple[str, str, int]] = []
        self.text = ""
        self.multiword: list[tuple[int, int, str]] = []

    def add(self, word: object, tag: object, number: int) -> None:
        """A word of line `number`; a line without word or tag is refused."""
        place = place_of(self.path, number)
        if word is None or not str(word).strip(BLANKS):
            raise error_at(place, "no word; mend or remove the line")
        if self.need_tags and (tag is None or str(tag).strip(BLANKS) in ("", "_")):
            raise error_at(place, f"no tag for {str(word)!r}; mend or remove the line")
        tag = str(tag).strip(BLANKS) if self.need_tags else ""
        self.rows.append((_sound(str(word)), tag, number))

    def done(self) -> Iterator[Sentence]:
        """The sentence, where there is one; then begins the next."""
        if self.rows:
            words, tags, lines = zip(*self.rows)
            rest = self.path, lines, self.text, tuple(self.multiword)
            yield Sentence(words, tags, *rest)
        self.rows, self.text, self.multiword = [], "", []


def _sound(word: str) -> str:
    """A word on one line that UTF-8 can hold: half of a pair becomes a `?`."""
    word = re.sub(r"[\r\n]+", " ", word.strip(BLANKS))
    return word.encode("utf-8", "replace").decode()
