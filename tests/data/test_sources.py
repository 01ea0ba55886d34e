"""Tables: every format reads the same, and bad input gives one clear line."""

import gzip
import json
from pathlib import Path

import pytest

from keras_seq.data.sources import read_table
from keras_seq.data.splits import check_classes_differ
from keras_seq.data.store import stored
from keras_seq.errors import UserError

ROWS = [
    ('He said "no", twice', "bad"),
    ("Two\nlines, one field", "good"),
    ("Пирог – très bon 很好", "good"),
]


def write(path: Path, rows: list[tuple[str, str]] = ROWS) -> Path:
    """Rows as the kind of file that the path's name tells."""
    kind = path.name.removesuffix(".gz").rsplit(".")[-1]
    if kind == "parquet":
        import pyarrow
        import pyarrow.parquet

        texts, labels = zip(*rows, strict=True)
        table = pyarrow.table({"text": texts, "label": labels})
        pyarrow.parquet.write_table(table, path)
        data = path.read_bytes()
    elif kind == "jsonl":
        lines = [json.dumps({"label": label, "text": text}) for text, label in rows]
        data = "\n".join(lines).encode()
    else:
        mark = {"csv": ",", "tsv": "\t"}[kind]
        quoted = ['"' + text.replace('"', '""') + '"' for text, _ in rows]
        labels = [label for _, label in rows]
        lines = [mark.join(pair) for pair in zip(quoted, labels, strict=True)]
        # Names in quotes: otherwise a quote is a character of a TSV.
        header = f'"text"{mark}"label"' if kind == "tsv" else "text,label"
        data = "\r\n".join([header, *lines]).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_gives_the_same_samples_on_every_pass(
    tmp_path: Path, kind: str, packed: str
):
    table = read_table(write(tmp_path / f"reviews.{kind}{packed}"))
    assert list(table) == ROWS
    assert list(table) == ROWS


def test_a_glob_or_a_list_reads_files_in_order_whatever_their_format(tmp_path: Path):
    write(tmp_path / "b.csv", [("second", "1")])
    write(tmp_path / "a.csv", [("first", "0")])
    third = write(tmp_path / "c.jsonl", [("third", "1")])
    table = read_table([str(tmp_path / "*.csv"), third])
    assert [text for text, _ in table] == ["first", "second", "third"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("Text,Label", ("Text", "Label")),
        ("id,REVIEW,rating,Sentiment", ("REVIEW", "Sentiment")),
        ("category,title,stars,content", ("content", "category")),
        ("review,text,class,label", ("text", "label")),
        ("\ufefflabel, text", ("text", "label")),
        ("text,text2,target,target2", ("text", "target")),
    ],
)
def test_usual_column_names_are_found(tmp_path: Path, columns, expected):
    path = tmp_path / "a.csv"
    path.write_text(columns + "\n" + ",".join(["1"] * columns.count(",")) + ",x\n")
    table = read_table(path)
    assert (table.text_column, table.label_column) == expected


