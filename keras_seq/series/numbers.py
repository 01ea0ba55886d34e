"""Whether the numbers of a table can be learned from, which dtype holds them, and what
is measured of the rows that train: means, deviations, naive errors.

A target that stands still has nothing to forecast and no unit for its errors; numbers
whose squares no float64 has cannot be measured. Both are said here, before a training.

Shapes: S series, N rows, F columns, K targets.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_seq.data.tables import listed
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.series.table import SeriesTable

LARGEST, SMALLEST = 1e100, 1e-100  # their squares and the sums of these are numbers
FINEST = 1e-15  # of the largest number: what float64 itself rounds
# float32: 7 digits, and room for squares.
LARGEST_32, SMALLEST_32, FINEST_32 = 1e15, 1e-15, 0.01
REPEATS = 1e-6  # of a step: a season that differs by less from the last is the same


def check_numbers(table: SeriesTable, cuts: Sequence[tuple[int, int]]) -> None:
    """UserError unless every target moves in the rows that train, those before a of the
    cuts (a, b); columns that do not are named on stderr."""
    changes = np.array(
        [varies(one.values[:start]) for one, (start, _) in zip(table.series, cuts)]
    )  # (S, F)
    still = [name for name, own in zip(table.columns, changes.T) if not own.any()]
    targets = table.columns[: table.num_targets]
    wrong = [name for name in still if name in targets]
    if wrong:
        _refuse_still(table, cuts, wrong)
    if still:
        what = f"{listed(still)}: no change in the rows that train; not read"
        log.info(f"{table.series[0].path}: {what}")
    for one, row in zip(table.series, changes):
        names = [name for name, any_ in zip(targets, row) if not any_]
        if names and len(table.series) > 1:
            what = f"{listed(names)}: no change in the rows that train; not in MASE"
            log.info(f"{one.path}: {what}")


def check_size(table: SeriesTable) -> None:
    """UserError at the first number too large to be squared, or of a column that holds
    none large enough."""
    for one in table.series:
        size = np.abs(one.values)
        wrong = (size > LARGEST) | ((size.max(axis=0) < SMALLEST) & (size > 0))
        if wrong.any():
            row, column = (int(place[0]) for place in np.nonzero(wrong))
            raise one.error(
                row,
                f"column {table.columns[column]!r} is {one.values[row, column]:g}; "
                f"expected sizes from {SMALLEST:g} to {LARGEST:g}, or 0: write the "
                "column in another unit",
            )


def check_positive(table: SeriesTable, num_columns: int, mend: str) -> None:
    """UserError at the first number of the first columns that is not above zero."""
    for one in table.series:
        rows, columns = np.nonzero(one.values[:, :num_columns] <= 0)
        if len(rows):
            value = one.values[rows[0], columns[0]]
            what = f"column {table.columns[columns[0]]!r} is {value:g}; returns are "
            raise one.error(rows[0], f"{what}those of numbers above zero: {mend}")


def needed_dtype(table: SeriesTable) -> str:
    """float32 where rounding to it moves no number by a hundredth of a usual step."""
    for one in table.series:
        steps = np.abs(np.diff(one.values, axis=0))
        changes = steps.sum(axis=0) > 0
        values, steps = one.values[:, changes], steps[:, changes]
        with np.errstate(over="ignore"):
            lost = np.abs(values - values.astype(np.float32)).max(axis=0)
        size = np.abs(values).max(axis=0)
        step = steps.sum(axis=0) / np.count_nonzero(steps, axis=0)
        fits = (lost <= FINEST_32 * step) & (size < LARGEST_32) & (size > SMALLEST_32)
        if not fits.all():
            return "float64"
    return "float32"


def check_dtype(table: SeriesTable, dtype: str) -> None:
    """UserError where a model of float32 would read rounded numbers."""
    if dtype == "float32" and needed_dtype(table) == "float64":
        raise UserError(
            f"{table.series[0].path}: the numbers change in digits that the model's "
            "float32 does not hold; train a model on such rows"
        )


def varies(values: np.ndarray) -> np.ndarray:
    """Whether each column changes, by more than float64's own rounding: bool (F,)."""
    return np.ptp(values, axis=0) > FINEST * np.abs(values).max(axis=0)


