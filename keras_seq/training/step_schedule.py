"""An optimizer whose rate falls by step, and limits by steps and by time.

A schedule by step is a function of the optimizer's own counter, so a run that is
resumed goes on exactly.
"""

import contextlib
import math
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import KerasTensor, ops

from keras_seq.allocator import keep_freed_memory
from keras_seq.errors import UserError
from keras_seq.keras_internals import GLOBAL_SEED_GENERATOR, global_state
from keras_seq.training.budget import Clock
from keras_seq.training.optimizers import Adam
from keras_seq.training.run_folder import ANEW, read_facts, write_facts
from keras_seq.training.schedules import checked_rate

PLAN = "plan.json"
WARM_UP_SHARE = 0.02  # of all steps
LONG_WARM_UP_SHARE = 0.1  # the same, before a rate that falls at once
TIMED_STEPS, TIMED_SHARE = 8, 0.02  # at least so many, for so much of the time
SPARE = 0.92  # of the time: steps are slower at times, and validation takes some
EPOCH_END = 1.5  # seconds of validation, logs and a checkpoint, at least


def cosine_adam(learning_rate: float, steps: int) -> keras.optimizers.Optimizer:
    """Adam that warms up for a fiftieth of the steps, then falls along half a cosine.

    Loshchilov and Hutter 2017, "SGDR", arXiv:1608.03983, without restarts.

    Args:
        learning_rate: the highest rate.
        steps: all that the training will take; later ones have rate 0.

    Returns:
        The optimizer.

    Raises:
        ValueError: `learning_rate` is not above 0, or `steps` is below 1.

    Example:

    >>> rate = cosine_adam(0.1, 1000)._learning_rate
    >>> [round(float(rate(step)), 3) for step in (0, 20, 510, 1000)]
    [0.0, 0.1, 0.05, 0.0]
    """
    _check_plan(learning_rate, steps)
    warm_up = int(WARM_UP_SHARE * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warm_up else learning_rate,
        max(1, steps - warm_up),
        warmup_target=learning_rate if warm_up else None,
        warmup_steps=warm_up,
    )
    return Adam(schedule, beta_2=0.99)


