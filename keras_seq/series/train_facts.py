"""What is measured of the rows that train: means, deviations, naive errors.

Shapes: S series, F columns, K targets.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_seq.series.numbers import varies
from keras_seq.series.table import SeriesTable

REPEATS = 1e-6  # of a step: a season that differs by less from the last is the same


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
    """Means, deviations and naive errors of the rows that train.

    Args:
        table: the series.
        cuts: (a, b) of each series; rows from a on are not looked at.
        season: rows of a season; 1 where there is none.
    """
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