def test_named_columns_win_and_whole_numbers_are_labels(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    rows = [
        {"text": "no", "label": "no", "Body": "one", "n": 0},
        {"text": "no", "label": "no", "Body": "two", "n": 1.0},
        {"text": "no", "label": "no", "Body": "half \ud83d a pair", "n": " x "},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    table = read_table(path, "body", "n")
    assert list(table) == [("one", "0"), ("two", "1"), ("half ? a pair", "x")]


def test_texts_alone_need_no_label_column(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_text("text\none\n\ntwo\n")
    assert list(read_table(path, need_labels=False)) == [("one", ""), ("two", "")]


CSV = "text,label\n"
# File name, its text or bytes, and what the message must say.
BAD = {
    "unknown type": ("a.dat", "x", "a.dat: unknown file type; known are .csv"),
    "empty": ("a.csv", "", "a.csv: the file is empty"),
    "empty lines": ("a.jsonl", "\n\n", "a.jsonl: the file is empty"),
    "empty gzip": ("a.csv.gz", gzip.compress(b""), "the file is empty"),
    "header alone": ("a.csv", CSV, "a.csv: holds no rows"),
    "no text column": (
        "a.csv",
        "id,label\n1,x\n",
        "a.csv: no text column found; its columns are: 'id', 'label'; name one with "
        "--text-column",
    ),
    "a rating is no label": (
        "a.csv",
        "text,rating\nx,1\n",
        "no label column found; its columns are: 'text', 'rating'; name one with "
        "--label-column",
    ),
    "column twice": ("a.csv", "text,label,label\n", "2 columns are called 'label'"),
    "too few fields": (
        "a.csv",
        CSV + '"a\nb",x\n\nlonely\n',
        "a.csv:5: 1 field, but the header has 2: 'text', 'label'",
    ),
    "too many fields": ("a.tsv", "text\tlabel\na\tb\tc\n", "a.tsv:2: 3 fields, but"),
    "open quote": ("a.csv", CSV + 'a,x\n"b,x\nc,x\n', "a.csv:3: unreadable row (unexp"),
    "stray quote": ("a.csv", CSV + '"b" c,x\n', "a.csv:2: unreadable row (',' expect"),
    "bad JSON": (
        "a.jsonl",
        '{"text": "a", "label": 1}\n{"text"\n',
        "a.jsonl:2: not JSON (Expecting ':' delimiter",
    ),
    "JSON list": ("a.jsonl", '["a", 1]\n', "a.jsonl:1: JSON, but list; every row is"),
    "JSON key": (
        "a.jsonl",
        '{"text": "a", "label": 1}\n{"text": "b"}\n',
        "a.jsonl:2: no 'label'; has: 'text'",
    ),
    "not UTF-8": (
        "a.csv",
        CSV.encode() + b"caf\xe9,x\n",
        "a.csv:2: byte 0xe9 (number 4) is not UTF-8",
    ),
    "UTF-16 without a mark": (
        "a.csv",
        CSV.encode("utf-16-be"),
        "a.csv:1: the text holds zero bytes; read it with --encoding utf-16-be",
    ),
    "empty text": ("a.csv", CSV + "a,x\n ,x\n", "a.csv:3: no text in column 'text'"),
    "blank text": ("a.jsonl", '{"text": "          ", "label": 1}', "1: no text in"),
    "NaN text": ("a.csv", CSV + "NaN,x\n", "a.csv:2: no text in column 'text'"),
    "empty label": ("a.csv", CSV + "a,\n", "a.csv:2: no label in column 'label'"),
    "null": ("a.jsonl", '{"text": null, "label": 1}', "a.jsonl:1: no text in column"),
    "NaN": ("a.jsonl", '{"text": "a", "label": NaN}', "a.jsonl:1: no label in column"),
    "number": ("a.jsonl", '{"text": 5, "label": 1}', "a.jsonl:1: int instead of text"),
    "fraction": ("a.jsonl", '{"text": "a", "label": 0.5}', "float instead of a label"),
    "cut gzip": (
        "a.csv.gz",
        gzip.compress(CSV.encode() + b"a,x\n" * 9)[:-9],
        "a.csv.gz: the gzip file is cut short",
    ),
    "no gzip": ("a.csv.gz", CSV + "a,x\n", "a.csv.gz: not a sound gzip file"),
    "no parquet": ("a.parquet", "text", "a.parquet: not a sound Parquet file"),
    "one class": ("a.csv", CSV + "a,x\nb,x\n", "a.csv: every row has the label 'x'; a"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(tmp_path: Path, case: str):
    name, content, message = BAD[case]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as caught:
        check_classes_differ(stored(read_table(path)))
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        ("none.csv", "none.csv: no such file"),
        ("*.tsv", "*.tsv: matches no file"),
        (".", "holds no LABEL/x.txt (.txt, .text, .md, .html); name a file, or a glob"),
        (["a.csv", "b.csv"], "b.csv: no column 'label'; its columns are: 'text'"),
    ],
)
def test_files_that_are_not_there_are_named_before_any_row_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths, message: str
):
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(CSV + "a,x\n")
    Path("b.csv").write_text("text\nb\n")
    with pytest.raises(UserError) as caught:
        read_table(paths)
    assert message in str(caught.value)


def test_one_column_cannot_be_both(tmp_path: Path):
    with pytest.raises(UserError, match="named for both texts and labels"):
        read_table(write(tmp_path / "a.csv"), "label", "label")


def test_a_null_in_parquet_is_named_by_its_row(tmp_path: Path):
    path = write(tmp_path / "a.parquet", [("a", "x"), ("b", None)])
    with pytest.raises(UserError, match=r"a\.parquet: row 2: no label"):
        list(read_table(path))


def test_a_field_or_line_without_an_end_is_not_read_whole(tmp_path, monkeypatch):
    from keras_seq.data import text_files as readers

    path = tmp_path / "a.csv"
    path.write_text(CSV + "a" * 100 + ",x\n")
    assert len(list(read_table(path))) == 1
    monkeypatch.setattr(readers, "_LONGEST_LINE", 64)
    with pytest.raises(UserError, match=r"a\.csv:2: the line is longer than"):
        list(read_table(path))


def test_a_label_that_training_never_saw_is_found_where_it_stands(tmp_path: Path):
    table = stored(read_table(write(tmp_path / "a.csv")))
    assert table.label_ids(["bad", "good"]).tolist() == [0, 1, 1]
    with pytest.raises(UserError) as caught:
        table.label_ids(["good", "fine"])
    expected = "a.csv:2: label 'bad' was not in training, only: 'good', 'fine'"
    assert str(caught.value).endswith(expected)
    with pytest.raises(UserError, match="sample 3: label 'good' was not in training"):
        stored([("a", "b"), ("a", "b"), ("a", "good")]).label_ids(["b"])


def test_real_files_read_whole(data_dir: Path):
    counts = stored(read_table(data_dir / "sentiment_en" / "rt_polarity_test.jsonl.gz"))
    assert sorted(counts.label_counts) == ["0", "1"]
    chinese = stored(read_table(str(data_dir / "sentiment_zh" / "waimai*.jsonl.gz")))
    assert len(chinese) > 10_000