@keras.saving.register_keras_serializable("keras_seq")
class InverseSquareRoot(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises in a straight line, then falls with the root of the step.

    Vaswani et al. 2017, arXiv:1706.03762, equation 3: rate * min(s / w, sqrt(w / s)).

    Args:
        learning_rate: the highest, at the end of the warm-up.
        warmup_steps: w, 1 or more.

    Example:

    >>> rate = InverseSquareRoot(0.1, 10)
    >>> [round(float(rate(step)), 3) for step in (0, 5, 10, 40)]
    [0.0, 0.05, 0.1, 0.05]
    """

    def __init__(self, learning_rate: float, warmup_steps: int) -> None:
        self.learning_rate, self.warmup_steps = learning_rate, warmup_steps

    def __call__(self, step: KerasTensor) -> KerasTensor:
        share = ops.cast(step, "float32") / self.warmup_steps
        falling = ops.rsqrt(ops.maximum(share, 1.0))
        return self.learning_rate * ops.minimum(share, falling)

    def get_config(self) -> dict[str, float]:
        return {
            "learning_rate": self.learning_rate,
            "warmup_steps": self.warmup_steps,
        }


def inverse_sqrt_adam(learning_rate: float, steps: int) -> keras.optimizers.Optimizer:
    """Adam that warms up for a tenth of the steps, then falls with the root of them.

    Args:
        learning_rate: the highest rate.
        steps: all that the training will take.

    Returns:
        The optimizer.

    Raises:
        ValueError: `learning_rate` is not above 0, or `steps` is below 1.

    Example:

    >>> rate = inverse_sqrt_adam(0.1, 1000)._learning_rate
    >>> [round(float(rate(step)), 3) for step in (50, 100, 400)]
    [0.05, 0.1, 0.05]
    """
    _check_plan(learning_rate, steps)
    warm_up = max(1, int(LONG_WARM_UP_SHARE * steps))
    return Adam(InverseSquareRoot(learning_rate, warm_up), beta_2=0.99)


def _check_plan(learning_rate: float, steps: int) -> None:
    checked_rate(learning_rate)
    if steps < 1:
        raise ValueError(f"steps is {steps}; expected 1 or more")


class StepLimit(keras.callbacks.Callback):
    """Stops training after so many steps, in the middle of an epoch if need be.

    Args:
        steps: counted from the start of the training, by the optimizer.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def next_step(self, step: int) -> int:
        """The step that must not be passed."""
        return self.steps

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if int(self.model.optimizer.iterations.numpy()) >= self.steps:
            self.model.stop_training = True


class TimeLimit(keras.callbacks.Callback):
    """Stops training once its time is up; counted from the start of `fit`.

    Args:
        max_seconds: wall time, in seconds, that of resumed parts included.
    """

    def __init__(self, max_seconds: float) -> None:
        super().__init__()
        if not max_seconds >= 0:
            raise ValueError(f"max_seconds is {max_seconds}; expected 0 or more")
        self.max_seconds = max_seconds
        self._clock = Clock()

    def get_state(self) -> dict[str, float]:
        return {"seconds": self._clock.seconds()}

    def set_state(self, state: dict[str, float]) -> None:
        self._clock = Clock(state["seconds"])

    def next_step(self, step: int) -> float:
        """Whenever: an execution is over in a moment."""
        return math.inf

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self._clock.seconds() >= self.max_seconds:
            self.model.stop_training = True


def steps_within(
    seconds: float,
    model: keras.Model,
    train: tf.data.Dataset,
    clock: Callable[[], float] = time.monotonic,
    *,
    epoch_steps: int | None = None,
) -> int:
    """How many training steps a time has room for, measured on a copy of the model.

    Args:
        seconds: of training.
        model: compiled, of the sizes that will be trained; it is spoilt by this.
        train: its batches; the first of them are used.
        clock: seconds, for tests.
        epoch_steps: of an epoch, whose end takes time, too; None where it does not
            count.

    Returns:
        Steps, 1 at least; the seconds of measuring are taken off.
    """
    keep_freed_memory()
    start, times = clock(), []
    for inputs, targets in train:
        before = clock()
        model.train_on_batch(inputs, targets)
        times.append(clock() - before)
        if len(times) >= TIMED_STEPS and clock() - start >= TIMED_SHARE * seconds:
            break
    # The first steps trace and warm up, on a processor that is still cool.
    late = times[len(times) // 2 :]
    step = sum(late) / len(late)
    if epoch_steps is not None:
        step += EPOCH_END / epoch_steps
    left = SPARE * seconds - (clock() - start)
    return max(1, int(left / step))


def planned_steps(run_dir: Path, measure: Callable[[], int]) -> int:
    """The steps that a run was planned with: measured once, so that it can go on.

    No random state moves by the measuring, so that a run that is resumed before its
    first checkpoint is the run that it was.

    Args:
        run_dir: keeps the plan.
        measure: how many steps fit.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     planned_steps(Path(folder), lambda: 7), planned_steps(Path(folder), min)
    (7, 7)
    """
    path = run_dir / PLAN
    if not path.exists():
        with _random_states_kept():
            write_facts(run_dir, PLAN, {"steps": measure()})
    steps = read_facts(run_dir, PLAN).get("steps")
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise UserError(
            f"{path}: damaged, steps is {steps!r}, expected a number from 1; {ANEW}"
        )
    return steps


@contextlib.contextmanager
def _random_states_kept() -> Iterator[None]:
    python, numpy = random.getstate(), np.random.get_state()
    generator = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    seeds = None if generator is None else generator.state.numpy()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        # One that was made on the way would else start from another seed.
        global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, generator)
        if generator is not None:
            generator.state.assign(seeds)


def planned_epochs(
    run_dir: Path,
    seconds: float,
    model: keras.Model,
    loss: str | Callable,
    train: tf.data.Dataset,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """How many passes over train a time has room for, measured once for a run.

    Args:
        run_dir: keeps the plan, which a resumed run goes on with.
        seconds: of training.
        model: not compiled; a copy of it is measured.
        loss: as `model.compile` takes it.
        train: batches, their number known.
        clock: seconds, for tests.

    Returns:
        Epochs, 1 at least; of the last one perhaps a part fits.
    """

    def measured() -> int:
        copy = keras.models.clone_model(model)
        copy.compile(Adam(), loss)
        return steps_within(seconds, copy, train, clock)

    return math.ceil(planned_steps(run_dir, measured) / int(train.cardinality()))
