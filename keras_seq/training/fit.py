"""One call that trains a model: compiled, clipped, stopped in time, and watched.

Serves every task and users' own scripts; it knows nothing of what the data means.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from keras_seq.training.monitor import Progress, TrainingMonitor
from keras_seq.training.paths import paths_table


class TimeLimit(keras.callbacks.Callback):
    """Stops training once its time is up; counted from the start of `fit`.

    Args:
        max_seconds: wall time, in seconds.
    """

    def __init__(self, max_seconds: float) -> None:
        super().__init__()
        if not max_seconds >= 0:
            raise ValueError(f"max_seconds is {max_seconds}; expected 0 or more")
        self.max_seconds = max_seconds
        self._start = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if time.monotonic() - self._start >= self.max_seconds:
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
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> keras.callbacks.History:
    """Trains a model that a builder made, and leaves it with its best weights.

    Args:
        model: uncompiled, or compiled already when `loss` is None.
        train: batches of (inputs, targets).
        validation: the same; without it training stops on `epochs` and time alone.
        epochs: most passes over `train`.
        loss: as `model.compile` takes it; None trains as the model is compiled.
        metrics: as `model.compile` takes them.
        optimizer: None is Adam at its default rate.
        clipnorm: gradients are scaled down to this global norm; None leaves them, and
            so does an optimizer that clips already.
        schedule: learning rate by epoch, such as `lr_schedule`.
        monitor: what early stopping watches.
        mode: "min" or "max": which way `monitor` is better.
        patience: epochs without a better `monitor` before training stops.
        max_seconds: time limit; the epoch under way ends at once.
        run_dir: folder; TensorBoard logs go to `tensorboard/` in it.
        callbacks: further ones, called after those wired here.

    Returns:
        Keras' History; `history.seconds` is the wall time of training.

    Raises:
        ValueError: The model is not compiled and `loss` is None.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> data = tf.data.Dataset.from_tensors((tf.ones((4, 2)), tf.ones((4, 1))))
    >>> sorted(fit(model, data, data, epochs=1, loss="mse", metrics=[]).history)
    ['loss', 'val_loss']
    """
    start = time.monotonic()
    if loss is not None:
        optimizer = keras.optimizers.get(optimizer or "adam")
        if optimizer.global_clipnorm is None and optimizer.clipnorm is None:
            optimizer.global_clipnorm = clipnorm
        model.compile(optimizer, loss, metrics=list(metrics))
    elif not model.compiled:
        raise ValueError("the model is not compiled; give fit a loss")
    if table := paths_table(model):
        print(table, file=sys.stderr, flush=True)
    watchers = [TrainingMonitor()]
    if schedule is not None:
        watchers.append(keras.callbacks.LearningRateScheduler(schedule))
    if validation is not None:
        watchers.append(
            keras.callbacks.EarlyStopping(
                monitor, mode=mode, patience=patience, restore_best_weights=True
            )
        )
    if run_dir is not None:
        watchers.append(keras.callbacks.TensorBoard(str(Path(run_dir) / "tensorboard")))
    if max_seconds is not None:
        watchers.append(TimeLimit(max_seconds))
    live = sys.stderr.isatty()
    if not live:
        watchers.append(Progress(lambda line: print(line, file=sys.stderr, flush=True)))
    history = model.fit(
        train,
        validation_data=validation,
        epochs=epochs,
        verbose=1 if live else 0,
        shuffle=False,  # the dataset orders its samples
        callbacks=[*watchers, *callbacks],
    )
    history.seconds = time.monotonic() - start
    return history
