"""Sound in, transcript out: whole files, samples, and chunks while they are spoken."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from keras_seq.audio.alphabet import Alphabet
from keras_seq.audio.log_mel import LogMel
from keras_seq.audio.utterances import Utterances
from keras_seq.audio.waveforms import wav_bytes
from keras_seq.models.speech import build_speech_model
from keras_seq.serving.graph import save_signatures
from keras_seq.tasks.speech.server import SpeechRecognizer, answer_utterances
from keras_seq.tasks.speech.stream import SpeechStream

RATE = 8000
SYMBOLS = list(" abcdefgh")


def recognizer(streaming: bool, **options) -> SpeechRecognizer:
    """With random weights, so large that it writes something."""
    keras.utils.set_random_seed(3)
    extractor = LogMel(RATE, 20, "fitted" if streaming else "utterance")
    extractor.mean[:], extractor.deviation[:] = -5, 3
    model = build_speech_model(
        10,
        num_features=20,
        lstm_units=16,
        bidirectional=not streaming,
        logits=True,
        **options,
    )
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(0, 0.7, w.shape) for w in model.get_weights()])
    return SpeechRecognizer(
        model, extractor, Alphabet(SYMBOLS), options.get("subsampling", 1)
    )


@pytest.fixture(scope="module")
def file_model(tmp_path_factory):
    server = recognizer(False, subsampling=4)
    folder = tmp_path_factory.mktemp("file") / "1"
    save_signatures(server, server.signatures(), folder)
    return server, tf.saved_model.load(str(folder))


@pytest.fixture(scope="module", params=[1, 4])
def stream_model(request, tmp_path_factory):
    server = recognizer(True, subsampling=request.param)
    server.stream = SpeechStream(server)
    folder = tmp_path_factory.mktemp("stream") / "1"
    signatures = server.signatures() | server.stream.signatures()
    save_signatures(server, signatures, folder)
    return tf.saved_model.load(str(folder))


def sound(samples: int, seed: int = 0) -> np.ndarray:
    """Noise whose level and colour change all the time: int16 (N,)."""
    if not samples:
        return np.zeros(0, "int16")
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.uniform(0.01, 0.6, samples // 400 + 1), 400)[:samples]
    noise = rng.normal(size=samples) * level
    slow = np.convolve(noise, np.ones(5) / 5, "same")
    noise = np.where(np.arange(samples) // 1200 % 2, noise, slow)
    return (noise.clip(-1, 1) * 32767).astype("int16")


def test_files_and_samples_get_the_same_answer_alone_and_together(file_model):
    _, loaded = file_model
    sounds = [sound(n, n) for n in (7000, 150, 3210, 0, 12000)]
    files = tf.constant([wav_bytes(s, RATE) for s in sounds])
    together = loaded.signatures["serving_default"](wav=files)
    said = together["transcript"].numpy()
    assert len(set(said)) > 2 and said[3] == b""
    assert together["log_probability"][3] == 0
    for row, samples in enumerate(sounds):
        alone = loaded.signatures["waveform"](
            waveform=tf.constant(samples[None] / np.float32(32768)),
            lengths=tf.constant([len(samples)]),
        )
        assert alone["transcript"].numpy()[0] == said[row]
        expected = together["log_probability"].numpy()[row]
        assert alone["log_probability"].numpy()[0] == pytest.approx(expected, abs=1e-3)


def test_no_file_gives_no_answer(file_model):
    _, loaded = file_model
    answer = loaded.signatures["serving_default"](wav=tf.constant([], tf.string))
    assert answer["transcript"].shape == (0,)


def test_ten_minutes_are_answered(file_model):
    _, loaded = file_model
    samples = np.tile(sound(60 * RATE), 10)
    answer = loaded.signatures["serving_default"](
        wav=tf.constant([wav_bytes(samples, RATE)])
    )
    assert len(answer["transcript"].numpy()[0]) > 100
    assert np.isfinite(answer["log_probability"].numpy()).all()


WRONG = {
    "NaN": ([[0.0, np.nan]], [2], "waveform holds NaN or infinity"),
    "infinity": ([[0.0, np.inf]], [2], "waveform holds NaN or infinity"),
    "undivided": ([[0.0, 12000.0]], [2], "divide 16-bit samples by 32768"),
    "too long": ([[0.0, 0.1]], [3], "lengths must be from 0 to the samples"),
    "negative": ([[0.0, 0.1]], [-1], "lengths must be from 0 to the samples"),
    "too few lengths": ([[0.0], [0.1]], [1], "lengths must have one number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_samples_that_are_none_get_a_clear_error(case: str, file_model):
    waveform, lengths, message = WRONG[case]
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        file_model[1].signatures["waveform"](
            waveform=tf.constant(waveform, tf.float32), lengths=tf.constant(lengths)
        )
    assert message in str(error.value)


@settings(max_examples=60, deadline=None)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(0, 3), st.integers(0, 900)),
        elements=st.floats(width=32),
    ),
    st.lists(st.integers(-1, 901), min_size=0, max_size=3),
)
def test_any_samples_are_answered_or_refused(file_model, waveform, lengths):
    try:
        answer = file_model[1].signatures["waveform"](
            waveform=tf.constant(waveform, tf.float32),
            lengths=tf.constant(lengths, tf.int32),
        )
    except tf.errors.InvalidArgumentError as error:
        assert "waveform" in str(error) or "lengths" in str(error)
    else:
        assert answer["transcript"].shape == (len(waveform),)
        assert np.isfinite(answer["log_probability"].numpy()).all()


def stream(loaded, samples: np.ndarray, size: int, ends_empty: bool) -> dict:
    """The answers to chunks of a size; the last chunk, or an empty one, ends."""
    waveform = samples / np.float32(32768)
    chunks = [waveform[i : i + size] for i in range(0, len(waveform), size)]
    if ends_empty or not chunks:
        chunks.append(waveform[:0])
    state, said = loaded.signatures["init"](), []
    for number, chunk in enumerate(chunks):
        answer = loaded.signatures["step"](
            chunk=tf.constant(chunk, tf.float32),
            is_last=tf.constant(number == len(chunks) - 1),
            **state,
        )
        said.append(answer["transcript"].numpy())
        state = {name: v for name, v in answer.items() if name != "transcript"}
    return answer | {"so_far": said}


@pytest.mark.parametrize("samples", [0, 201, 8123])
@pytest.mark.parametrize("size", [61, 1000, 100_000])
def test_chunks_get_the_transcript_of_the_whole(stream_model, samples: int, size: int):
    whole = stream_model.signatures["waveform"](
        waveform=tf.constant(sound(samples)[None] / np.float32(32768)),
        lengths=tf.constant([samples]),
    )
    for ends_empty in (True, False):
        answer = stream(stream_model, sound(samples), size, ends_empty)
        assert answer["transcript"].numpy() == whole["transcript"].numpy()[0]
        expected = whole["log_probability"].numpy()[0]
        assert float(answer["log_probability"]) == pytest.approx(expected, abs=2e-3)
    if samples > 4000:
        assert len(whole["transcript"].numpy()[0]) > 3


def test_what_was_said_stays_said(stream_model):
    so_far = stream(stream_model, sound(8123), 500, True)["so_far"]
    assert all(b.startswith(a) for a, b in zip(so_far, so_far[1:]))
    assert len(set(so_far)) > 3


def test_a_model_that_needs_the_end_does_not_stream():
    with pytest.raises(ValueError, match="bidirectional or normalises by recording"):
        SpeechStream(recognizer(False))


def test_many_utterances_are_answered_in_order(file_model):
    server, _ = file_model
    sounds = [sound(n, n) for n in (5000, 900, 3000, 7000)]
    lengths = np.array([len(s) for s in sounds], "int32")
    texts = [(str(n), "a", "") for n in lengths]
    starts = np.cumsum(lengths) - lengths
    utterances = Utterances(RATE, np.concatenate(sounds), starts, lengths, texts)
    signature = server.signature("waveform")
    together = list(answer_utterances(signature, utterances, batch_size=3))
    for number, answer in enumerate(together):
        one = utterances.take([number])
        (alone,) = answer_utterances(server.signature("waveform"), one)
        assert answer["transcript"] == alone["transcript"]


def test_words_are_joined_by_spaces():
    server = recognizer(False)
    server.alphabet = Alphabet(["left", "right"], " ")
    text = server.spell(tf.constant([[1, 0, 2]]), tf.constant([[True, False, True]]))
    assert text.numpy().tolist() == [b"left right"]
