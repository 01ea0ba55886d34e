"""Callbacks of a run that is cut off: what they know and what they write, and no more.

A table of callbacks, each cut off at several instants and resumed, beside a run that
was never cut off; and what they were constructed with, which is no state.
"""

import collections
import csv
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.training import resume
from keras_seq.training.averaging import AveragedWeights
from keras_seq.training.callback_state import callback_settings
from keras_seq.training.settings import check_same
from keras_seq.training.trainer import fit

callbacks = keras.callbacks
Plateau, Stop = callbacks.ReduceLROnPlateau, callbacks.EarlyStopping
EPOCHS, STEPS = 7, 4


class Interrupted(Exception):
    """What stands for a kill within one process."""


class Interrupt(callbacks.Callback):
    """Raises at an instant: ("batch", n), ("epoch", n), or None. It knows nothing."""

    def __init__(self, instant: tuple[str, int] | None) -> None:
        super().__init__()
        self.instant, self.batches = instant, 0

    def get_state(self) -> dict:
        return {}

    def set_state(self, state: dict) -> None:
        pass

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.batches += 1
        if self.instant == ("batch", self.batches):
            raise Interrupted

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.instant == ("epoch", epoch + 1):
            raise Interrupted


class Everything(callbacks.Callback):
    """A user's own, with state of many kinds, and settings under other names."""

    def __init__(self, size: int, window: list[float], seed: int = 0) -> None:
        super().__init__()
        self.most, self.window, self.running = size, window, False
        self.generator = np.random.default_rng(seed)
        self.recent = collections.deque(maxlen=3)
        self.seen: set[int] = set()
        self.counts: dict = collections.defaultdict(int)
        self.mean = keras.metrics.Mean()
        self.sum = tf.Variable(0.0)
        self.better = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.running = True  # as constructed again at each epoch's end
        self.best = math.inf

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.recent.append(float(self.generator.random()))
        self.seen.add(batch)
        self.counts[batch % 2] += 1
        self.mean.update_state(logs["loss"])
        self.sum.assign_add(logs["loss"])

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.better, self.running = keras.ops.less, False
        self.best = min(self.best, logs["loss"])
        self.window.append(logs["loss"])


class HalfSigned(callbacks.Callback):
    """As Keras' own do: one attribute is turned round when another is first set."""

    def __init__(self, delta: float) -> None:
        super().__init__()
        self.delta, self.operation, self.hits = delta, None, 0

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.operation is None:
            self.operation, self.delta = max, -self.delta
        self.hits += self.delta < 0


def plateau_rate(epoch: int, rate: float) -> float:
    return rate * 0.5 if epoch % 2 else rate


# Groups that one run can have together, each a function of a folder; `val_loss` stands
# still at so small a rate.
TABLE: dict[str, Callable[[Path], list[callbacks.Callback]]] = {
    "watching": lambda folder: [
        callbacks.ReduceLROnPlateau(patience=1, cooldown=2),
        callbacks.ReduceLROnPlateau("val_accuracy", mode="max", patience=1),
        callbacks.EarlyStopping(
            "val_loss", min_delta=1e-3, patience=5, restore_best_weights=True
        ),
        callbacks.EarlyStopping("loss", patience=9, baseline=0.1),
        callbacks.ModelCheckpoint(
            folder / "best.weights.h5",
            save_best_only=True,
            save_weights_only=True,
            initial_value_threshold=99.0,
        ),
        callbacks.CSVLogger(folder / "new.csv"),
        callbacks.CSVLogger(folder / "log.csv", separator=";", append=True),
        callbacks.TerminateOnNaN(),
        callbacks.Callback(),
        callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
        Everything(3, []),
        HalfSigned(0.5),
        HalfSigned(2.0),
    ],
    "averages": lambda folder: [
        callbacks.LearningRateScheduler(plateau_rate),
        AveragedWeights(0.9),
        callbacks.ModelCheckpoint(
            folder / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=3
        ),
        callbacks.BackupAndRestore(folder / "backup"),
        callbacks.History(),
        callbacks.CSVLogger(folder / "log.csv"),
    ],
    "averages of Keras": lambda folder: [
        callbacks.SwapEMAWeights(swap_on_epoch=True),
        callbacks.BackupAndRestore(
            str(folder / "b"), save_freq=3, delete_checkpoint=False
        ),
    ],
}
# Behind rows that no checkpoint knows of, and within an epoch.
INSTANTS = [("epoch", 3), ("batch", 6)]


@pytest.fixture(autouse=True)
def save_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resume, "PATIENCE", 0)


def data() -> tuple[tf.data.Dataset, tf.data.Dataset]:
    x = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")
    samples = tf.data.Dataset.from_tensor_slices((x, x[:, :1] > 0))
    return samples.shuffle(16, seed=1).batch(4), samples.batch(8)


