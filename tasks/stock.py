"""Prices, or any regular series: a recurrent network forecasts the next steps.

Data: CSV with Date,Open,High,Low,Close,Volume (Yahoo, Stooq), one file or several; any
table with columns of numbers, with dates or without; `--data stooq:aapl.us` downloads a
share. Without --data it trains on simulated prices whose best possible forecast is
known. Scores and wall times on real data stand in the README.

    python tasks/stock.py train --data AAPL.csv
    python tasks/stock.py train --data ETTh1.csv --target all --horizon 96
    python tasks/stock.py backtest --data AAPL.csv
    python tasks/stock.py predict AAPL.csv
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import keras_seq as ks
from keras_seq import cli
from keras_seq.data.in_memory import Table
from keras_seq.tasks import stock
from keras_seq.tasks.result import Run

STEM = "stock"
EXPORT_DIR = Path("saved_models", STEM)
QUANTILES = (0.1, 0.5, 0.9)
LONGEST_SEGMENT = 48  # steps
FRESH_SEED = 1_000_000  # of simulated prices that no training saw
Fill = Literal["forward", "drop"]
TargetTransform = Literal["auto", "returns", "level"]
Names = Sequence[str] | None
Data = Sequence[str] | Table | None  # at the shell names alone


def load_data(
    data: Data = None, date_column: Names = None, target: Names = None,
    features: Names = None, frequency: str | None = None, fill: Fill | None = None,
    limit: int | None = None, seed: int = 0,
) -> Any:  # fmt: skip
    """The series of files, of a download, or the embedded sample; checked by row."""
    if data is None:
        return ks.series.simulate_prices(seed)
    return ks.read_series(
        ks.series.fetch_tickers(data), date_column=date_column, target=target,
        features=features, frequency=frequency, fill=fill, limit=limit,
    )  # fmt: skip


def build_model(data: Any, scaling: Any, documented: bool = False) -> Any:
    """The strong recipe; `documented`: the tutorial's own architecture."""
    shape = scaling.encode.output_shape[1:]
    sizes = {"horizon": data.horizon, "num_targets": data.table.num_targets}
    if documented:
        return ks.build_stock_prediction_model(shape, **sizes)
    segment = min(LONGEST_SEGMENT, max(data.horizon, 5), data.lookback)
    return ks.build_segment_rnn(
        shape, **sizes, quantiles=QUANTILES, segment_length=segment, units=256
    )


def train(
    *, data: Data = None, date_column: Names = None, target: Names = None,
    features: Names = None, frequency: str | None = None, fill: Fill | None = None,
    horizon: int | None = None, lookback: int | None = None, season: int | None = None,
    target_transform: TargetTransform = "auto", validation_start: str | None = None,
    test_start: str | None = None, epochs: int | None = None,
    batch_size: int | None = None, max_seconds: float | None = None,
    limit: int | None = None, seed: int = 0, run_dir: Path | None = None,
    export_dir: Path = EXPORT_DIR, resume: bool = False,
    strategy: Literal["auto", "cpu", "gpu", "mirrored"] = "auto",
    mixed_precision: Literal["auto", "on", "off"] = "auto", documented: bool = False,
) -> Run:  # fmt: skip
    """Train, score beside the baselines, export and prove.

    Args:
        data: Files or globs, each file a series, or stooq:SYMBOL; default simulated.
        epochs: Most passes over train; default by its size, from 4 to 100.
    """
    settings = dict(locals())
    loaded = stock.prepare_series(
        load_data(data, date_column, target, features, frequency, fill, limit, seed),
        horizon=horizon, lookback=lookback, season=season,
        target_transform=target_transform,
        validation_start=validation_start, test_start=test_start,
    )  # fmt: skip
    run_dir = ks.training.begin_run(STEM, settings, loaded.fingerprints)
    print(ks.training.set_precision(mixed_precision, strategy))
    learned = stock.learn_forecaster(
        loaded, build_model, QUANTILES, epochs=epochs, batch_size=batch_size, seed=seed,
        max_seconds=max_seconds, run_dir=run_dir, strategy=strategy, resume=resume,
        documented=documented,
    )  # fmt: skip
    return stock.finish(
        STEM, *learned, loaded, run_dir=run_dir, export_dir=export_dir, answer=predict
    )


def backtest(
    *, data: Data = None, date_column: Names = None, target: Names = None,
    features: Names = None, frequency: str | None = None, fill: Fill | None = None,
    horizon: int | None = None, lookback: int | None = None, season: int | None = None,
    target_transform: TargetTransform = "auto", refit_every: int | None = None,
    epochs: int | None = None,
    limit: int | None = None, seed: int = 0, run_dir: Path | None = None,
    documented: bool = False,
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Train again as time goes on, each time scored on what came next.

    Args:
        refit_every: Rows from one refit to the next; default five folds.
    """
    table = load_data(data, date_column, target, features, frequency, fill, limit, seed)
    learn = partial(stock.learn_forecaster, build=build_model, quantiles=QUANTILES,
                    epochs=epochs, seed=seed, documented=documented)  # fmt: skip
    run_dir = ks.training.make_run_dir(STEM, run_dir)
    yield from stock.backtest_folds(
        STEM, table, learn, run_dir=run_dir, refit_every=refit_every, horizon=horizon,
        lookback=lookback, season=season, target_transform=target_transform,
    )  # fmt: skip


def evaluate(
    *, model: Path = EXPORT_DIR, data: Data = None, fill: Fill | None = None
) -> dict[str, Any]:
    """Score an exported model on rows after its training, beside baselines.

    Args:
        model: Folder of an export, or of one version.
        data: Files with the columns of the training; default fresh simulated prices.
    """
    table = ks.series.simulate_prices(FRESH_SEED).table
    if data is not None:
        table = stock.read_like(
            ks.load_exported(model), ks.series.fetch_tickers(data), fill
        )
    return stock.evaluate_forecasts(STEM, model, table)


def predict(
    *files: str, model: Path = EXPORT_DIR, fill: Fill | None = None
) -> Iterator[dict[str, Any]]:
    """Forecast what follows each file's last row; holidays are not known.

    Args:
        files: Files with the columns of the training; default fresh simulated prices.
        model: Folder of an export, or of one version.
    """
    exported, table = (
        ks.load_exported(model),
        ks.series.simulate_prices(FRESH_SEED).table,
    )
    if files:
        table = stock.read_like(exported, ks.series.fetch_tickers(files), fill)
    yield from stock.forecast_next(exported, table)


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict, backtest=backtest)
