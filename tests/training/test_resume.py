"""Cut off anywhere and resumed equals never cut off: bit for bit, in clear words."""

import errno
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.layers import GRU
from keras_seq.models.rnn import build_lstm_model
from keras_seq.text.batches import make_text_dataset
from keras_seq.text.tokenizer import Tokenizer
from keras_seq.training import resume
from keras_seq.training.checkpoint import Checkpoints
from keras_seq.training.monitor import TrainingMonitor
from keras_seq.training.run_places import locked, take_lock
from keras_seq.training.trainer import fit
from tests.fork_server import with_keras

NAMES = ["no", "yes"]
SAMPLES = [
    ("w " * (1 + n % 9) + f"x{n % 7} {NAMES[n * n % 3 % 2]}", NAMES[n * n % 3 % 2])
    for n in range(50)
]
SAMPLE_IDS = np.arange(1, 25).reshape(4, 6)


class Interrupted(Exception):
    """What stands for a kill within one process."""


class InterruptAfter(keras.callbacks.Callback):
    """Raises after so many batches, counted over all epochs; 0 never does."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def get_state(self) -> dict:
        return {}

    def set_state(self, state: dict) -> None:
        pass

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise Interrupted


class Counting(keras.callbacks.Callback):
    """A user's own: what it has counted is an attribute. It draws from every source."""

    def __init__(self) -> None:
        super().__init__()
        self.batches, self.seen = 0, []

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.batches += 1
        random.random(), np.random.rand(), keras.random.uniform(())
        self.seen.append((batch, float(logs["loss"])))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(text for text, _ in SAMPLES)
    return tokenizer


@pytest.fixture(autouse=True)
def save_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "PATIENCE", 0)


def text_data(tokenizer: Tokenizer) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    options = {"batch_size": 8, "seed": 4}
    return (
        make_text_dataset(SAMPLES, tokenizer, NAMES, shuffle=True, **options),
        make_text_dataset(SAMPLES[:20], tokenizer, NAMES, **options),
    )


