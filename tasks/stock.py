"""Prices, or any regular series: a recurrent network forecasts the next steps.

Data: CSV with Date,Open,High,Low,Close,Volume (Yahoo, Stooq), one file or several; any
table with columns of numbers, with dates or without; `--data stooq:aapl.us` downloads a
share. Without --data it trains on simulated prices whose best possible forecast is
known. Scores and wall times on real data stand in docs/results.md.

    python tasks/stock.py train --data AAPL.csv
    python tasks/stock.py train --data ETTh1.csv --target all --horizon 96
    python tasks/stock.py backtest --data AAPL.csv
    python tasks/stock.py predict AAPL.csv
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras_seq as ks
from keras_seq import cli
from keras_seq.data.answers import Row
from keras_seq.data.in_memory import SeveralData
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.options import FitOptions, RunOptions, TrainOptions, takes
from keras_seq.series.choices import Fill, TargetTransform
from keras_seq.tasks import stock
from keras_seq.tasks.result import Report, Run

if TYPE_CHECKING:
    import keras

    from keras_seq.layers.scaling import Scaling
    from keras_seq.series.simulator import SimulatedPrices
    from keras_seq.series.table import SeriesTable

STEM = "stock"
EXPORT_DIR = Path("saved_models", STEM)
QUANTILES = (0.1, 0.5, 0.9)
LONGEST_SEGMENT = 48  # steps
FRESH_SEED = 1_000_000  # of simulated prices that no training saw
Names = Sequence[str] | None


@dataclass(frozen=True, kw_only=True)
class SeriesOptions(RunOptions):
    """What is read, and what is forecast of it."""

    data: SeveralData = None
    table_format: TableFormat = AS_FOUND
    date_column: Names = None
    date_format: str | None = None
    series_column: Names = None
    target: Names = None
    features: Names = None
    known_future: Names = None
    decimal: str | None = None
    frequency: str | None = None
    fill: Fill | None = None
    horizon: int | None = None
    lookback: int | None = None
    season: int | None = None
    target_transform: TargetTransform = "auto"
    documented: bool = False


@dataclass(frozen=True, kw_only=True)
class Options(TrainOptions, SeriesOptions):
    """Of `train`."""

    validation_start: str | None = None
    test_start: str | None = None
    mixed_precision: Literal["auto", "on", "off"] = "auto"


@dataclass(frozen=True, kw_only=True)
class BacktestOptions(FitOptions, SeriesOptions):
    """Of `backtest`."""

    refit_every: int | None = None


def load_data(options: SeriesOptions) -> "SeriesTable | SimulatedPrices":
    """The series of files, of a download, or the embedded sample; checked by row."""
    if options.data is None:
        return ks.series.simulate_prices(options.seed)
    return ks.read_series(
        ks.series.fetch_tickers(options.data),
        date_column=options.date_column,
        target=options.target,
        features=options.features,
        known_future=options.known_future,
        series_column=options.series_column,
        table_format=options.table_format,
        date_format=options.date_format,
        decimal=options.decimal,
        frequency=options.frequency,
        fill=options.fill,
        limit=options.limit,
    )


def build_model(
    data: "stock.SeriesData", scaling: "Scaling", documented: bool = False
) -> "keras.Model":
    """The strong recipe; `documented`: the tutorial's own architecture."""
    shape = scaling.encode.output_shape[1:]
    sizes: dict[str, Any] = {
        "horizon": data.horizon,
        "num_targets": data.table.num_targets,
    }
    if documented:
        return ks.build_stock_prediction_model(shape, **sizes)
    segment = min(LONGEST_SEGMENT, max(data.horizon, 5), data.lookback)
    return ks.build_segment_rnn(
        shape, **sizes, quantiles=QUANTILES, segment_length=segment, units=256
    )


