"""Callbacks of a run that can be cut off anywhere and go on as if it never was.

Keras' own list of callbacks, which also saves the run's state and, when resumed, puts
it back: after every callback has begun, since some forget what they knew as they begin.
Keras walks an epoch batch by batch; batches that an execution before has done, or the
run that is resumed, are passed over without data, computation or callbacks, so that
every step keeps its number.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras.src.utils.python_utils import pythonify_logs

from keras_seq.training.checkpoint import Checkpoints, State
from keras_seq.training.execution import StepRunner
from keras_seq.training.run_state import put_state, take_state

# A state is saved when this many times its cost has passed since the last: at most 2 %.
PATIENCE = 50


class Clock:
    """Seconds of training, those before an interruption included."""

    def __init__(self, before: float = 0.0) -> None:
        self._start = time.monotonic() - before

    def seconds(self) -> float:
        return time.monotonic() - self._start


class RunCallbacks(keras.callbacks.CallbackList):
    """All callbacks of one run, and what saves and restores it.

    Args:
        callbacks: those of the run.
        model: built, compiled.
        checkpoints: where states go; None saves none.
        state: what to go on from; None starts anew.
        settings: kept with each state.
        clock: of the run.
        every_seconds: between two states within an epoch.
        **params: as `keras.callbacks.CallbackList` takes them.
    """

    def __init__(
        self,
        callbacks: Sequence[keras.callbacks.Callback],
        model: keras.Model,
        *,
        checkpoints: Checkpoints | None,
        state: State | None,
        settings: dict[str, Any],
        clock: Clock,
        every_seconds: float,
        **params: Any,
    ) -> None:
        super().__init__(
            list(callbacks),
            add_history=True,
            add_progbar=params["verbose"] != 0,
            model=model,
            **params,
        )
        self.checkpoints = checkpoints
        self.settings = settings
        self.clock = clock
        self.every_seconds = every_seconds
        self._state = state
        self._per_execution = model.steps_per_execution
        self._done = 0  # steps of this epoch
        self._epoch = self._batch = 0
        self._begun = -1  # the batch that the last execution began with
        self._last_saved = time.monotonic()

    @property
    def history(self) -> keras.callbacks.History:
        """Of the whole run, its interrupted parts included."""
        return self._history

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        if self._state is not None:
            put_state(self.model, self.callbacks, self._state)
            self._done = self._state.facts["batch"]
        self.model.steps_per_execution = self._per_execution
        self._runner = StepRunner(
            self.model, self.callbacks, self.params["steps"], self._per_execution
        )
        self.model.train_function = self._execute

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch
        if self._done:
            # Keras has just reset the metrics, and callbacks have begun the epoch anew.
            put_state(self.model, self.callbacks, self._state)
            self._logs = self.model.get_metrics_result()

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self._batch = batch
        if batch >= self._done:
            for each in self._runner.due(batch):
                each.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if batch != self._begun:
            return
        logs = pythonify_logs(logs)
        for each in self._runner.due(self._done):
            each.on_train_batch_end(self._done - 1, logs)
        waited = time.monotonic() - self._last_saved
        if waited >= self.every_seconds and not self.model.stop_training:
            self._save(self._epoch, self._done, over=False)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        self._done = 0
        over = self.model.stop_training or epoch + 1 == self.params["epochs"]
        self._save(epoch + 1, 0, over)

    def _execute(self, iterator: Any) -> dict[str, Any]:
        """What Keras calls for each batch."""
        if self._batch < self._done:
            return self._logs
        self._begun = self._batch
        self._logs, steps = self._runner.run(iterator, self._batch)
        self._done += steps
        return self._logs

    def _save(self, epoch: int, batch: int, over: bool) -> None:
        if self.checkpoints is None:
            return
        waited = time.monotonic() - self._last_saved
        if waited < PATIENCE * self.checkpoints.seconds and not over:
            return
        arrays, facts = take_state(self.model, self.callbacks)
        facts |= {"epoch": epoch, "batch": batch, "over": over}
        facts |= {"seconds": self.clock.seconds(), "settings": self.settings}
        self.checkpoints.save(arrays, facts)
        self._last_saved = time.monotonic()


def num_batches(train: tf.data.Dataset, needed: bool) -> int | None:
    """Batches in one pass; None where nobody knows, or data without an end.

    Args:
        train: batches.
        needed: go through the data once to count, where it does not say.
    """
    known = int(train.cardinality())
    if known >= 0:
        return known
    if known == tf.data.INFINITE_CARDINALITY:
        raise ValueError("train never ends; take(n) the batches of one epoch")
    return sum(1 for _ in train) if needed else None


def endless(
    train: tf.data.Dataset, steps: int, epoch: int, batch: int
) -> tf.data.Dataset:
    """The batches of a run from some epoch and batch on, epoch after epoch.

    A dataset that has a method `starting_at(epoch, batch)` is asked for it, and answers
    at once; `make_text_dataset` makes such. Any other is gone through again from its
    start, which gives the same batches where its order is fixed by seeds.

    Args:
        train: batches.
        steps: batches in one pass.
        epoch: from 0.
        batch: from 0.

    Returns:
        A dataset without an end.

    Example:

    >>> numbers = endless(tf.data.Dataset.range(3), steps=3, epoch=1, batch=2)
    >>> [int(n) for n in numbers.take(3)]
    [2, 0, 1]
    """
    if hasattr(train, "starting_at"):
        return train.starting_at(epoch, batch)
    passed = epoch * steps + batch
    return train.repeat().skip(passed) if passed else train.repeat()


def say(line: str) -> None:
    """Progress goes to stderr: stdout is for answers."""
    print(line, file=sys.stderr, flush=True)