def users_own_data(tokenizer: Tokenizer) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """Shuffled anew each epoch by tf.data itself, which cannot be entered anywhere."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 9, (50, 6)).astype("int32")
    data = tf.data.Dataset.from_tensor_slices((ids, (ids.sum(1) % 2).astype("int32")))
    train = data.shuffle(50, seed=3, reshuffle_each_iteration=True).batch(8)
    return train, data.take(20).batch(8)


class Pieces(keras.utils.PyDataset):
    """Changes with every epoch that has ended, as one that augments its data."""

    def __init__(self, ids: np.ndarray) -> None:
        super().__init__()
        self.ids, self.ended = ids, 0

    def __len__(self) -> int:
        return 7

    def __getitem__(self, number: int) -> tuple:
        ids = (self.ids[8 * number : 8 * number + 8] + self.ended) % 9 + 1
        return ids, ids.sum(1) % 2

    def on_epoch_end(self) -> None:
        self.ended += 1


def arrays(tokenizer: Tokenizer) -> tuple:
    """As a user has them: a tuple to train on, another to validate on."""
    ids = np.random.default_rng(0).integers(1, 9, (54, 6))
    weights = np.linspace(0.5, 2.0, 54)
    return (ids, ids.sum(1) % 2, weights), (ids[:20], ids[:20].sum(1) % 2)


def pieces(tokenizer: Tokenizer) -> tuple:
    return Pieces(arrays(tokenizer)[0][0][:50]), arrays(tokenizer)[1]


def unknown_length(tokenizer: Tokenizer) -> tuple[tf.data.Dataset, tf.data.Dataset]:
    """From a generator, which does not say how many batches it has."""
    ids = np.random.default_rng(0).integers(1, 9, (50, 6)).astype("int32")

    def batches():
        for start in range(0, 50, 8):
            batch = ids[start : start + 8]
            yield batch, (batch.sum(1) % 2).astype("int32")

    signature = (tf.TensorSpec([None, 6], tf.int32), tf.TensorSpec([None], tf.int32))
    train = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return train, train.take(2)


def run(
    folder: Path | None,
    data: Callable,
    tokenizer: Tokenizer,
    interrupt: int = 0,
    resumed: bool = False,
    scaled: bool = False,
    **options,
) -> dict:
    """Everything a run ends with; raises where it is interrupted."""
    keras.utils.set_random_seed(5)
    train, validation = data(tokenizer)
    policy = "mixed_float16" if scaled else "float32"
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(30, 8, mask_zero=True),
            keras.layers.LSTM(6, dropout=0.3, recurrent_dropout=0.2, dtype=policy),
            keras.layers.Dropout(0.5, dtype=policy),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    optimizer = keras.optimizers.Adam(0.05)
    if scaled:
        # 2**15 overflows float16 at once, so that the scale moves.
        optimizer = keras.optimizers.LossScaleOptimizer(
            optimizer, initial_scale=2.0**17, dynamic_growth_steps=5
        )
    counting, monitor = Counting(), TrainingMonitor()
    if data is arrays:
        options = {"batch_size": 8, "validation_freq": 2, **options}
    plateau = keras.callbacks.ReduceLROnPlateau("val_loss", patience=0, mode="min")
    calls = [counting, monitor, plateau, InterruptAfter(interrupt)]
    given = {"epochs": 4, "patience": 2, "checkpoint_seconds": 0.0} | options
    history = fit(
        model,
        train,
        validation_data=validation,
        loss="binary_crossentropy",
        optimizer=optimizer,
        run_dir=folder,
        resume=resumed,
        callbacks=calls,
        **given,
    )
    return {
        "weights": model.get_weights(),
        "state": [v.numpy() for v in model.variables + model.optimizer.variables],
        "history": history.history,
        "epochs": history.epoch,
        "counted": (counting.batches, counting.seen),
        "monitor": (monitor.losses, monitor.val_losses),
        "rate": float(model.optimizer.learning_rate.numpy()),
        "next random": (
            random.random(),
            np.random.rand(),
            keras.random.uniform(()).numpy(),
        ),
        "predictions": model.predict(SAMPLE_IDS, verbose=0),
    }


def assert_same(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_equal(found[name], expected[name], err_msg=name)


@pytest.mark.parametrize(
    ("data", "scaled", "stops"),
    [
        (text_data, False, (4, 17)),
        pytest.param(users_own_data, False, (10,), marks=pytest.mark.slow),
        pytest.param(unknown_length, False, (12,), marks=pytest.mark.slow),
        pytest.param(text_data, True, (8,), marks=pytest.mark.slow),
        (arrays, False, (9,)),
        pytest.param(pieces, False, (16,), marks=pytest.mark.slow),
    ],
    ids=["text", "users own", "unknown length", "loss scale", "arrays", "PyDataset"],
)
def test_cut_off_and_resumed_equals_never_cut_off(
    data: Callable, scaled: bool, stops: tuple, tmp_path: Path, tokenizer: Tokenizer
):
    # Without a folder nothing is saved or shown, which changes no bit either; but
    # Keras alone steps past the end of data whose length nobody knows.
    folder = tmp_path / "whole" if data is unknown_length else None
    whole = run(folder, data, tokenizer, scaled=scaled)
    for number, stop in enumerate(stops):  # 7 batches an epoch
        with pytest.raises(Interrupted):
            run(tmp_path / "cut", data, tokenizer, stop, number > 0, scaled)
    resumed = run(tmp_path / "cut", data, tokenizer, resumed=True, scaled=scaled)
    assert_same(resumed, whole)


def test_a_run_that_had_ended_ends_the_same(tmp_path: Path, tokenizer: Tokenizer):
    options = {"epochs": 9, "patience": 1, "mode": "max"}  # a loss that falls
    first = run(tmp_path, text_data, tokenizer, **options)
    assert len(first["epochs"]) < 9  # stopped early
    again = run(tmp_path, text_data, tokenizer, resumed=True, **options)
    assert_same(again, first)


KILLED = """
import os, signal, sys, time, traceback
import keras, numpy as np
from keras_seq.training import resume
from keras_seq.training.trainer import fit

class Slow(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.02)

def train(folder, result):
    resume.PATIENCE = 0
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 5, 3)).astype("float32")
    y = (x[:, :, 0].sum(1) > 0).astype("float32")
    model = keras.Sequential([
        keras.Input((None, 3)),
        keras.layers.LSTM(8, dropout=0.2),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1, activation="sigmoid"),
    ])
    history = fit(model, x[:64], y[:64], validation_data=(x[64:], y[64:]), epochs=5,
                  batch_size=4, seed=2, class_weight={0: 1.0, 1: 2.0},
                  loss="binary_crossentropy", run_dir=folder, resume=True, patience=2,
                  checkpoint_seconds=0.0, callbacks=[Slow()])
    arrays = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    arrays += [np.array(values) for values in history.history.values()]
    arrays += [model.predict(x, verbose=0)]
    np.savez(result, *arrays)

def start(name):
    process = os.fork()
    if process == 0:
        try:
            train(name, name + ".npz")
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return process

