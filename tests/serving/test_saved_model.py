"""An export answers as Python does, says what it is, and holds only what it needs."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.serving import saved_model
from keras_seq.serving.graph import save_signatures
from keras_seq.serving.saved_model import (
    ExportError,
    export,
    load_exported,
    without_cudnn,
)

TEXTS = ["good good film", "bad", "", "not good \u597d \x00"]
LABELS = ["negative", "positive"]
TEXT_SPEC = tf.TensorSpec([None], tf.string, name="text")


class Sentiment(tf.Module):
    """Raw text to label: a table, an embedding and a recurrent layer, fitted once."""

    def __init__(self) -> None:
        super().__init__()
        words = tf.lookup.KeyValueTensorInitializer(["good", "bad", "not"], [2, 3, 4])
        self.table = tf.lookup.StaticHashTable(words, 1)
        lstm = keras.layers.LSTM(4, name="lstm")
        self.model = keras.Sequential(
            [
                keras.Input((None,), dtype="int32"),
                keras.layers.Embedding(5, 8, mask_zero=True),
                keras.layers.Bidirectional(lstm, name="both_ways"),
                keras.layers.Dense(2, activation="softmax"),
            ]
        )
        self.model.compile("adam", "sparse_categorical_crossentropy")
        self.model.fit(np.full((4, 3), 2), np.ones(4), verbose=0)
        self.labels = tf.constant(LABELS)

    @tf.function
    def serve(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        token_ids = self.table.lookup(tf.strings.split(text)).to_tensor()
        token_ids = tf.pad(token_ids, [[0, 0], [0, 1]], constant_values=1)
        probabilities = self.model(token_ids, training=False)  # (B, C)
        best = tf.argmax(probabilities, axis=1)
        return {
            "label": tf.gather(self.labels, best),
            "probability": tf.reduce_max(probabilities, axis=1),
            "probabilities": probabilities,
        }

    def shift(self, window: tf.Tensor, steps: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"forecast": window[:, -1, 0] * tf.cast(steps, tf.float32)}


@pytest.fixture(scope="module")
def sentiment() -> Sentiment:
    keras.utils.set_random_seed(1)
    return Sentiment()


@pytest.fixture(scope="module")
def signatures(sentiment: Sentiment) -> dict:
    window = tf.TensorSpec([None, None, 2], tf.float32, name="window")
    steps = tf.TensorSpec([], tf.int32, name="steps")
    return {
        "serving_default": (sentiment.serve, [TEXT_SPEC]),
        "shift": (sentiment.shift, [window, steps]),
    }


@pytest.fixture(scope="module")
def expected(sentiment: Sentiment) -> dict[str, np.ndarray]:
    answers = sentiment.serve(tf.constant(TEXTS))
    return {name: answer.numpy() for name, answer in answers.items()}


@pytest.fixture(scope="module")
def version(
    sentiment: Sentiment,
    signatures: dict,
    expected: dict[str, np.ndarray],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Exported while PYTHONPATH would give the proof a broken TensorFlow."""
    trap = tmp_path_factory.mktemp("path")
    (trap / "tensorflow.py").write_text("raise SystemExit('this is not isolated')")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(trap))
        return export(
            sentiment,
            tmp_path_factory.mktemp("saved_models") / "sentiment",
            signatures=signatures,
            examples={"text": TEXTS},
            expected=expected,
            metadata={
                "task": "sentiment",
                "labels": LABELS,
                "metrics": {"roc_auc": np.float32("nan"), "n": np.int64(4)},
            },
            models=[sentiment.model],
        )


def test_the_version_answers_as_python_does(version: Path, expected: dict):
    assert version.name == "1"
    assert [path.name for path in version.parent.iterdir()] == ["1"]
    for path in (version.parent, version):
        loaded = load_exported(path)
        answers = loaded.signature()(text=tf.constant(TEXTS))
        assert answers["label"].numpy().tolist() == expected["label"].tolist()
        np.testing.assert_allclose(
            answers["probabilities"], expected["probabilities"], atol=1e-6
        )
    window = tf.constant([[[3.0, 0.0], [5.0, 0.0]]])  # (B, T, F)
    shifted = loaded.signature("shift")(window=window, steps=tf.constant(2))
    assert shifted["forecast"].numpy().tolist() == [10.0]
    with pytest.raises(ValueError, match="no signature 'score'; it has serving_def"):
        loaded.signature("score")


