"""Labels in several spellings, labels that read as missing, and what is no label.

Tables of (labels that are written, what is made of them).
"""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from keras_seq.audio.recordings import Recording, find_recordings, log_parts
from keras_seq.audio.splits import part_recordings
from keras_seq.audio.waveforms import wav_bytes
from keras_seq.data.label_names import join_labels
from keras_seq.data.sources import read_table
from keras_seq.errors import UserError
from keras_seq.tasks.sentiment.data import prepare_texts
from keras_seq.tasks.speech.data import prepare_speech
from keras_seq.text.batches import CutTexts

CAFE = "caf\u00e9"
# Two spellings of one class; the second stands three times as often and gives the name.
SPELLINGS = {
    "a decimal point": ("1.0", "1"),
    "a decimal comma": ("1,0", "1"),
    "leading zeros": ("007", "7"),
    "a sign": ("+1", "1"),
    "decimals": ("2.50", "2.5"),
    "an exponent": ("1e0", "1"),
    "a large exponent": ("2.5E3", "2500"),
    "no digit before the point": (".5", "0.5"),
    "Arabic digits": ("\u0663", "3"),
    "Devanagari digits": ("\u0967\u0968.0", "12"),
    "case of truth": ("True", "true"),
    "case": ("Pos", "pos"),
    "case of another script": ("\u0394\u039f", "\u03b4\u03bf"),
    "combining accents": (unicodedata.normalize("NFD", CAFE), CAFE),
    "a zero-width space": ("pos\u200b", "pos"),
    "a byte order mark": ("\ufeffpos", "pos"),
    "a soft hyphen": ("neu\u00adtral", "neutral"),
    "spaces around": ("  pos ", "pos"),
    "a non-breaking space": ("\u00a0pos", "pos"),
    "wide spaces inside": ("very\u2003 good", "very good"),
    "full-width digits": ("\uff11", "1"),
    "full-width letters": ("\uff30os", "pos"),
    "a choice of drawing": ("no\ufe0f", "no"),
    "a choice of drawing, emoji": ("\U0001f44e\ufe0f", "\U0001f44e"),
    "an isolated direction": ("\u2068pos\u2069", "pos"),
    "a capital with a dot": ("\u0130yi", "iyi"),
    "ligatures": ("\ufb01ne", "fine"),
}
DISTINCT = {
    "signs": ["-1", "1"],
    "decimals": ["1.5", "1"],
    "thousands": ["1,000", "1"],
    "an exponent and letters": ["1e", "1"],
    "long numbers": ["1" * 40, "1" * 39 + "2"],
    "truth and numbers": ["true", "1"],
    "accents": ["cafe", CAFE],
    "emoji": ["\U0001f600", "\U0001f622"],
    "hyphens": ["very-good", "very good"],
    "joiners of another script": ["\u0646\u0647\u200c\u0647\u0627", "\u0646\u0647"],
}
MISSING = [
    "NA",
    "n/a",
    "N/A",
    "#N/A",
    "<NA>",
    "None",
    "NONE",
    "nan",
    "NaN",
    "null",
    "NULL",
    "nil",
    "-",
    "--",
    "\u2013",
    "?",
    "\\N",
    " na ",
    "\uff2e\uff21",
]

NOISE = np.random.default_rng(0)


def samples(*labels: str, each: int = 12) -> list[tuple[str, str]]:
    return [(f"{n} {label!r} text", label) for label in labels for n in range(each)]


