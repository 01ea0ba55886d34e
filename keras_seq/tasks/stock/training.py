"""One training of a forecaster, as the single split and every fold of a backtest do it.

Shapes: B batch, T steps, C features, H horizon, K targets, Q quantiles.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import keras

from keras_seq.layers.scaling import Scaling
from keras_seq.losses import QuantileLoss
from keras_seq.models.forecaster import build_forecaster
from keras_seq.ranges import check_settings
from keras_seq.series.window_batches import make_window_dataset
from keras_seq.tasks.stock.data import SeriesData, make_scaling
from keras_seq.training.budget import BudgetedRate
from keras_seq.training.devices import get_strategy, set_seed
from keras_seq.training.trainer import fit

LEARNING_RATE = 0.001
WINDOWS_SEEN = 120_000  # in all epochs together
FEWEST_EPOCHS, MOST_EPOCHS = 4, 100
PATIENCE = 5


class TrainedForecaster(NamedTuple):
    """A trained forecaster.

    Attributes:
        forecaster: raw window (B, T, F) -> raw answers (B, H, K, Q).
        scaling: what stands around the network in it.
        history: of `fit`.
    """

    forecaster: keras.Model
    scaling: Scaling
    history: keras.callbacks.History


def train_forecaster(
    data: SeriesData,
    build: Callable[[SeriesData, Scaling, bool], keras.Model],
    quantiles: Sequence[float],
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    max_seconds: float | None = None,
    seed: int = 0,
    run_dir: Path | None = None,
    strategy: str = "auto",
    resume: bool = False,
    documented: bool = False,
) -> TrainedForecaster:
    """Builds a network for the data and trains it on quantiles of what comes.

    Args:
        data: of `prepare_series`.
        build: data, scaling and `documented` -> features (B, T, C) to scaled answers.
        quantiles: Q that are learned, the forecast in the middle.
        epochs: most passes; None takes as many as show it 120,000 windows.
        batch_size: B; None takes a fiftieth of the windows, from 8 to 128.
        max_seconds, run_dir, resume: as `fit` has them.
        seed: of weights, dropout and shuffling.
        strategy: as `get_strategy` has it.
        documented: levels are standardised and no more, and the network answers with
            one number a step, the median.
    """
    check_settings(epochs=epochs, batch_size=batch_size, seed=seed)
    num_train = data.num_train
    epochs = epochs or max(FEWEST_EPOCHS, min(MOST_EPOCHS, WINDOWS_SEEN // num_train))
    batch_size = batch_size or max(8, min(128, num_train // 50))
    scaling = make_scaling(data, anchored=not documented)
    set_seed(seed)
    train_set, validation_set = (
        make_window_dataset(
            data.plans[part],
            batch_size=batch_size,
            shuffle=part == "train",
            seed=seed,
            scale_targets=scaling.to_scaled,
        )
        for part in ("train", "validation")
    )
    with get_strategy(strategy).scope():
        learner, forecaster = build_forecaster(
            build(data, scaling, documented), scaling
        )
        history = fit(
            learner,
            train_set,
            validation_data=validation_set,
            epochs=epochs,
            loss=QuantileLoss((0.5,) if documented else quantiles),
            metrics=[],
            patience=PATIENCE,
            max_seconds=max_seconds,
            run_dir=run_dir,
            resume=resume,
            hparams={
                "documented": documented,
                "batch_size": batch_size,
                "seed": seed,
                "learning_rate": LEARNING_RATE,
            },
            callbacks=[BudgetedRate(LEARNING_RATE, epochs, max_seconds, warmup=1)],
        )
    return TrainedForecaster(forecaster, scaling, history)
