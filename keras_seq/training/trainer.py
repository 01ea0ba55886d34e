"""One call that trains a model: compiled, clipped, stopped early, monitored."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import keras
import tensorflow as tf

from keras_seq.allocator import give_back_memory, keep_freed_memory
from keras_seq.log import log
from keras_seq.ranges import check_settings
from keras_seq.training.array_batches import Batching
from keras_seq.training.averaging import EarlyStopping
from keras_seq.training.budget import Clock
from keras_seq.training.class_weights import check_class_weight, weighing
from keras_seq.training.compiling import Loss, Metrics, build, clipped, compile_model
from keras_seq.training.epochs import Length, endless, first_batches, num_batches
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.inputs import fit_datasets
from keras_seq.training.paths import paths_table
from keras_seq.training.resume import RunCallbacks, last_state
from keras_seq.training.run_places import locked
from keras_seq.training.settings import describe_run
from keras_seq.training.wiring import Schedule, Verbose, shows_bar, wired_callbacks


def fit(
    model: keras.Model,
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    validation_data: Any = None,
    validation_split: float = 0.0,
    validation_freq: int | list[int] = 1,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    batch_size: int | None = None,
    epochs: int = 10,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    class_weight: Mapping[int, float] | None = None,
    verbose: Verbose = "auto",
    callbacks: Sequence[keras.callbacks.Callback] | None = (),
    loss: Loss | None = None,
    metrics: Metrics | None = None,
    optimizer: str | keras.optimizers.Optimizer | None = None,
    clipnorm: float | Literal["auto"] | None = "auto",
    schedule: Schedule | None = None,
    early_stopping: bool = True,
    monitor: str = "val_loss",
    mode: Literal["min", "max"] = "min",
    patience: int = 3,
    max_seconds: float | None = None,
    run_dir: str | Path | None = None,
    resume: bool = False,
    checkpoint_seconds: float = 60.0,
    log_steps: int = 50,
    hparams: dict[str, Any] | None = None,
    embedding_words: Sequence[str] | None = None,
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
        x: arrays, tensors, lists of numbers, DataFrames of numbers, or dicts and tuples
            of them for several inputs; a tuple (x, y[, sample_weight]) of all; a
            `keras.utils.PyDataset`; or a tf.data.Dataset of batches, in an order that
            seeds fix. A dataset with a method `starting_at(epoch, batch)`, as
            `make_text_dataset` has it, is entered at once by a resumed run; any other
            is read from its start up to where it stopped.
        y: targets, like x; None where x brings them.
        sample_weight: one weight a sample (or step), or such an array an output.
        validation_data: (x, y[, sample_weight]) or a dataset; without it training stops
            on `epochs` and time alone, and nothing is restored.
        validation_split: share of the arrays, their last rows, to validate on.
        validation_freq: epochs between two validations, or a list of epochs, from 1.
        validation_steps: batches of `validation_data` to validate on; None is all.
        validation_batch_size: rows of a batch; None is `batch_size`.
        batch_size: rows of a batch of arrays; None is 32.
        epochs: number of the last epoch: most passes over the data, but for
            `initial_epoch`.
        initial_epoch: epochs that count as done.
        steps_per_epoch: batches of an epoch; None is one pass over the data. Where a
            pass ends within an epoch, the next one goes on (Keras ends the epoch).
        shuffle: whether arrays, and the batches of a PyDataset, come in another order
            each epoch, which `seed` and the epoch fix. A tf.data.Dataset has its own.
        seed: of that order.
        class_weight: class number to the weight of its samples in the loss; 1 for what
            it does not name.
        verbose: 0 is silent but for warnings, 1 a bar, 2 a line an epoch; "auto" a bar
            on a terminal and in a notebook, lines elsewhere.
        callbacks: further ones, called after those wired here. One that looks at
            batches sees every one, which takes a call of Python each, or every
            `steps_per_execution`-th of a model that is compiled so; with a method
            `next_step(step)`, which returns the step of the optimizer that it must see
            next, those before it run in one call. A `GradientMonitor` takes the place
            of the one wired here.
        loss: as `model.compile` takes it.
        metrics: as `model.compile` takes them; None is "accuracy" where the model is
            not compiled and has one output.
        optimizer: None is `keras_seq.training.optimizers.Adam` at its default rate
            where the model is not compiled. With `use_ema`, the averages are validated,
            and the best of them are what the model ends with.
        clipnorm: gradients are scaled down to this global norm during this call; None
            leaves them. "auto" is 1, but for an optimizer that clips by itself or that
            the model was compiled with.
        schedule: learning rate by epoch, such as `lr_schedule`; one of
            `keras.optimizers.schedules` counts steps, and goes to the optimizer.
        early_stopping: whether validation stops training and its best weights are put
            back; False trains to the end and keeps the last.
        monitor: what early stopping watches.
        mode: "min" or "max": which way `monitor` is better.
        patience: epochs without a better `monitor` before training stops.
        max_seconds: time limit; the epoch under way ends at once.
        run_dir: folder; takes `tensorboard/` and `checkpoints/`.
        resume: go on with the run in `run_dir`, or start it where nothing was saved.
        checkpoint_seconds: between two states within an epoch; a state that takes long
            to write is written less often.
        log_steps: between two points of losses and gradient norms on TensorBoard.
        hparams: what TensorBoard's HParams compares runs by, besides epochs, patience,
            clipnorm, optimizer and its rate at the start.
        embedding_words: names of the rows of the model's first embedding, for
            TensorBoard's projector.

    Returns:
        Keras' History; `history.seconds` is the wall time of training, that of
        interrupted parts included.

    Raises:
        ValueError: The model is not compiled and `loss` is None; data cannot be trained
            on; or options contradict each other or what the model was compiled with.
        UserError: A loss, gradient or weight is no number; the run was started with
            other data or settings; another process has the folder; or the disk is full.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> x, y = [[0.0, 1.0], [1.0, 0.0]], [1.0, 0.0]
    >>> history = fit(model, x, y, validation_data=(x, y), epochs=1, loss="mse",
    ...     metrics=[], verbose=0)
    >>> sorted(history.history)
    ['loss', 'val_loss']
    """
    keep_freed_memory()
    length = Length(epochs, initial_epoch, steps_per_epoch, validation_freq)
    length.check()
    check_settings(max_seconds=max_seconds)
    if patience < 0:
        raise ValueError(f"patience is {patience}; expected 0 or more")
    if resume and run_dir is None:
        raise ValueError("resume needs the run_dir of the run to go on with")
    callbacks = keras.tree.flatten(list(callbacks or ()))
    of_fit = compile_model(model, loss, optimizer, metrics)
    batching = Batching(
        batch_size, validation_batch_size, shuffle, seed, run_dir is not None
    )
    train, validation = fit_datasets(
        model,
        x,
        y,
        sample_weight,
        validation_data,
        validation_split,
        class_weight,
        batching,
    )
    if class_weight is not None:
        check_class_weight(model, class_weight, train.element_spec)
    if validation is not None:
        validation = first_batches(validation, validation_steps)
    if verbose and (table := paths_table(model)):
        log.info(table)
    with clipped(model, clipnorm, of_fit) as norm, locked(run_dir):
        settings: dict[str, Any] = {}
        if run_dir is not None:
            settings = describe_run(
                model,
                train,
                validation,
                schedule=schedule,
                monitor=monitor,
                mode=mode,
                patience=patience,
                max_seconds=max_seconds,
                callbacks=callbacks,
                early_stopping=early_stopping,
                class_weight=class_weight,
                **length._asdict(),
            )
        wired = wired_callbacks(
            model,
            callbacks,
            stops_early=early_stopping and validation is not None,
            monitor=monitor,
            mode=mode,
            patience=patience,
            schedule=schedule,
            max_seconds=max_seconds,
            run_dir=run_dir,
            log_steps=log_steps,
            hparams={"epochs": epochs, "clipnorm": norm} | (hparams or {}),
            words=embedding_words,
            verbose=verbose,
        )
        return _train(
            model,
            train,
            validation,
            class_weight,
            length,
            wired,
            settings,
            run_dir,
            resume,
            checkpoint_seconds,
            verbose,
        )