def table(path: Path, rows: list[tuple[str, str]]) -> Path:
    lines = (json.dumps({"text": text, "label": label}) for text, label in rows)
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.mark.parametrize("rare, usual", SPELLINGS.values(), ids=SPELLINGS)
def test_spellings_of_a_label_are_joined_and_said(
    rare: str, usual: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    rows = samples(rare, usual, usual + "!", each=4) + samples(usual, each=12)
    path = table(tmp_path / "a.jsonl", rows)
    for given in (rows, read_table(path)):
        joined = join_labels(given)
        assert {label for _, label in joined} == {usual, usual + "!"}
        assert [text for text, _ in joined] == [text for text, _ in rows]
        *_, line = capsys.readouterr().err.splitlines()
        shown = repr(usual) if rare.isprintable() else ascii(usual)
        assert f"(4 rows) is read as {shown}" in line


@pytest.mark.parametrize("labels", DISTINCT.values(), ids=DISTINCT)
def test_labels_that_differ_in_more_stay_apart(
    labels: list[str], capsys: pytest.CaptureFixture
) -> None:
    assert {label for _, label in join_labels(samples(*labels))} == set(labels)
    assert "joined" not in capsys.readouterr().err


def test_other_files_are_joined_with_the_labels_of_train(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    train = samples("Yes", "no", each=30)
    other = [(f"unseen {text}", {"Yes": "yes ", "no": "NO"}[x]) for text, x in train]
    test = read_table(table(tmp_path / "test.jsonl", other))
    data = prepare_texts({"train": train, "test": test}, num_words=50)
    assert data.label_names == ["Yes", "no"]
    assert {label for _, label in data.splits["test"]} == {"Yes", "no"}
    assert "'NO' (30 rows) is read as 'no'" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"test\.jsonl:1: label 'yes' was not in"):
        join_labels(test, ["maybe", "no"]).label_ids(["maybe", "no"])


def test_known_classes_that_share_a_key_are_told_apart() -> None:
    given = samples("Pos", "pos", "neg")
    assert list(join_labels(given, ["Pos", "neg", "pos"])) == given
    with pytest.raises(UserError, match="'POS' was not in training"):
        join_labels(samples("POS"), ["Pos", "pos"]).label_ids(["Pos", "pos"])


@pytest.mark.parametrize("label", MISSING)
def test_labels_that_read_as_missing_are_asked_about(
    label: str, tmp_path: Path
) -> None:
    rows = samples("a", "b") + [("odd", label)]
    path = table(tmp_path / "a.jsonl", rows)
    line = r"no label \(.*\); remove such rows, or keep it as .* --labels-as-written"
    with pytest.raises(UserError, match=r"a\.jsonl:25: " + line):
        list(read_table(path))
    with pytest.raises(UserError, match=line):
        join_labels(rows)
    kept = read_table(path, labels_as_written=True)
    found = {x for _, x in join_labels(kept, as_written=True)}
    assert found == {"a", "b", label.strip()}


def test_labels_as_written_are_neither_joined_nor_asked_about() -> None:
    rows = samples("None", "none", "some", each=30)
    data = prepare_texts({"train": rows}, num_words=50, labels_as_written=True)
    assert data.label_names == ["None", "none", "some"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["joy", "anger", "joy|anger"], "'joy|anger' (12 rows)"),
        (["a;b", "b;c", "c;a"], "'a;b' (36 rows)"),
        (["x", "['x', 'y']", "['y', 'x']"], "(24 rows)"),
        (["New York, NY", "Austin, TX"], ""),
        (["1,0", "2,0"], ""),
    ],
)
def test_several_labels_in_one_get_a_line(
    labels: list[str], said: str, capsys: pytest.CaptureFixture
) -> None:
    join_labels(samples(*labels))
    told = capsys.readouterr().err
    assert ("look like several labels" in told) == bool(said) and said in told


@pytest.mark.parametrize("rows", [20, 300])
def test_a_column_that_names_every_row_is_no_label(rows: int) -> None:
    given = [(f"text {n}", f"id {n * 2 // 3}") for n in range(rows)]
    with pytest.raises(UserError, match=f"labels in {rows} rows.*--label-column"):
        prepare_texts({"train": given}, num_words=50)


