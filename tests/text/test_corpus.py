"""Running text: files, folders and tables read piece by piece, cut in order."""

import gzip
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_seq.data import text_files
from keras_seq.data.table_format import TableFormat
from keras_seq.errors import UserError
from keras_seq.text import corpus as corpus_module
from keras_seq.text.corpus import SHAKESPEARE, read_text, split_text
from keras_seq.text.python_docs import PythonDocs


def test_a_file_reads_the_same_plain_zipped_and_in_blocks(tmp_path, monkeypatch):
    text = "first line\nzweite Zeile, größer\n" + "很" * 50 + "\nlast, without an end"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(text.encode()))
    monkeypatch.setattr(corpus_module, "BLOCK", 16)
    for name in ("a.txt", "b.txt.gz"):
        blocks = list(read_text(tmp_path / name))
        assert "".join(blocks) == text + "\n"
        # A block ends at a line end, as far as lines fit into one.
        assert blocks[0] == "first line\n"


def test_a_folder_is_its_text_files_in_order(tmp_path: Path):
    (tmp_path / "b.txt").write_text("second\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.md").write_text("first")
    (tmp_path / "picture.png").write_bytes(b"\xff\xd8")
    assert "".join(read_text(tmp_path)) == "first\nsecond\n"


def test_a_table_gives_its_texts_a_line_each(tmp_path: Path):
    path = tmp_path / "reviews.jsonl"
    path.write_text('{"text": "很好\\n吃", "label": 1}\n{"text": "no", "label": 0}\n')
    assert "".join(read_text(path)) == "很好 吃\nno\n"


