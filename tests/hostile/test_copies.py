"""Copies in given files: found, counted, printed, and refused where most is known.

Tables of (what is done to the train data, the line expected).
"""

import gzip
import io
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from keras_seq.audio.recordings import Recording, find_recordings
from keras_seq.audio.waveforms import wav_bytes
from keras_seq.data import copies
from keras_seq.data.copies import log_trained, save_digests
from keras_seq.data.sources import read_table, split_samples
from keras_seq.data.store import stored
from keras_seq.errors import UserError
from keras_seq.series.table import read_series
from keras_seq.tasks.sentiment.data import prepare_texts
from keras_seq.tasks.speech.data import prepare_speech
from keras_seq.tasks.text_generation.data import prepare_corpus
from keras_seq.text.copies import log_trained_text, save_windows

Rows = list[tuple[str, str]]
RATE = 8000


def reviews(start: int = 0, rows: int = 60) -> Rows:
    """Texts that share no words but one, of two labels."""
    return [
        (f"Film number{n} isn't word{n * 7}", "ab"[n % 2])
        for n in range(start, start + rows)
    ]


def as_csv(path: Path, rows: Rows) -> None:
    lines = ["text,label", *(f'"{text}",{label}' for text, label in rows)]
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def as_json(path: Path, rows: Rows) -> None:
    lines = (json.dumps({"label": label, "text": text}) for text, label in rows)
    path.write_text("\r\n".join(lines), "utf-8")


def changed(change: Callable[[str], str]) -> Callable[[Rows], Rows]:
    return lambda rows: [(change(text), label) for text, label in rows]


SAME_TEXTS: dict[str, tuple[str, Callable[[Rows], Rows]]] = {
    "the file itself": ("copy.csv", lambda rows: rows),
    "gzipped": ("copy.csv.gz", lambda rows: rows),
    "other columns and format": ("copy.jsonl", lambda rows: rows),
    "shuffled": ("copy.csv", lambda rows: random.Random(0).sample(rows, len(rows))),
    "a subset": ("copy.csv", lambda rows: rows[7:18]),
    "other labels": ("copy.csv", lambda rows: [(t, "a") for t, _ in rows]),
    "upper case": ("copy.csv", changed(str.upper)),
    "no punctuation": ("copy.csv", changed(lambda t: t.replace("'", ""))),
    "curly quotes": ("copy.csv", changed(lambda t: t.replace("'", "\u2019") + "!?")),
    "no spaces": ("copy.csv", changed(lambda t: t.replace(" ", "\u00a0 "))),
    "full width": ("copy.csv", changed(lambda t: t.replace("Film", "\uff26ilm"))),
    "byte order mark": ("copy.csv", changed(lambda t: "\ufeff" + t)),
}


@pytest.mark.parametrize("part", ["test", "validation"])
@pytest.mark.parametrize("name", SAME_TEXTS)
def test_texts_that_trained_are_refused_as_a_part(
    name: str, part: str, tmp_path: Path
) -> None:
    file, change = SAME_TEXTS[name]
    as_csv(tmp_path / "train.csv", reviews())
    write = as_json if file.endswith("jsonl") else as_csv
    write(tmp_path / file, change(reviews()))
    given = {"train": read_table(tmp_path / "train.csv")}
    given[part] = read_table(tmp_path / file)
    rows = len(change(reviews()))
    line = rf"{re.escape(file)}: {rows} of {rows} texts \(100 %\) of the {part} part "
    with pytest.raises(UserError, match=line + f"also stand in train.*--{part}-data"):
        prepare_texts(given, num_words=50)


@pytest.mark.parametrize(
    ("copies", "others", "said"),
    [
        (30, 30, "30 of 60 texts (50 %)"),
        (1, 200, "1 of 201 texts (less than 1 %)"),
        (0, 60, ""),
    ],
)
def test_fewer_copies_are_counted_and_said_in_one_line(
    copies: int, others: int, said: str, capsys: pytest.CaptureFixture
) -> None:
    test = changed(str.upper)(reviews(rows=copies)) + reviews(1000, others)
    prepare_texts({"train": reviews(), "test": test}, num_words=50)
    lines = [x for x in capsys.readouterr().err.splitlines() if "also stand" in x]
    assert len(lines) == bool(said)
    assert all(said in line and "its score flatters" in line for line in lines)


def test_one_more_than_half_is_refused() -> None:
    test = reviews(rows=31) + reviews(1000, 29)
    with pytest.raises(UserError, match=r"31 of 60 texts \(52 %\)"):
        prepare_texts({"train": reviews(), "test": test}, num_words=50)


def test_a_test_part_that_validates_too_is_said_and_allowed(
    capsys: pytest.CaptureFixture,
) -> None:
    held = reviews(500)
    given = {"train": reviews(), "validation": held, "test": held[::-1]}
    prepare_texts(given, num_words=50)
    assert "60 of 60 texts (100 %) of the test part also stand in validation" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("change", [str.upper, "{}!".format, " ¿{}? ".format])
