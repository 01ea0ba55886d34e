"""Several steps at once are the very steps one at a time would be."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.training import execution, resume
from keras_seq.training.optimizers import Adam
from keras_seq.training.step_schedule import StepLimit
from keras_seq.training.trainer import fit

BATCHES, EPOCHS = 30, 3
X = np.random.default_rng(0).normal(size=(8 * BATCHES, 5, 2)).astype("float32")


@pytest.fixture(autouse=True)
def as_long_as_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Executions of 1, 2, 4 ... steps, whatever the machine."""
    monkeypatch.setattr(execution, "CALL_SECONDS", 1e9)
    monkeypatch.setattr(resume, "PATIENCE", 0)


class Ends(keras.callbacks.Callback):
    """Notes which batch ends an execution; raises at one."""

    def __init__(self, stop: int | None = None) -> None:
        super().__init__()
        self.stop, self.ends = stop, []

    def get_state(self) -> dict:
        return {}

    def set_state(self, state: dict) -> None:
        pass

    def next_step(self, step: int) -> float:
        return math.inf

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.ends.append(batch)
        if self.stop is not None and len(self.ends) == self.stop:
            raise KeyboardInterrupt


class EveryBatch(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.ends = []

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.ends.append(batch)


def train(
    callback: keras.callbacks.Callback,
    x: np.ndarray = X,
    compiled: dict | None = None,
    **options,
) -> dict:
    keras.utils.set_random_seed(2)
    model = keras.Sequential(
        [
            keras.Input((None, 2)),
            keras.layers.LSTM(4, dropout=0.3),
            keras.layers.Dense(1),
        ]
    )
    data = tf.data.Dataset.from_tensor_slices((x, x[:, 0, :1]))
    model.compile(Adam(), "mse", metrics=["mae"], **(compiled or {}))
    history = fit(
        model,
        data.batch(8),
        validation_data=data.take(16).batch(8),
        callbacks=[callback],
        **{"epochs": EPOCHS, "log_steps": 12} | options,
    )
    kept = model.variables + model.optimizer.variables
    return {"variables": [v.numpy() for v in kept], "history": history.history}


def test_many_steps_at_once_change_no_bit_and_end_where_callbacks_are_due():
    one, many = EveryBatch(), Ends()
    np.testing.assert_equal(train(many), train(one))
    assert one.ends == EPOCHS * list(range(BATCHES))
    # Steps 1, 12, 24 ... are written, epochs of 30 end, and lengths double from 1.
    assert many.ends == [0, 2, 6, 11, 21, 23, 29, 5, 17, 29, 11, 23, 29]


def test_cut_off_between_executions_and_resumed_equals_never_cut_off(tmp_path: Path):
    whole = train(Ends())
    options = {"run_dir": tmp_path, "checkpoint_seconds": 0.0}
    for stop in (4, 2):
        with pytest.raises(KeyboardInterrupt):
            train(Ends(stop), resume=stop == 2, **options)
    np.testing.assert_equal(train(Ends(), resume=True, **options), whole)


def test_a_step_that_breaks_within_an_execution_is_named_and_the_last(tmp_path: Path):
    x, seen = X.copy(), Ends()
    x[8 * 20 :] = np.nan  # from batch 21 on; an execution ends at 22
    with pytest.raises(UserError, match=r"epoch 1, batch 21 \(step 21\): the inputs"):
        train(seen, x, run_dir=tmp_path)
    with np.load(tmp_path / "faulty_batch.npz") as kept:
        np.testing.assert_array_equal(kept["part_0"], x[8 * 20 : 8 * 21])


def test_a_limit_of_steps_is_met_exactly():
    seen = Ends()
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    data = tf.data.Dataset.from_tensor_slices((X[:, 0], X[:, 0, :1])).batch(8)
    calls = [StepLimit(BATCHES + 7), seen]
    fit(model, data, epochs=EPOCHS, loss="mse", metrics=[], callbacks=calls)
    assert int(model.optimizer.iterations) == BATCHES + 7
    assert len(seen.ends) < 15


def test_a_model_with_a_training_step_of_its_own_takes_one_at_a_time():
    class Own(keras.Model):
        def train_step(self, data):
            return super().train_step(data)

    inputs = keras.Input((2,))
    model, seen = Own(inputs, keras.layers.Dense(1)(inputs)), Ends()
    data = tf.data.Dataset.from_tensor_slices((X[:, 0], X[:, 0, :1])).batch(8)
    fit(model, data, epochs=1, loss="mse", metrics=[], callbacks=[seen])
    assert seen.ends == list(range(BATCHES))


@pytest.mark.parametrize(
    ("steps", "ends"),
    [(7, 2 * [6, 13, 20, 27, 29]), (15, 2 * [14, 29])],
)
def test_steps_per_execution_skip_no_data_and_callbacks_see_every_kth(
    steps: int, ends: list[int]
):
    seen, plain = EveryBatch(), train(EveryBatch(), epochs=2)
    compiled = {"steps_per_execution": steps}
    np.testing.assert_equal(train(seen, compiled=compiled, epochs=2), plain)
    assert seen.ends == ends


@pytest.mark.slow
def test_steps_per_execution_are_resumed_to_the_bit(tmp_path: Path):
    """With an epoch that they do not divide, and other ones in the second part."""
    x, options = X[: 8 * 5], {"run_dir": tmp_path, "checkpoint_seconds": 0.0}
    whole = train(Ends(), x)
    with pytest.raises(KeyboardInterrupt):
        train(Ends(4), x, {"steps_per_execution": 3}, **options)
    last = train(Ends(), x, {"steps_per_execution": 4}, resume=True, **options)
    np.testing.assert_equal(last, whole)