BAD = {
    "missing": (None, "no such file or folder"),
    "empty folder": ({}, "holds no text files"),
    "not UTF-8": (b"one\ntwo \xff\n", "is not UTF-8 text"),
    "damaged": (b"\x1f\x8b\x08 nonsense", "a.txt.gz: "),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_one_line(case: str, tmp_path: Path):
    content, message = BAD[case]
    path = tmp_path / ("a.txt.gz" if case == "damaged" else "a.txt")
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.mkdir()
    with pytest.raises(UserError, match=message) as error:
        list(read_text(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_no_character(encoding: str, tmp_path: Path):
    (tmp_path / "a.txt").write_bytes("zwölf\r\nund mehr".encode(encoding))
    (tmp_path / "b.txt").write_bytes("noch".encode(encoding))
    assert "".join(read_text(tmp_path)) == "zwölf\nund mehr\nnoch\n"
    assert "".join(read_text(tmp_path / "b.txt")) == "noch\n"


def test_an_encoding_is_hinted_at_and_given(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_bytes("zwölf Äpfel, größer\n".encode("cp1252") * 99)
    with pytest.raises(
        UserError, match="a.txt:1: byte 0xf6 .* --encoding cp1252, which"
    ):
        list(read_text(path))
    given = read_text(path, table_format=TableFormat(encoding="cp1252"))
    assert "".join(given) == "zwölf Äpfel, größer\n" * 99


def test_the_line_of_a_byte_that_is_no_text_is_named(tmp_path: Path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a line of text\n" * 50_000 + b"caf\xe9\n")
    with pytest.raises(UserError, match="a.txt:50001: byte 0xe9 .number 4. is not"):
        read_text(path)
    # One before it that is no line for a table's reader.
    monkeypatch.setattr(text_files, "_LONGEST_LINE", 10)
    with pytest.raises(UserError, match="a.txt: at line .* or later: byte 0xe9"):
        read_text(path)


def test_source_code_is_text_and_what_is_left_out_is_named(tmp_path: Path, remarks):
    files = {"kernel/sched.c": b"int a;\n", "a.h": b"// \xc3\xa9"}
    files |= {"Makefile": b"all:\n"}
    files |= {"logo.png": b"\x89PNG\0\0", "rows.csv": b"text\n", ".git/HEAD": b"ref"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert "".join(read_text(tmp_path)) == "all:\n// é\nint a;\n"
    what = "2 files left out, no running text: 'logo.png', 'rows.csv'"
    assert remarks == [f"{tmp_path}: {what}"]


@given(st.lists(st.text("ab\n", min_size=1, max_size=30), min_size=1, max_size=12))
def test_parts_are_the_text_once_and_in_order(blocks: list[str]):
    text = "".join(blocks)
    try:
        parts = split_text({"train": blocks})
    except UserError as error:
        assert "too few" in str(error)
        return
    joined = ["".join(parts[name]) for name in ("train", "validation", "test")]
    assert "".join(joined) == text and all(joined)


def test_cuts_are_at_line_ends_and_given_parts_stay():
    lines = [f"line {n:03}\n" for n in range(200)]
    parts = split_text({"train": lines, "test": ["mine\n"]}, limit=900)
    assert "".join(parts["test"]) == "mine\n"
    assert "".join(parts["train"]).endswith("\n")
    assert "".join([*parts["train"], *parts["validation"]]) == "".join(lines)[:900]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("to be or not " * 500, " "),  # one line, as text8 is
        ("a line of words " * 300 + "\n" + "and one more " * 20, " "),
        ("很好" * 2000, "好"),
        ("a line\n" * 900, "\n"),
    ],
)
def test_a_text_of_few_lines_is_cut_behind_a_word(text: str, ends: str):
    parts = {n: "".join(x) for n, x in split_text({"train": [text]}).items()}
    assert "".join(parts[n] for n in ("train", "validation", "test")) == text
    assert parts["train"].endswith(ends) and parts["validation"].endswith(ends)
    assert abs(len(parts["test"]) - len(text) / 10) < 20


@pytest.mark.parametrize("ending", ["", "\n", "\nA last, short line.\n"])
@pytest.mark.parametrize("word", ["anarchism ", "很", "acgt"])
def test_a_file_of_one_line_has_parts_of_the_usual_size(
    word: str, ending: str, tmp_path: Path
):
    path = tmp_path / "text8.txt"
    path.write_text(word * (2_500_000 // len(word)) + ending)  # several blocks
    parts = split_text({"train": read_text(path)})
    sizes = {name: sum(map(len, part)) for name, part in parts.items()}
    assert abs(sizes["test"] - 250_000) < 20
    assert abs(sizes["validation"] - 100_000) < 20


def test_a_large_text_is_never_in_memory_whole(tmp_path: Path):
    path = tmp_path / "large.txt"
    with path.open("w") as file:
        for number in range(60):
            file.write(f"{number:>99}\n" * 5000)  # 30 MB
    tracemalloc.start()
    parts = split_text({"train": read_text(path)})
    sizes = [sum(map(len, parts[name])) for name in parts]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) == 30_000_000
    assert peak < 10e6


@pytest.mark.real_data
def test_shakespeare_is_the_known_file(data_dir: Path):
    """As far as a copy is at hand: its first 95 %, cut where the usual split cuts."""
    train, more = (
        (data_dir / "text" / f"tinyshakespeare_{part}.txt").read_bytes()
        for part in ("train", "val")
    )
    assert train.startswith(b"First Citizen:\nBefore we proceed any further")
    assert len(train) == int(0.9 * SHAKESPEARE.size)
    assert len(train) + len(more) <= SHAKESPEARE.size


def test_shakespeare_is_fetched_with_its_checksum(tmp_path: Path, monkeypatch):
    asked = []

    def fetch(url: str, sha256: str, size: int) -> Path:
        asked.append((url, sha256, size))
        path = tmp_path / "input.txt"
        path.write_text("First Citizen:\n")
        return path

    monkeypatch.setattr(corpus_module, "fetch", fetch)
    assert "".join(read_text("shakespeare")) == "First Citizen:\n"
    assert asked == [SHAKESPEARE]
    assert len(SHAKESPEARE.sha256) == 64 and SHAKESPEARE.size == 1_115_394


def test_the_embedded_text_is_the_same_on_every_pass():
    first, again = "".join(PythonDocs()), "".join(PythonDocs())
    assert first == again
    assert len(first) > 500_000
    assert "Return the number of items in a container." in first