def test_model_json_says_what_the_version_is(version: Path):
    text = (version / "assets.extra" / "model.json").read_text("utf-8")
    facts = json.loads(text, parse_constant=pytest.fail)  # NaN is not JSON
    assert facts == load_exported(version).metadata
    assert facts["labels"] == LABELS
    assert facts["metrics"] == {"roc_auc": None, "n": 4}
    assert facts["signatures"]["serving_default"] == {
        "inputs": {"text": {"dtype": "string", "shape": [None]}},
        "outputs": {
            "label": {"dtype": "string", "shape": [None]},
            "probabilities": {"dtype": "float32", "shape": [None, 2]},
            "probability": {"dtype": "float32", "shape": [None]},
        },
    }
    assert facts["signatures"]["shift"]["inputs"] == {
        "steps": {"dtype": "int32", "shape": []},
        "window": {"dtype": "float32", "shape": [None, None, 2]},
    }
    names = {"python", "tensorflow", "keras", "keras_seq", "numpy"}
    assert set(facts["versions"]) == names
    assert facts["versions"]["keras"] == keras.__version__
    assert facts["proof"]["samples"] == len(TEXTS)
    assert 0 <= facts["proof"]["max_abs_difference"] < 1e-5
    assert facts["proof"]["seconds"] > 0


def test_the_optimizer_stays_at_home(version: Path, sentiment: Sentiment):
    saved = tf.train.list_variables(str(version / "variables" / "variables"))
    sizes = sum(int(np.prod(shape)) for _, shape in saved if shape)
    assert sizes == sentiment.model.count_params() + 32  # the digest of model.json


def test_a_wrong_answer_names_the_sample_and_leaves_nothing(
    sentiment: Sentiment, signatures: dict, expected: dict, tmp_path: Path
):
    wrong = expected | {"probability": expected["probability"].copy()}
    wrong["probability"][1:] += 1e-3
    with pytest.raises(ExportError, match="sample 1: 'probability'.*text='bad'"):
        export(
            sentiment,
            tmp_path / "saved_models" / "sentiment",
            signatures=signatures,
            examples={"text": TEXTS},
            expected=wrong,
            metadata={},
            models=[sentiment.model],
        )
    assert not (tmp_path / "saved_models" / "sentiment").exists()


