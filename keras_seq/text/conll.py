"""Tagged sentences from files: CoNLL-U, CoNLL columns, JSON Lines, or a word a row.

Blank lines end sentences, `-DOCSTART-` lines count for nothing, and what is wrong is
named by line. Sentences are held in memory: a million words take some 200 MB.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from keras_seq.data.in_memory import Table, as_file
from keras_seq.data.places import check_utf8, error_at, log_once, place_of, plural
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import KINDS, find_files, kind_of
from keras_seq.data.text_files import read_lines
from keras_seq.log import log
from keras_seq.text.sentences import BLANKS, LONG, Gathered, Sentence
from keras_seq.text.tagged_tables import (
    TAG_NAMES,
    WORD_NAMES,
    Asked,
    read_lists,
    read_words,
)

CONLLU_NAMES = "id form lemma upos xpos feats head deprel deps misc".split()
COLUMNS = ".conll .txt .bio .iob .iob2 .bioes .col .tsv".split()
MOST_TAGS = 100  # kinds; more of them than of words are words themselves


def read_tagged(
    paths: Table,
    token_column: str | None = None,
    tag_column: str | None = None,
    table_format: TableFormat = AS_FOUND,
    need_tags: bool = True,
) -> list[Sentence]:
    """Reads sentences of words and tags.

    By the name of the file, each plain or .gz: `.conllu`; `.conll`, `.txt`, `.bio` and
    the like with a word a line and columns that spaces or tabs part; `.jsonl` with
    lists of words and of tags; `.csv`, `.tsv` or `.parquet` with a word a row, where
    blank lines or a column of sentence numbers part sentences.

    Args:
        paths: file, glob, or a list of both; or a list of (words, tags), or a DataFrame
            with such columns.
        token_column: name or, of CoNLL columns, number from 1; default the first.
        tag_column: the same; default UPOS of CoNLL-U, the last of CoNLL columns.
        table_format: encoding of any text; separator and a missing header of tables. A
            word cannot be left out of its sentence, so no row is dropped.
        need_tags: False reads words alone.

    Returns:
        Sentences of one word or more.

    Raises:
        UserError: A file, column, word or tag is missing, a line cannot be read, or
            there are more kinds of tags than of words.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "names.conll")
    >>> _ = path.write_text("Ada B-person\\nsleeps O\\n\\nBye O\\n")
    >>> [(s.words, s.tags) for s in read_tagged(path)]
    [(('Ada', 'sleeps'), ('B-person', 'O')), (('Bye',), ('O',))]
    """
    found: list[Sentence] = []
    kind = partial(_kind, encoding=table_format.encoding)
    for path in find_files(as_file(paths, ("words", "tags")), kind):
        read = {"conllu": _conllu, "columns": _columns, "json": read_lists}
        reader = read.get(kind(path), read_words)
        _check_format(path, reader in (_conllu, _columns), table_format)
        asked = Asked(path, token_column, tag_column, need_tags, table_format)
        own = list(reader(asked))
        if not own:
            raise error_at(path, "holds no sentence")
        found += own
        log_once(f"{path}: {plural(len(own), 'sentence')}")
    if need_tags:
        _check_tags(found)
    for sentence in found:
        if len(sentence.words) > LONG:
            size = f"a sentence of {len(sentence.words):,} words"
            log.info(f"{sentence.place()}: {size}; is a blank line missing?")
    return found


def _check_tags(sentences: Sequence[Sentence]) -> None:
    """Asks where the column of tags is rather one of words."""
    words = {word for each in sentences for word in each.words}
    tags: set[str] = set()
    for sentence in sentences:
        for number, tag in enumerate(sentence.tags):
            if tag not in tags:
                check_utf8(sentence.place(number), "tag", tag)
                tags.add(tag)
    if len(tags) > max(len(words), MOST_TAGS):
        what = f"tags are of {len(tags):,} kinds, but words of {len(words):,}; name "
        what += "the columns with --token-column and --tag-column"
        raise error_at(sentences[0].path, what)


def _check_format(path: Path, is_plain: bool, table_format: TableFormat) -> None:
    """Refuses options that a format has no use for."""
    if table_format.drop_missing:
        what = "a row is a word of a sentence, which would be torn; leave "
        raise error_at(path, f"{what}--drop-missing out, and mend the rows")
    if is_plain and (table_format.separator or table_format.no_header):
        what = "columns of CoNLL are parted by tabs or spaces and have no header"
        raise error_at(path, f"{what}; leave --separator and --no-header out")


def _kind(path: Path, encoding: str | None = None) -> str:
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix == ".conllu":
        return "conllu"
    if suffix == ".tsv":
        return "tsv" if _has_header(path, encoding) else "columns"
    if suffix in COLUMNS:
        return "conllu" if _looks_like_conllu(path, encoding) else "columns"
    if suffix not in KINDS:
        known = ", ".join(dict.fromkeys([".conllu", *COLUMNS, *KINDS]))
        raise error_at(path, f"unknown file type; known are {known}, each also as .gz")
    return kind_of(path)


def _first_line(path: Path, encoding: str | None) -> str:
    """The first that is neither blank nor a comment."""
    for line in read_lines(path, encoding):
        if line.strip(BLANKS) and not line.startswith("# "):
            return line.strip("\r\n")
    return ""


def _has_header(path: Path, encoding: str | None) -> bool:
    names = {name.strip().lower() for name in _first_line(path, encoding).split("\t")}
    return bool(names & set(WORD_NAMES)) and bool(names & set(TAG_NAMES))


def _looks_like_conllu(path: Path, encoding: str | None) -> bool:
    fields = _first_line(path, encoding).split("\t")
    return len(fields) == 10 and re.fullmatch(r"1(-\d+)?", fields[0]) is not None


def _conllu(asked: Asked) -> Iterator[Sentence]:
    path, token, tag, need_tags, table_format = asked
    form, wanted = (
        _number(path, name, CONLLU_NAMES, default)
        for name, default in ((token, 1), (tag, 3))
    )
    gathered = Gathered(path, need_tags)
    left_out: Counter[str] = Counter()
    for number, line in enumerate(read_lines(path, table_format.encoding), start=1):
        line = line.strip("\r\n")
        if not line.strip(BLANKS):
            yield from gathered.done()
            continue
        if line.startswith("#"):
            name, _, value = line[1:].partition("=")
            gathered.text = value.strip() if name.strip() == "text" else gathered.text
            continue
        fields, place = line.split("\t"), place_of(path, number)
        if len(fields) != 10:
            what = f"{plural(len(fields), 'column')}; CoNLL-U has 10"
            raise error_at(place, f"{what}, with a tab between two")
        if re.fullmatch(r"\d+-\d+", fields[0]):
            left_out["multiword tokens"] += 1
            first, last = map(int, fields[0].split("-"))
            own = len(gathered.rows), last - first + 1, fields[form]
            gathered.multiword.append(own)
        elif re.fullmatch(r"\d+\.\d+", fields[0]):
            left_out["empty nodes"] += 1
        elif fields[0].isdecimal():
            gathered.add(fields[form], fields[wanted], number)
        else:
            raise error_at(place, f"{fields[0]!r} is no number of a word")
    yield from gathered.done()
    if left_out:
        kinds = " and ".join(f"{count:,} {kind}" for kind, count in left_out.items())
        log.info(f"{path}: {kinds} are left out; the words they stand for are kept")


def _columns(asked: Asked) -> Iterator[Sentence]:
    path, token, tag, need_tags, table_format = asked
    gathered, first, size = Gathered(path, need_tags), 0, 0
    tabs = "\t" in _first_line(path, table_format.encoding)
    for number, line in enumerate(read_lines(path, table_format.encoding), start=1):
        bare = line.strip(BLANKS)
        line = line.strip("\r\n") if tabs else bare
        fields = line.split("\t") if tabs else re.split(r"[ \t]+", line)
        if not bare or fields[0] == "-DOCSTART-":
            yield from gathered.done()
            continue
        if bare.startswith("# ") and not gathered.rows and len(fields) != size:
            continue
        if not size:
            first, size = number, len(fields)
            names = [str(n) for n in range(1, size + 1)]
            form = _number(path, token, names, 0)
            wanted = _number(path, tag, names, size - 1)
            if need_tags and form == wanted:
                what = f"line {number} has {plural(size, 'column')}, so words"
                raise error_at(path, f"{what} and tags would be one; expected two")
        if len(fields) != size and (need_tags or len(fields) <= form):
            what = f"{plural(len(fields), 'column')}, but line {first}"
            raise error_at(place_of(path, number), f"{what} has {size}")
        gathered.add(fields[form], fields[wanted] if need_tags else "", number)
    yield from gathered.done()


def _number(path: Path, asked: str | None, names: Sequence[str], default: int) -> int:
    """Position of a column that is asked for by its name or its number from 1."""
    if asked is None:
        return default
    if asked.lower() in names:
        return names.index(asked.lower())
    if asked.isdecimal() and 1 <= int(asked) <= len(names):
        return int(asked) - 1
    known = f"numbers from 1 to {len(names)}"
    known += f" or {', '.join(names)}" if names[0] != "1" else ""
    raise error_at(path, f"no column {asked!r}; its columns are {known}")
