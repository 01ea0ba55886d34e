"""Tagged sentences: gathered word by word from a file, checked and repaired."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from keras_seq.data.labels import unknown_label
from keras_seq.data.tables import error_at, place_of
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.text.tag_schemes import OUTSIDE, find_scheme, repair_tags, split_tag

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


def name_of_file(sentences: Sequence[Sentence]) -> str:
    """What to call sentences in a message: the file that the first is from."""
    return str(sentences[0].path) if sentences else "sentences"


def check_tags(sentences: Sequence[Sentence], tag_names: Sequence[str]) -> None:
    """Refuses a tag that train does not have, by its line.

    Raises:
        UserError: There is one, or no sentence.
    """
    known = set(tag_names)
    for sentence in sentences:
        for word, tag in enumerate(sentence.tags):
            if tag not in known:
                raise unknown_label(sentence.place(word), tag, tag_names, "tag")
    if not sentences:
        raise UserError("there is no sentence to read tags of")


def repair_sentences(
    sentences: Sequence[Sentence], scheme: str | None
) -> list[Sentence]:
    """Tags as they are learned; one line says how many broke the rules of the scheme.

    Args:
        sentences: with their tags.
        scheme: of `find_scheme`.

    Raises:
        UserError: A tag is of no entity, where others are.
    """
    if scheme is None:
        return list(sentences)
    found, broken, first = [], 0, ""
    for sentence in sentences:
        for word, tag in enumerate(sentence.tags):
            if split_tag(tag)[0] == OUTSIDE != tag:
                what = f"tag {tag!r} is of no entity, in data of {scheme.upper()}"
                raise error_at(sentence.place(word), what)
        tags, count = repair_tags(sentence.tags, scheme)
        if count and not broken:
            first = sentence.place()
        broken += count
        found.append(sentence._replace(tags=tuple(tags)))
    if broken:
        log.info(
            f"{name_of_file(sentences)}: {broken:,} tags break the rules of "
            f"{scheme.upper()} and are repaired, the first at {first}"
        )
    return found


def repair_like(sentences: Sequence[Sentence], scheme: str | None) -> list[Sentence]:
    """Tags as a model of this scheme has them; what is written as BIO1 is BIO2 there.

    Raises:
        UserError: They are of BIOES and the model's are not, or the other way round.
    """
    if not scheme:
        return list(sentences)
    written = find_scheme(each.tags for each in sentences) or scheme
    if (written == "bioes") != (scheme == "bioes"):
        what = f"tags are {written.upper()}, but the model has {scheme.upper()}"
        raise error_at(name_of_file(sentences), f"{what}; convert them")
    return repair_sentences(sentences, written)


def names_of_tags(sentences: Sequence[Sentence], scheme: str | None) -> list[str]:
    """Tags that a model is to have: of a scheme, all that the types found can have.

    Raises:
        UserError: Every word has the same tag.
    """
    found = {tag for each in sentences for tag in each.tags}
    if scheme:
        kinds = {split_tag(tag)[1] for tag in found} - {""}
        letters = "BIES" if scheme == "bioes" else "BI"
        found = {OUTSIDE} | {f"{letter}-{kind}" for letter in letters for kind in kinds}
    if len(found) < 2:
        what = f"every word has the tag {next(iter(found))!r}"
        raise error_at(name_of_file(sentences), f"{what}; a tagger needs two or more")
    return sorted(found, key=lambda tag: (tag != OUTSIDE, tag))
