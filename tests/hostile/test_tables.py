"""Tables as people have them: read right, asked about, or refused with one line.

Each case is a file and what becomes of it: its samples, or words of the error.
"""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from keras_seq.data.sources import read_table
from keras_seq.data.store import stored
from keras_seq.data.table_format import TableFormat
from keras_seq.data.tables import read_rows
from keras_seq.errors import UserError

PAIR = [("fine film", "good"), ("dull", "bad")]
CSV = "text,label\nfine film,good\ndull,bad\n"
NUMBERED = "9,fine film,good\n8,dull,bad\n"


def of(**asked) -> dict:
    return {"table_format": TableFormat(**asked)}


def columns(text: str, label: str, **asked) -> dict:
    return of(**asked) | {"text_column": text, "label_column": label}


FOUND = {  # name: (file, content, how it is asked for)
    "semicolons": ("a.csv", CSV.replace(",", ";"), {}),
    "tabs in a .csv": ("a.csv", CSV.replace(",", "\t"), {}),
    "pipes": ("a.csv.gz", gzip.compress(CSV.replace(",", "|").encode()), {}),
    "commas in a .tsv": ("a.tsv", CSV, {}),
    ".tab": ("a.tab", CSV.replace(",", "\t"), {}),
    "a separator of another name": ("a.dat", CSV.replace(",", "~"), of(separator="~")),
    "spaces": (
        "a.txt",
        'text label\n"fine film" good\ndull bad\n',
        of(separator="space"),
    ),
    "Excel's mark": ("a.csv", CSV.encode("utf-8-sig"), {}),
    "UTF-16 with a mark": ("a.csv", CSV.replace(",", "\t").encode("utf-16"), {}),
    "UTF-16 that is named": ("a.csv", CSV.encode("utf-16"), of(encoding="utf-16")),
    "UTF-16 without a mark": (
        "a.csv",
        CSV.encode("utf-16-le"),
        of(encoding="utf-16-le"),
    ),
    "UTF-32": ("a.csv", CSV.encode("utf-32"), {}),
    "no header": ("a.csv", NUMBERED, columns("2", "3", no_header=True)),
    "no header, tabs": (
        "a.tsv",
        NUMBERED.replace(",", "\t"),
        columns("2", "3", no_header=True),
    ),
    "one line of an array": (
        "a.json",
        json.dumps([{"text": t, "label": y} for t, y in PAIR]),
        {},
    ),
    "a pretty array": (
        "a.jsonl",
        json.dumps([{"text": t, "label": y} for t, y in PAIR], indent=3),
        {},
    ),
    "objects of a .json": (
        "a.json.gz",
        gzip.compress(
            b'\n{"label": "good", "text": "fine film"}\n{"label":"bad","text":"dull"}'
        ),
        {},
    ),
    "fastText": (
        "a.train",
        "__label__good fine  film\n\ndull __label__bad\n",
        {},
    ),
    "missing rows dropped": (
        "a.csv",
        CSV + ",good\nno label,\n  ,bad\nworse,N/A\nnan,x\n",
        of(drop_missing=True),
    ),
    "missing values of JSON": (
        "a.jsonl",
        '{"text": null, "label": 1}\n{"text": "fine film", "label": "good"}\n'
        '{"text": "dull", "label": "bad"}\n{"text": "x", "label": NaN}\n',
        of(drop_missing=True),
    ),
}


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("case", FOUND)
def test_formats_give_the_same_samples(case: str, tmp_path: Path):
    name, content, asked = FOUND[case]
    assert list(read_table(write(tmp_path / name, content), **asked)) == PAIR


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "schön, für mich – nicht für £5"),
        ("gb18030", "这个地方的味道很好，我还会来"),
        ("big5", "這個地方的味道很好，我還會來"),
        ("shift_jis", "とても良い映画でした"),
        ("euc_kr", "이 영화는 정말 재미있었습니다 너무 좋아요"),
        ("cp1251", "Очень хороший фильм, мне понравилось"),
        ("koi8-r", "Очень хороший фильм, мне понравилось"),
        ("cp1250", "świetna gra aktorów, żałuję że się skończył"),
        ("cp1253", "Πολύ καλή ταινία"),
    ],
)
def test_an_encoding_that_fits_is_named_and_read(
    encoding: str, text: str, tmp_path: Path
):
    lines = ["text;label", *[f"{text} {n};{'ab'[n % 2]}" for n in range(30)]]
    path = write(tmp_path / "a.csv", "\n".join(lines).encode(encoding))
    with pytest.raises(
        UserError, match=rf"a\.csv:2: byte .* --encoding {encoding}, wh"
    ):
        read_table(path)
    rows = list(read_table(path, **of(encoding=encoding)))
    assert rows[0] == (f"{text} 0", "a") and len(rows) == 30