def train(
    folder: Path,
    given: list[callbacks.Callback],
    instant: tuple[str, int] | None = None,
    resumed: bool = False,
    **options: float,
) -> tuple[keras.Model, dict]:
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dropout(0.2), keras.layers.Dense(1, "sigmoid")]
    )
    is_ema = any(isinstance(each, callbacks.SwapEMAWeights) for each in given)
    optimizer = keras.optimizers.SGD(1e-5, momentum=0.5, use_ema=is_ema)
    train, validation = data()
    history = fit(
        model,
        train,
        validation_data=validation,
        epochs=EPOCHS,
        loss="binary_crossentropy",
        optimizer=optimizer,
        patience=99,
        run_dir=folder / "run",
        resume=resumed,
        callbacks=[*given, Interrupt(instant)],
        **{"checkpoint_seconds": 0.0, **options},
    )
    return model, history.history


def known(callback: callbacks.Callback) -> dict:
    """All that an attribute can show of itself."""
    if hasattr(callback, "get_state"):
        return callback.get_state()
    found = {}
    for name, value in vars(callback).items():
        if isinstance(value, keras.metrics.Metric):
            value = [each.numpy() for each in value.variables]
        if isinstance(value, np.random.Generator):
            value = value.bit_generator.state
        if isinstance(value, tf.Variable):
            value = value.numpy()
        plain = (int, float, str, list, dict, set, np.ndarray, collections.deque)
        if isinstance(value, plain) or value is None or name == "operation":
            found[name] = value
    return {
        name: value
        for name, value in found.items()
        # The first is no state; the others are where things lie and who looks.
        if name
        not in (
            "append_header",
            "filename",
            "filepath",
            "backup_dir",
            "params",
            "seconds",
            "_as_constructed",
        )
        and not name.endswith("_path")
    }


def files(folder: Path) -> dict[str, object]:
    """What lies in a folder beside the run: rows, and weights by their values."""
    found: dict[str, object] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = str(path.relative_to(folder))
        if name.startswith("run"):
            continue
        if path.suffix == ".h5":
            blank = keras.Sequential(
                [keras.Input((2,)), keras.layers.Dropout(0.2), keras.layers.Dense(1)]
            )
            blank.load_weights(path)
            found[name] = blank.get_weights()
        else:
            found[name] = path.read_bytes()
    return found


def outcome(folder: Path, trained: tuple, given: list[callbacks.Callback]) -> dict:
    model, history = trained
    return {
        "weights": model.get_weights(),
        "optimizer": [v.numpy() for v in model.optimizer.variables],
        "history": history,
        "callbacks": [known(each) for each in given],
        "files": files(folder),
    }


