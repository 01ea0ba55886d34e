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
from keras_seq.series.choices import Fill
from keras_seq.series.dates import MOST_MADE_UP
from keras_seq.series.series_table import Series


def filled(
    one: Series,
    columns: Sequence[str],
    frequency: Frequency | None,
    fill: Fill | None,
    mend_steps: str,
) -> Series:
    """The series, its values NaN where missing, without holes; an added row has line 0.

    Raises:
        UserError: There is a hole and `fill` is None, or no row can be trusted.
    """
    dated = frequency if one.dates is not None else None
    if dated is not None and len(one.lines) > 1:
        series_checks.check_frequency(one, dated, mend_steps)
    if fill == "drop":
        whole = ~np.isnan(one.values).any(axis=1)
        _log(one.path, (~whole).sum(), "rows with a missing value left out")
        if whole.sum() < 2:
            raise error_at(one.path, "fewer than two rows without a missing value")
        return one.rows(whole)
    if fill is None:
        series_checks.check_missing(one, columns)
        if dated is not None:
            series_checks.check_steps(one, dated, mend_steps)
        return one
    if dated is not None:
        one = _with_missing_rows(one, dated, mend_steps)
    return _repeated(one, columns)


def _with_missing_rows(one: Series, frequency: Frequency, mend_steps: str) -> Series:
    """A row of NaN for each step that has none."""
    dates = one.dates
    assert dates is not None  # as `filled` sees to
    steps = steps_between(dates, frequency)
    if np.any(steps != np.floor(steps)):
        series_checks.check_steps(one, frequency, mend_steps)
    gaps = np.flatnonzero(steps > 1)
    if not len(gaps):
        return one
    series_checks.check_made_up(one, frequency, mend_steps)
    counts = steps[gaps].astype(int) - 1
    added = [next_dates(dates[gap], frequency, n) for gap, n in zip(gaps, counts)]
    where = np.repeat(gaps + 1, counts)
    _log(one.path, len(where), f"missing rows of step {frequency} added")
    return one._replace(
        lines=np.insert(one.lines, where, 0),
        dates=np.insert(dates, where, np.concatenate(added)),
        values=np.insert(one.values, where, np.nan, axis=0),
    )


def _repeated(one: Series, columns: Sequence[str]) -> Series:
    """Each missing value is the last known one; rows before the first known go."""
    path, observed = one.path, ~np.isnan(one.values)
    if not observed.any(axis=0).all():
        raise error_at(path, "a column holds no value at all")
    first = int(observed.argmax(axis=0).max())
    sparse = np.flatnonzero(observed[first:].mean(axis=0) < 1 - MOST_MADE_UP)
    if len(sparse):
        count = int(observed[first:, sparse[0]].sum())
        what = f"column {columns[sparse[0]]!r} has a value in {count:,} of "
        what += f"{len(observed) - first:,} rows, and most would be made up; leave it "
        raise error_at(path, f"{what}out, or such rows with --fill drop")
    _log(path, first, "rows before the first known values left out")
    _log(path, (~observed[first:]).sum(), "missing values repeated from the row before")
    numbers = np.where(observed, np.arange(len(observed))[:, None], 0)
    last_known = np.maximum.accumulate(numbers, axis=0)
    values = np.take_along_axis(one.values, last_known, axis=0)
    return one._replace(values=values, observed=observed).rows(slice(first, None))


def _log(path: Path, count: int, what: str) -> None:
    if count:
        log.info(f"{path}: {count:,} {what}")