def test_own_parts_keep_copies_together(change: Callable[[str], str]) -> None:
    rows = reviews(rows=200)
    parts = split_samples(rows + changed(change)(rows))
    found = [{re.sub(r"\W", "", t).lower() for t, _ in p} for p in parts.values()]
    assert sum(map(len, found)) == 200 and all(found)


def test_symbols_that_carry_meaning_tell_texts_apart() -> None:
    plus = [(f"{n} + 1 is {n + 1} \N{GRINNING FACE}", "ab"[n % 2]) for n in range(60)]
    minus = [(t.replace("+", "=").replace("\N{GRINNING FACE}", ""), x) for t, x in plus]
    prepare_texts({"train": plus, "test": minus}, num_words=50)


def book(start: int = 0, lines: int = 400) -> str:
    return "".join(
        f"On day {n * n} they walked {n * 31} miles past the {n * 17}th house.\n"
        for n in range(start, start + lines)
    )


SAME_BOOKS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "a page of it": lambda text: text[5000:9000],
    "from within a word": lambda text: text[5003:9007],
    "wrapped elsewhere": lambda text: re.sub(
        "(.{40})", r"\1\n", text.replace("\n", " ")
    ),
    "no punctuation, upper case": lambda text: text.replace(".", "").upper(),
    "lines shuffled": lambda text: "\n".join(
        random.Random(0).sample(text.splitlines(), 400)
    ),
    "and a little more": lambda text: text[:6000] + book(9000, 20),
}


@pytest.mark.parametrize("name", SAME_BOOKS)
def test_a_text_inside_the_train_text_is_refused(name: str) -> None:
    given = {"train": [book()], "test": [SAME_BOOKS[name](book())]}
    with pytest.raises(UserError, match="% of the text of the test part also stand in"):
        prepare_corpus(given)
    with pytest.raises(UserError, match="of the test part"):
        prepare_corpus(given, limit=8000)  # what trains is less than what was given


def test_some_known_text_is_said_and_other_text_is_not(
    capsys: pytest.CaptureFixture,
) -> None:
    other = book(5000)
    prepare_corpus({"train": [book()], "test": [other]})
    assert "also stand" not in capsys.readouterr().err
    prepare_corpus({"train": [book()], "test": [book(300) + other]})
    assert re.search(r"1\d % of the text of the test part", capsys.readouterr().err)


def test_a_text_that_repeats_itself_is_cut_and_said(
    capsys: pytest.CaptureFixture,
) -> None:
    prepare_corpus({"train": [book(lines=20)] * 20})
    assert "100 % of the text of the test part" in capsys.readouterr().err


@pytest.mark.parametrize(("kept", "said"), [(1 << 20, "40 of 60"), (20, " of ")])
def test_what_trained_a_model_is_said_when_it_is_evaluated(
    kept: int,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copies, "KEPT", kept)
    path = tmp_path / "trained_on.npy"
    save_digests(path, stored(reviews()).digests())
    log_trained("new", stored(reviews(1000)).digests(), path, "texts")
    log_trained("new", stored(reviews()).digests(), tmp_path / "none.npy", "texts")
    assert capsys.readouterr().err == ""
    mixed = changed(str.upper)(reviews(20)[:40]) + reviews(1000, 20)
    log_trained("old.csv", stored(mixed).digests(), path, "texts")
    told = capsys.readouterr().err
    assert told.startswith("old.csv: ") and said in told and "trained this" in told
    found, total = map(int, re.findall(r"(\d+) of (\d+)", told)[0])
    assert found / total == pytest.approx(2 / 3, abs=0.35)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_text_that_trained_a_model_is_said_when_it_is_evaluated(
    share: float, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "trained_on.npz"
    save_windows(path, [book()])
    known = int(400 * share)
    log_trained_text([book(0, known) + book(5000, 400 - known)], path)
    told = capsys.readouterr().err
    assert bool(told) == bool(share)
    assert not share or "of the text trained this model" in told


def sound(number: int) -> np.ndarray:
    return np.random.default_rng(number).normal(0, 3000, 2000).astype(np.int16)


def as_flac(samples: np.ndarray) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, samples, RATE, format="FLAC", subtype="PCM_16")
    return content.getvalue()


def as_wav(samples: np.ndarray) -> bytes:
    return wav_bytes(samples, RATE)


def recordings(
    numbers: range,
    encode: Callable[[np.ndarray], bytes] = as_wav,
    prefix: str = "",
    label: Callable[[int], str] = lambda n: ("yes", "no")[n % 2],
) -> list[Recording]:
    return [
        Recording(f"{prefix}{n}.wav", label(n), lambda n=n: encode(sound(n)))
        for n in numbers
    ]


