"""Tables answered row by row: all columns stay, the answers come behind them."""

import csv
import gzip
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from keras_seq.data import answers
from keras_seq.data.answers import answer_table, check_output, write_rows
from keras_seq.data.table_format import TableFormat
from keras_seq.data.tables import read_columns, read_rows
from keras_seq.errors import UserError


def lengths(texts: Iterable[str]) -> Iterator[dict]:
    for text in texts:
        yield {"label": f"of {len(text)}", "sizes": np.array([len(text), 0.5])}


def answered(path: Path, **asked) -> Iterator[dict]:
    return answer_table(path, lengths, usual=["text"], **asked)


ROWS = [["1", 'He said "no",\nthen\tleft', "x"], ["2", "很好", ""]]
ADDED = ["of 23", "of 2"]


@pytest.mark.parametrize(
    "output", ["b.csv", "b.tsv", "b.jsonl", "b.csv.gz", "b.tsv.gz"]
)
def test_all_columns_stay_and_read_back_the_same(output: str, tmp_path: Path):
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text", "label"], *ROWS])
    done = write_rows(answered(path), tmp_path / output)
    assert done == {"output": str(tmp_path / output), "rows": 2}
    names = ["id", "text", "label", "predicted_label", "sizes"]
    assert read_columns(tmp_path / output) == names
    found = [values for _, values in read_rows(tmp_path / output, None)]
    sizes = [[23.0, 0.5], [2.0, 0.5]]
    shown = sizes if "json" in output else [json.dumps(size) for size in sizes]
    assert found == [[*r, a, s] for r, a, s in zip(ROWS, ADDED, shown)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", output]


def test_columns_without_names_or_with_the_same_one_stay(tmp_path: Path):
    (tmp_path / "a.csv").write_text("text,v,v,\nab,1,2,3\n")
    (row,) = answered(tmp_path / "a.csv")
    assert list(row) == ["text", "v", "v (3)", "column 4", "label", "sizes"]


def test_rows_without_a_text_are_named_or_left_out(tmp_path: Path, remarks: list[str]):
    (tmp_path / "a.jsonl").write_text('{"text": "ab"}\n{"text": null}\n{"text": "c"}\n')
    with pytest.raises(UserError, match=r"a\.jsonl:2: no text in column 'text'; mend"):
        list(answered(tmp_path / "a.jsonl"))
    asked = {"table_format": TableFormat(drop_missing=True)}
    rows = list(answered(tmp_path / "a.jsonl", **asked))
    assert [row["label"] for row in rows] == ["of 2", "of 1"]
    assert remarks[-1].endswith("a.jsonl: 1 rows without a value to answer left out")


def test_a_row_that_cannot_be_read_leaves_no_output(tmp_path: Path):
    (tmp_path / "a.csv").write_text("text,n\nab,1\nc\n")
    with pytest.raises(UserError, match=r"a\.csv:3: 1 field, but"):
        write_rows(answered(tmp_path / "a.csv"), tmp_path / "b.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


BAD = {
    "the input": ("a.csv", "is the file that is read; give another --output"),
    "a link to it": ("link.csv", "is the file that is read"),
    "a folder": ("folder.csv", "is a folder, or lies in none that is there"),
    "no folder": ("none/b.csv", "is a folder, or lies in none that is there"),
    "a workbook": ("b.xlsx", "unknown file type to write; known are .csv"),
    "no type": ("b", "unknown file type to write"),
    "nobody's": ("~nosuchuser/b.csv", "no such user"),
}


@pytest.mark.parametrize("case", BAD)
def test_outputs_that_cannot_be(case: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("text\nab\n")
    Path("link.csv").symlink_to("a.csv")
    Path("folder.csv").mkdir()
    name, message = BAD[case]
    with pytest.raises(UserError, match=message):
        check_output(name, "a.csv")


def test_memory_does_not_grow_with_the_table(tmp_path: Path, monkeypatch, remarks):
    monkeypatch.setattr(answers, "EVERY", -1)
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("text\n")
        for number in range(3000):
            file.write(f"{number % 977:0>10000}\n")
    tracemalloc.start()
    write_rows(answered(path), tmp_path / "b.csv")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e7  # of 30 MB
    assert f"{tmp_path / 'b.csv'}: 2,000 rows are answered" in remarks
