"""Texts, tags and names as they come: marks inside, bytes of no text, odd names.

Each table is of inputs of a kind; what cannot be meant is one line.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from keras_seq.audio.recordings import find_recordings
from keras_seq.data.sources import read_table
from keras_seq.data.store import stored
from keras_seq.data.text_files import read_blocks, read_lines
from keras_seq.errors import UserError
from keras_seq.images.captioned import read_captions
from keras_seq.series.table import read_series
from keras_seq.text.conll import read_tagged
from keras_seq.text.corpus import read_text
from keras_seq.text.pairs import read_pairs

ODD = os.fsdecode(b"caf\xe9")  # a name that is no UTF-8
MARK = "\ufeff"
BITEXT = (
    "<tu>"
    '<tuv xml:lang="en"><seg>{}</seg></tuv>'
    '<tuv xml:lang="de"><seg>{}</seg></tuv>'
    "</tu>"
)
TMX = '<tmx version="1.4"><header srclang="en"/><body>{}</body></tmx>'


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_files_that_were_joined_keep_no_marks(size: int, tmp_path: Path):
    text = f"{MARK}so\n{MARK}it is\n\n{MARK}\n{MARK}{MARK}"
    path = write(tmp_path / "a.txt", text)
    assert "".join(read_blocks(path, size)) == "so\nit is\n\n\n" + MARK
    assert list(read_lines(path)) == ["so\n", "it is\n", "\n", "\n", MARK]
    inside = write(tmp_path / "b.txt", f"zero{MARK}width\n")
    assert "".join(read_blocks(inside, size)) == f"zero{MARK}width\n"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_text_of_wide_characters_is_no_text_of_zeros(encoding: str, tmp_path: Path):
    content = "The wide words of a spreadsheet.\n" * 60
    path = write(tmp_path / "a.txt", content.encode(encoding))
    line = rf"a\.txt:1: the text holds zero bytes; read it with --encoding {encoding}"
    with pytest.raises(UserError, match=line):
        read_text(path)
    assert "".join(read_blocks(path, 64, encoding)) == content


COLUMNS = "".join(f"O word{n}\nB-PER name{n}\n\n" for n in range(60))


def test_a_column_of_words_is_no_column_of_tags(tmp_path: Path):
    path = write(tmp_path / "a.conll", COLUMNS)
    line = "a.conll: tags are of 120 kinds, but words of 2; name the columns with"
    with pytest.raises(UserError, match=line):
        read_tagged(path)
    assert read_tagged(path, "2", "1")[0].tags == ("O", "B-PER")


def of_labels(folder: Path) -> object:
    return stored(read_table(folder))


def in_json(name: str, rows: dict) -> tuple[str, str]:
    return name, json.dumps(rows) + "\n"


# What reads, the files, and the line.
NAMES: dict[str, tuple[Callable, list[tuple[str, str]], str]] = {
    "folders of texts": (
        of_labels,
        [(f"{ODD}/1.txt", "black"), ("tea/1.txt", "warm")],
        r"1.txt:1: the label 'caf\udce9' is no UTF-8 text; rename it",
    ),
    "folders of sounds": (
        find_recordings,
        [(f"{ODD}/1.wav", ""), ("tea/1.wav", "")],
        r"1.wav: the transcript 'caf\udce9' is no UTF-8 text; rename it",
    ),
    "half a character of a tag": (
        lambda folder: read_tagged(folder / "a.jsonl"),
        [in_json("a.jsonl", {"tokens": ["so", "it"], "tags": ["O", "B-\udc00"]})],
        r"a.jsonl:1: the tag 'B-\udc00' is no UTF-8 text; rename it",
    ),
}


@pytest.mark.parametrize("case", NAMES)
def test_what_a_model_could_not_answer_is_told_as_it_is_read(case: str, tmp_path: Path):
    read, files, line = NAMES[case]
    for name, content in files:
        write(tmp_path / name, content)
    with pytest.raises(UserError) as error:
        read(tmp_path)
    assert str(error.value).endswith(line) and "\n" not in str(error.value)


def test_a_series_of_an_odd_name_has_one_that_is_shown(tmp_path: Path):
    text = "date,x\n2020-01-01,5\n2020-01-02,7\n2020-01-03,6\n"
    table = read_series(write(tmp_path / f"{ODD}.csv", text))
    assert table.series[0].name == r"caf\udce9"
    assert table.series[0].path.name == f"{ODD}.csv"


def of_two(read: Callable) -> Callable:
    return lambda path: read(path, path.with_name("b.txt"))


def of_corpus(path: Path) -> None:
    list(read_text(path))


# A file, what it holds, what reads it, and what is said of its rows.
COUNTS: dict[str, tuple[str, str, Callable, str]] = {
    "CSV": (
        "a.csv",
        "text,label\na,x\n\nb,y\n",
        lambda p: list(read_table(p)),
        "2 rows",
    ),
    "JSON": (
        "a.json",
        '[{"text": "a", "label": 1}]',
        lambda p: list(read_table(p)),
        "1 row",
    ),
    "texts of a table": ("a.tsv", 'text\tn\nit "is\t1\n', of_corpus, "1 row"),
    "CoNLL": ("a.conll", "a X\nb Y\n\n\nc X\n\n", read_tagged, "2 sentences"),
    "words a row": ("a.csv", "word,tag\na,X\n\nb,Y\n", read_tagged, "2 sentences"),
    "TMX": (
        "a.tmx",
        TMX.format(BITEXT.format("so", "so")),
        read_pairs,
        "1 pair",
    ),
    "two files of lines": ("b.txt", "a\nb\nc", of_two(read_pairs), "3 pairs"),
    "series": ("a.csv", "date,x\n2020-01-01,5\n2020-01-02,7\n", read_series, "2 rows"),
    "sounds": ("a.csv", "file,text\na.csv,x\n", find_recordings, "1 row"),
    "pictures": ("a.csv", "image,caption\na.csv,x\n", read_captions, "1 row"),
}


@pytest.mark.parametrize("case", COUNTS)
def test_how_many_rows_were_read_is_said(case: str, tmp_path: Path, capsys):
    name, content, read, count = COUNTS[case]
    read(write(tmp_path / name, content))
    assert f"{name}: {count}\n" in capsys.readouterr().err
