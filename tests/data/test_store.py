"""The store gives back what was read, once, and says where each sample stood."""

import gzip
import io
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from keras_seq.data import store as module
from keras_seq.data.copies import Digest
from keras_seq.data.label_names import join_labels
from keras_seq.data.sources import read_table, split_samples
from keras_seq.data.store import SampleStore, name_of, stored
from keras_seq.errors import UserError
from keras_seq.tasks.sentiment import prepare_texts

ODD_TEXTS = (
    "",
    " ",
    "...",
    "A Film.",
    "a\x00b",
    "line\nend\r\n\x1c",
    "\x1c\x1d",
    "\x7f~|`",
    "tr\u00e8s tre\u0300s",
    "\u5f88\u597d\u3002",
    "\U0001f600 \u200d",
    "\ufb01lm \ufeff",
    "\ud83d half",
    "x" * 100_000,
)


def numbered(rows: int) -> list[tuple[str, str]]:
    return [(f"Text {n}: \u00e9{'!' * (n % 7)}", "ab c"[n % 3 :]) for n in range(rows)]


class Once:
    """Samples that can be read a single time, as a pipe can."""

    def __init__(self, samples: list[tuple[str, str]]) -> None:
        self._samples = iter(samples)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        samples, self._samples = self._samples, None
        return samples


@pytest.mark.parametrize("rows", [0, 1, 3, module._ROWS, 3 * module._ROWS + 5])
def test_what_was_read_comes_back_on_every_pass(rows: int):
    store = stored(Once(numbered(rows)))
    assert len(store) == rows
    assert list(store) == list(store) == numbered(rows)
    assert list(store.texts()) == [text for text, _ in numbered(rows)]
    assert stored(store) is store


def test_odd_texts_and_their_digests_are_those_of_the_texts():
    store = stored([(text, "x") for text in ODD_TEXTS])
    whole = [text.encode("utf-8", "replace").decode() for text in ODD_TEXTS]
    assert list(store.texts()) == whole
    for seed in (0, 7):
        expected = [Digest(seed)(text) for text in whole]
        assert store.digests(seed).tolist() == expected


def test_a_part_of_a_part_knows_labels_digests_and_places(tmp_path: Path):
    (tmp_path / "a.csv").write_text('text,label\n"two\n\nlines", x\nb,y\n\nc,x\n')
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.write('{"text": "d", "label": 1}\n\n{"text": "e", "label": "y"}\n')
    store = stored(read_table([tmp_path / "a.csv", tmp_path / "b.jsonl.gz"]))
    places = ["a.csv:2", "a.csv:5", "a.csv:7", "b.jsonl.gz:1", "b.jsonl.gz:3"]
    assert [Path(store.place(n)).name for n in range(5)] == places
    part = store.part(np.array([4, 0, 3]), "odd").part(np.array([0, 2]), "odder")
    assert list(part) == [("e", "y"), ("d", "1")] and name_of(part) == "odder"
    assert part.digests().tolist() == [Digest(0)("e"), Digest(0)("d")]
    assert part.label_counts == {"1": 1, "y": 1}
    with pytest.raises(UserError, match=r"b\.jsonl\.gz:1: label '1' was not in train"):
        part.label_ids(["x", "y"])


def test_renamed_labels_are_counted_together():
    store = stored([("a", "Pos"), ("b", "pos"), ("c", "neg"), ("d", "pos ")])
    joined = join_labels(store)
    assert joined.label_counts == {"neg": 1, "pos": 3}
    assert joined.label_ids(["neg", "pos"]).tolist() == [1, 1, 0, 1]
    assert store.label_counts == {"Pos": 1, "neg": 1, "pos": 1, "pos ": 1}
    assert list(joined) == [("a", "pos"), ("b", "pos"), ("c", "neg"), ("d", "pos")]


CHANGES: dict[str, Callable[[list], list]] = {
    "order": lambda rows: rows[::-1],
    "one text": lambda rows: [*rows[:-1], ("other", rows[-1][1])],
    "one label": lambda rows: [*rows[:-1], (rows[-1][0], "a b")],
    "a border": lambda rows: [(rows[0][0] + "T", "ab c"), (rows[1][0][1:], "b c")]
    + rows[2:],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_fingerprint_tells_other_data(change: Callable[[list], list]):
    rows = numbered(30)
    found = stored(rows).fingerprint()
    assert found == stored(rows).part(np.arange(30), "all").fingerprint()
    assert found != stored(change(rows)).fingerprint()


def test_a_task_reads_each_of_its_files_once():
    rows = [(f"film {n}", "no" if n % 2 else "yes") for n in range(400)]
    given = {"train": Once(rows[:300]), "test": Once(rows[300:])}
    data = prepare_texts(given, num_words=50, seed=3)
    assert sum(map(len, data.splits.values())) == 400
    assert all(list(part) == list(part) for part in data.splits.values())


def test_the_file_may_go_once_it_was_read(tmp_path: Path):
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\n" + "".join(f"t{n}\t{n % 2}\n" for n in range(99)))
    parts = split_samples(read_table(path))
    path.unlink()
    assert sum(len(list(part)) for part in parts.values()) == 99


def test_memory_does_not_hold_the_texts():
    rows, size = 3000, 10_000
    tracemalloc.start()
    try:
        store = stored((str(n).zfill(size), "ab"[n % 2]) for n in range(rows))
        assert sum(map(len, store.texts())) == rows * size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < rows * size / 20


@pytest.mark.parametrize("size", [1, 1000, 100_000])
def test_a_full_disk_is_one_line(size: int, monkeypatch: pytest.MonkeyPatch):
    def on_full_disk() -> io.BufferedRandom:
        return io.BufferedWriter(io.FileIO("/dev/full", "w"))

    monkeypatch.setattr(module.tempfile, "TemporaryFile", on_full_disk)
    with pytest.raises(UserError, match="No space left on device; .* TMPDIR"):
        stored([("x" * size, "a")] * 30)


def test_a_store_is_called_as_what_it_was_read_from(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,x\n")
    assert str(stored(read_table(path))) == str(path)
    assert isinstance(stored([("a", "x")]), SampleStore)
    assert str(stored([("a", "x")])) == "samples"
