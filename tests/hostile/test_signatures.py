"""Inputs that no signature takes, and the line that each gets from a SavedModel."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.audio.alphabet import Alphabet
from keras_seq.audio.log_mel import LogMel
from keras_seq.evaluation.conformal import Calibration
from keras_seq.models.speech import build_speech_model
from keras_seq.models.text_generation import build_text_generation_model
from keras_seq.serving.graph import save_signatures
from keras_seq.tasks.sentiment.server import TextClassifier
from keras_seq.tasks.speech.server import SpeechRecognizer
from keras_seq.tasks.speech.stream import SpeechStream
from keras_seq.tasks.stock.server import PriceForecaster
from keras_seq.tasks.text_generation.server import TextGenerator
from keras_seq.text.coders import Characters
from keras_seq.text.tokenizer import Tokenizer
from tests.fork_server import bare

NAN, INF = float("nan"), float("inf")


def stock() -> PriceForecaster:
    """Two targets that are prices, and a volume; windows of four rows."""
    window = keras.Input((4, 3))
    last = keras.ops.reshape(window[:, -1, :2], (-1, 1, 2, 1))  # would take any shape
    steps = keras.ops.repeat(last, 3, axis=-1)
    zero = Calibration(np.zeros((1, 2)), np.zeros((1, 2)))
    model = keras.Model(window, steps)
    return PriceForecaster(
        model, zero, np.ones(2), model, ["Close", "Open", "Volume"], num_positive=2
    )


def sentiment() -> TextClassifier:
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["good"])
    layers = [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(3, 1),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Activation("sigmoid"),
    ]
    return TextClassifier(keras.Sequential(layers), tokenizer, ["a", "b"], 10)


def writer() -> TextGenerator:
    coder = Characters.fit(["abc"])
    return TextGenerator(build_text_generation_model(coder.vocab_size, 4, 3), coder)


def speech() -> SpeechRecognizer:
    model = build_speech_model(
        3, num_features=8, lstm_units=4, bidirectional=False, logits=True
    )
    extractor = LogMel(8000, 8, "fitted")
    server = SpeechRecognizer(model, extractor, Alphabet(["a", "b"]), 1)
    server.stream = SpeechStream(server)
    return server


def signatures_of(server: Any) -> dict[str, tuple]:
    stream = getattr(server, "stream", None)
    return server.signatures() | (stream.signatures() if stream else {})


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exports")
    for make in (stock, sentiment, writer, speech):
        server = make()
        save_signatures(server, signatures_of(server), folder / make.__name__)
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def served(exports: dict[str, Path]) -> dict[str, Any]:
    return {name: tf.saved_model.load(str(path)) for name, path in exports.items()}


def window(*shape: int, **wrong: float) -> np.ndarray:
    """Ones of a shape; `at_1_2_0=x` puts x at [1, 2, 0]."""
    values = np.ones(shape, "float32")
    for place, value in wrong.items():
        values[tuple(map(int, place.split("_")[1:]))] = value
    return values


SHAPE = "expected (B, 4, 3): B windows of the last 4 rows and 3 columns (Close, Open, "
WINDOWS = {
    "a column too many": (window(2, 4, 4), f"window has shape (2, 4, 4); {SHAPE}"),
    "a column too few": (window(1, 4, 2), "window has shape (1, 4, 2); expected (B, 4"),
    "two windows in one": (window(1, 8, 3), f"window has shape (1, 8, 3); {SHAPE}"),
    "rows too few": (window(5, 3, 3), "window has shape (5, 3, 3)"),
    "axes swapped": (window(4, 3, 4), "window has shape (4, 3, 4)"),
    "as many numbers": (window(1, 3, 4), "window has shape (1, 3, 4)"),
    "no batch": (window(4, 3), "window has shape (4, 3); expected (B, 4, 3)"),
    "an axis more": (window(1, 1, 4, 3), "window has shape (1, 1, 4, 3)"),
    "flat": (window(12), "window has shape (12)"),
    "one number": (np.float32(1), "window has shape (); expected (B, 4, 3)"),
    "none, but of other windows": (window(0, 8, 3), "window has shape (0, 8, 3)"),
    "NaN": (
        window(2, 4, 3, at_1_2_0=NAN),
        "window is nan at window 1, row 2, column 0 "
        "(Close) (counted from 0); expected a finite number",
    ),
    "infinity": (
        window(1, 4, 3, at_0_3_2=INF),
        "window is inf at window 0, row 3, column 2 (Volume)",
    ),
    "less than all": (
        window(1, 4, 3, at_0_0_1=-INF),
        "window is -inf at window 0, row 0, column 1 (Open)",
    ),
    "a price of nothing": (
        window(3, 4, 3, at_2_1_1=0),
        "window is 0 at window 2, row "
        "1, column 1 (Open) (counted from 0); expected a number",
    ),
    "a negative price": (window(3, 4, 3, at_0_1_0=-7.5), "window is -7.5 at window 0"),
}
OPTIONS = {"max_new_tokens": 3, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "seed": 0}
WRITING = {
    "hot": ({"temperature": 101.0}, "temperature is 101; expected 0 to 100"),
    "below zero": ({"temperature": -0.5}, "temperature is -0.5; expected 0 to 100"),
    "no number": ({"temperature": NAN}, "temperature is nan; expected 0 to 100"),
    "endless": ({"temperature": INF}, "temperature is inf; expected 0 to 100"),
    "top_p": ({"top_p": 1.5}, "top_p is 1.5; expected 0 to 1"),
    "top_p of NaN": ({"top_p": NAN}, "top_p is nan; expected 0 to 1"),
    "top_k": ({"top_k": -2}, "top_k is -2; expected 0 to 2,147,483,647"),
    "seed": ({"seed": -1}, "seed is -1; expected 0 to 2,147,483,647"),
    "tokens": ({"max_new_tokens": -1}, "max_new_tokens is -1; expected 0 to 1,000,000"),
    "a book": ({"max_new_tokens": 2_000_000}, "max_new_tokens is 2000000; expected 0"),
    "an option a row": ({"temperature": [1.0, 2.0]}, "temperature has shape (2); exp"),
    "an option in brackets": ({"seed": [3]}, "seed has shape (1); expected (): one"),
    "one prompt": ({"prompt": "ab"}, "prompt has shape (); expected (B,): B prompts"),
    "a table": ({"prompt": [["a", "b"]]}, "prompt has shape (1, 2); expected (B,)"),
}
SCORING = {
    ("sentiment", "serving_default"): "text",
    ("writer", "score"): "text",
    ("writer", "score_tokens"): "text",
    ("writer", "init"): "prompt",
    ("speech", "serving_default"): "wav",
}


def refused(ask: Callable, line: str, **inputs: Any) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        ask(**{name: tf.constant(value) for name, value in inputs.items()})
    assert line in str(error.value)


@pytest.mark.parametrize("signature", ["serving_default", "ridge"])
@pytest.mark.parametrize("case", WINDOWS)
def test_what_is_no_window_is_refused(served: dict, signature: str, case: str):
    values, line = WINDOWS[case]
    refused(served["stock"].signatures[signature], line, window=values)


@pytest.mark.parametrize("case", WRITING)
def test_what_no_writer_takes_is_refused(served: dict, case: str):
    changed, line = WRITING[case]
    inputs = {"prompt": ["ab"], **OPTIONS} | changed
    refused(served["writer"].signatures["serving_default"], line, **inputs)


@pytest.mark.parametrize("place", SCORING, ids="-".join)
@pytest.mark.parametrize("value", ["a", [["a"], ["b"]]])
def test_texts_and_files_stand_in_one_row(served: dict, place: tuple, value: Any):
    task, signature = place
    line = f"{SCORING[place]} has shape {np.shape(value) or '()'}; expected (B,)"
    refused(served[task].signatures[signature], line, **{SCORING[place]: value})


def test_any_number_of_right_ones_is_answered(served: dict):
    for count in (0, 1, 7):
        answer = served["stock"].signatures["serving_default"](
            window=tf.ones((count, 4, 3))
        )
        assert answer["forecast"].shape == (count, 1, 2)
        texts = tf.constant(["a"] * count, tf.string)
        found = served["sentiment"].signatures["serving_default"](text=texts)
        assert found["label"].shape == (count,)
        options = {name: tf.constant(value) for name, value in OPTIONS.items()}
        written = served["writer"].signatures["serving_default"](
            prompt=texts, **options
        )
        assert written["text"].shape == (count,)
        said = served["speech"].signatures["waveform"](
            waveform=tf.zeros((count, 300)), lengths=tf.fill([count], 300)
        )
        assert said["transcript"].shape == (count,)


def test_a_window_says_what_its_columns_are(served: dict):
    found = served["stock"].signatures["describe"]()
    assert found["columns"].numpy().tolist() == [b"Close", b"Open", b"Volume"]
    assert found["targets"].numpy().tolist() == [b"Close", b"Open"]
    assert found["units"].numpy().tolist() == [b"as in the data"] * 3
    assert (int(found["lookback"]), int(found["horizon"])) == (4, 1)


STATES = {
    "of another batch": (
        "logits",
        lambda x: tf.concat([x, x], 0),
        "expected (B, 5): what `init` or `step` gave, where B = 1 as in key",
    ),
    "of another vocabulary": ("logits", lambda x: x[:, 1:], "logits has shape (1, 4)"),
    "NaN": ("state_0", lambda x: x * NAN, "state_0 is nan at row 0, place 0"),
    "of other units": ("state_1", lambda x: tf.zeros((1, 9)), "state_1 has shape (1,"),
    "before the start": ("position", lambda x: x - 1, "position is -1; expected 0 or"),
    "a place a row": ("position", lambda x: x[None], "position has shape (1)"),
    "two keys": ("key", lambda x: tf.concat([x, x], 0), "logits has shape (1, 5); exp"),
}


@pytest.mark.parametrize("case", STATES)
def test_a_state_of_something_else_is_refused(served: dict, case: str):
    name, change, line = STATES[case]
    signatures = served["writer"].signatures
    state = dict(signatures["init"](prompt=tf.constant(["ab"])))
    state.pop("unknown")
    state |= {n: v for n, v in OPTIONS.items() if n != "max_new_tokens"}
    signatures["step"](**{n: tf.constant(v) for n, v in state.items()})
    refused(signatures["step"], line, **(state | {name: change(state[name])}))


HEARD = {
    "rows of chunks": ("chunk", tf.zeros((1, 5)), "chunk has shape (1, 5); expected"),
    "a flag a row": ("is_last", tf.constant([True]), "is_last has shape (1)"),
    "NaN": ("chunk", tf.constant([0.1, NAN]), "waveform holds NaN or infinity"),
    "a state of NaN": ("state_0_0", tf.fill((1, 4), NAN), "state_0_0 is nan at row 0"),
    "two states": ("state_0_1", tf.zeros((2, 4)), "state_0_1 has shape (2, 4)"),
    "no symbol": ("previous_id", tf.constant(3), "previous_id is 3; expected 0 to 2"),
    "less than none": ("answered", tf.constant(-1), "answered is -1; expected 0 to"),
    "samples": ("samples", tf.constant([INF]), "samples is inf at place 0"),
}


@pytest.mark.parametrize("case", HEARD)
def test_a_stream_of_something_else_is_refused(served: dict, case: str):
    name, value, line = HEARD[case]
    signatures = served["speech"].signatures
    inputs = {"chunk": tf.zeros(200), "is_last": tf.constant(False)}
    inputs |= signatures["init"]()
    assert "transcript" in signatures["step"](**inputs)
    refused(signatures["step"], line, **(inputs | {name: value}))


SOUNDS = {
    "no rows": (tf.zeros(4), tf.constant([4]), "waveform has shape (4); expected (B,"),
    "an axis more": (tf.zeros((1, 4, 1)), tf.constant([4]), "waveform has shape (1, 4"),
    "one length": (tf.zeros((1, 4)), tf.constant(4), "lengths has shape (); expected"),
    "where": (tf.constant([[0.0, 0.0], [0.0, NAN]]), tf.constant([1, 2]), "row 1, sam"),
}


@pytest.mark.parametrize("signature", ["waveform", "frames"])
@pytest.mark.parametrize("case", SOUNDS)
def test_samples_of_another_shape_are_refused(served: dict, signature: str, case: str):
    waveform, lengths, line = SOUNDS[case]
    ask = served["speech"].signatures[signature]
    refused(ask, line, waveform=waveform, lengths=lengths)


def test_a_bare_process_refuses_them_too(exports: dict[str, Path]):
    """Without keras_seq, after the optimiser has been over the graph."""
    script = """
import json, sys
import tensorflow as tf
stock, writer = (tf.saved_model.load(path) for path in sys.argv[1:])
asked = [
    (stock, "serving_default", {"window": tf.ones((1, 8, 3))}),
    (stock, "ridge", {"window": tf.ones((2, 4, 4))}),
    (stock, "serving_default", {"window": tf.fill((1, 4, 3), float("nan"))}),
    (writer, "score", {"text": tf.constant([["a"]])}),
]
for served, name, inputs in asked:
    try:
        served.signatures[name](**inputs)
        print(json.dumps("answered"))
    except tf.errors.InvalidArgumentError as error:
        print(json.dumps(str(error)))
print(json.dumps(stock.signatures["serving_default"](window=tf.ones((1, 4, 3)))[
    "forecast"].numpy().tolist()))
assert "keras_seq" not in sys.modules
"""
    paths = [str(exports[name]) for name in ("stock", "writer")]
    done = bare().run(["-c", script, *paths])
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    lines = ["(1, 8, 3)", "(2, 4, 4)", "window 0, row 0, column 0 (Close)", "(1, 1)"]
    for line, wanted in zip(said, lines):
        assert wanted in line
    assert said[-1] == [[[1.0, 1.0]]]
