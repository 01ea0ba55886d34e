"""Files of a run and of an export that are damaged: one line, or the older good state.

A table of files and a table of damages; each file takes each damage.
"""

import io
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.evaluation.fitted import load_fitted, save_fitted
from keras_seq.serving.saved_model import export, load_exported
from keras_seq.tasks.run import finished_run
from keras_seq.tasks.sentiment.scores import (
    fit_baselines,
    load_baselines,
    save_baselines,
)
from keras_seq.text.kneser_ney import KneserNey
from keras_seq.training import resume
from keras_seq.training.checkpoint import Checkpoints
from keras_seq.training.run_folder import begin_run
from keras_seq.training.step_schedule import planned_steps
from keras_seq.training.trainer import fit

SETTINGS = {"epochs": 4, "data": "a.csv", "resume": True, "export_dir": "m"}


def flipped(raw: bytes) -> bytes:
    middle = len(raw) // 2
    return raw[:middle] + bytes([raw[middle] ^ 4]) + raw[middle + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda raw: b"",
    "cut short": lambda raw: raw[: len(raw) // 2],
    "one byte left": lambda raw: raw[:1],
    "no text": lambda raw: b"\xff\x00\x80 binary \n" * 9,
    "text": lambda raw: b"hello\nthere",
    "a list": lambda raw: b"[1, 2]",
    "null": lambda raw: b"null",
    "a number": lambda raw: b"3.5",
    "deep": lambda raw: b"[" * 100_000,
    "a zip of something": lambda raw: _foreign_zip(),
}


def _foreign_zip() -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.ones(3))
    return file.getvalue()


def one_line(error: BaseException, path: Path) -> None:
    assert isinstance(error, UserError), error
    assert "\n" not in str(error) and str(path) in str(error)


@pytest.mark.parametrize("damage", DAMAGES)
def test_config_of_a_run(damage: str, tmp_path: Path):
    settings = SETTINGS | {"run_dir": tmp_path / "run"}
    path = begin_run("sentiment", settings, {"train": "0"}) / "config.json"
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    with pytest.raises(UserError, match="damaged, .* or train anew in") as caught:
        begin_run("sentiment", settings, {"train": "0"})
    one_line(caught.value, path)


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "epochs was None, is 4"),
        ({"epochs": {"a": 1}}, r"epochs was \['a'\], is 4"),
        ({"epochs": "4"}, "epochs was 4, is 4; content of the train data was None"),
        ({"epochs": 4, "data_fingerprint": [1]}, "content of the train data was "),
        ({"epochs": 4, "data": "a.csv", "data_fingerprint": 3}, "train data was 3, is"),
    ],
)
def test_config_of_wrong_types(facts: dict, line: str, tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps(facts))
    with pytest.raises(UserError, match=line) as caught:
        begin_run("speech", SETTINGS | {"run_dir": tmp_path}, {"train": "0"})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        *(d(b'{"steps": 12}') for d in DAMAGES.values()),
        b"{}",
        b'{"steps": "9"}',
        b'{"steps": 0}',
        b'{"steps": true}',
    ],
)
def test_plan_of_a_run(content: bytes, tmp_path: Path):
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged") as caught:
        planned_steps(tmp_path, lambda: 12)
    one_line(caught.value, path)


@pytest.mark.parametrize("damage", DAMAGES)
def test_metrics_are_written_anew(damage: str, tmp_path: Path):
    run_dir = begin_run("stock", SETTINGS | {"run_dir": tmp_path / "run"})
    run_id = json.loads((run_dir / "config.json").read_text())["run_id"]
    version = tmp_path / "m" / "1"
    (version / "assets.extra").mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"")
    facts = {"run_id": run_id, "metrics": {"n": 3}}
    (version / "assets.extra" / "model.json").write_text(json.dumps(facts))
    path = run_dir / "metrics.json"
    path.write_text(json.dumps({"test": {"n": 3}}))
    assert finished_run(run_dir, tmp_path / "m") == ({"n": 3}, version)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert finished_run(run_dir, tmp_path / "m") is None


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """A run of three epochs, with the states of its last two."""
    folder = tmp_path_factory.mktemp("ended")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resume, "PATIENCE", 0)
        return folder, train(folder)


