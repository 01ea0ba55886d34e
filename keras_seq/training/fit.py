"""One call that trains a model: compiled, clipped, stopped in time, watched, resumed.

Serves every task and users' own scripts; it knows nothing of what the data means.
"""

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.ranges import check_settings
from keras_seq.training.checkpoint import Checkpoints, State
from keras_seq.training.devices import innermost
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.lock import locked
from keras_seq.training.monitor import Progress, TrainingMonitor
from keras_seq.training.optimizers import Adam
from keras_seq.training.paths import paths_table
from keras_seq.training.resume import Clock, RunCallbacks, endless, num_batches, say
from keras_seq.training.run_state import check_state
from keras_seq.training.settings import check_same, describe_run
from keras_seq.training.tensorboard import RunBoard


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

    def due_after(self, step: int) -> float:
        """Whenever: an execution is over in a moment."""
        return math.inf

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self._clock.seconds() >= self.max_seconds:
            self.model.stop_training = True


def fit(
    model: keras.Model,
    train: tf.data.Dataset,
    validation: tf.data.Dataset | None = None,
    *,
    epochs: int = 10,
    loss: str | keras.losses.Loss | None = None,
    metrics: Sequence[str | keras.metrics.Metric] = ("accuracy",),
    optimizer: str | keras.optimizers.Optimizer | None = None,
    clipnorm: float | None = 1.0,
    schedule: Callable[[int], float] | None = None,
    monitor: str = "val_loss",
    mode: str = "min",
    patience: int = 3,
    max_seconds: float | None = None,
    run_dir: str | Path | None = None,
    resume: bool = False,
    checkpoint_seconds: float = 60.0,
    log_steps: int = 50,
    hparams: dict[str, Any] | None = None,
    embedding_words: Sequence[str] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.callbacks.History:
    """Trains a model that a builder made, and leaves it with its best weights.

    With a `run_dir` the state of the run goes to `checkpoints/` in it, within an epoch
    too. After a crash or a kill the same call with `resume=True` goes on from there and
    ends with the very bits of a run that was never cut off: weights, optimizer,
    history, early stopping, dropout and the order of the data. A run that had ended
    ends again with the same result. Of `callbacks`, their plain attributes are kept, or
    what a `get_state()` of theirs returns, which `set_state(state)` gets back.

    Args:
        model: uncompiled, or compiled already when `loss` is None.
        train: batches of (inputs, targets), in an order that seeds fix. One with a
            method `starting_at(epoch, batch)`, as `make_text_dataset` has it, is
            entered at once; any other is read from its start up to where it stopped.
        validation: the same; without it training stops on `epochs` and time alone.
        epochs: most passes over `train`.
        loss: as `model.compile` takes it; None trains as the model is compiled.
        metrics: as `model.compile` takes them.
        optimizer: None is `keras_seq.training.optimizers.Adam` at its default rate.
        clipnorm: gradients are scaled down to this global norm; None leaves them, and
            so does an optimizer that clips already.
        schedule: learning rate by epoch, such as `lr_schedule`.
        monitor: what early stopping watches.
        mode: "min" or "max": which way `monitor` is better.
        patience: epochs without a better `monitor` before training stops.
        max_seconds: time limit; the epoch under way ends at once.
        run_dir: folder; takes `tensorboard/` and `checkpoints/`.
        resume: go on with the run in `run_dir`, or start it where nothing was saved.
        checkpoint_seconds: between two states within an epoch; a state that takes long
            to write is written less often.
        log_steps: between two points of losses and gradient norms on TensorBoard.
        hparams: what TensorBoard's HParams compares runs by, beside epochs, patience,
            clipnorm, optimizer and its rate at the start.
        embedding_words: names of the rows of the model's first embedding, for
            TensorBoard's projector.
        callbacks: further ones, called after those wired here. One that looks at
            batches sees every one, which takes a call of Python each; with a method
            `due_after(step)` it says which step of the optimizer it must see next, and
            those before it run in one call.

    Returns:
        Keras' History; `history.seconds` is the wall time of training, that of
        interrupted parts included.

    Raises:
        ValueError: The model is not compiled and `loss` is None.
        UserError: A loss, gradient or weight is no number; the run was started with
            other data or settings; another process has the folder; or the disk is full.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> data = tf.data.Dataset.from_tensors((tf.ones((4, 2)), tf.ones((4, 1))))
    >>> sorted(fit(model, data, data, epochs=1, loss="mse", metrics=[]).history)
    ['loss', 'val_loss']
    """
    check_settings(epochs=epochs, max_seconds=max_seconds)
    if not (clipnorm is None or 0 < clipnorm < math.inf):
        raise ValueError(f"clipnorm is {clipnorm}; expected a finite number above 0")
    if patience < 0:
        raise ValueError(f"patience is {patience}; expected 0 or more")
    if resume and run_dir is None:
        raise ValueError("resume needs the run_dir of the run to go on with")
    if loss is not None:
        optimizer = keras.optimizers.get(optimizer or Adam())
        moves = innermost(optimizer)
        if moves.global_clipnorm is None and moves.clipnorm is None:
            moves.global_clipnorm = clipnorm
        model.compile(optimizer, loss, metrics=list(metrics))
    elif not model.compiled:
        raise ValueError("the model is not compiled; give fit a loss")
    if table := paths_table(model):
        say(table)
    settings = {} if run_dir is None else describe_run(
        model, train, validation, epochs=epochs, loss=loss, metrics=metrics,
        schedule=schedule, monitor=monitor, mode=mode, patience=patience,
        max_seconds=max_seconds, callbacks=callbacks,
    )  # fmt: skip
    watchers = [TrainingMonitor()]
    if schedule is not None:
        watchers.append(keras.callbacks.LearningRateScheduler(schedule))
    if validation is not None:
        watchers.append(
            keras.callbacks.EarlyStopping(
                monitor, mode=mode, patience=patience, restore_best_weights=True
            )
        )
    moves = innermost(model.optimizer)
    rate = float(schedule(0) if schedule else moves.learning_rate.numpy())
    if not 0 <= rate < math.inf:
        raise ValueError(f"learning_rate is {rate}; expected a finite number above 0")
    compared = {"epochs": epochs, "patience": patience, "clipnorm": clipnorm}
    compared |= {"optimizer": moves.name, "learning_rate": rate}
    watched = ("val_loss", monitor)
    watchers += _boards(
        run_dir, log_steps, compared | (hparams or {}), embedding_words, watched
    )
    if max_seconds is not None:
        watchers.append(TimeLimit(max_seconds))
    if not sys.stderr.isatty():
        watchers.append(Progress(say))
    with locked(run_dir):
        return _train(
            model, train, validation, epochs, [*watchers, *callbacks], settings,
            run_dir, resume, checkpoint_seconds,
        )  # fmt: skip


def _boards(
    run_dir: str | Path | None,
    log_steps: int,
    hparams: dict[str, Any],
    words: Sequence[str] | None,
    watched: Sequence[str],
) -> list[keras.callbacks.Callback]:
    """What looks for faults, and what shows the run on TensorBoard."""
    if run_dir is None:
        return [GradientMonitor(log_steps, watched=watched)]
    folder = Path(run_dir, "tensorboard")
    return [
        GradientMonitor(log_steps, folder / "gradients", run_dir, watched),
        RunBoard(folder, every=log_steps, hparams=hparams, words=words),
    ]


def _train(
    model: keras.Model,
    train: tf.data.Dataset,
    validation: tf.data.Dataset | None,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
    settings: dict[str, Any],
    run_dir: str | Path | None,
    resume: bool,
    checkpoint_seconds: float,
) -> keras.callbacks.History:
    checkpoints, state = _last_state(run_dir, resume, settings)
    clock = Clock(state.facts["seconds"] if state else 0.0)
    steps = num_batches(train, needed=run_dir is not None)
    facts = state.facts if state else {"epoch": 0, "batch": 0, "over": False}
    build(model, train)
    run = RunCallbacks(
        callbacks, model, checkpoints=checkpoints, state=state, settings=settings,
        clock=clock, every_seconds=checkpoint_seconds, epochs=epochs, steps=steps,
        verbose=1 if sys.stderr.isatty() else 0,
    )  # fmt: skip
    if steps is not None:
        train = endless(train, steps, facts["epoch"], facts["batch"])
    try:
        model.fit(
            train,
            validation_data=validation,
            epochs=epochs,
            initial_epoch=epochs if facts["over"] else facts["epoch"],
            steps_per_epoch=steps,
            shuffle=False,  # the dataset orders its samples
            callbacks=run,
        )
        for each in callbacks:
            if isinstance(each, GradientMonitor):
                each.check_weights("at its end")  # what callbacks put back, too
    finally:
        for each in callbacks:
            if isinstance(each, GradientMonitor):
                each.release()  # an interrupt leaves the model as it was, too
        run.left()
    run.history.seconds = run.seconds
    return run.history


def _last_state(
    run_dir: str | Path | None, resume: bool, settings: dict[str, Any]
) -> tuple[Checkpoints | None, State | None]:
    """Where states go, and the one to go on from."""
    if run_dir is None:
        return None, None
    checkpoints = Checkpoints(Path(run_dir, "checkpoints"))
    state = checkpoints.load(check_state)
    if state is None:
        return checkpoints, None
    if not resume:
        if not (state.facts["epoch"] or state.facts["batch"]):
            return checkpoints, None  # no step was done yet: there is nothing to lose
        raise UserError(
            f"{run_dir}: holds the checkpoints of a run; resume it, or give another "
            "folder"
        )
    check_same(state.facts["settings"], settings, run_dir)
    epoch, batch = state.facts["epoch"] + 1, state.facts["batch"]
    if state.facts["over"]:
        say(f"{run_dir}: training had ended; nothing is trained again")
    else:
        say(f"{run_dir}: going on at epoch {epoch} after {batch} batches")
    return checkpoints, state


def build(model: keras.Model, train: tf.data.Dataset) -> None:
    """Makes the variables of model, metrics and optimizer, which a state is put into.

    Keras makes them at the first step, which is too late. No number of the data is
    looked at, and no random state moves.
    """
    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=train.element_spec)
