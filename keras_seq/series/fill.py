"""What `--fill` does with holes: from earlier rows alone, and never in silence.

A hole is filled with what was known at that time. The mean of the values around it
would look ahead, so it is not offered.

Shapes: N rows, F columns.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_seq.data.tables import error_at
from keras_seq.log import log
from keras_seq.series import checks as series_checks
from keras_seq.series.calendar import Frequency, next_dates, steps_between
from keras_seq.series.dates import MOST_MADE_UP

Rows = tuple[np.ndarray, np.ndarray | None, np.ndarray, np.ndarray]


def filled(
    path: Path,
    lines: np.ndarray,
    dates: np.ndarray | None,
    values: np.ndarray,
    columns: Sequence[str],
    frequency: Frequency | None,
    fill: str | None,
    mend_steps: str = "--frequency names another",
) -> Rows:
    """Rows without holes, or a UserError that says where the first one is.

    Args:
        path: the file, for what is said.
        lines: int (N,).
        dates: datetime64[s] (N,) or None.
        values: float64 (N, F), NaN where missing.
        columns: F names.
        frequency: of the dates; None where there are none.
        fill: None, "forward" or "drop".
        mend_steps: as `check_steps` has it.

    Returns:
        lines, dates, values, and observed bool (N, F): False where filled in. An
        added row has line 0.
    """
    if dates is not None and frequency is not None and len(dates) > 1:
        series_checks.check_frequency(path, lines, dates, frequency, mend_steps)
    if fill == "drop":
        whole = ~np.isnan(values).any(axis=1)
        _say(path, (~whole).sum(), "rows with a missing value left out")
        lines, values = lines[whole], values[whole]
        dates = None if dates is None else dates[whole]
        if len(lines) < 2:
            raise error_at(path, "fewer than two rows without a missing value")
        return lines, dates, values, np.ones(values.shape, bool)
    if fill is None:
        series_checks.check_missing(path, lines, columns, values)
        if dates is not None and frequency is not None:
            series_checks.check_steps(path, lines, dates, frequency, mend_steps)
        return lines, dates, values, np.ones(values.shape, bool)
    if dates is not None and frequency is not None:
        lines, dates, values = _with_missing_rows(
            path, lines, dates, values, frequency, mend_steps
        )
    return _repeated(path, lines, dates, values, columns)


def _with_missing_rows(
    path: Path,
    lines: np.ndarray,
    dates: np.ndarray,
    values: np.ndarray,
    frequency: Frequency,
    mend_steps: str,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A row of NaN for each step that has none."""
    steps = steps_between(dates, frequency)
    if np.any(steps != np.floor(steps)):
        series_checks.check_steps(path, lines, dates, frequency, mend_steps)
    gaps = np.flatnonzero(steps > 1)
    if not len(gaps):
        return lines, dates, values
    series_checks.check_made_up(path, lines, dates, frequency, mend_steps)
    added, where = [], []
    for gap in gaps:
        count = int(steps[gap]) - 1
        added.append(next_dates(dates[gap], frequency, count))
        where += [gap + 1] * count
    _say(path, len(where), f"missing rows of step {frequency} added")
    values = np.insert(values, where, np.nan, axis=0)
    return (
        np.insert(lines, where, 0),
        np.insert(dates, where, np.concatenate(added)),
        values,
    )


def _repeated(
    path: Path,
    lines: np.ndarray,
    dates: np.ndarray | None,
    values: np.ndarray,
    columns: Sequence[str],
) -> Rows:
    """Each missing value is the last known one; rows before the first known go."""
    observed = ~np.isnan(values)
    if not observed.any(axis=0).all():
        raise error_at(path, "a column holds no value at all")
    first = int(observed.argmax(axis=0).max())
    sparse = np.flatnonzero(observed[first:].mean(axis=0) < 1 - MOST_MADE_UP)
    if len(sparse):
        count = int(observed[first:, sparse[0]].sum())
        what = f"column {columns[sparse[0]]!r} has a value in {count:,} of "
        what += f"{len(values) - first:,} rows, and most would be made up; leave it out"
        raise error_at(path, f"{what}, or such rows with --fill drop")
    _say(path, first, "rows before the first known values left out")
    _say(path, (~observed[first:]).sum(), "missing values repeated from the row before")
    numbers = np.where(observed, np.arange(len(values))[:, None], 0)
    last_known = np.maximum.accumulate(numbers, axis=0)
    values = np.take_along_axis(values, last_known, axis=0)
    dates = None if dates is None else dates[first:]
    return lines[first:], dates, values[first:], observed[first:]


def _say(path: Path, count: int, what: str) -> None:
    if count:
        log.info(f"{path}: {count:,} {what}")