SAME_SOUNDS: dict[str, list[Recording]] = {
    "the same files": recordings(range(60)),
    "other names": recordings(range(20, 50), prefix="other/"),
    "another format": recordings(range(60), as_flac, "flac/"),
    "other labels": recordings(range(40), prefix="x", label=lambda n: "yes"),
}


@pytest.mark.parametrize("part", ["test", "validation"])
@pytest.mark.parametrize("name", SAME_SOUNDS)
def test_sounds_that_trained_are_refused_as_a_part(name: str, part: str) -> None:
    same = SAME_SOUNDS[name]
    line = rf"{len(same)} of {len(same)} recordings \(100 %\) of the {part} part"
    with pytest.raises(UserError, match=line):
        prepare_speech({"train": recordings(range(60)), part: same})


def test_a_manifest_that_lists_train_as_test_is_refused(tmp_path: Path) -> None:
    rows = ["file,label,split"]
    for n in range(40):
        (tmp_path / f"{n}.wav").write_bytes(wav_bytes(sound(n), RATE))
        rows += [f"{n}.wav,{'ab'[n % 2]},{split}" for split in ("train", "test")]
    (tmp_path / "all.csv").write_text("\n".join(rows))
    with pytest.raises(UserError, match=r"40 of 40 recordings \(100 %\) of the test"):
        prepare_speech({"train": find_recordings(tmp_path / "all.csv")})


@pytest.mark.parametrize("encode", [as_flac, as_wav])
def test_own_parts_keep_copies_of_a_sound_together(
    encode: Callable, capsys: pytest.CaptureFixture
) -> None:
    given = recordings(range(60)) + recordings(range(60), encode, "copy")
    data = prepare_speech({"train": given})
    digests = {name: set(part.digests()) for name, part in data.splits.items()}
    assert sum(map(len, digests.values())) == 60
    assert sum(map(len, data.splits.values())) == 120
    assert "60 of 120 recordings are copies" in capsys.readouterr().err


def test_a_sound_under_two_labels_is_left_out_and_listed() -> None:
    twice = recordings(range(3), prefix="again", label=lambda n: ("no", "yes")[n % 2])
    data = prepare_speech({"train": recordings(range(60)) + twice})
    found = [p for p in data.problems if "several transcripts" in p.what]
    assert sorted(p.place for p in found) == [
        "0.wav",
        "1.wav",
        "2.wav",
        "again0.wav",
        "again1.wav",
        "again2.wav",
    ]
    assert all(p.left_out and "'yes'" in p.what and "'no'" in p.what for p in found)
    assert sum(map(len, data.splits.values())) == 57


def series(path: Path, values: np.ndarray, start: str = "2020-01-01") -> Path:
    dates = np.datetime64(start) + np.arange(len(values))
    rows = [f"{date},{value:.12g}" for date, value in zip(dates, values)]
    path.write_text("date,value\n" + "\n".join(rows))
    return path


WALK = np.random.default_rng(0).normal(size=300).cumsum()
SAME_SERIES: dict[str, tuple[np.ndarray, str]] = {
    "a renamed copy": (WALK, "2020-01-01"),
    "its last months": (WALK[200:], "2020-07-19"),
    "other dates": (WALK, "2023-03-01"),
    "and some more": (np.r_[WALK, WALK[:80] * 3 + 1], "2020-01-01"),
}


@pytest.mark.parametrize("name", SAME_SERIES)
def test_one_series_under_two_names_is_refused(name: str, tmp_path: Path) -> None:
    values, start = SAME_SERIES[name]
    files = [series(tmp_path / "a.csv", WALK)]
    files.append(series(tmp_path / "b.csv", values, start))
    with pytest.raises(UserError, match=r"b\.csv: \d+ % of its rows also .*a\.csv"):
        read_series(files)


def test_series_that_share_a_stretch_are_said_and_others_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    still = np.r_[np.zeros(250), np.arange(50.0)]
    others = [WALK, WALK[::-1], still, np.r_[np.zeros(250), np.arange(50.0) ** 2]]
    read_series([series(tmp_path / f"{n}.csv", v) for n, v in enumerate(others)])
    assert "also stand" not in capsys.readouterr().err
    mixed = np.r_[WALK[::-1], WALK[:140]]
    files = [series(tmp_path / "a.csv", WALK), series(tmp_path / "b.csv", mixed)]
    read_series(files)
    assert re.search(r"b\.csv: 2\d % of its rows also", capsys.readouterr().err)


@pytest.mark.parametrize("scale, level", [(1e60, 0), (1e-60, 0), (1e-3, 1e8)])
def test_series_that_float32_does_not_tell_apart_are_no_copies(
    scale: float, level: float, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    values = [level + scale * walk for walk in (WALK, WALK[::-1].copy() * 1.1)]
    read_series([series(tmp_path / f"{n}.csv", v) for n, v in enumerate(values)])
    assert "also stand" not in capsys.readouterr().err
    with pytest.raises(UserError, match="rows also stand in"):
        read_series([series(tmp_path / f"{n}.csv", values[0]) for n in "ab"])
