"""The callbacks that `fit` adds to those of the user, in their order."""

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from keras_seq.log import in_notebook
from keras_seq.training.averaging import EarlyStopping
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.monitor import Progress, TrainingMonitor
from keras_seq.training.run_folder import hparams_of
from keras_seq.training.step_schedule import TimeLimit
from keras_seq.training.tensorboard import RunBoard, learning_rate
from keras_seq.training.train_step import inner_optimizer

Verbose = Literal["auto", 0, 1, 2]
Schedule = Callable[[int], float]


def shows_bar(verbose: Verbose) -> bool:
    """Whether a run shows a live bar: as asked, else on a terminal or in a notebook.

    Raises:
        ValueError: It is none of the ways there are.

    Example:

    >>> shows_bar(1), shows_bar(2)
    (True, False)
    """
    if verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose is {verbose!r}; expected 'auto', 0, 1 or 2")
    if verbose == "auto":  # Keras' bar goes to stdout
        return sys.stdout.isatty() or in_notebook()
    return verbose == 1


def wired_callbacks(
    model: keras.Model,
    callbacks: Sequence[keras.callbacks.Callback],
    *,
    stops_early: bool,
    monitor: str,
    mode: str,
    patience: int,
    schedule: Schedule | None,
    max_seconds: float | None,
    run_dir: str | Path | None,
    log_steps: int,
    hparams: dict[str, Any],
    words: Sequence[str] | None,
    verbose: Verbose,
) -> list[keras.callbacks.Callback]:
    """The callbacks of a run, those of the user last.

    A `GradientMonitor` of the user's takes the place of the one here.

    Raises:
        ValueError: Schedule and optimizer contradict each other, or a rate is none.
    """
    wired: list[keras.callbacks.Callback] = [TrainingMonitor(5, monitor, mode)]
    if schedule is not None:
        _check_schedule(model, schedule)
        wired.append(keras.callbacks.LearningRateScheduler(schedule))
    if stops_early:
        swaps = keras.callbacks.SwapEMAWeights
        wired.append(
            EarlyStopping(
                monitor,
                mode=mode,
                patience=patience,
                restore_best_weights=True,
                score_averages=not any(isinstance(x, swaps) for x in callbacks),
            )
        )
    hparams = _started_with(model, schedule) | {"patience": patience} | hparams
    folder = None if run_dir is None else Path(run_dir, "tensorboard")
    if not any(isinstance(each, GradientMonitor) for each in callbacks):
        watched = ("val_loss", monitor)
        wired.append(GradientMonitor(log_steps, folder, run_dir, watched))
    if folder is not None:
        settings = hparams_of(folder.parent, hparams)
        wired.append(RunBoard(folder, every=log_steps, hparams=settings, words=words))
    if max_seconds is not None:
        wired.append(TimeLimit(max_seconds))
    if verbose and not shows_bar(verbose):
        wired.append(Progress())
    return [*wired, *callbacks]


def _check_schedule(model: keras.Model, schedule: Schedule) -> None:
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        raise ValueError(
            f"schedule is a {type(schedule).__name__}, which counts steps, and "
            "schedule counts epochs; give it to the optimizer: Adam(learning_rate=...)"
        )
    rate = getattr(inner_optimizer(model.optimizer), "_learning_rate", None)
    if not isinstance(rate, keras.Variable):
        raise ValueError(
            "schedule sets the learning rate by epoch, but the optimizer has a "
            f"{type(rate).__name__} for its rate; give one of them"
        )


def _started_with(model: keras.Model, schedule: Schedule | None) -> dict[str, Any]:
    optimizer = inner_optimizer(model.optimizer)
    rate = schedule(0) if schedule else learning_rate(optimizer)
    if rate is not None and not 0 <= rate < math.inf:
        raise ValueError(f"learning_rate is {rate}; expected a finite number")
    return {"optimizer": optimizer.name, "learning_rate": rate}
