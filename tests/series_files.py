"""Small files of series, and networks that learn them in a second."""

from functools import partial
from pathlib import Path

import keras
import numpy as np

from keras_seq.series.table import SeriesTable
from keras_seq.tasks.run import finish_run
from keras_seq.tasks.stock.data import SeriesData, prepare_series
from keras_seq.tasks.stock.ending import score_run
from keras_seq.tasks.stock.training import TrainedForecaster, train_forecaster

ROWS, TRAIN = 200, 140
QUANTILES = (0.1, 0.5, 0.9)
T = np.arange(ROWS)
NOISE = np.random.default_rng(0).normal(size=ROWS)
WALK = np.cumsum(NOISE)


def write(
    path: Path, values: np.ndarray, columns: str = "x", dated: bool = True
) -> Path:
    """A file of hours, or of rows without dates."""
    lines = [",".join(["date"] * dated + list(columns))]
    for number, row in enumerate(np.reshape(values, (len(values), -1)).tolist()):
        hour = np.datetime64("2020-01-01T00", "h") + number
        lines.append(",".join([f"{hour}:00"] * dated + [repr(value) for value in row]))
    path.write_text("\n".join(lines) + "\n")
    return path


def prepared(table: SeriesTable, **options) -> SeriesData:
    return prepare_series(table, horizon=3, lookback=6, **options)


def trained(data: SeriesData, epochs: int = 1) -> TrainedForecaster:
    """A network of one layer."""

    def build(data: SeriesData, scaling, documented: bool) -> keras.Model:
        size = data.horizon * data.table.num_targets * 3
        layers = [
            keras.Input(scaling.encode.output_shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(size),
        ]
        return keras.Sequential(layers)

    return train_forecaster(data, build, QUANTILES, epochs=epochs, batch_size=64)


def finished(data: SeriesData, folder: Path, epochs: int = 1) -> tuple[dict, Path]:
    (folder / "run").mkdir()
    model, scaling, history = trained(data, epochs)
    run = finish_run(
        "t",
        partial(score_run, "t", model, data, scaling),
        history,
        model=model,
        answer=iter,
        run_dir=folder / "run",
        export_dir=folder / "model",
    )
    return run.report, run.export_path