def recordings(*labels: str, each: int = 10) -> list[Recording]:
    found = []
    for label in labels:
        for n in range(each):
            content = wav_bytes(NOISE.normal(0, 3000, 1600).astype(np.int16), 8000)
            found.append(Recording(f"{label}{n}.wav", label, lambda c=content: c))
    return found


def test_labels_of_sounds_are_joined_too(capsys: pytest.CaptureFixture) -> None:
    given = recordings("yes", "No") + recordings("Yes", "no\u200b", each=5)
    data = prepare_speech({"train": given, "test": recordings("NO", "yes", each=7)})
    assert data.alphabet.symbols == ["No", "yes"]
    assert set(data.splits["test"].transcripts) == {"No", "yes"}
    told = capsys.readouterr().err
    assert "'NO' (7 recordings) is read as 'No'" in told and "'Yes' (" in told


def test_transcripts_of_sentences_keep_their_case() -> None:
    given = recordings(*(f"{n} {h}" for n in range(9) for h in "Hh"), each=3)
    data = prepare_speech({"train": given})
    assert {"H", "h"} <= set(data.alphabet.symbols)


@pytest.mark.parametrize("label", ["None", "n/a", "?"])
def test_transcripts_that_read_as_missing_are_asked_about(label: str) -> None:
    given = {"train": recordings("yes", "no", each=20) + recordings(label)}
    with pytest.raises(UserError, match=r"0\.wav: no label .*--labels-as-written"):
        prepare_speech(given)
    data = prepare_speech(given, labels_as_written=True)
    assert data.alphabet.symbols == sorted(["no", "yes", label])


# Words of a manifest's column of parts, and the parts that they name.
PART_WORDS = {
    "usual": (["train", "dev", "test"], ["train", "validation", "test"]),
    "of LibriSpeech": (
        ["train-clean-100", "dev-other", "TEST_clean"],
        ["train", "validation", "test"],
    ),
    "none": (["", " ", "train"], ["", "", "train"]),
}


def manifest(path: Path, words: list[str]) -> Path:
    rows = ["file,text,split"]
    for n, word in enumerate(words):
        (path.parent / f"{n}.wav").write_bytes(b"RIFF")
        rows.append(f"{n}.wav,hello,{word}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("words, parts", PART_WORDS.values(), ids=PART_WORDS)
def test_words_of_parts_that_are_known(
    words: list[str], parts: list[str], tmp_path: Path
) -> None:
    found = find_recordings(manifest(tmp_path / "all.csv", words))
    assert [r.part for r in found] == parts


@pytest.mark.parametrize("word", ["fold3", "validated", "2", "eval"])
def test_other_words_are_refused_by_train_and_scored_by_evaluate(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = manifest(tmp_path / "all.csv", ["train", word, word])
    with pytest.raises(UserError, match=rf"all\.csv:3: '{word}' in column 'split'"):
        find_recordings(path)
    found = find_recordings(path, any_parts=True)
    log_parts(found)
    assert f"'{word}' 2, 'train' 1; all 3 recordings are scored" in (
        capsys.readouterr().err
    )
    parts = part_recordings({"train": recordings("a", each=20), "test": found})
    assert parts["test"] == found
    assert f"{word!r}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("texts", "max_len", "said"),
    [
        (["a b c", "a b", "a,b,c,d"], 2, "2 of 3 texts are longer than 2 tokens"),
        (["很好很好", "很好"], 3, "1 of 2 texts are longer than 3 tokens"),
        (["word " * 1000, "... " * 5000, ""], 1000, ""),
        (["w " * 1001] * 600, 1000, "600 of 600 texts are longer than 1,000 tokens"),
        (["a b c"], None, ""),
    ],
)
def test_texts_that_are_cut_are_counted_once(
    texts: list[str], max_len: int | None, said: str, capsys: pytest.CaptureFixture
) -> None:
    cut = CutTexts(max_len)
    assert list(cut.counted(texts)) == texts
    cut.log_count("file")
    told = capsys.readouterr().err
    assert said in told and bool(told) == bool(said)
