"""WAV files in the graph: the samples of soundfile, or words that say what is wrong."""

import io
import struct
import wave

import numpy as np
import pytest
import soundfile
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keras_seq.audio.wav import decode_wavs
from keras_seq.audio.waveforms import wav_bytes

NOISE = np.random.default_rng(0).integers(-32768, 32768, 900).astype("int16")
SOUND = wav_bytes(NOISE, 8000)
WANTED = "the model reads 16-bit PCM at 8000 Hz"

decode = tf.function(
    lambda wav: decode_wavs(wav, 8000),
    input_signature=[tf.TensorSpec([None], tf.string)],
)


def read(*files: bytes) -> list[np.ndarray]:
    waveform, lengths = decode(tf.constant(list(files), tf.string))
    return [row[:length] for row, length in zip(waveform.numpy(), lengths.numpy())]


def written(samples: np.ndarray, rate: int = 8000, **options) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, samples, rate, format="WAV", **options)
    return content.getvalue()


def test_samples_are_those_of_soundfile():
    short, none = wav_bytes(NOISE[:7], 8000), wav_bytes(NOISE[:0], 8000)
    found = read(SOUND, short, none)
    assert np.array_equal(found[0], NOISE / np.float32(32768))
    assert np.array_equal(found[1], NOISE[:7] / np.float32(32768))
    assert len(found[2]) == 0
    assert read() == []


def test_channels_are_mixed():
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        file.writeframes(NOISE.astype("<i2").tobytes())
    both = NOISE.reshape(-1, 2).mean(axis=1) / 32768
    assert read(content.getvalue())[0] == pytest.approx(both)


def test_other_chunks_are_passed_over():
    extra = b"LIST" + struct.pack("<I", 5) + b"abcde\x00"  # an odd length is padded
    mixed = SOUND[:12] + extra + SOUND[12:36] + extra + SOUND[36:]
    assert np.array_equal(read(mixed)[0], read(SOUND)[0])


def test_the_extensible_header_is_read():
    header = struct.pack("<HHIIHHHHI", 0xFFFE, 1, 8000, 16000, 2, 16, 22, 16, 4)
    header += struct.pack("<H", 1) + bytes(14)
    chunk = b"fmt " + struct.pack("<I", len(header)) + header
    assert np.array_equal(read(SOUND[:12] + chunk + SOUND[36:])[0], read(SOUND)[0])


def test_a_stream_of_unknown_length_is_read_to_its_end():
    endless = SOUND[:40] + b"\xff\xff\xff\xff" + SOUND[44:]
    assert np.array_equal(read(endless)[0], read(SOUND)[0])
    assert len(read(SOUND[:-11])[0]) == 894


WRONG = {
    "empty": (b"", f"wav 1: not a WAV file; {WANTED}"),
    "text": (b"hello, world", f"wav 1: not a WAV file; {WANTED}"),
    "header alone": (SOUND[:12], f"wav 1: the WAV file is cut short; {WANTED}"),
    "half a format": (SOUND[:30], f"wav 1: the WAV file is cut short; {WANTED}"),
    "other rate": (wav_bytes(NOISE, 44100), f"wav 1: 44100 Hz; {WANTED}: resample it"),
    "24 bits": (
        written(NOISE / 32768, subtype="PCM_24"),
        "wav 1: 24-bit samples of format 1",
    ),
    "floats": (
        written(NOISE / 32768, subtype="FLOAT"),
        "wav 1: 32-bit samples of format 3",
    ),
    "no channel": (SOUND[:22] + b"\0\0" + SOUND[24:], "in 0 channels"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_named(case: str):
    content, message = WRONG[case]
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        read(SOUND, content)
    assert message in str(error.value)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 60))
@example(b"", 60)
@example(b"data\xff\xff\xff\xff", 12)
def test_any_bytes_are_answered_or_refused(tail: bytes, kept: int):
    try:
        (samples,) = read(SOUND[:kept] + tail)
    except tf.errors.InvalidArgumentError as error:
        assert WANTED in str(error)
    else:
        assert np.isfinite(samples).all()
