"""Running text: its files are read once, whatever is asked of it later."""

import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_seq.data.text_table import TextTable
from keras_seq.tasks.text_generation.data import prepare_corpus
from keras_seq.text.corpus import read_text
from keras_seq.text.stored_text import stored_text

VERSE = "".join(f"{n} big bugs went and bit {n * n} bears.\n" for n in range(900))


@given(
    st.lists(st.text("ab\n很\ud83d", max_size=9), max_size=9),
    st.tuples(st.integers(0, 90), st.integers(0, 90)),
)
def test_a_part_is_its_characters_in_the_blocks_of_the_text(
    blocks: list[str], bounds: tuple[int, int]
):
    text, whole = stored_text(iter(blocks)), "".join(blocks)
    assert list(text) == list(filter(None, blocks)) and text.size == len(whole)
    start, end = sorted(min(bound, len(whole)) for bound in bounds)
    part = text.part(start, end)
    assert "".join(part) == whole[start:end] and all(part)
    assert "".join(part.part(1, part.size)) == whole[start + 1 : end]


@pytest.mark.parametrize("name", ["verse.txt", "verse.txt.gz"])
def test_a_file_is_opened_once(name: str, tmp_path: Path, monkeypatch):
    content = VERSE.encode()
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    opens, whole = Counter(), Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *how: opens.update([path]) or whole(path, *how)
    )
    data = prepare_corpus({"train": read_text(path)})
    assert "".join(data.parts["train"]) in VERSE and opens == {path: 1}


def test_the_rows_of_a_table_are_read_once(tmp_path: Path, monkeypatch):
    path = tmp_path / "verse.csv"
    path.write_text("text\n" + VERSE)
    passes, whole = Counter(), TextTable.rows
    monkeypatch.setattr(
        TextTable, "rows", lambda table: passes.update([str(table)]) or whole(table)
    )
    data = prepare_corpus({"train": read_text(path)})
    assert "".join(data.parts["train"]) in VERSE and passes == {str(path): 1}