@takes(Options)
def train(options: Options) -> Run:
    """Train, score beside the baselines, export and prove.

    Args:
        data: Files or globs, each file a series, or stooq:SYMBOL; default simulated.
        date_column: column of the dates, or several such as year month day hour; "" for
            none
        date_format: order of day, month and year in dates: day-first, month-first,
            year-first, seconds, milliseconds, or a pattern such as %d.%m.%Y; default by
            the whole column
        decimal: decimal mark of numbers: point or comma; default by the whole file
        series_column: columns that tell several series of a file apart; "" for one
        target: columns to forecast, or all; default Close of prices
        features: further columns to read; default Open High Low Volume of prices
        known_future: further columns, known of rows to come, such as promotions;
            predict reads them in rows without a target at the end
        frequency: step of the rows, such as B (trading days), D, h, 15min, M; default
            seen from the dates
        fill: missing values and rows: forward repeats the row before, drop leaves rows
            out; default is an error that says where
        horizon: steps to forecast; default 5 of prices, else a season
        lookback: rows to forecast from; default by horizon and data
        season: rows of a season; default by the frequency
        target_transform: what is learned of a target; auto takes returns of prices,
            else levels
        validation_start: date (or row) of the first row that validates; default after
            70 % of them
        test_start: date (or row) of the first row that tests; default after 85 %
        epochs: Most passes over train; default by its size, from 4 to 100.
    """
    table = load_data(options)  # what is wrong is said before TensorFlow is imported
    loaded = stock.prepare_series(
        table,
        horizon=options.horizon,
        lookback=options.lookback,
        season=options.season,
        target_transform=options.target_transform,
        validation_start=options.validation_start,
        test_start=options.test_start,
    )
    run_dir = ks.training.begin_run(STEM, vars(options), loaded.fingerprints)
    ks.training.set_precision(options.mixed_precision, options.strategy)
    model, scaling, history = stock.train_forecaster(
        loaded,
        build_model,
        QUANTILES,
        epochs=options.epochs,
        batch_size=options.batch_size,
        seed=options.seed,
        max_seconds=options.max_seconds,
        run_dir=run_dir,
        strategy=options.strategy,
        resume=options.resume,
        documented=options.documented,
    )
    return ks.tasks.finish_run(
        STEM,
        partial(stock.score_run, STEM, model, loaded, scaling),
        history,
        model=model,
        answer=predict,
        describe=stock.format_forecast_report,
        run_dir=run_dir,
        export_dir=options.export_dir,
    )


@takes(BacktestOptions)
def backtest(options: BacktestOptions) -> Iterator[Report]:
    """Train again as time goes on, each time scored on what came next.

    Args:
        refit_every: Rows from one refit to the next; default five folds.
        max_seconds: Time limit of all trainings together.
    """
    train_fold = partial(
        stock.train_forecaster,
        build=build_model,
        quantiles=QUANTILES,
        epochs=options.epochs,
        seed=options.seed,
        documented=options.documented,
    )
    yield from stock.backtest_folds(
        STEM,
        load_data(options),
        train_fold,
        run_dir=ks.training.begin_run(STEM, vars(options) | {"resume": False}),
        refit_every=options.refit_every,
        max_seconds=options.max_seconds,
        horizon=options.horizon,
        lookback=options.lookback,
        season=options.season,
        target_transform=options.target_transform,
    )


def evaluate(
    *,
    model: Path = EXPORT_DIR,
    data: SeveralData = None,
    table_format: TableFormat = AS_FOUND,
    series_column: Names = None,
    date_format: str | None = None,
    decimal: str | None = None,
    fill: Fill | None = None,
) -> Report:
    """Score an exported model on rows after its training, beside baselines.

    Args:
        model: Folder of an export, or of one version.
        data: Files with the columns of the training; default fresh simulated prices.
    """
    table = ks.series.simulate_prices(FRESH_SEED).table
    if data is not None:
        table = stock.read_like(
            ks.serving.describe_exported(model),
            ks.series.fetch_tickers(data),
            fill,
            series_column=series_column,
            table_format=table_format,
            date_format=date_format,
            decimal=decimal,
        )
    return stock.evaluate_forecasts(STEM, model, table)


def predict(
    *files: str,
    model: Path = EXPORT_DIR,
    data: SeveralData = None,
    output: Path | None = None,
    table_format: TableFormat = AS_FOUND,
    series_column: Names = None,
    date_format: str | None = None,
    decimal: str | None = None,
    fill: Fill | None = None,
) -> Iterator[Row]:
    """Forecast what follows each file's last row; holidays are not known.

    Args:
        files: Files with the columns of the training; default fresh simulated prices.
        model: Folder of an export, or of one version.
        data: Tables whose rows and columns all stay, in place of files: the forecast
            stands in rows below.
    """
    table = ks.series.simulate_prices(FRESH_SEED).table
    named = stock.named_files(files, data, output)
    if named:
        table = stock.read_like(
            ks.serving.describe_exported(model),
            named,
            fill,
            series_column=series_column,
            table_format=table_format,
            date_format=date_format,
            decimal=decimal,
            needs_ahead=True,
        )
    exported = ks.load_exported(model)
    if data is None:
        yield from stock.forecast_next(exported, table)
    else:
        rows = stock.answer_series(exported, table, table_format)
        yield from rows if output is None else [ks.data.write_rows(rows, output)]


if __name__ == "__main__":
    cli.run(__doc__, train=train, evaluate=evaluate, predict=predict, backtest=backtest)
