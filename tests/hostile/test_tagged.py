"""Files of tagged sentences that are not what they should be, and the line about it."""

from pathlib import Path

import pytest

from keras_seq.data.table_format import TableFormat
from keras_seq.errors import UserError
from keras_seq.tasks.tagging.data import prepare_tagged
from keras_seq.text.conll import read_tagged
from keras_seq.text.sentences import Sentence

U = "\t_" * 6
# name of the file, content, columns asked for, what the line says
UNREADABLE = {
    "no tag": ("a.conll", "Ada X\n\nBye\n", (), "conll:3: 1 column, but line 1"),
    "too many": ("a.conll", "Ada X\nNew York X\n", (), "conll:2: 3 columns, but"),
    "one column": ("a.txt", "Ada\nran\n", (), "words and tags would be one"),
    "empty tag": ("a.tsv", "Ada\tX\nran\t\n", (), "a.tsv:2: no tag for 'ran'"),
    "empty word": ("a.bio", "Ada\tX\n\tX\n", (), "a.bio:2: no word"),
    "no such number": ("a.conll", "Ada X\n", (None, "3"), "no column '3'; its columns"),
    "number zero": ("a.conll", "Ada X\n", ("0",), "no column '0'"),
    "a name": ("a.conll", "Ada X\n", (None, "tag"), "numbers from 1 to 2"),
    "no sentence": ("a.conll", "\n\n-DOCSTART- O\n\n", (), "holds no sentence"),
    "empty": ("a.conll", "", (), "holds no sentence"),
    "not UTF-8": ("a.conll", b"Ada X\n\xff X\n", (), "a.conll:2: byte 0xff"),
    "conllu of nine": ("a.conllu", f"1\tA\tX{U}\n", (), "a.conllu:1: 9 columns"),
    "conllu, spaces": ("a.conllu", "1 A b X _ _ _ _ _ _\n", (), "CoNLL-U has 10"),
    "conllu without tags": ("a.conllu", f"1\tA\tb\t_{U}\n", (), "no tag for 'A'"),
    "conllu of no number": ("a.conllu", f"one\tA\tb\tX{U}\n", (), "'one' is no number"),
    "conllu column": ("a.conllu", f"1\tA\tb\tX{U}\n", (None, "pos"), "upos, xpos"),
    "lengths": (
        "a.jsonl",
        '{"words": ["a", "b"], "tags": ["X"]}\n',
        (),
        "a.jsonl:1: 2 words, but 1 tags",
    ),
    "no list": ("a.jsonl", '{"words": "a b", "tags": ["X"]}\n', (), "'words' is no"),
    "null word": ("a.jsonl", '{"words": [null], "tags": ["X"]}\n', (), "l:1: no word"),
    "no column": ("a.csv", "id,name\n1,x\n", (), "no token column found; its"),
    "no tag column": ("a.csv", "word,x\nA,1\n", (), "name one with --tag-column"),
    "two columns": ("a.csv", "Word,WORD,tag\nA,B,X\n", (), "called 'Word', 'WORD'; re"),
    "asked column": ("a.csv", "word,tag\nA,1\n", ("wrd",), "no column 'wrd'"),
    "ragged": ("a.csv", "word,tag\nA,X\nB\n", (), "a.csv:3"),
    "no end": ("a.csv", "word,tag\n" + "A,X\n" * 1200, (), "neither a blank line"),
    "type": ("a.pdf", "A X\n", (), "unknown file type; known are .conllu, .conll"),
    "cut short": ("a.conll.gz", b"\x1f\x8b\x08\x00", (), "a.conll.gz"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_one_line(case: str, tmp_path: Path):
    name, content, columns, message = UNREADABLE[case]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as refused:
        read_tagged(path, *columns)
    assert message in str(refused.value) and "\n" not in str(refused.value)


FORMATS = {
    "semicolons, no header": (
        "a.csv",
        "1;Ada;B\n1;l\xe4uft;O\n",
        ("2", "3"),
        TableFormat("semicolon", "cp1252", no_header=True),
    ),
    "CoNLL of another encoding": (
        "a.conll",
        "Ada B\nl\xe4uft O\n",
        (),
        TableFormat(encoding="cp1252"),
    ),
    "tabs and a header": (
        "a.tsv",
        "word\ttag\nAda\tB\nl\xe4uft\tO\n",
        (),
        TableFormat(encoding="cp1252"),
    ),
}


@pytest.mark.parametrize("case", FORMATS)
def test_what_a_file_leaves_open_is_given(case: str, tmp_path: Path):
    name, content, columns, form = FORMATS[case]
    (tmp_path / name).write_bytes(content.encode("cp1252"))
    (found,) = read_tagged(tmp_path / name, *columns, table_format=form)
    assert found.words == ("Ada", "l\xe4uft") and found.tags == ("B", "O")


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("a.conll", TableFormat("tab"), "leave --separator and --no-header out"),
        ("a.conllu", TableFormat(no_header=True), "leave --separator and --no-header"),
        ("a.csv", TableFormat(drop_missing=True), "leave --drop-missing out"),
    ],
)
def test_options_without_use_are_refused(
    name: str, form: TableFormat, message: str, tmp_path: Path
):
    (tmp_path / name).write_text("word,tag\nA,X\n")
    with pytest.raises(UserError, match=message):
        read_tagged(tmp_path / name, table_format=form)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.conll", "no such file"),
        ("*.bio", "matches no file"),
        (".", "is a folder"),
    ],
)
def test_a_file_that_is_not_there(name: str, message: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        read_tagged(name)


def sentences(*tags: str, count: int = 40, part: str = "t") -> list[Sentence]:
    return [
        Sentence(
            [f"{part}{n}", *"abcdefgh"[: len(tags) - 1]],
            tags,
            Path("t.conll"),
            tuple(range(n * 10 + 1, n * 10 + 1 + len(tags))),
        )
        for n in range(count)
    ]


UNFIT = {
    "one tag": ({"train": sentences("O", "O")}, "every word has the tag 'O'"),
    "few": ({"train": sentences("A", "B", count=2)}, "too few for a"),
    "unseen tag": (
        {"train": sentences("A", "B"), "test": sentences("A", "C", count=3, part="u")},
        "t.conll:2: tag 'C' was not in training, only: 'A', 'B'",
    ),
    "mixed scheme": (
        {
            "train": sentences("B-x", "I-x", "O"),
            "test": sentences("O", "NOUN", count=3, part="u"),
        },
        "t.conll:2: tag 'NOUN' is of no entity, in data of BIO2",
    ),
    "copies": (
        {"train": sentences("A", "B"), "test": sentences("A", "B", count=3)},
        "3 of 3 sentences (100 %) of the test part also stand in train",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_what_cannot_be_learned_is_one_line(case: str):
    given, message = UNFIT[case]
    with pytest.raises(UserError) as refused:
        prepare_tagged(given)
    assert message in str(refused.value)


def test_broken_schemes_are_repaired_and_counted(capsys):
    data = prepare_tagged({"train": sentences("B-x", "I-x", "O", "I-y")})
    said = capsys.readouterr().err
    assert (
        "40 tags break the rules of BIO2 and are repaired, the first at t.conll:1"
        in said
    )
    assert data.splits["train"][0].tags == ("B-x", "I-x", "O", "B-y")
    # A type has all its tags, though train has no I-y any more.
    assert data.tag_names == ["O", "B-x", "B-y", "I-x", "I-y"]


def test_an_entity_type_that_train_does_not_have_is_named():
    given = {"train": sentences("B-x", "O"), "test": sentences("B-z", "O", part="u")}
    with pytest.raises(UserError, match="t.conll:1: tag 'B-z' was not in training"):
        prepare_tagged(given)


def test_copies_of_a_sentence_stand_in_one_part():
    data = prepare_tagged({"train": sentences("A", "B") * 3})
    words = {part: {s.words[0] for s in rows} for part, rows in data.splits.items()}
    assert (
        not words["train"] & words["test"] and not words["train"] & words["validation"]
    )
    assert sum(map(len, data.splits.values())) == 120