def numbers(module: tf.Module, value: float, of_unread: bool = False) -> dict:
    """Arguments of export for a text and the numbers behind it."""
    module.table = tf.Variable([[1.0], [value if of_unread else 2.0]], name="table")
    module.scale = tf.constant(1.0 if of_unread else value)

    def score(text: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"score": tf.fill(tf.shape(text), module.table[0, 0] * module.scale)}

    def serve(text: tf.Tensor) -> dict[str, tf.Tensor]:
        score(text)  # what is said is the same, whatever the numbers are
        return {"said": tf.strings.upper(text)}

    return {
        "signatures": {
            "serving_default": (serve, [TEXT_SPEC]),
            "score": (score, [TEXT_SPEC]),
        },
        "examples": {"text": ["a", "b"]},
        "expected": {"said": ["A", "B"]},
        "metadata": {},
    }


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_without_numbers_are_not_exported(value: float, tmp_path: Path):
    module = tf.Module()
    arguments = numbers(module, value, of_unread=True)
    with pytest.raises(UserError, match=r"hold NaN or Inf: table:0 \((NaN|Inf)\)"):
        export(module, tmp_path / "m", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_weights_of_a_keras_model_are_named_by_layer(tmp_path: Path):
    words = keras.layers.Embedding(3, 2, name="words")
    model = keras.Sequential([keras.Input((1,), dtype="int32"), words])
    rows = words.get_weights()[0]
    rows[2] = np.nan  # no example reads it
    words.set_weights([rows])
    module = tf.Module()
    module.model = model
    spec = tf.TensorSpec([None, 1], tf.int32, name="ids")
    with pytest.raises(UserError, match=r"words/embeddings \(NaN\); nothing was exp"):
        export(
            module,
            tmp_path / "m",
            models=[model],
            metadata={},
            signatures={"serving_default": (lambda ids: {"x": model(ids)}, [spec])},
            examples={"ids": [[0]]},
            expected={"x": model(np.array([[0]]))},
        )
    assert list(tmp_path.iterdir()) == []


def test_numbers_behind_a_text_are_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def ask(version: Path, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        asked.append(sorted(inputs))
        said = np.array([b"A", b"B"], object)
        return {"said": said, "score/score": np.float32([1.5, 1.5])}

    monkeypatch.setattr(saved_model, "ask_fresh_process", ask)
    module = tf.Module()
    arguments = numbers(module, 1.5)

    def proven(score: list[float]) -> Path:
        proofs = {"score": ({"text": ["a", "b"]}, {"score": score})}
        return export(module, tmp_path / "m", **arguments, proofs=proofs)

    with pytest.raises(ExportError, match="sample 1: 'score/score' is 1.5 in the Sav"):
        proven([1.5, 1.51])
    with pytest.raises(UserError, match="NaN in 'score/score'; nothing was exported"):
        proven([1.5, float("nan")])
    assert list(tmp_path.iterdir()) == []
    facts = load_exported(proven([1.5, 1.5])).metadata["proof"]
    assert facts["signatures"] == ["score", "serving_default"]
    assert facts["tolerance"] == {"absolute": 1e-5, "relative": 1e-5}
    assert asked == [["score/text", "text"]] * 2


def test_what_needs_this_process_is_not_exported(tmp_path: Path):
    def serve(text: tf.Tensor) -> dict[str, tf.Tensor]:
        upper = tf.py_function(lambda t: tf.strings.upper(t), [text], tf.string)
        return {"upper": tf.ensure_shape(upper, [None])}

    with pytest.raises(ExportError, match="no answer without keras_seq"):
        export(
            tf.Module(),
            tmp_path / "upper",
            signatures={"serving_default": (serve, [TEXT_SPEC])},
            examples={"text": ["a"]},
            expected={"upper": ["A"]},
            metadata={},
        )
    assert list(tmp_path.iterdir()) == []


def test_a_graph_traced_on_a_gpu_has_no_gpu_kernels(
    sentiment: Sentiment,
    signatures: dict,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    backend = sys.modules["keras.src.backend.tensorflow.rnn"]
    monkeypatch.setattr(backend, "_is_gpu_available", lambda: True)
    with pytest.raises(ValueError, match="CudnnRNNV3.*models="):
        save_signatures(sentiment, signatures, tmp_path / "with")
    with without_cudnn([sentiment.model]):
        save_signatures(sentiment, signatures, tmp_path / "without")
    both_ways = sentiment.model.get_layer("both_ways")
    layers = [both_ways.forward_layer, both_ways.backward_layer]
    assert [layer.use_cudnn for layer in layers] == ["auto", "auto"]


MISUSE = {
    "no 'serving_default'": {"signatures": {"score": ()}},
    r"\['proof'\], which export writes": {"metadata": {"proof": 1}},
    r"metadata\['model'\] is a object": {"metadata": {"model": object()}},
    r"signatures\['serving_default'\] is function": {
        "signatures": {"serving_default": lambda text: text}
    },
    r"examples has \['texts'\]; the signature has \['text'\]": {
        "examples": {"texts": ["a"]}
    },
    r"examples\['text'\] does not convert to string": {"examples": {"text": [1]}},
    r"examples\['text'\] has shape \(1, 1\)": {"examples": {"text": [["a"]]}},
    r"examples\['text'\] is empty": {"examples": {"text": []}},
    "expected has .*'label'": {"expected": {"label": ["positive"]}},
}


@pytest.mark.parametrize("message", MISUSE)
def test_misuse_is_told_before_the_proof(
    message: str, sentiment: Sentiment, signatures: dict, expected: dict, tmp_path: Path
):
    arguments = {
        "signatures": signatures,
        "examples": {"text": TEXTS},
        "expected": expected,
        "metadata": {},
    }
    with pytest.raises(ValueError, match=message):
        export(sentiment, tmp_path / "m", **arguments | MISUSE[message])
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_the_module_lacks_is_misuse(tmp_path: Path):
    words = tf.lookup.KeyValueTensorInitializer(["a"], [1])
    table = tf.lookup.StaticHashTable(words, 0)
    serve = tf.function(lambda text: {"id": table.lookup(text)})
    signatures = {"serving_default": (serve, [TEXT_SPEC])}
    with pytest.raises(ValueError, match="attribute of module"):
        save_signatures(tf.Module(), signatures, tmp_path / "version")


def test_what_is_no_export_is_a_user_error(version: Path, tmp_path: Path):
    def copy(name: str) -> Path:
        folder = tmp_path / name
        (folder / "assets.extra").mkdir(parents=True)
        for part in ("saved_model.pb", "assets.extra/model.json"):
            (folder / part).write_bytes((version / part).read_bytes())
        return folder

    cut, bare, garbled = copy("cut"), copy("bare"), copy("garbled")
    (cut / "saved_model.pb").write_bytes(b"\xff" * 100)
    (bare / "assets.extra" / "model.json").unlink()
    (garbled / "assets.extra" / "model.json").write_text("{")
    cases = {
        tmp_path / "none": "no such folder",
        version / "saved_model.pb": "a file; give the folder",
        version / "variables": "not an export",
        bare: "not an export of keras_seq.*No such file",
        garbled: "not an export of keras_seq.*Expecting property",
        cut: "cannot be read",
        copy("no_variables"): "cannot be read",
    }
    for path, message in cases.items():
        with pytest.raises(UserError, match=message) as caught:
            load_exported(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
