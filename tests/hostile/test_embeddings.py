"""Files that hold no word vectors, or damaged ones: one line with file and line."""

import gzip
import struct
import zipfile
from pathlib import Path

import pytest

from keras_seq.errors import UserError
from keras_seq.text import check_embeddings, load_embeddings

WORDS = ["", "", "film", "play"]
BINARY = b"2 2\nfilm " + struct.pack("ff", 0.5, 1) + b"\n"
FILES = {  # what is wrong: (name, content, line)
    "too few": ("a.txt", b"film 1 2\nplay 1\n", "a.txt:2: 1 values behind the word"),
    "too many": ("a.txt", b"film 1 2\nplay 1 2 3\n", ":2: 3 values .* expected 2"),
    "mixed, later": ("a.txt", b"film 1 2\n" * 9 + b"x 1 2 3 4\n", ":10: 4 values"),
    "not the header's": ("a.vec", b"2 3\nfilm 1 2\n", ":2: 2 values .* expected 3"),
    "a word": ("a.txt", b"x 1 2\nfilm 1 big\n", ":2: value 2 of 'film' is 'big'; exp"),
    "nan": ("a.txt", b"film nan 2\n", ":1: value 1 of 'film' is 'nan'"),
    "infinite": ("a.txt", b"film 1 -inf\n", ":1: value 2 of 'film' is '-inf'"),
    "too large": ("a.txt", b"film 1 1e39\n", ":1: value 2 of 'film' is '1e39'"),
    "Python's number": ("a.txt", b"film 1 1_0\n", ":1: value 2 of 'film' is '1_0'"),
    "a comma": ("a.txt", b"film 0,5 0,1\n", ":1: value 1 of 'film' is '0,5'"),
    "Latin-1": ("a.txt", b"film 1 2\ncaf\xe9 1 2\n", ":2: the word is not UTF-8"),
    "empty": ("a.txt", b"", "a.txt: is empty"),
    "blank": ("a.txt", b"\n\n", "a.txt: holds no word vectors"),
    "header alone": ("a.vec", b"2 3\n", "a.vec: holds no word vectors"),
    "words alone": ("a.txt", b"film\nplay\n", ":1: 0 values .* expected numbers"),
    "binary": ("a.txt", BINARY, "a.txt: is binary; give word vectors as text"),
    "binary by name": ("a.bin", b"film 1 2\n", "a.bin: is binary"),
    "another language": ("a.txt", b"der 1 2\n", "none of the 2 words of the vocab"),
    "one endless line": ("a.txt", b"film" + b" 1" * (1 << 20), ":1: the line is "),
    "no gzip": ("a.gz", b"film 1 2\n", "a.gz: not a sound gzip file"),
    "cut gzip": ("a.gz", gzip.compress(b"film 1 2\n" * 99)[:-12], "cut short"),
    "no zip": ("a.zip", b"film 1 2\n", "a.zip: not a sound zip archive"),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_wrong_is_one_line(name: str, tmp_path: Path):
    file, content, line = FILES[name]
    path = tmp_path / file
    path.write_bytes(content)
    with pytest.raises(UserError, match=line) as raised:
        load_embeddings(path, WORDS)
    assert "\n" not in str(raised.value) and str(path) in str(raised.value)


def test_an_archive_of_several_files_is_asked_about(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "glove.zip", "w") as archive:
        archive.writestr("glove.50d.txt", "film 1\n")
        archive.writestr("glove.100d.txt", "film 1 2\n")
    with pytest.raises(UserError, match="'glove.50d.txt', 'glove.100d.txt'; unpack"):
        check_embeddings(tmp_path / "glove.zip")


@pytest.mark.parametrize(
    ("name", "line"), [("nowhere.txt", "no such file"), (".", "is a folder")]
)
def test_a_file_that_is_none_is_named(name: str, line: str, tmp_path: Path):
    with pytest.raises(UserError, match=line):
        check_embeddings(tmp_path / name)


def test_a_row_that_no_word_asks_for_is_not_read(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_text("film 1 2\nother x y\n")
    assert load_embeddings(path, WORDS)[2].tolist() == [1, 2]
