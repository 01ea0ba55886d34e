"""Callback list that checkpoints the training state and restores it on resume.

Keras' own list, which also saves the run's state, bit for bit, and, when resumed, puts
it back: after every callback has begun, since some forget what they knew as they begin.
The first state is saved before the first step, so that whatever callbacks write before
the next one is known to be in excess.
Keras walks an epoch batch by batch; batches that an execution before has done, or the
run that is resumed, are passed over without data, computation or callbacks, so that
every step keeps its number.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from keras_seq.errors import UserError
from keras_seq.keras_internals import pythonify_logs, restored_epoch
from keras_seq.log import log
from keras_seq.training.budget import Clock
from keras_seq.training.callback_state import as_constructed, remember_left
from keras_seq.training.checkpoint import Checkpoints, State
from keras_seq.training.event_files import appending
from keras_seq.training.execution import StepRunner
from keras_seq.training.run_state import (
    capture_state,
    check_state,
    put_files,
    restore_state,
)
from keras_seq.training.settings import check_same, describe_machine, differences

# A state is saved when this many times its cost has passed since the last: at most 2 %.
PATIENCE = 50


class RunCallbacks(keras.callbacks.CallbackList):
    """All callbacks of one run, and what saves and restores it."""

    callbacks: list[keras.callbacks.Callback]

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
        own: list[keras.callbacks.Callback] = keras.tree.flatten(list(callbacks))
        if not any(isinstance(each, keras.callbacks.History) for each in own):
            own.append(keras.callbacks.History())
        for each in own:
            as_constructed(each)
        self._machine = describe_machine(model)
        if state is not None:
            warn_of_another_machine(state.facts["machine"], self._machine)
            put_files(own, state)
        super().__init__(
            own,
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
        self._seconds: float | None = None  # once training has ended
        if state is not None:
            self._seconds = state.facts["seconds"] if state.facts["over"] else None

    @property
    def seconds(self) -> float:
        """Of training, the same whenever a run that has ended is resumed."""
        return self.clock.seconds() if self._seconds is None else self._seconds

    @property
    def history(self) -> keras.callbacks.History:
        """Of the whole run, its interrupted parts included."""
        kind = keras.callbacks.History
        return next(each for each in self.callbacks if isinstance(each, kind))

    def on_train_begin(self, logs: dict | None = None) -> None:
        if self._state is None:
            super().on_train_begin(logs)
        else:
            self._begin_again(self._state, logs)
        self.model.steps_per_execution = self._per_execution
        self._runner = StepRunner(
            self.model, self.callbacks, self.params["steps"], self._per_execution
        )
        self.model.train_function = self._execute
        if self._state is None and self.checkpoints is not None:
            start = self._take(restored_epoch(self.model), 0, over=False)
            self.checkpoints.save(*start, is_start=True)
            self.checkpoints.seconds = 0.0  # the first epoch is saved in any case

    def _begin_again(self, state: State, logs: dict | None) -> None:
        """Without Keras' own `BackupAndRestore`, which has another idea of where."""
        callbacks = self.callbacks
        self.callbacks = [
            each
            for each in callbacks
            if not isinstance(each, keras.callbacks.BackupAndRestore)
        ]
        with appending(callbacks):
            super().on_train_begin(logs)
        self.callbacks = callbacks
        restore_state(self.model, callbacks, state)
        self._done = state.facts["batch"]

    def left(self) -> None:
        """To be called when `fit` ends, however it does."""
        for each in self.callbacks:
            remember_left(each)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch
        if self._done and self._state is not None:
            # Keras has just reset the metrics, and callbacks have begun the epoch anew.
            restore_state(self.model, self.callbacks, self._state)
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
        if not self._done and not self.model.stop_training:
            raise ValueError(
                f"train had no batches in epoch {epoch + 1}; expected a dataset that "
                "gives them anew at every pass"
            )
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
        self.checkpoints.save(*self._take(epoch, batch, over))
        self._last_saved = time.monotonic()

    def _take(self, epoch: int, batch: int, over: bool) -> State:
        arrays, facts = capture_state(self.model, self.callbacks)
        seconds = self.clock.seconds()
        self._seconds = seconds if over else None
        facts |= {"epoch": epoch, "batch": batch, "over": over, "seconds": seconds}
        facts |= {"settings": self.settings, "machine": self._machine}
        return State(arrays, facts)


def warn_of_another_machine(then: dict[str, str], now: dict[str, str]) -> None:
    """A run may go on elsewhere; only its last bits may be others than there."""
    if differ := differences(then, now):
        log.warning(
            f"the run goes on in other surroundings: {'; '.join(differ)}; its last "
            "bits may differ from those of a run that was never cut off"
        )


def last_state(
    run_dir: str | Path | None, resume: bool, settings: dict[str, Any]
) -> tuple[Checkpoints | None, State | None]:
    """Where the states of a run go, and the one to go on from; None without a folder.

    Raises:
        UserError: There are states and `resume` is False, or they are of other
            settings, or damaged.
    """
    if run_dir is None:
        return None, None
    checkpoints = Checkpoints(Path(run_dir, "checkpoints"))
    state = checkpoints.load(check_state)
    if state is None:
        return checkpoints, None
    if not resume:
        begun = (state.facts["epoch"], state.facts["batch"])
        if begun == (state.facts["settings"].get("initial_epoch", 0), 0):
            return checkpoints, None  # no step was done yet: there is nothing to lose
        raise UserError(
            f"{run_dir}: holds the checkpoints of a run; resume it, or give another "
            "folder"
        )
    check_same(state.facts["settings"], settings, run_dir)
    epoch, batch = state.facts["epoch"] + 1, state.facts["batch"]
    if state.facts["over"]:
        log.info(f"{run_dir}: training had ended; nothing is trained again")
    else:
        log.info(f"{run_dir}: going on at epoch {epoch} after {batch} batches")
    return checkpoints, state