@pytest.mark.parametrize("name", TABLE)
def test_cut_off_and_resumed_equals_never_cut_off(name: str, tmp_path: Path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
        (folder / "log.csv").write_text("before;me\r\n")  # of somebody else
    given = TABLE[name](whole)
    expected = outcome(whole, train(whole, given), given)
    for number, instant in enumerate(INSTANTS):
        # Every other state lies some way back.
        seconds = 1e9 if number % 2 else 0.0
        with pytest.raises(Interrupted):
            train(
                cut, TABLE[name](cut), instant, number > 0, checkpoint_seconds=seconds
            )
    for _ in range(2):  # the second finds a run that has ended
        given = TABLE[name](cut)
        found = outcome(cut, train(cut, given, resumed=True), given)
        np.testing.assert_equal(found, expected)


def test_one_instance_is_cut_off_and_goes_on(tmp_path: Path):
    log: list[float] = []
    given = [HalfSigned(0.5), Everything(3, log), Plateau(patience=1)]
    for instant in (("epoch", 3), ("batch", 3)):
        with pytest.raises(Interrupted):
            train(tmp_path, given, instant, resumed=instant[0] == "batch")
    _, history = train(tmp_path, given, resumed=True)
    assert given[0].hits == EPOCHS and given[0].delta == -0.5
    assert log == history["loss"]  # the very list that the user holds
    assert history["learning_rate"][-1] < history["learning_rate"][0]


def steps_on_board(folder: Path, tag: str) -> Iterator[int]:
    for path in sorted(folder.glob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            if any(value.tag == tag for value in event.summary.value):
                yield event.step


@pytest.mark.slow
def test_tensorboard_of_keras_shows_each_step_once(tmp_path: Path):
    def board() -> list[callbacks.Callback]:
        return [callbacks.TensorBoard(tmp_path / "board", update_freq=1)]

    for number, instant in enumerate(INSTANTS):
        with pytest.raises(Interrupted):
            train(tmp_path, board(), instant, number > 0)
    (last,) = board()
    train(tmp_path, [last], resumed=True)
    log = tmp_path / "board" / "train"
    assert list(steps_on_board(log, "epoch_loss")) == list(range(EPOCHS))
    # Keras counts from the second: the first batch's step is that of its beginning.
    assert len(set(steps_on_board(log, "batch_loss"))) == EPOCHS * STEPS
    assert len(list(steps_on_board(log, "batch_loss"))) == EPOCHS * STEPS
    assert last._global_train_batch == EPOCHS * STEPS


@pytest.mark.parametrize("damage", ["rows beyond", "deleted"])
def test_a_log_is_what_its_checkpoint_says(damage: str, tmp_path: Path):
    path = tmp_path / "log.csv"
    with pytest.raises(Interrupted):
        train(tmp_path, [callbacks.CSVLogger(path)], ("epoch", 3))
    rows = path.read_bytes()
    if damage == "deleted":
        path.unlink()
    else:
        path.write_bytes(rows.replace(b"0", b"7") + b"9,9\r\n3,0")
    _, history = train(tmp_path, [callbacks.CSVLogger(path)], resumed=True)
    with path.open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["epoch"] for row in found] == [str(n) for n in range(EPOCHS)]
    assert [float(row["val_loss"]) for row in found] == history["val_loss"]


def test_a_backup_that_is_damaged_or_behind_is_passed_over(tmp_path: Path):
    def backup() -> list[callbacks.Callback]:
        return [callbacks.BackupAndRestore(str(tmp_path / "b"))]

    with pytest.raises(Interrupted):
        train(tmp_path, backup(), ("epoch", 3))
    (tmp_path / "b" / "latest.weights.h5").write_bytes(b"none")
    found, _ = train(tmp_path, backup(), resumed=True)
    expected, _ = train(tmp_path / "whole", backup())
    np.testing.assert_equal(found.get_weights(), expected.get_weights())


class Speaks(callbacks.Callback):
    """Says what its state is; its settings are attributes."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self._rate, self.started = rate, np.random.default_rng().random()

    def get_state(self) -> dict:
        return {"n": 1}

    def set_state(self, state: dict) -> None:
        pass


class Unlike(callbacks.Callback):
    """Something in it is another each time, and is no setting."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.token = size, np.random.default_rng().random()


def halved(epoch: int) -> float:
    return 0.5**epoch


def times(factor: float) -> Callable[[int], float]:
    return lambda epoch: factor * halved(epoch)


CHANGED = [
    (
        [Plateau(patience=2)],
        [Plateau(patience=3)],
        "ReduceLROnPlateau.patience was 2, is 3",
    ),
    (
        [Plateau(min_delta=0.1)],
        [Plateau(min_delta=0.2)],
        "ReduceLROnPlateau.min_delta was 0.1, is 0.2",
    ),
    (
        [Stop(mode="min"), Stop(patience=1)],
        [Stop(mode="max"), Stop(patience=2)],
        "EarlyStopping.mode was min, is max; EarlyStopping 2.patience was 1, is 2",
    ),
    (
        [callbacks.CSVLogger("a")],
        [callbacks.CSVLogger("a", separator=";")],
        "CSVLogger.sep was ,, is ;",
    ),
    (
        [AveragedWeights(0.9)],
        [AveragedWeights(0.99)],
        "AveragedWeights.decay was 0.9, is 0.99",
    ),
    ([Everything(2, [])], [Everything(3, [])], "Everything.most was 2, is 3"),
    ([Speaks(1.0)], [Speaks(2.0)], "Speaks._rate was 1.0, is 2.0"),
    (
        [callbacks.LearningRateScheduler(times(0.1))],
        [callbacks.LearningRateScheduler(times(0.2))],
        "LearningRateScheduler.schedule was <lambda> ",
    ),
    (
        [Plateau()],
        [Plateau(), Unlike(1)],
        r"callbacks was \['ReduceLROnPlateau'\], is \['ReduceLROnPlateau', 'Unlike'\]",
    ),
    ([Plateau()], [], r"callbacks was \['ReduceLROnPlateau'\], is \[\]"),
    ([Unlike(1)], [Unlike(1)], None),
    ([Speaks(1.0)], [Speaks(1.0)], None),
    ([Plateau(verbose=0)], [Plateau(verbose=1)], None),
    (
        [callbacks.LearningRateScheduler(times(0.1))],
        [callbacks.LearningRateScheduler(times(0.1))],
        None,
    ),
]


@pytest.mark.parametrize(("then", "now", "line"), CHANGED)
def test_changed_settings_of_a_callback_are_named(
    then: list, now: list, line: str | None
):
    settings = [{"callbacks": callback_settings(each)} for each in (then, now)]
    if line is None:
        check_same(*settings, "run")
        return
    with pytest.raises(UserError, match=f"other settings: {line}") as caught:
        check_same(*settings, "run")
    assert "\n" not in str(caught.value)


def test_a_setting_that_is_changed_on_the_instance_is_named(tmp_path: Path):
    plateau = Plateau(patience=1)
    with pytest.raises(Interrupted):
        train(tmp_path, [plateau], ("epoch", 3))
    plateau.patience = 5
    with pytest.raises(UserError, match="ReduceLROnPlateau.patience was 1, is 5"):
        train(tmp_path, [plateau], resumed=True)


def test_a_run_of_a_terminal_goes_on_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(Interrupted):
        train(tmp_path, [], ("epoch", 2))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    _, history = train(tmp_path, [], resumed=True)
    assert len(history["loss"]) == EPOCHS