def _refuse_still(
    table: SeriesTable, cuts: Sequence[tuple[int, int]], names: Sequence[str]
) -> None:
    one, start = table.series[0], cuts[0][0]
    values = one.values[:start, table.columns.index(names[0])]
    held = f"is {values[0]:g} in each of the {start} rows that train"
    if np.ptp(values) > 0:
        held = f"changes by float64's rounding alone in the {start} rows that train"
    others = [t for t in table.columns[: table.num_targets] if t not in names]
    mend = "give rows in which it changes"
    if others:
        mend = f"leave it out: --target {' '.join(others[:12])}"
        mend += " ..." if len(others) > 12 else ""
    elif np.ptp(values) > 0:
        mend = "subtract a constant from the column"
    what = f"column {names[0]!r} {held}: there is nothing to forecast; {mend}"
    more = f" ({len(names)} such columns)" if len(names) > 1 else ""
    raise one.error(start - 1, what + more)


class TrainFacts(NamedTuple):
    """What is fitted on rows before a, and nothing else.

    Attributes:
        mean, deviation: float64 (F,), of the values; a column that does not change has
            an infinite deviation, so that it is 0 whatever it does later.
        log_mean, log_deviation: float64 (F,), of the logarithms of one more than them,
            for columns that are never negative, such as volumes; else 0 and 1.
        volatility: float64 (K,): mean size of a step of a target's logarithm, as
            (mean of squares) ** 0.5; 0 where a target is not always positive.
        naive_error: float64 (S, K): mean absolute change over a season, by series;
            over one row where seasons repeat exactly; nan where nothing changes.
        naive_square: float64 (S, K): mean square of it.
    """

    mean: np.ndarray
    deviation: np.ndarray
    log_mean: np.ndarray
    log_deviation: np.ndarray
    volatility: np.ndarray
    naive_error: np.ndarray
    naive_square: np.ndarray


def train_facts(
    table: SeriesTable, cuts: Sequence[tuple[int, int]], season: int
) -> TrainFacts:
    """Means, deviations and naive errors of the rows that train: those before a of the
    cuts (a, b) of each series. A season of 1 row is none."""
    parts = [one.values[:start] for one, (start, _) in zip(table.series, cuts)]
    rows, targets = np.concatenate(parts), table.num_targets
    never_negative, changes = rows.min(axis=0) >= 0, varies(rows)
    logs = np.log1p(np.where(never_negative, rows, 0.0))
    positive = rows[:, :targets].min(axis=0) > 0
    steps = [
        np.diff(np.log(np.where(positive, part[:, :targets], 1.0)), axis=0)
        for part in parts
    ]
    squares = np.mean(np.concatenate(steps) ** 2, axis=0)
    first, rows = rows[0], rows - rows[0]  # small beside 1e15, so that means are exact
    naive = [_naive_errors(part[:, :targets], season) for part in parts]
    errors, error_squares = (np.stack(each) for each in zip(*naive))
    return TrainFacts(
        first + rows.mean(axis=0),
        np.where(changes, rows.std(axis=0), np.inf),
        np.where(never_negative, logs.mean(axis=0), 0.0),
        np.where(never_negative & changes, logs.std(axis=0), 1.0),
        np.where(positive, np.sqrt(squares), 0.0),
        errors,
        error_squares,
    )


def _naive_errors(values: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean absolute and mean square change over a season: float64 (K,) each."""
    steps, changes = values[1:] - values[:-1], values[season:] - values[:-season]
    step, change = (np.abs(each).mean(axis=0) for each in (steps, changes))
    repeats = change <= REPEATS * step
    squares = [np.square(each).mean(axis=0) for each in (steps, changes)]
    found = np.where(repeats, [step, squares[0]], [change, squares[1]])
    return tuple(np.where(varies(values), found, np.nan))