def quoted_rows(mark: str, label_first: bool = False, wide: int = 2) -> str:
    """Rows of which every third opens a quotation that the next but one closes."""
    lines = []
    for number in range(300):
        text = f"story {number} of old"
        text = f'"{text}' if number % 3 == 0 else text
        text = f'{text}"' if number % 3 == 2 else text
        fields = [text, "01"[number % 2], *["x" * n for n in range(1, wide - 1)]]
        lines.append(mark.join(fields[::-1] if label_first else fields))
    names = ["text", "label", *[f"c{n}" for n in range(1, wide - 1)]]
    header = mark.join(names[::-1] if label_first else names)
    return "\n".join([header, *lines]) + "\n"


@pytest.mark.parametrize("label_first", [False, True])
@pytest.mark.parametrize("wide", [2, 5])
@pytest.mark.parametrize("name", ["a.tsv", "a.tab", "a.tsv.gz"])
def test_a_quote_in_a_tsv_is_a_character(
    name: str, wide: int, label_first: bool, tmp_path: Path, capsys
):
    content = quoted_rows("\t", label_first, wide).encode()
    content = gzip.compress(content) if name.endswith(".gz") else content
    rows = list(read_table(write(tmp_path / name, content)))
    assert len(rows) == 300 and rows[0][0] == '"story 0 of old'
    assert capsys.readouterr().err == f"{tmp_path / name}: 300 rows\n"


@pytest.mark.parametrize("label_first", [False, True])
@pytest.mark.parametrize("wide", [2, 3, 6])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_rows_within_quotes_of_a_csv_are_an_error_by_line(
    mark: str, wide: int, label_first: bool, tmp_path: Path
):
    path = write(tmp_path / "a.csv", quoted_rows(mark, label_first, wide))
    with pytest.raises(
        UserError, match=r"a\.csv:\d+: a field in quotes runs over"
    ) as e:
        list(read_rows(path, None))
    assert int(str(e.value).split("a.csv:")[1].split(":")[0]) % 3 == 2


SWALLOWED = {
    "two lines, the first rows": 'text,label\n"it is,good\nwhat it is",bad\n'
    + "it was,good\nfine,bad\n" * 9,
    "two lines, at the end": "text,label\n"
    + "it was,good\nfine,bad\n" * 400
    + '"it is,good\nwhat it is",bad\n',
    "pairs of texts": "source,target\n"
    + "".join(f"{n} a b,{n} b a\n" for n in range(99))
    + '"'
    + "".join(f"{n} a,{n} c\n" for n in range(70))
    + 'end",x\n',
}


@pytest.mark.parametrize("case", SWALLOWED)
def test_swallowed_rows_are_found_wherever_they_are(case: str, tmp_path: Path):
    path = write(tmp_path / "a.csv", SWALLOWED[case])
    with pytest.raises(UserError, match="in quotes runs over"):
        list(read_rows(path, None))


