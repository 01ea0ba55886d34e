"""A training whose steps are known beforehand: the rate falls to its end, and weights
of the last quarter are averaged. What language models and encoder-decoders are trained
with."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import keras
from keras import KerasTensor

from keras_seq.data.batches import EpochDataset
from keras_seq.training.averaging import AveragedWeights
from keras_seq.training.step_schedule import (
    StepLimit,
    cosine_adam,
    inverse_sqrt_adam,
    planned_steps,
    steps_within,
)
from keras_seq.training.trainer import fit

MEAN_FROM = 0.75  # of the steps: the plain mean is of the last quarter
EMA_DECAY = 0.999
PATIENCE = 10  # epochs: the rate falls on, and the best weights are kept

Average = Literal["none", "mean", "ema"]
RateSchedule = Literal["cosine", "inverse_sqrt"]
ADAMS = {"cosine": cosine_adam, "inverse_sqrt": inverse_sqrt_adam}


def fit_planned(
    model: keras.Model,
    train: EpochDataset,
    validation: EpochDataset,
    loss: Callable[[KerasTensor, KerasTensor], KerasTensor],
    recipe: Mapping[str, Any],
    *,
    epochs: int,
    learning_rate: float,
    run_dir: Path,
    token_names: Sequence[str],
    schedule: RateSchedule = "cosine",
    average: Average = "mean",
    metrics: Sequence[keras.Metric] = (),
    monitor: str = "val_loss",
    callbacks: Sequence[keras.callbacks.Callback] = (),
    copy: Callable[[], keras.Model] | None = None,
) -> keras.callbacks.History:
    """Trains with a warm-up, a rate that falls, and weights that are averaged.

    Args:
        model: it learns.
        train: batches, in an order of each epoch.
        validation: batches.
        loss: of targets and logits.
        recipe: options of the run: epochs, max_seconds and resume; numbers among the
            others are what TensorBoard compares runs by.
        epochs: where the recipe has neither epochs nor seconds.
        learning_rate: the highest.
        run_dir: takes TensorBoard's logs, checkpoints and the planned steps.
        token_names: what people see of each id, for TensorBoard's projector.
        schedule: how the rate falls behind the warm-up.
        average: of weights: that of the last quarter, or one that forgets.
        metrics: as `model.compile` takes them.
        monitor: what early stopping watches.
        callbacks: further ones.
        copy: makes another model like it, to measure how long steps take; None clones
            it.
    """
    planned_adam = ADAMS[schedule]
    an_epoch, asked = train.num_batches, recipe["epochs"]

    def measured() -> int:
        other = keras.models.clone_model(model) if copy is None else copy()
        other.compile(planned_adam(learning_rate, 1000), loss)
        return steps_within(recipe["max_seconds"], other, train, epoch_steps=an_epoch)

    if asked is None and recipe["max_seconds"] is None:
        asked = epochs
    steps = asked * an_epoch if asked else planned_steps(run_dir, measured)
    return fit(
        model,
        train,
        validation_data=validation,
        loss=loss,
        metrics=list(metrics),
        optimizer=planned_adam(learning_rate, steps),
        epochs=math.ceil(steps / an_epoch),
        monitor=monitor,
        patience=PATIENCE,
        max_seconds=recipe["max_seconds"],
        run_dir=run_dir,
        resume=recipe["resume"],
        hparams={n: v for n, v in recipe.items() if isinstance(v, bool | int | float)},
        embedding_words=token_names,
        callbacks=[*_averages(average, steps), StepLimit(steps), *callbacks],
    )


def _averages(kind: Average, steps: int) -> list[AveragedWeights]:
    if kind == "none":
        return []
    if kind == "ema":
        return [AveragedWeights(EMA_DECAY)]
    return [AveragedWeights(start_step=int(MEAN_FROM * steps))]
