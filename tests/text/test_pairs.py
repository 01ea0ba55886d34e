"""Sentence pairs: every way to bring them, and each fault by its line."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from keras_seq.data.table_format import TableFormat
from keras_seq.errors import UserError
from keras_seq.text.pairs import SentencePair, read_pairs, report_faults

EXPECTED = [("Ein Hund.", "A dog."), ("Größe 狗", "size 犬")]


def write(folder: Path, name: str, content: str) -> str:
    path, encoded = folder / name, content.encode()
    path.write_bytes(gzip.compress(encoded) if name.endswith(".gz") else encoded)
    return str(path)


TABLES = {
    "a.tsv": "source\ttarget\nEin Hund.\tA dog.\nGröße 狗\tsize 犬\n",
    "a.csv.gz": "id,tgt,src\n1,A dog.,Ein Hund.\n2,size 犬,Größe 狗\n",
    "a.jsonl": '{"src": "Ein Hund.", "tgt": "A dog."}\n'
    '{"src": "Gro\u0308ße 狗", "tgt": "size 犬"}\n',
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_any_kind_are_read(name: str, tmp_path: Path):
    pairs = read_pairs(write(tmp_path, name, TABLES[name]))
    assert [pair[:2] for pair in pairs] == EXPECTED
    assert pairs[1].place().endswith(f"{name}:{3 - (name == 'a.jsonl')}")


def test_data_in_memory_and_line_aligned_files_read_the_same(tmp_path: Path):
    sides = ["\n".join(side) + "\n" for side in zip(*EXPECTED)]
    files = [write(tmp_path, n, s) for n, s in zip(("a.de.gz", "a.en"), sides)]
    frame = pd.DataFrame(EXPECTED, columns=["source", "target"])
    for given in (files, [EXPECTED], [frame]):
        assert [pair[:2] for pair in read_pairs(*given)] == EXPECTED


def test_the_direction_is_never_guessed(tmp_path: Path):
    path = write(tmp_path, "a.tsv", "de\ten\nEin Hund.\tA dog.\n")
    with pytest.raises(UserError, match="de', 'en'; name one with --source-column"):
        read_pairs(path)
    (pair,) = read_pairs(path, source_column="en", target_column="de")
    assert pair[:2] == ("A dog.", "Ein Hund.")
    plain = write(tmp_path, "b.tsv", "Ein Hund.\tA dog.\n")
    (pair,) = read_pairs(plain, table_format=TableFormat(no_header=True))
    assert pair[:2] == ("Ein Hund.", "A dog.")


BAD = {
    "counts": ({"a.de": "1\n2\n3\n", "a.en": "1\n2\n"}, "3 lines, but .*a.en has 2"),
    "one line": ({"a.de": "1\n", "a.en": "1\n2\n"}, "a.de: 1 line, but .*a.en has 2"),
    "no target": ({"a.de": "1\n"}, "a.de: .*--target-data"),
    "missing": ({"a.de": "1\n", "gone": None}, "gone: no such file"),
    "empty side": ({"a.de": "1\n\n", "a.en": "1\n2\n"}, "a.de:2: the source is empty"),
    "empty target": (
        {"a.tsv": "source\ttarget\na\tb\nc\t \n"},
        "a.tsv:3: the target is empty.*--drop-missing",
    ),
    "empty": ({"a.de": "", "a.en": ""}, "a.de: the file is empty"),
    "not UTF-8": ({"a.de": "1\n\udcff\n", "a.en": "1\n2\n"}, "a.de:2: byte 0xff"),
    "not XML": ({"a.tmx": "<tmx>\n<tu>"}, "a.tmx:2: not sound XML"),
    "no unit": ({"a.tmx": "<tmx></tmx>"}, "a.tmx: holds no translation unit"),
    "bomb": (
        {"a.tmx": '<!DOCTYPE t [\n<!ENTITY a "b">\n]><tmx></tmx>'},
        "a.tmx:2: entity 'a'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_pairs_are_one_line(case: str, tmp_path: Path):
    files, message = BAD[case]
    for name, content in files.items():
        if content is not None:
            encoded = content.encode("utf-8", "surrogateescape")
            (tmp_path / name).write_bytes(encoded)
    with pytest.raises(UserError, match=message) as found:
        read_pairs(*(str(tmp_path / name) for name in files))
    assert "\n" not in str(found.value)


def test_empty_sides_are_left_out_where_that_is_asked_for(tmp_path: Path, capsys):
    path = write(tmp_path, "a.csv", "source,target\na,b\nc,\n,d\n")
    pairs = read_pairs(path, table_format=TableFormat(drop_missing=True))
    assert [pair[:2] for pair in pairs] == [("a", "b")]
    assert "2 of 3 pairs (67 %) lack a side" in capsys.readouterr().err


TMX = """<?xml version="1.0"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="de-DE"/><body>
<tu><tuv xml:lang="en"><seg>A <bpt i="1">&lt;b&gt;</bpt>dog<ept i="1"/>.</seg></tuv>
<tuv xml:lang="de-DE"><seg>Ein Hund.</seg></tuv></tu>{}
</body></tmx>"""


def test_a_translation_memory_names_its_languages(tmp_path: Path):
    path = write(tmp_path, "a.tmx", TMX.format(""))
    (pair,) = read_pairs(path)
    assert pair[:2] == ("Ein Hund.", "A dog.") and pair.line == 4
    (pair,) = read_pairs(path, source_column="EN", target_column="de")
    assert pair[:2] == ("A dog.", "Ein Hund.")
    third = '<tu><tuv xml:lang="fr"><seg>Un chien.</seg></tuv></tu>'
    path = write(tmp_path, "b.tmx", TMX.format(third))
    with pytest.raises(UserError, match="'en', 'de-DE', 'fr'; .*--target-column"):
        read_pairs(path)


def test_doubtful_pairs_are_counted_with_the_first_line(capsys):
    path, row = Path("a.tsv"), SentencePair("ein guter Hund", "a good dog")
    pairs = [row._replace(path=path, line=n) for n in range(2, 12)]
    pairs[3] = pairs[3]._replace(target="хорошая собака")
    pairs[5] = pairs[5]._replace(target="a dog " * 40)
    pairs[7] = pairs[7]._replace(target=pairs[7].source)
    assert list(report_faults(pairs).values()) == [1, 1, 1]
    said = capsys.readouterr().err
    for fault, line in (("script", 5), ("longer", 7), ("equal", 9)):
        (found,) = (one for one in said.splitlines() if fault in one)
        assert "1 of 10 pairs (10 %)" in found and found.endswith(f"a.tsv:{line}")