def train(folder: Path) -> list[np.ndarray]:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    x = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(4)
    fit(model, data, epochs=3, loss="mse", metrics=[], run_dir=folder, resume=True)
    return model.get_weights()


@pytest.mark.parametrize("damage", [*DAMAGES, "flipped", "foreign facts", "a folder"])
def test_checkpoint_of_a_run(
    damage: str,
    tmp_path: Path,
    ended: tuple[Path, list[np.ndarray]],
    remarks: list[str],
):
    """The older one is used, and where that is damaged, too, it is one line."""
    for path in sorted((ended[0] / "checkpoints").iterdir()):
        (tmp_path / "checkpoints").mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / "checkpoints")
    older, newest = sorted((tmp_path / "checkpoints").glob("state-*"))
    damage_state(newest, damage)
    if damage in ("empty", "flipped", "foreign facts"):  # a training for each is long
        np.testing.assert_equal(train(tmp_path), ended[1])
        assert any(
            newest.name in line and "; the checkpoint befo" in line for line in remarks
        )
        newest, older = sorted((tmp_path / "checkpoints").glob("state-*"))[::-1]
        damage_state(newest, damage)
    damage_state(older, damage)
    with pytest.raises(UserError, match="no checkpoint can be read") as caught:
        train(tmp_path)
    one_line(caught.value, tmp_path)


def damage_state(path: Path, damage: str) -> None:
    raw = path.read_bytes()
    path.unlink()
    if damage == "a folder":
        path.mkdir()
    elif damage == "foreign facts":  # whole, but no state of a run
        aside = Checkpoints(path.parent / "aside")
        aside.save({"w": np.ones(2)}, {"epoch": "two"})
        shutil.move(path.parent / "aside" / "state-00000001.npz", path)
    else:
        path.write_bytes(flipped(raw) if damage == "flipped" else DAMAGES[damage](raw))


def test_checkpoints_of_another_version_are_one_line(tmp_path: Path):
    Checkpoints(tmp_path / "checkpoints").save({}, {"epoch": 1, "settings": {}})
    with pytest.raises(UserError, match="of another version of keras_seq; resume"):
        train(tmp_path)


class Product(tf.Module):
    def __init__(self) -> None:
        self.weights = tf.Variable(np.eye(40, dtype="float32"))

    @tf.function(input_signature=[tf.TensorSpec([None, 40], tf.float32, name="x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": x @ self.weights}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    module, x = Product(), np.ones((2, 40), np.float32)
    return export(
        module,
        tmp_path_factory.mktemp("exported") / "product",
        signatures={"serving_default": module.serve.get_concrete_function()},
        examples={"x": x},
        expected={"y": x},
        metadata={"task": "product"},
    )


@pytest.mark.parametrize("damage", [*DAMAGES, "missing"])
@pytest.mark.parametrize(
    "name",
    [
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
        "saved_model.pb",
        "assets.extra/model.json",
    ],
)
def test_file_of_an_export(name: str, damage: str, exported: Path):
    path = exported / name
    raw = path.read_bytes()
    try:
        path.unlink()
        if damage != "missing":
            path.write_bytes(DAMAGES[damage](raw))
        with pytest.raises(UserError) as caught:
            load_exported(exported)
        one_line(caught.value, exported)
    finally:
        path.write_bytes(raw)


@pytest.mark.parametrize("damage", [*DAMAGES, "missing"])
def test_baselines_of_an_export(damage: str, tmp_path: Path):
    def kind(_: str) -> type:
        return KneserNey

    texts, grams = tmp_path / "texts.npz", tmp_path / "grams.npz"
    samples = [(f"word{n % 5} film", "no" if n % 2 else "yes") for n in range(20)]
    save_baselines(texts, fit_baselines(samples, ["no", "yes"], 0))
    save_fitted(grams, {"5-grams": KneserNey(2, 7).fit(np.arange(60) % 7)})
    loaders = {texts: load_baselines, grams: partial(load_fitted, kind_of=kind)}
    for path, load in loaders.items():
        load(path)
        raw = path.read_bytes()
        path.unlink()
        if damage != "missing":
            path.write_bytes(DAMAGES[damage](raw))
        with pytest.raises(UserError, match="no baselines can be read") as caught:
            load(path)
        one_line(caught.value, path)