# This process has started nothing of TensorFlow, which those forked from it find
# imported. Killed, or ended before; the last may end.
whole = start("whole")
for seconds in map(float, sys.argv[1:]):
    process = start("killed")
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    status = os.waitpid(process, 0)[1]
    assert status in (0, signal.SIGKILL), status
for process in (start("killed"), whole):
    assert os.waitpid(process, 0)[1] == 0
"""


def killed_equals_whole(folder: Path, kills: int, seed: int) -> None:
    """Kills so many processes some time after each began; the last may end."""
    waits = np.random.default_rng(seed).uniform(0.5, 6.0, kills).tolist()
    done = with_keras().run(["-c", KILLED, *waits], cwd=folder)
    assert done.returncode == 0, done.stderr
    whole, killed = folder / "whole.npz", folder / "killed.npz"
    with np.load(whole) as expected, np.load(killed) as found:
        assert expected.files == found.files
        for name in expected.files:
            np.testing.assert_array_equal(found[name], expected[name], str(waits))


def test_a_process_killed_at_random_instants_ends_with_the_same_bits(tmp_path: Path):
    killed_equals_whole(tmp_path, kills=2, seed=int.from_bytes(os.urandom(4), "big"))


@pytest.mark.slow
def test_twenty_kills_end_with_the_same_bits(tmp_path: Path):
    killed_equals_whole(tmp_path, kills=20, seed=7)


def test_other_settings_or_data_are_named(tmp_path: Path, tokenizer: Tokenizer):
    with pytest.raises(Interrupted):
        run(tmp_path, text_data, tokenizer, 3)
    with pytest.raises(UserError, match="patience was 2, is 1; epochs was 4, is 6;"):
        run(tmp_path, text_data, tokenizer, resumed=True, epochs=6, patience=1)
    with pytest.raises(UserError, match="settings: training data was .*, is "):
        run(tmp_path, lambda _: users_own_data(_)[::-1], tokenizer, resumed=True)
    with pytest.raises(UserError, match="holds the checkpoints of a run; resume it"):
        run(tmp_path, text_data, tokenizer)


def test_only_one_process_works_on_a_run(tmp_path: Path):
    script = """
import sys
from keras_seq.training.run_places import take_lock
take_lock(sys.argv[1])
print("has it", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert process.stdout.readline() == "has it\n"
    with pytest.raises(UserError, match="another process is at work on this run"):
        take_lock(tmp_path)
    process.kill()
    process.wait()
    with locked(tmp_path), locked(tmp_path):  # twice in one process is fine
        pass


def save(checkpoints: Checkpoints, value: float, size: int = 1000) -> None:
    checkpoints.save({"w": np.full(size, value)}, {"value": value})


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_is_one_line_and_the_last_state_stays(
    fault: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    checkpoints = Checkpoints(tmp_path)
    save(checkpoints, 1.0)

    def full(descriptor: int) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, "fsync", full)
    message = f"cannot be written .{os.strerror(fault)}.; the last good one is still"
    with pytest.raises(UserError, match=message):
        save(checkpoints, 2.0)
    assert checkpoints.load().facts == {"value": 1.0}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_really_fills_is_one_line_at_the_shell(tmp_path: Path):
    script = """
import resource, sys
import numpy as np
from keras_seq.errors import UserError
from keras_seq.layers import GRU
from keras_seq.models.rnn import build_lstm_model
from keras_seq.training.checkpoint import Checkpoints
checkpoints = Checkpoints(sys.argv[1])
checkpoints.save({"w": np.ones(10)}, {"value": 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    checkpoints.save({"w": np.ones(10_000)}, {"value": 2})
except UserError as error:
    print(error, checkpoints.load().facts)
"""
    done = with_keras().run(["-c", script, tmp_path])
    assert done.returncode == 0, done.stderr
    assert "File too large" in done.stdout and "{'value': 1}" in done.stdout


@pytest.mark.parametrize("damage", ["cut short", "a flipped bit", "empty"])
def test_a_damaged_checkpoint_is_logged_and_the_one_before_is_used(
    damage: str, tmp_path: Path, remarks: list[str]
):
    checkpoints = Checkpoints(tmp_path)
    for value in (1.0, 2.0, 3.0):
        save(checkpoints, value)
    kept = sorted(tmp_path.iterdir())
    assert len(kept) == 2
    raw = bytearray(kept[-1].read_bytes())
    raw[500] ^= 1
    damaged = {"cut short": raw[:4000], "a flipped bit": raw, "empty": b""}
    kept[-1].write_bytes(damaged[damage])
    assert checkpoints.load().facts == {"value": 2.0}
    assert "state-00000003.npz is damaged or was cut" in remarks[0]
    kept[0].write_bytes(b"")
    with pytest.raises(UserError, match="no checkpoint can be read"):
        checkpoints.load()


def test_a_state_keeps_what_numpy_has_no_name_for(tmp_path: Path):
    array = tf.constant([1.5, -2.0], tf.bfloat16).numpy()
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"half": array, "none": np.zeros((0, 3))}, {})
    found = checkpoints.load().arrays
    assert found["half"].dtype == array.dtype and (found["half"] == array).all()
    assert found["none"].shape == (0, 3)


