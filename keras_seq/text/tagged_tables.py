"""Tagged sentences from tables: a row a sentence with two lists, or a row a word."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from keras_seq.data.columns import find_column, find_optional_column
from keras_seq.data.places import error_at, place_of
from keras_seq.data.table_format import TableFormat
from keras_seq.data.tables import read_columns, read_rows
from keras_seq.text.sentences import LONG, Gathered, Sentence

WORD_NAMES = "word token form text words tokens".split()
TAG_NAMES = "tag upos pos ner label tags ner_tags pos_tags labels".split()
SENTENCE_NAMES = ["sentence", "sentence_id", "sent_id", "sentence #", "sentence_number"]


class Asked(NamedTuple):
    """A file, and how it is to be read."""

    path: Path
    token: str | None  # the column of the words, where it is named
    tag: str | None
    need_tags: bool
    table_format: TableFormat


def read_lists(asked: Asked) -> Iterator[Sentence]:
    wanted = _wanted(asked, read_columns(asked.path, asked.table_format))
    for number, values in read_rows(asked.path, wanted, asked.table_format):
        place = place_of(asked.path, number)
        lists: list[list[object]] = []
        for name, value in zip(wanted, values):
            if not isinstance(value, list):
                raise error_at(place, f"{name!r} is no list, but {value!r:.40}")
            lists.append(value)
        words, tags = lists if asked.need_tags else (lists[0], [""] * len(lists[0]))
        if len(words) != len(tags):
            raise error_at(place, f"{len(words)} words, but {len(tags)} tags")
        gathered = Gathered(asked.path, asked.need_tags)
        for word, own in zip(words, tags):
            gathered.add(word, own, number)
        yield from gathered.done()


def read_words(asked: Asked) -> Iterator[Sentence]:
    path, _, _, need_tags, table_format = asked
    columns = read_columns(path, table_format)
    wanted = _wanted(asked, columns)
    counted = find_optional_column(path, columns, SENTENCE_NAMES)
    names = wanted if counted is None else [*wanted, counted]
    gathered, before, last, ends = Gathered(path, need_tags), None, None, 0
    for number, values in read_rows(path, names, table_format):
        own = values[-1] if counted else None
        # Some write the number of a sentence at its first word alone.
        changed = counted and own not in (None, "") and own == own and own != before
        # Readers of tables skip blank lines, but count them.
        parted = not counted and last is not None and number > last + 1
        if (changed or parted) and gathered.rows:
            ends += 1
            yield from gathered.done()
        before, last = own if changed else before, number
        gathered.add(values[0], values[1] if need_tags else "", number)
    if not ends and len(gathered.rows) > LONG:
        what = f"{len(gathered.rows):,} words and neither a blank line nor a column"
        raise error_at(path, f"{what} such as {SENTENCE_NAMES[1]!r} ends a sentence")
    yield from gathered.done()


def _wanted(asked: Asked, columns: Sequence[str]) -> list[str]:
    """Names of the columns of words and tags."""
    path, token, tag, need_tags, table_format = asked
    found = [find_column(path, columns, table_format, "token", token, WORD_NAMES)]
    if need_tags:
        found.append(find_column(path, columns, table_format, "tag", tag, TAG_NAMES))
    return found
