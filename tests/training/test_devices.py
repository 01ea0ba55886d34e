"""Several replicas train what one device trains; precision follows the device."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.training.devices import set_precision
from keras_seq.training.run_folder import begin_run

ROOT = Path(__file__).resolve().parents[2]
# Logical devices are set before TensorFlow begins, so a process of its own.
SCRIPT = """
import json, sys, tempfile
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from keras_seq.training import resume
from keras_seq.training.devices import get_strategy
from keras_seq.training.trainer import fit

resume.PATIENCE = 0
rng = np.random.default_rng(0)
ids = rng.integers(1, 9, (61, 5)).astype("int32")
labels = (ids.sum(1) % 2).astype("float32")
samples = json.loads(sys.argv[1])
data = tf.data.Dataset.from_tensor_slices((ids[:samples], labels[:samples]))
train, validation = data.batch(12), data.take(24).batch(12)

class Stop(Exception): pass

class Halt(keras.callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.after = after
    def get_state(self): return {}
    def set_state(self, state): pass
    def on_train_batch_end(self, batch, logs=None):
        self.after -= 1
        if self.after == 0:
            raise Stop

def run(strategy, folder, dropout, policy, stop=0, resumed=False):
    keras.utils.set_random_seed(1)
    with get_strategy(strategy).scope():
        model = keras.Sequential([
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(9, 4, name="embedding"),
            keras.layers.LSTM(4, name="lstm", dtype=policy),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(1, activation="sigmoid", name="dense"),
        ])
        optimizer = keras.optimizers.Adam(0.05)
        if policy == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(
                optimizer, initial_scale=2.0**17, dynamic_growth_steps=5)
        history = fit(
            model, train, validation_data=validation, epochs=3,
            loss="binary_crossentropy", optimizer=optimizer, clipnorm=0.05,
            run_dir=folder, resume=resumed, checkpoint_seconds=0.0, log_steps=1,
            callbacks=[Halt(stop)])
    return (model.get_weights(), history.history,
            [v.numpy() for v in model.optimizer.variables])

def largest(first, second):
    pairs = zip(tf.nest.flatten(first), tf.nest.flatten(second))
    return max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in pairs)

told = {}
with tempfile.TemporaryDirectory() as folder:
    one = run("cpu", f"{folder}/one", 0.0, "float32")
    two = run("mirrored", f"{folder}/two", 0.0, "float32")
    told["weights"] = largest(one[0], two[0])
    told["losses"] = largest(one[1]["loss"], two[1]["loss"])
    told["validation"] = largest(one[1]["val_loss"], two[1]["val_loss"])
    if len(sys.argv) > 2:
        policy = sys.argv[2]
        whole = run("mirrored", None, 0.3, policy)
        for stop, resumed in ((8, False), (0, True)):
            try:
                cut = run("mirrored", f"{folder}/cut", 0.3, policy, stop, resumed)
            except Stop:
                pass
        told["resumed"] = largest(whole, cut)
print(json.dumps(told))
"""


def two_devices(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


# The last batch of 57 has 9 samples, that of 61 has one: a replica goes without.
@pytest.mark.parametrize("arguments", [("57", "mixed_float16"), ("61",)], ids="_".join)
@pytest.mark.slow
def test_two_devices_train_as_one_and_resume_to_the_bit(arguments: tuple[str, ...]):
    told = two_devices(*arguments)
    assert told["losses"] < 1e-5 and told["validation"] < 1e-5
    assert told["weights"] < 1e-4
    assert told.get("resumed", 0) == 0


@pytest.mark.parametrize(
    ("mixed", "capability", "strategy", "policy", "why"),
    [
        ("auto", (8, 0), "auto", "mixed_float16", "Card gains by it"),
        ("auto", (6, 1), "auto", "float32", "Card has no fast float16"),
        ("auto", (8, 0), "cpu", "float32", "a CPU gains nothing"),
        ("auto", None, "auto", "float32", "a CPU gains nothing"),
        ("on", None, "auto", "mixed_float16", "mixed precision on"),
        ("off", (8, 0), "auto", "float32", "mixed precision off"),
    ],
)
def test_precision_follows_the_device_and_is_logged(
    mixed: str,
    capability: tuple | None,
    strategy: str,
    policy: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    cards = [] if capability is None else ["card"]
    details = {"compute_capability": capability, "device_name": "Card"}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: cards)
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda card: details
    )
    try:
        chosen = set_precision(mixed, strategy)
        assert chosen.startswith(f"precision: {policy} ({why}")
        assert capsys.readouterr() == ("", chosen + "\n")
        assert keras.mixed_precision.dtype_policy().name == policy
    finally:
        keras.mixed_precision.set_dtype_policy("float32")


def test_an_unknown_precision_is_named():
    with pytest.raises(ValueError, match="mixed is 'half'; expected auto, on or off"):
        set_precision("half")


def test_a_device_that_is_not_there_leaves_no_folder(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    settings = {"strategy": "gpu", "resume": False, "run_dir": tmp_path / "run"}
    with pytest.raises(UserError, match="sees no GPU"):
        begin_run("sentiment", settings)
    assert not list(tmp_path.iterdir())