@pytest.mark.slow
def test_what_was_shown_after_the_last_state_is_not_shown_twice(
    tmp_path: Path, tokenizer: Tokenizer
):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with pytest.raises(Interrupted):
        run(tmp_path, text_data, tokenizer, 10, log_steps=1, checkpoint_seconds=1e9)
    run(tmp_path, text_data, tokenizer, resumed=True, log_steps=1)
    steps = []
    for path in sorted((tmp_path / "tensorboard").glob("events*.v2")):
        events = EventAccumulator(str(path), {"tensors": 0}).Reload()
        if "learning_rate" in events.Tags()["tensors"]:
            steps += [event.step for event in events.Tensors("learning_rate")]
    assert steps == list(range(1, 29))


def recurrent(tokenizer: Tokenizer) -> keras.Model:
    keras.utils.set_random_seed(5)
    return build_lstm_model(tokenizer.vocab_size, 4, 4, num_classes=2)


def test_what_a_layer_did_elsewhere_does_not_refuse_a_resume(
    tmp_path: Path, tokenizer: Tokenizer
):
    def trained(model: keras.Model, **options) -> dict:
        train, validation = text_data(tokenizer)
        return fit(
            model,
            train,
            validation_data=validation,
            epochs=3,
            run_dir=tmp_path,
            loss="sparse_categorical_crossentropy",
            **options,
        ).history

    with pytest.raises(Interrupted):
        trained(recurrent(tokenizer), callbacks=[InterruptAfter(9)])
    model, token_ids = recurrent(tokenizer), tf.constant([[2, 3, 0]])
    tf.function(model)(token_ids)
    model.layers[1].native = False  # as for a graph that leaves this machine
    model(token_ids, training=True)
    del model.layers[1].native
    again = trained(model, resume=True, callbacks=[InterruptAfter(0)])
    assert len(again["loss"]) == 3


def test_a_run_that_goes_on_elsewhere_says_so(
    tmp_path: Path, tokenizer: Tokenizer, remarks: list[str]
):
    with pytest.raises(Interrupted):
        run(tmp_path, text_data, tokenizer, 3)
    describe = resume.describe_machine
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            resume,
            "describe_machine",
            lambda model: describe(model) | {"recurrent layers": "fast", "keras": "9"},
        )
        run(tmp_path, text_data, tokenizer, resumed=True)
    line = "recurrent layers was fallback, is fast; keras was .*, is 9; its last"
    assert any(re.search(line, remark) for remark in remarks)


@pytest.mark.slow
def test_a_run_cut_off_before_its_first_state_begins_with_the_same_bits(
    tmp_path: Path, tokenizer: Tokenizer
):
    whole = run(None, text_data, tokenizer)
    with pytest.raises(Interrupted):
        run(tmp_path, text_data, tokenizer, 3, checkpoint_seconds=1e9)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["start.npz"]
    with pytest.raises(UserError, match="patience was 2, is 1"):
        run(tmp_path, text_data, tokenizer, resumed=True, patience=1)
    assert_same(run(tmp_path, text_data, tokenizer, resumed=True), whole)


@pytest.mark.parametrize("cell", [GRU, keras.layers.LSTM])
def test_states_that_layers_carry_from_batch_to_batch_belong_to_a_run(
    cell: type[keras.Layer], tmp_path: Path
):
    x = np.random.default_rng(0).normal(size=(24, 3, 2)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x, x[:, 0])).batch(4)

    def trained(folder: str, batches: int = 0) -> list[np.ndarray]:
        keras.utils.set_random_seed(0)
        inputs = keras.Input(batch_shape=(4, 3, 2))
        layers = [inputs, cell(3, stateful=True), keras.layers.Dense(2)]
        model = keras.Sequential(layers)
        fit(
            model,
            data,
            epochs=2,
            loss="mse",
            run_dir=tmp_path / folder,
            resume=True,
            checkpoint_seconds=0,
            callbacks=[InterruptAfter(batches)],
        )
        return model.get_weights()

    with pytest.raises(Interrupted):
        trained("cut", 4)
    for found, wanted in zip(trained("cut"), trained("whole"), strict=True):
        np.testing.assert_array_equal(found, wanted)