def _train(
    model: keras.Model,
    train: tf.data.Dataset,
    validation: tf.data.Dataset | None,
    class_weight: Mapping[int, float] | None,
    length: Length,
    callbacks: list[keras.callbacks.Callback],
    settings: dict[str, Any],
    run_dir: str | Path | None,
    resume: bool,
    checkpoint_seconds: float,
    verbose: Verbose,
) -> keras.callbacks.History:
    checkpoints, state = last_state(run_dir, resume, settings)
    clock = Clock(state.facts["seconds"] if state else 0.0)
    needed, initial, epochs = run_dir is not None, length.initial_epoch, length.epochs
    steps = num_batches("x", train, needed, length.steps_per_epoch)
    facts = state.facts if state else {"epoch": initial, "batch": 0, "over": False}
    show = log.info if verbose else log.debug
    show("building the model")
    build(model, train)
    run = RunCallbacks(
        callbacks,
        model,
        checkpoints=checkpoints,
        state=state,
        settings=settings,
        clock=clock,
        every_seconds=checkpoint_seconds,
        epochs=epochs,
        steps=steps,
        verbose=int(shows_bar(verbose)),
    )
    if steps is not None:
        train = endless(train, steps, facts["epoch"], facts["batch"], initial)
    if class_weight is not None:
        train = train.map(weighing(class_weight))
    # Keras shall hand over batch by batch; `run` knows how many go into a call.
    per_execution, model.steps_per_execution = model.steps_per_execution, 1
    try:
        if not facts["over"]:
            show("tracing the first step")
        model.fit(
            train,
            validation_data=validation,
            validation_freq=length.validation_freq,
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
        give_back_memory()
    run.history.seconds = run.seconds
    return run.history
