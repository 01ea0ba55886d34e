"""A time limit becomes a number of passes, planned once for a run, by a fake clock."""

import json
import random
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.training.budget import BudgetedRate
from keras_seq.training.model_file import load_model
from keras_seq.training.step_schedule import (
    cosine_adam,
    inverse_sqrt_adam,
    planned_epochs,
    planned_steps,
)
from keras_seq.training.trainer import fit

BATCHES = 5


def data() -> tf.data.Dataset:
    x = np.arange(40.0).reshape(20, 2).astype("float32")
    return tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(4)


def small_model() -> keras.Model:
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


class Clock:
    """Time that passes with every training step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step_seconds: float) -> None:
        self.now = 0.0
        real = keras.Model.train_on_batch

        def train_on_batch(model: keras.Model, *batch: tf.Tensor) -> object:
            self.now += step_seconds
            return real(model, *batch)

        monkeypatch.setattr(keras.Model, "train_on_batch", train_on_batch)

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "step_seconds", "steps"),
    [
        (1000.0, 1.0, 900),  # 0.92 of the time, less the 20 steps that were timed
        (1000.0, 0.1, 9000),
        (100.0, 2.0, 38),  # less 8 steps, the fewest
        (3.0, 1.0, 1),  # no time for one: one is begun
    ],
)
def test_a_time_limit_plans_the_epochs_that_fit(
    seconds: float,
    step_seconds: float,
    steps: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, step_seconds)
    batches = data().repeat(100).apply(tf.data.experimental.assert_cardinality(500))
    planned = planned_epochs(tmp_path, seconds, small_model(), "mse", batches, clock)
    found = json.loads((tmp_path / "plan.json").read_text())["steps"]
    assert found == pytest.approx(steps, abs=step_seconds < 1)
    assert planned == -(-found // 500)


def test_a_resumed_run_keeps_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = [
        planned_epochs(tmp_path, 100.0, small_model(), "mse", data(), clock)
        for clock in (Clock(monkeypatch, 0.5), Clock(monkeypatch, 50.0))
    ]
    assert plans[0] == plans[1] > 10


def test_measuring_moves_neither_weights_nor_random_states(tmp_path: Path) -> None:
    keras.utils.set_random_seed(3)
    model = small_model()
    before = model.get_weights()
    drawn = []
    for folder in ("first", "again"):
        (tmp_path / folder).mkdir()
        keras.utils.set_random_seed(4)
        if folder == "first":
            planned_epochs(tmp_path / folder, 0.5, model, "mse", data())
        drawn.append(
            [random.random(), np.random.random(), float(keras.random.uniform(()))]
        )
    assert drawn[0] == drawn[1]
    assert all(map(np.array_equal, before, model.get_weights()))


def test_a_plan_is_measured_once(tmp_path: Path) -> None:
    asked = []

    def measure() -> int:
        asked.append(1)
        return 42

    assert [planned_steps(tmp_path, measure) for _ in range(3)] == [42, 42, 42]
    assert len(asked) == 1


@pytest.mark.parametrize("slower", [0.5, 1.0, 3.0])
def test_the_rate_ends_with_the_time_whatever_the_plan_was(slower: float) -> None:
    """A machine that is slower than measured still sees small rates at the end."""
    epochs, now = 50, [0.0]
    rate = BudgetedRate(1.0, epochs, 100.0, warmup=1, clock=lambda: now[0])
    seen = []
    for epoch in range(epochs):
        if now[0] >= 100.0:
            break
        seen.append(rate.at(epoch))
        now[0] += 100.0 / epochs * slower
    assert seen == sorted(seen, reverse=True) and seen[0] > 0.99 and seen[-1] < 0.02
    if slower < 1:
        plain = BudgetedRate(1.0, epochs, warmup=1)
        assert seen == [plain.at(epoch) for epoch in range(epochs)]


def test_fit_takes_the_rate_of_a_schedule_or_of_a_budget_alike() -> None:
    from keras_seq.training.schedules import cosine_schedule

    found = []
    for options in (
        {"schedule": cosine_schedule(0.1, 3)},
        {"callbacks": [BudgetedRate(0.1, 3, warmup=1)]},
    ):
        keras.utils.set_random_seed(0)
        model = small_model()
        history = fit(model, data(), epochs=3, loss="mse", metrics=[], **options)
        found.append((model.get_weights(), history.history["learning_rate"]))
    for ours, others in zip(found[0][0], found[1][0]):
        np.testing.assert_array_equal(ours, others)
    assert found[0][1] == pytest.approx(found[1][1])


def test_an_inverse_square_root_rises_falls_and_is_saved(tmp_path: Path):
    optimizer = inverse_sqrt_adam(0.1, 1000)
    rates = [float(optimizer._learning_rate(step)) for step in range(1001)]
    assert rates[0] == 0 and rates[100] == max(rates) == pytest.approx(0.1)
    assert rates[:101] == sorted(rates[:101])
    assert rates[400] == pytest.approx(0.05) and rates[900] == pytest.approx(0.1 / 3)
    model = small_model()
    model.compile(optimizer, "mse")
    model.save(tmp_path / "model.keras")
    found = load_model(tmp_path / "model.keras").optimizer._learning_rate
    assert (found.learning_rate, found.warmup_steps) == (0.1, 100)


@pytest.mark.parametrize("make", [cosine_adam, inverse_sqrt_adam])
def test_a_plan_of_no_steps_is_refused(make):
    with pytest.raises(ValueError, match="steps is 0; expected 1 or more"):
        make(0.1, 0)
    assert float(make(0.1, 1)._learning_rate(1)) >= 0
