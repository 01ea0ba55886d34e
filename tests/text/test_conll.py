"""Tagged sentences of every format, plain and packed."""

import gzip
import json
from pathlib import Path

import pytest

from keras_seq.text.conll import read_tagged

EXPECTED = [(("Ada", "sleeps"), ("X", "V")), (("Don't",), ("V",))]


def pairs(path: Path, *columns: str | None) -> list:
    return [(s.words, s.tags) for s in read_tagged(path, *columns)]


def conllu(*words: str) -> str:
    return "".join(
        f"{n}\t{word}\tlemma\t{'X' if n == 1 else 'V'}\tXP{n}" + "\t_" * 5 + "\n"
        for n, word in enumerate(words, 1)
    )


FILES = {
    "a.conll": "Ada X\nsleeps V\n\nDon't V\n",
    "crlf.txt": "Ada\tX\r\nsleeps\tV\r\n\r\n\r\nDon't\tV",
    "doc.iob": "-DOCSTART- -X- O\n\nAda b X\nsleeps c V\n \t\nDon't d V\n\n"
    "-DOCSTART- -X- O\n",
    "spaces.bio": "Ada   X \n sleeps\tV\n\nDon't V\n".replace("\t", " "),
    "note.col": "# a remark of five words\nAda X\nsleeps V\n\n# another one here\n"
    "Don't V\n",
    "bom.conll": "\ufeffAda X\nsleeps V\n\nDon't V\n",
    "plain.tsv": "Ada\tX\nsleeps\tV\n\nDon't\tV\n",
    "head.tsv": "Word\tTag\nAda\tX\nsleeps\tV\n\nDon't\tV\n",
    "blank.csv": "word,tag\nAda,X\nsleeps,V\n\nDon't,V\n",
    "number.csv": "sentence_id,token,upos\n7,Ada,X\n7,sleeps,V\n8,Don't,V\n",
    "first.csv": "Sentence #,Word,POS,n\n1,Ada,X,1\n,sleeps,V,2\n2,Don't,V,3\n",
    "lists.jsonl": json.dumps({"tokens": ["Ada", "sleeps"], "ner_tags": ["X", "V"]})
    + "\n\n"
    + json.dumps({"tokens": ["Don't"], "ner_tags": ["V"]})
    + "\n",
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_every_format_has_the_same_sentences(name: str, packed: bool, tmp_path: Path):
    path = tmp_path / (f"{name}.gz" if packed else name)
    raw = FILES[name].encode()
    path.write_bytes(gzip.compress(raw) if packed else raw)
    assert pairs(path) == EXPECTED


def test_conllu_leaves_out_multiword_tokens_and_empty_nodes(tmp_path: Path, capsys):
    path = tmp_path / "a.conllu"
    rest = "\t_" * 8
    path.write_text(
        "# sent_id = 1\n# text = Vámonos al mar = sí\n"
        f"1-2\tVámonos{rest}\n"
        + conllu("Vamos", "nos")
        + f"2.1\tgone{rest}\n\n"
        + "# a remark\n"
        + conllu("Bye")
    )
    first, second = read_tagged(path)
    assert first.words == ("Vamos", "nos") and first.tags == ("X", "V")
    assert first.text == "Vámonos al mar = sí" and second.text == ""
    assert first.multiword == ((0, 2, "Vámonos"),) and second.multiword == ()
    assert first.lines == (4, 5) and second.place() == f"{path}:9"
    said = capsys.readouterr().err
    assert "1 multiword tokens and 1 empty nodes are left out" in said


@pytest.mark.parametrize(
    ("column", "tags"),
    [("xpos", "XP1"), ("XPOS", "XP1"), ("5", "XP1"), ("3", "lemma"), (None, "X")],
)
def test_a_column_of_conllu_has_a_name_and_a_number(column, tags: str, tmp_path: Path):
    path = tmp_path / "a.conllu"
    path.write_text(conllu("Hi"))
    assert pairs(path, None, column) == [(("Hi",), (tags,))]


def test_conllu_is_known_under_another_name(tmp_path: Path):
    path = tmp_path / "treebank.txt"
    path.write_text("# text = Hi\n" + conllu("Hi"))
    assert pairs(path) == [(("Hi",), ("X",))]


def test_columns_are_chosen_by_number(tmp_path: Path):
    path = tmp_path / "a.conll"
    path.write_text("1 Ada NNP B-x\n2 ran VBD O\n")
    assert pairs(path, "2", "3") == [(("Ada", "ran"), ("NNP", "VBD"))]


def test_a_hash_and_a_space_that_is_no_break_are_words(tmp_path: Path):
    path = tmp_path / "a.conll"
    path.write_text("#\tX\n1\u00a0000\tN\n")
    assert pairs(path) == [(("#", "1\u00a0000"), ("X", "N"))]


def test_a_glob_reads_files_of_several_kinds(tmp_path: Path):
    (tmp_path / "a.conll").write_text(FILES["a.conll"])
    (tmp_path / "b.csv").write_text(FILES["blank.csv"])
    assert len(read_tagged(str(tmp_path / "*"))) == 4


def test_words_alone_are_read_where_no_tag_is_needed(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_text("Ada\nsleeps\n\nBye\n")
    found = read_tagged(path, need_tags=False)
    assert [s.words for s in found] == [("Ada", "sleeps"), ("Bye",)]


def test_a_very_long_sentence_stays_whole_and_is_named(tmp_path: Path, capsys):
    path = tmp_path / "a.conll"
    path.write_text("Hi X\n\n" + "word N\n" * 5000)
    sentences = read_tagged(path)
    assert [len(s.words) for s in sentences] == [1, 5000]
    assert f"{path}:3: a sentence of 5,000 words" in capsys.readouterr().err
