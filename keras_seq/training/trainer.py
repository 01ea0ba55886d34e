"""One call that trains a model: compiled, clipped, stopped early, monitored."""

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.ranges import check_settings
from keras_seq.training.averaging import EarlyStopping
from keras_seq.training.checkpoint import Checkpoints, State
from keras_seq.training.compiling import (
    Loss,
    Metrics,
    clipped,
    compile_model,
    compiled_with,
)
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.lock import locked
from keras_seq.training.monitor import Progress, TrainingMonitor
from keras_seq.training.paths import paths_table
from keras_seq.training.resume import Clock, RunCallbacks, endless, num_batches
from keras_seq.training.run_state import check_state
from keras_seq.training.settings import check_same, describe_run
from keras_seq.training.step_schedule import TimeLimit
from keras_seq.training.tensorboard import RunBoard, learning_rate
from keras_seq.training.train_step import inner_optimizer


def fit(
    model: keras.Model,
    train: tf.data.Dataset,
    validation: tf.data.Dataset | None = None,
    *,
    epochs: int = 10,
    loss: Loss | None = None,
    metrics: Metrics | None = None,
    optimizer: str | keras.optimizers.Optimizer | None = None,
    clipnorm: float | Literal["auto"] | None = "auto",
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
        model: uncompiled, or compiled: then `loss`, `metrics` and `optimizer` that are
            given replace what was compiled, and all else stays as it was compiled,
            loss weights and the state of the optimizer included. A `train_step` or
            `test_step` of the model's own is used, one step at a time.
        train: batches of (inputs, targets), in an order that seeds fix. One with a
            method `starting_at(epoch, batch)`, as `make_text_dataset` has it, is
            entered at once; any other is read from its start up to where it stopped.
        validation: the same; without it training stops on `epochs` and time alone.
        epochs: most passes over `train`.
        loss: as `model.compile` takes it.
        metrics: as `model.compile` takes them; None is "accuracy" where the model is
            not compiled.
        optimizer: None is `keras_seq.training.optimizers.Adam` at its default rate
            where the model is not compiled. With `use_ema`, the averages are validated,
            and the best of them are what the model ends with.
        clipnorm: gradients are scaled down to this global norm during this call; None
            leaves them. "auto" is 1, but for an optimizer that clips by itself or that
            the model was compiled with.
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
            batches sees every one, which takes a call of Python each, or every
            `steps_per_execution`-th of a model that is compiled so; with a method
            `next_step(step)`, which returns the step of the optimizer that it must see
            next, those before it run in one call. A `GradientMonitor` takes the place
            of the one wired here.

    Returns:
        Keras' History; `history.seconds` is the wall time of training, that of
        interrupted parts included.

    Raises:
        ValueError: The model is not compiled and `loss` is None; or options contradict
            each other or what the model was compiled with.
        UserError: A loss, gradient or weight is no number; the run was started with
            other data or settings; another process has the folder; or the disk is full.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> data = tf.data.Dataset.from_tensors((tf.ones((4, 2)), tf.ones((4, 1))))
    >>> sorted(fit(model, data, data, epochs=1, loss="mse", metrics=[]).history)
    ['loss', 'val_loss']
    """
    check_settings(epochs=epochs, max_seconds=max_seconds)
    if patience < 0:
        raise ValueError(f"patience is {patience}; expected 0 or more")
    if resume and run_dir is None:
        raise ValueError("resume needs the run_dir of the run to go on with")
    _check_data("train", train)
    if validation is not None:
        _check_data("validation", validation)
    of_fit = compile_model(model, loss, optimizer, metrics)
    if table := paths_table(model):
        log.info(table)
    with clipped(model, clipnorm, of_fit) as norm, locked(run_dir):
        compiled = compiled_with(model)
        settings = {} if run_dir is None else describe_run(
            model, train, validation, epochs=epochs, loss=compiled.get("loss"),
            metrics=compiled.get("metrics"), schedule=schedule, monitor=monitor,
            mode=mode, patience=patience, max_seconds=max_seconds, callbacks=callbacks,
        )  # fmt: skip
        wired: list[keras.callbacks.Callback] = [TrainingMonitor()]
        if schedule is not None:
            _check_schedule(model)
            wired.append(keras.callbacks.LearningRateScheduler(schedule))
        if validation is not None:
            wired.append(_early_stopping(monitor, mode, patience, callbacks))
        optimizer = inner_optimizer(model.optimizer)
        rate = schedule(0) if schedule else learning_rate(optimizer)
        if rate is not None and not 0 <= rate < math.inf:
            raise ValueError(f"learning_rate is {rate}; expected a finite number")
        compared = {"epochs": epochs, "patience": patience, "clipnorm": norm}
        compared |= {"optimizer": optimizer.name, "learning_rate": rate}
        compared |= hparams or {}
        watched = ("val_loss", monitor)
        wired += _boards(run_dir, log_steps, compared, embedding_words, watched)
        if any(isinstance(each, GradientMonitor) for each in callbacks):
            wired = [each for each in wired if not isinstance(each, GradientMonitor)]
        if max_seconds is not None:
            wired.append(TimeLimit(max_seconds))
        if not sys.stderr.isatty():
            wired.append(Progress())
        return _train(
            model, train, validation, epochs, [*wired, *callbacks], settings,
            run_dir, resume, checkpoint_seconds,
        )  # fmt: skip


def _check_data(name: str, data: Any) -> None:
    if not isinstance(data, tf.data.Dataset):
        raise ValueError(
            f"{name} is a {type(data).__name__}; expected a tf.data.Dataset of "
            "batches, such as tf.data.Dataset.from_tensor_slices((x, y)).batch(32)"
        )
    if int(data.cardinality()) == 0:
        raise ValueError(
            f"{name} has no batches; look for a filter or a take that keeps nothing, "
            "or a drop_remainder of less than a batch"
        )


def _check_schedule(model: keras.Model) -> None:
    rate = getattr(inner_optimizer(model.optimizer), "_learning_rate", None)
    if not isinstance(rate, keras.Variable):
        raise ValueError(
            "schedule sets the learning rate by epoch, but the optimizer has a "
            f"{type(rate).__name__} for its rate; give one of them"
        )


def _early_stopping(
    monitor: str,
    mode: str,
    patience: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> EarlyStopping:
    swaps = keras.callbacks.SwapEMAWeights
    return EarlyStopping(
        monitor,
        mode=mode,
        patience=patience,
        restore_best_weights=True,
        score_averages=not any(isinstance(each, swaps) for each in callbacks),
    )


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
    # Keras shall hand over batch by batch; `run` knows how many go into a call.
    per_execution, model.steps_per_execution = model.steps_per_execution, 1
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
        model.steps_per_execution = per_execution
        for each in callbacks:
            if isinstance(each, GradientMonitor | EarlyStopping):
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
        log.info(f"{run_dir}: training had ended; nothing is trained again")
    else:
        log.info(f"{run_dir}: going on at epoch {epoch} after {batch} batches")
    return checkpoints, state


def build(model: keras.Model, train: tf.data.Dataset) -> None:
    """Makes the variables of model, metrics and optimizer, which a state is put into.

    Keras makes them at the first step, which is too late. No number of the data is
    looked at, and no random state moves.
    """
    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=_without_none(train.element_spec))


def _without_none(spec: Any) -> Any:
    """tf.data has a kind of tensor for None; Keras has None."""
    return tf.nest.map_structure(lambda x: x if hasattr(x, "shape") else None, spec)
