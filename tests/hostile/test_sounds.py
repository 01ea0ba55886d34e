"""Sounds that are not what their headers say: listed by file, or read to their end."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from keras_seq.audio.recording import Piece, Recording
from keras_seq.audio.recordings import find_recordings
from keras_seq.audio.utterances import decode_recordings, most_common_rate
from keras_seq.audio.wav import MOST_SAMPLES, decode_wavs
from keras_seq.audio.waveforms import read_audio, source_rate, wav_bytes
from keras_seq.data import file_places
from keras_seq.errors import UserError

RATE = 8000
TONE = (9000 * np.sin(np.arange(12_000) / 7)).astype(np.int16)
WAV = wav_bytes(TONE, RATE)
CHUNK = b"note" + struct.pack("<I", 6) + bytes(6)


def encoded(kind: str) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, TONE / 32768, 16_000, format=kind)
    return content.getvalue()


def stated(data: int, riff: int | None = None, behind: bytes = b"") -> bytes:
    """The sound under other lengths than its own."""
    whole = len(WAV) - 8 if riff is None else riff
    return (
        WAV[:4]
        + struct.pack("<I", whole)
        + WAV[8:40]
        + struct.pack("<I", data)
        + WAV[44:]
        + behind
    )


def promising_mp3() -> bytes:
    content = encoded("MP3")
    at = max(content.find(b"Xing"), content.find(b"Info"))
    return content[: at + 8] + struct.pack(">I", 0xFFFFFFFF) + content[at + 12 :]


STREAMS = {
    "0": stated(0, 0),
    "0 and 36": stated(0, 36),
    "all ones": stated(0xFFFFFFFF, 0xFFFFFFFF),
    "sox": stated(0x7FFFFFFF - 36, 0x7FFFFFFF),
    "ffmpeg": stated(0xFFFFFFFF, 0xFFFFFFFF)[:12] + CHUNK + stated(0xFFFFFFFF)[12:],
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_read_to_its_end_by_python_and_by_the_graph(name: str) -> None:
    assert np.array_equal(read_audio(STREAMS[name], RATE).samples, TONE)
    waveform, lengths = decode_wavs(tf.constant([STREAMS[name]]), RATE)
    assert lengths.numpy().tolist() == [len(TONE)]
    assert np.array_equal(np.round(waveform.numpy()[0] * 32768), TONE)


def test_an_empty_sound_of_a_whole_file_stays_empty() -> None:
    empty = wav_bytes(TONE[:0], RATE) + CHUNK
    empty = empty[:4] + struct.pack("<I", len(empty) - 8) + empty[8:]
    assert read_audio(empty, RATE).problem == "zero length"
    assert decode_wavs(tf.constant([empty]), RATE)[1].numpy().tolist() == [0]


PROBLEMS = {
    "half a WAV": (WAV[: len(WAV) // 2], "cut short: 11,978 of 24,000 bytes"),
    "a WAV without its last sample": (WAV[:-2], "cut short: 23,998 of 24,000 bytes"),
    "half a FLAC": (encoded("FLAC")[:3000], "unreadable ("),
    "half an MP3": (encoded("MP3")[:1100], "cut short: "),
    "an MP3 of years": (promising_mp3(), "cut short: 0.8 of 154,618,822"),
    "1 Hz": (wav_bytes(TONE, 1), "no rate of sound: the file says 1 Hz"),
    "999 Hz": (wav_bytes(TONE, 999), "no rate of sound: the file says 999 Hz"),
    "1 GHz": (wav_bytes(TONE, 10**9), "no rate of sound: the file says 1,000,000,000"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_a_header_promises_wrongly_is_listed_and_the_rest_is_used(
    name: str, capfd: pytest.CaptureFixture
) -> None:
    content, what = PROBLEMS[name]
    given = [Recording("odd", "a", lambda: content), Recording("b", "b", lambda: WAV)]
    utterances, problems = decode_recordings(given, RATE)
    assert utterances.places == ["b"]
    assert [(p.place, p.left_out) for p in problems] == [("odd", True)]
    assert problems[0].what.startswith(what)
    assert capfd.readouterr() == ("", "")  # neither libsndfile nor mpg123 has a word


def test_a_long_silence_in_a_small_file_takes_no_memory(monkeypatch) -> None:
    monkeypatch.setattr("keras_seq.audio.waveforms.MOST_SECONDS", 1)
    assert read_audio(WAV, RATE).problem == "longer than can be used: more than 1 s"
    assert read_audio(WAV, RATE, Piece(0.5, 1.25)).problem is None


def test_rates_that_are_none_have_no_vote() -> None:
    odd = [Recording("odd", "a", lambda: wav_bytes(TONE, 1))] * 5
    assert source_rate(wav_bytes(TONE, 1)) is None
    assert most_common_rate([*odd, Recording("b", "b", lambda: WAV)]) == RATE


PIECES = {
    "the middle": (Piece(0.25, 0.5), TONE[2000:4000]),
    "to the end": (Piece(1.25), TONE[10_000:]),
    "a little past it": (Piece(1.25, 1.55), TONE[10_000:]),
}


@pytest.mark.parametrize("name", PIECES)
def test_pieces_are_cut_to_the_sample(name: str) -> None:
    piece, expected = PIECES[name]
    assert np.array_equal(read_audio(WAV, RATE, piece).samples, expected)


@pytest.mark.parametrize("piece", [Piece(1.5, 2), Piece(0.5, 1.7), Piece(4000, 5000)])
def test_a_piece_outside_its_file_is_no_shorter_piece(piece: Piece) -> None:
    assert "lies outside its file" in str(read_audio(WAV, RATE, piece).problem)


def test_a_file_that_was_cut_gives_the_pieces_that_are_left() -> None:
    half = WAV[: len(WAV) // 2]
    assert len(read_audio(half, RATE, Piece(0.1, 0.6)).samples) == 4000
    assert "outside" in str(read_audio(half, RATE, Piece(0.6, 1.2)).problem)


def broken_member(path: Path) -> None:
    """An archive whose member packed with LZMA is damaged."""
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(3):
            archive.writestr(f"{'ab'[n % 2]}/{n}.wav", WAV)
        archive.writestr("a/odd.wav", WAV, zipfile.ZIP_LZMA)
    content = path.read_bytes()
    at = content.find(b"a/odd.wav") + 9 + 9
    path.write_bytes(content[:at] + bytes([255] * 40) + content[at + 40 :])


def test_a_damaged_member_of_an_archive_is_listed(tmp_path: Path) -> None:
    broken_member(tmp_path / "words.zip")
    found = find_recordings(tmp_path / "words.zip")
    odd_first = sorted(found, key=lambda recording: "odd" not in recording.place)
    assert most_common_rate(odd_first) == RATE
    utterances, problems = decode_recordings(odd_first, RATE)
    assert len(utterances) == 3 and len(problems) == 1
    assert "odd.wav: cannot be unpacked" in problems[0].what


def test_a_file_of_any_size_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", bytes(1 << 22))
    (tmp_path / "b.wav").write_bytes(bytes(1 << 22))
    monkeypatch.setattr(file_places, "MOST_BYTES", 1 << 21)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("unpacked"))
    for files, name in (
        (file_places.ZipFiles(tmp_path / "bomb.zip"), "a.wav"),
        (file_places.FolderFiles(tmp_path), "b.wav"),
    ):
        with pytest.raises(UserError, match=f"{name}: holds 0.0 GB; at most 2.1 GB"):
            files.read(name)


BOMBS = {
    "many chunks": ([WAV[:12] + CHUNK * 50_000 + WAV[12:]], "cut short"),
    "empty chunks": ([WAV[:12] + (b"note" + bytes(4)) * 200 + WAV[12:]], "cut short"),
    "one long among many": (
        [wav_bytes(np.zeros(MOST_SAMPLES // 100, np.int16), RATE)] + [WAV] * 100,
        "each file as long as the longest",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_request_is_bounded_before_memory_is_taken(name: str) -> None:
    files, line = BOMBS[name]
    with pytest.raises(tf.errors.InvalidArgumentError, match=line):
        decode_wavs(tf.constant(files), RATE)


def test_a_file_of_a_few_chunks_is_read() -> None:
    content = WAV[:12] + CHUNK * 20 + WAV[12:]
    assert decode_wavs(tf.constant([content]), RATE)[1].numpy().tolist() == [len(TONE)]
