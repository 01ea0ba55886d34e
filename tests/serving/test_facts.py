"""model.json is believed as far as the SavedModel vouches for it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.serving.exported import describe_exported
from keras_seq.serving.saved_model import export, load_exported

LABELS = ["bad", "good", "\ud83d", "schön"]
FACTS = {"task": "toy", "labels": LABELS, "max_len": 7, "scale": [0.1, 1e-300, None]}


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    module = tf.Module()
    module.labels = tf.constant(["bad", "good"])
    spec = tf.TensorSpec([None], tf.string, name="text")

    def serve(text: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"label": tf.gather(module.labels, tf.strings.length(text) % 2)}

    folder = tmp_path_factory.mktemp("models") / "toy"
    return export(
        module,
        folder,
        signatures={"serving_default": (serve, [spec])},
        examples={"text": ["a", "bb"]},
        expected={"label": ["good", "bad"]},
        metadata=FACTS,
    )


CHANGES: dict[str, Callable[[dict], object]] = {
    "labels swapped": lambda facts: facts["labels"].reverse(),
    "a label renamed": lambda facts: facts["labels"].__setitem__(0, "Bad"),
    "another size": lambda facts: facts.update(max_len=8),
    "a size of another type": lambda facts: facts.update(max_len=7.0),
    "a scale": lambda facts: facts["scale"].__setitem__(0, 0.1000001),
    "another task": lambda facts: facts.update(task="stock"),
    "a fact more": lambda facts: facts.update(units="EUR"),
    "a fact less": lambda facts: facts.pop("max_len"),
    "a signature": lambda facts: facts["signatures"].pop("serving_default"),
    "a signature's shape": lambda facts: facts["signatures"]["serving_default"][
        "inputs"
    ]["text"].update(shape=[3]),
}


def test_what_was_exported_is_loaded_and_said(version: Path, remarks: list[str]):
    assert load_exported(version.parent).metadata["labels"] == LABELS
    assert remarks == [f"model: {version}"]


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_is_refused(change: str, version: Path):
    path = version / "assets.extra" / "model.json"
    written = path.read_text("utf-8")
    facts = json.loads(written)
    CHANGES[change](facts)
    try:
        path.write_text(json.dumps(facts))
        with pytest.raises(UserError, match="model.json: was changed after the export"):
            load_exported(version)
        path.write_text(json.dumps(json.loads(written), indent=7))  # the same facts
        load_exported(version)
    finally:
        path.write_text(written, "utf-8")


def test_an_export_without_a_digest_says_so(
    version: Path, remarks: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("keras_seq.serving.facts.DIGEST", "of_an_older_version")
    load_exported(version)
    assert remarks[0].endswith("by an older version, so nothing can check it")


def test_a_model_of_another_task_is_refused(version: Path):
    task = json.loads((version / "assets.extra" / "model.json").read_text())["task"]
    assert describe_exported(version, task).path == version
    with pytest.raises(UserError, match=f"is a model of '{task}', not of 'stock'"):
        describe_exported(version, "stock")
