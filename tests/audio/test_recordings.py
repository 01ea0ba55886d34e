"""Recordings where people keep them, and what is wrong with some of them."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from keras_seq.audio.alphabet import Alphabet
from keras_seq.audio.recordings import Recording, find_recordings
from keras_seq.audio.utterances import (
    decode_recordings,
    drop_unalignable,
    most_common_rate,
    report_data_issues,
)
from keras_seq.audio.waveforms import read_audio, wav_bytes
from keras_seq.errors import UserError

TONE = (8000 * np.sin(np.arange(4000) / 5)).astype("int16")


def sound(rate: int = 8000, **options) -> bytes:
    """A second of two channels, in any format."""
    content = io.BytesIO()
    wave = np.sin(np.arange(rate) * 440 * 2 * np.pi / rate) * 0.4
    soundfile.write(content, np.stack([wave, wave], 1), rate, **options)
    return content.getvalue()


def write(path: Path, content: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100])
@pytest.mark.parametrize(
    "options",
    [
        {"format": "WAV", "subtype": "PCM_16"},
        {"format": "WAV", "subtype": "PCM_24"},
        {"format": "WAV", "subtype": "FLOAT"},
        {"format": "WAV", "subtype": "PCM_U8"},
        {"format": "FLAC"},
        {"format": "OGG"},
    ],
    ids=lambda options: " ".join(options.values()),
)
def test_any_format_rate_width_and_channel_count_is_read(rate: int, options: dict):
    audio = read_audio(sound(rate, **options), 16000)
    assert audio.problem is None
    assert len(audio.samples) == pytest.approx(16000, abs=2)
    spectrum = np.abs(np.fft.rfft(audio.samples[2000:14000]))
    assert spectrum.argmax() * 16000 / 12000 == pytest.approx(440, abs=2)
    assert np.abs(audio.samples).max() == pytest.approx(0.4 * 32768, rel=0.1)
    assert (audio.remark is None) == (rate >= 16000)


def test_sixteen_bits_at_the_rate_come_through_unchanged():
    noise = np.random.default_rng(0).integers(-32768, 32768, 5000).astype("int16")
    assert np.array_equal(read_audio(wav_bytes(noise, 8000), 8000).samples, noise)


def test_resampling_does_not_fold_high_tones_down():
    wave = np.sin(np.arange(44100) * 6000 * 2 * np.pi / 44100) * 0.5
    content = io.BytesIO()
    soundfile.write(content, wave, 44100, format="WAV")
    heard = read_audio(content.getvalue(), 8000).samples
    assert np.abs(heard[200:-200]).max(initial=0) < 33  # 54 dB below


def labels(found: list[Recording]) -> list[tuple[str, str, str]]:
    return [(Path(r.place).name, r.transcript, r.speaker) for r in found]


def test_a_folder_of_labels_as_it_is_and_zipped(tmp_path: Path):
    for name in ("words/yes/a.wav", "words/no/b.flac", "words/README.md"):
        write(tmp_path / name, b"x")
    with zipfile.ZipFile(tmp_path / "words.zip", "w") as archive:
        for name in ("words/yes/a.wav", "words/no/b.flac", "__MACOSX/yes/._a.wav"):
            archive.writestr(name, b"x")
    expected = [("b.flac", "no", ""), ("a.wav", "yes", "")]
    assert labels(find_recordings(tmp_path / "words")) == expected
    found = find_recordings(tmp_path / "words.zip")
    assert labels(found) == expected and found[0].read() == b"x"


def test_a_librispeech_tree(tmp_path: Path):
    lines = "84-121-0000 GO  NOW\n84-121-0001 STOP\n"
    write(tmp_path / "84/121/84-121.trans.txt", lines)
    for number in range(2):
        write(tmp_path / f"84/121/84-121-000{number}.flac", b"x")
    assert labels(find_recordings(tmp_path)) == [
        ("84-121-0000.flac", "GO  NOW", "84"),
        ("84-121-0001.flac", "STOP", "84"),
    ]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_manifest_names_files_beside_it_or_in_its_archive(tmp_path: Path, kind: str):
    rows = {
        "csv": "Path,sentence,client_id,split\na.wav,go,s1,train\nb.wav,no,s2,dev\n",
        "jsonl": '{"Path": "a.wav", "sentence": "go", "client_id": "s1", "split": '
        '"train"}\n{"Path": "b.wav", "sentence": "no", "client_id": "s2", "split": '
        '"dev"}\n',
    }
    write(tmp_path / f"own.{kind}", rows[kind])
    write(tmp_path / "a.wav", b"beside")
    with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
        archive.writestr("clips/b.wav", b"packed")
    for given in (f"own.{kind}", "own.zip"):
        found = find_recordings(tmp_path / given)
        assert [r.read() for r in found] == [b"beside", b"packed"]
        assert [r.part for r in found] == ["train", "validation"]
        assert [r.speaker for r in found] == ["s1", "s2"]


BAD = {
    "nothing there": (None, "none.csv", "no such file or folder"),
    "no match": (None, "*.zip", "matches no file"),
    "no file column": ("a,b\n1,2\n", "own.csv", "no file column found"),
    "two of files": ("File,FILE,text\na,b,c\n", "own.csv", "2 columns are called"),
    "two of parts": ("file,text,Split,SPLIT\n", "own.csv", "called 'Split', 'SPLIT'"),
    "no transcript": ("file,b\n1,2\n", "own.csv", "no transcript column found"),
    "missing sound": ("file,text\nq.wav,hi\n", "own.csv", "own.csv:2: there is no"),
    "unknown part": ("file,text,split\na.wav,x,foo\n", "own.csv", "own.csv:2: 'foo'"),
    "no zip": ("not a zip", "own.zip", "not a sound zip archive"),
    "no sound": ("x", ".", "holds neither"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_one_line(case: str, tmp_path: Path):
    content, name, message = BAD[case]
    write(tmp_path / "sounds" / "a.wav", b"x")
    if content is not None:
        write(tmp_path / "data" / (name if name != "." else "x.txt"), content)
    write(tmp_path / "data" / "note.txt", b"")
    if case == "unknown part":
        write(tmp_path / "data" / "a.wav", b"x")
    with pytest.raises(UserError, match=message) as error:
        find_recordings(tmp_path / "data" / name)
    assert "\n" not in str(error.value)


def test_files_of_a_table_in_memory_lie_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import pandas as pd

    (tmp_path / "wavs").mkdir()
    (tmp_path / "wavs" / "a.wav").write_bytes(b"RIFF")
    monkeypatch.chdir(tmp_path)
    whole = str(tmp_path / "wavs" / "a.wav")
    frame = pd.DataFrame({"file": ["wavs/a.wav", whole], "transcript": ["yes", "no"]})
    for data in (frame, [("wavs/a.wav", "yes"), (whole, "no")]):
        found = find_recordings(data)
        assert [(r.transcript, r.read()) for r in found] == [
            ("yes", b"RIFF"),
            ("no", b"RIFF"),
        ]
    monkeypatch.chdir(tmp_path / "wavs")
    with pytest.raises(UserError, match="'wavs/a.wav' in the working directory"):
        find_recordings(frame)


def recording(name: str, content: bytes, transcript: str = "a") -> Recording:
    return Recording(name, transcript, lambda: content)


def test_every_problem_is_listed_by_file(tmp_path: Path, capsys):
    clipped = np.clip(TONE.astype("int32") * 9, -32768, 32767).astype("int16")
    given = [
        recording("fine.wav", wav_bytes(TONE, 8000)),
        recording("text.wav", b"hello"),
        recording("cut.wav", wav_bytes(TONE, 8000)[:30]),
        recording("empty.wav", wav_bytes(TONE[:0], 8000)),
        recording("silent.wav", wav_bytes(TONE * 0, 8000)),
        recording("clipped.wav", wav_bytes(clipped, 8000)),
        recording("low.wav", sound(4000, format="WAV")),
        recording("mute.wav", wav_bytes(TONE, 8000), "  "),
        recording("odd.wav", wav_bytes(TONE, 8000), "a!"),
        recording("short.wav", wav_bytes(TONE[:400], 8000), "aaaa"),
    ]
    utterances, problems = decode_recordings(given, 8000)
    utterances, more = drop_unalignable(
        utterances, Alphabet(["a"]), lambda lengths: lengths // 80
    )
    told = {p.place: (p.what.partition(" (")[0], p.left_out) for p in problems + more}
    assert told.pop("low.wav")[0].startswith("wrong rate: recorded at 4000 Hz")
    assert told == {
        "text.wav": ("unreadable", True),
        "cut.wav": ("unreadable", True),
        "empty.wav": ("zero length", True),
        "silent.wav": ("silent", True),
        "clipped.wav": ("clipped: waves are cut off at full scale", False),
        "mute.wav": ("transcript is empty", True),
        "odd.wav": ("outside the alphabet: '!' in 'a!'", True),
        "short.wav": ("too short for its transcript: 5 frames, 7 needed", True),
    }
    assert utterances.places == ["fine.wav", "clipped.wav", "low.wav"]
    report_data_issues(problems + more, tmp_path)
    said = capsys.readouterr().err
    assert "2 recordings left out: unreadable\n  text.wav: unreadable" in said
    assert "1 recordings used all the same: clipped" in said
    assert len((tmp_path / "problems.txt").read_text().splitlines()) == 9


def test_the_rate_is_what_most_recordings_have():
    rates = [8000, 16000, 16000]
    given = [recording("x", sound(rate, format="WAV")) for rate in rates]
    assert most_common_rate([recording("no", b"no sound"), *given]) == 16000
    with pytest.raises(UserError, match="none of the recordings can be read"):
        most_common_rate([recording("no", b"no sound")])


@pytest.mark.real_data
def test_archives_are_read_as_they_are(data_dir: Path):
    digits = find_recordings(data_dir / "speech_fsdd" / "recordings.zip")
    assert len(digits) == 2500 and {r.transcript for r in digits} == set("0123456789")
    census = find_recordings(str(data_dir / "speech_an4" / "*.zip"))
    parts = [r.part for r in census]
    counts = {name: parts.count(name) for name in set(parts)}
    assert counts == {"train": 910, "validation": 38, "test": 65}
    audio = read_audio(digits[0].read(), 8000)
    assert len(audio.samples) == 2384 and audio.problem is None