@pytest.mark.parametrize(
    "text",
    [
        "Two, or\nthree lines",
        "Roses are red,\nviolets are blue,\nsugar is sweet,\nand so are you",
        "def f(a, b):\n" + "    return a, b\n" * 200,
        "\n".join(f"item {n}, {n} pounds" for n in range(40)),
        "good\nbad\ngood\n",
        "text,label\nno label,here\n",
    ],
)
def test_texts_of_many_lines_are_texts(text: str, tmp_path: Path, remarks: list[str]):
    rows = "".join(f'plain {n},{"good" if n % 2 else "bad"}\n' for n in range(60))
    quoted = text.replace('"', '""')
    path = write(tmp_path / "a.csv", f'text,label\n{rows}"{quoted}",good\n{rows}')
    found = list(read_table(path))
    assert len(found) == 121 and found[60] == (text, "good")
    assert remarks == [f"{path}: 1 row with line ends in quotes, the first at line 62"]


REFUSED = {
    "two separators": (
        "a.csv",
        "1,5;2\n3,4;5\n",
        of(no_header=True),
        "'comma', 'semicolon' cut the first rows alike; name one with --separator",
    ),
    "no header": (
        "a.csv",
        "0,it is\n1,it was\n",
        {},
        "where this row is no header, give --no-header and a number",
    ),
    "no header, no number": (
        "a.csv",
        "0,it is\n1,it was\n",
        of(no_header=True),
        "no text column found; column 1 holds '0', 2 holds 'it is'; name one by its "
        "number from 1: --text-column",
    ),
    "number 0": (
        "a.csv",
        "0,it is\n1,it was\n",
        columns("1", "0", no_header=True),
        "no column '0'; column 1 holds",
    ),
    "names in JSON": (
        "a.jsonl",
        '{"text": "a", "label": 1}',
        of(no_header=True),
        "its columns have names; leave --no-header out",
    ),
    "another encoding": (
        "a.csv",
        "text,label\n\x81,x\n".encode("latin-1"),
        of(encoding="ascii"),
        "a.csv:2: byte 0x81 (number 1) is not",
    ),
    "missing text": (
        "a.csv",
        "text,label\n,x\n",
        {},
        "or leave such rows out with --d",
    ),
    "missing label": (
        "a.csv",
        "text,label\nx,NA\n",
        {},
        "or leave them out with --drop",
    ),
    "all dropped": ("a.csv", "text,label\nx,NA\n", of(drop_missing=True), "no rows"),
    "an open array": (
        "a.json",
        '[{"text": "a",\n"label": 1},\n',
        {},
        "a.json:3: not JS",
    ),
    "a damaged array": (
        "a.json",
        '[{"text": "a", "label": 2},\n{"text" 1}]',
        {},
        "a.json:2: not J",
    ),
    "an array in two": (
        "a.json",
        '[{"text": "a", "label": 1}] 7',
        {},
        "behind the arr",
    ),
    "an array of texts": ("a.json", '["a", "b"]', {}, "a.json:1: JSON, but list"),
    "a line of no label": ("a.txt", "__label__a b\nc d\n", {}, "a.txt:2: no word __la"),
    "old Excel": ("a.xls", b"\xd0\xcf\x11\xe0", {}, "save it as .xlsx or as CSV"),
    "no workbook": ("a.xlsx", b"PK\3\4 no", {}, "not a sound Excel workbook"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_could_be_two_things_is_one_line(case: str, tmp_path: Path):
    name, content, asked, message = REFUSED[case]
    with pytest.raises(UserError) as caught:
        list(read_table(write(tmp_path / name, content), **asked))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"separator": ""}, "expected one character"),
        (
            {"separator": "::"},
            "--separator '::': expected one character, or one of com",
        ),
        ({"separator": '"'}, "expected one character"),
        ({"encoding": "utf-9"}, "--encoding 'utf-9': no such encoding of text"),
        ({"encoding": "rot13"}, "no such encoding of text"),
        ({"encoding": "base64"}, "no such encoding of text"),
    ],
)
def test_options_that_mean_nothing(asked: dict, message: str):
    with pytest.raises(UserError, match=message):
        TableFormat(**asked)


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.gz", "a.parquet.gz"])
def test_a_bomb_is_refused_before_it_fills_memory(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from keras_seq.data import text_files

    monkeypatch.setattr(text_files, "ALWAYS_READ", 1 << 20)
    row = b'{"text": "a", "label": 1}\n' if "json" in name else b"text,label\n"
    path = write(tmp_path / name, gzip.compress(row * 400_000))
    with pytest.raises(UserError, match="unpacks to more than 200 times its size"):
        list(read_table(path))


def test_a_workbook_bomb_is_refused(tmp_path: Path):
    pytest.importorskip("openpyxl")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/sharedStrings.xml", b"a" * (1 << 27))
    with pytest.raises(UserError, match="unpacks to 128 MiB; save the sheet as CSV"):
        list(read_table(tmp_path / "a.xlsx"))


def test_a_workbook_reads_as_its_csv_would(tmp_path: Path, remarks: list[str]):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [
        ("text", "label", "n"),
        ("fine film", "good", 1),
        (),
        ("dull", "bad", None),
    ]:
        book.active.append(row)
    book.create_sheet("notes")
    path = tmp_path / "a.xlsx"
    book.save(path)
    store = stored(read_table(path))
    assert list(store) == PAIR and store.place(1) == f"{path}: row 4"
    assert remarks[0] == f"{path}: sheet 'Sheet' is read; there are 1 more: notes"


def write_folders(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_folder_is_a_label(tmp_path: Path, remarks: list[str]):
    files = {"pos/0_9.txt": "fine film", "neg/1_2.txt": "dull", "pos/2.txt": "good"}
    files |= {"unsup/0.txt": "who knows", "pos/.hidden": "x", "urls_pos.txt": "http"}
    store = stored(read_table(write_folders(tmp_path, files)))
    assert sorted(store) == [("dull", "neg"), ("fine film", "pos"), ("good", "pos")]
    assert store.place(0) == f"{tmp_path / 'neg' / '1_2.txt'}:1"
    assert remarks == [
        f"{tmp_path / 'unsup'}: left out, as it has no label",
        f"{tmp_path}: 3 texts in 2 folders",
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train/pos/1.txt": "a", "test/pos/1.txt": "a"}, "holds the parts 'train', "),
        ({"a.csv": "text,label\n"}, "holds no LABEL/x.txt"),
        ({"pos/1.txt": " \n", "neg/1.txt": "a"}, "1.txt: holds no text; remove the"),
    ],
)
def test_folders_that_hold_no_labels(files: dict, message: str, tmp_path: Path):
    with pytest.raises(UserError, match=message):
        list(read_table(write_folders(tmp_path, files)))


def test_a_long_array_is_read_piece_by_piece(tmp_path: Path):
    rows = [{"text": "a\n" * n, "label": n, "more": [n] * 50} for n in range(1, 900)]
    path = write(tmp_path / "a.json", json.dumps(rows, indent=1))
    found = list(read_rows(path, ["text", "label"]))
    assert [values for _, values in found] == [[r["text"], r["label"]] for r in rows]
    lines = path.read_text().splitlines()
    assert all(lines[number - 1].strip() == "{" for number, _ in found)


OTHER_KINDS = {
    "packed.csv": (gzip.compress(CSV.encode()), "packed by gzip: let its name end in"),
    "book.csv": (b"PK\x03\x04" + bytes(60), "a zip archive or a workbook: unpack it"),
    "a.tsv": (b"PAR1" + bytes(60), "Parquet: let its name end in .parquet"),
    "old.csv": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60), "an old workbook"),
    "twice.csv.gz": (gzip.compress(gzip.compress(CSV.encode())), "packed by gzip"),
}


@pytest.mark.parametrize("name", OTHER_KINDS)
def test_a_binary_file_under_the_name_of_a_text(name: str, tmp_path: Path):
    content, line = OTHER_KINDS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=f"{name}: is no text, but {line}"):
        list(read_table(str(tmp_path / name)))
