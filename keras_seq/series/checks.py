"""What is wrong with rows of a series, said in one line by row; nothing is mended here.

Shapes: N rows, F columns.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_seq.data.copies import MOST, percent
from keras_seq.data.places import plural
from keras_seq.data.tables import error_at, place_of
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.series.calendar import Frequency, steps_between
from keras_seq.series.columns import price_name
from keras_seq.series.dates import MOST_MADE_UP
from keras_seq.series.series_table import Series

# Shares are split or merged in such proportions; an ex-dividend day or a crash lies
# between them.
SPLITS = (1.5, 2, 3, 4, 5, 7, 8, 10, 15, 20, 25, 50, 100)
SPLIT_TOLERANCE = 0.06  # of the ratio: the price moves on that day, too
BY_CHANCE = 0.05  # share of rows, of series that stand still or count
STRETCH, SHORTEST = 32, 8  # rows that two series do not share by chance; the fewest


def check_order(one: Series) -> None:
    """UserError at the first date that does not come after the one before it."""
    dates = _dates(one)
    wrong = np.flatnonzero(np.diff(dates) <= np.timedelta64(0, "s")) + 1
    if len(wrong):
        row = wrong[0]
        now, before = (str(dates[i]).replace("T00:00:00", "") for i in (row, row - 1))
        what = f"date {now} stands twice; keep one of the rows"
        if now != before:
            what = f"date {now} comes after {before}; sort the rows by date"
        raise _first_error(one, wrong, what)


def check_steps(one: Series, frequency: Frequency, mend: str) -> None:
    """UserError at the first gap in the dates, or at a date off the grid; `mend` says
    what to do about the latter."""
    steps = steps_between(_dates(one), frequency)
    wrong = np.flatnonzero(steps != 1) + 1
    if not len(wrong):
        return
    check_made_up(one, frequency, mend)
    step = steps[wrong[0] - 1]
    what = f" is no whole step of {frequency}; {mend}"
    if step == int(step) and step >= 1:
        what = f": {plural(int(step) - 1, 'row')} of step {frequency} missing; "
        what += "--fill forward repeats the row before"
    raise _first_error(one, wrong, _since(one, wrong[0]) + what)


def check_ahead(one: Series, frequency: Frequency | None, mend: str) -> None:
    """UserError unless the rows known ahead follow the last row step by step."""
    if one.ahead_dates is not None and frequency is not None:
        lines = np.concatenate([one.lines[-1:], one.ahead_lines])
        dates = np.concatenate([_dates(one)[-1:], one.ahead_dates])
        check_steps(one._replace(lines=lines, dates=dates), frequency, mend)


def check_frequency(one: Series, frequency: Frequency, mend: str) -> None:
    """UserError where rows are nearer than a step, or no trading days apart."""
    dates = _dates(one)
    steps = steps_between(dates, frequency)
    if frequency.unit == "B":  # days of a week count as one step whatever lies between
        days = np.diff(dates) / np.timedelta64(1, "D")
        usual = np.median(days)
        steps = np.where((days < 1) | (usual > 3), 0, steps)
    wrong = np.flatnonzero(steps < 1) + 1
    if len(wrong):
        what = f"{_since(one, wrong[0])} is no whole step of {frequency}; {mend}"
        raise _first_error(one, wrong, what)


def check_made_up(one: Series, frequency: Frequency, mend: str) -> None:
    """UserError where more rows are left out than there are, so that filling would make
    most of them up."""
    steps = steps_between(_dates(one), frequency)
    missing = int(np.floor(np.maximum(steps - 1, 0)).sum())
    total = missing + len(one.lines)
    if missing > MOST_MADE_UP * total:
        row = int(np.argmax(steps > 1)) + 1
        first = plural(int(steps[row - 1]) - 1, "row")
        what = f"{_since(one, row)}: {first} of step {frequency} missing, {missing:,} "
        what += f"of {total:,} in all, so that filling would make most rows up"
        what += f"; {mend}, --fill drop takes the rows as equal steps"
        raise one.error(row, what)


def check_missing(one: Series, columns: Sequence[str]) -> None:
    """UserError at the first missing value."""
    rows, places = np.nonzero(np.isnan(one.values))
    if len(rows):
        what = f"column {columns[places[0]]!r} has no value; --fill forward repeats the"
        what += " value before it, --fill drop leaves such rows out"
        raise _first_error(one, rows, what)


def check_prices(one: Series, columns: Sequence[str]) -> None:
    """UserError at the first price that is not positive, or Low that is above High."""
    lower = [price_name(name) for name in columns]
    for column, name in enumerate(lower):
        if name not in ("open", "high", "low", "close", "adj close", "volume"):
            continue
        values = one.values[:, column]
        wrong, rule = np.flatnonzero(values <= 0), "a price is above zero"
        if name == "volume":
            wrong, rule = np.flatnonzero(values < 0), "a volume is not negative"
        if len(wrong):
            what = f"{columns[column]} is {values[wrong[0]]:g}; {rule}"
            raise _first_error(one, wrong, what)
    if "low" in lower and "high" in lower:
        low, high = (one.values[:, lower.index(name)] for name in ("low", "high"))
        wrong = np.flatnonzero(low > high)
        if len(wrong):
            what = f"Low {low[wrong[0]]:g} is above High {high[wrong[0]]:g}"
            raise _first_error(one, wrong, what)


def warn_of_splits(one: Series, column: str) -> None:
    """Tells, on stderr, of jumps of the prices above zero in the first column that look
    like a split."""
    prices = one.values[:, 0]
    ratios = prices[:-1] / prices[1:]
    for row in np.flatnonzero((ratios > 1.4) | (ratios < 1 / 1.4)):
        size = max(ratios[row], 1 / ratios[row])
        near = min(SPLITS, key=lambda split: abs(split / size - 1))
        if abs(near / size - 1) > SPLIT_TOLERANCE:
            continue
        sides = (f"{near:g}", "1") if ratios[row] > 1 else ("1", f"{near:g}")
        log.info(
            f"warning: {place_of(one.path, int(one.lines[row + 1]))}: {column} goes "
            f"from {prices[row]:g} to {prices[row + 1]:g} in one step, which looks "
            f"like a {':'.join(sides)} split; adjust the prices before it",
        )


def check_copies(
    paths: Sequence[str | Path], targets: Sequence[np.ndarray], refuse: bool
) -> None:
    """Finds series that are the same under two names, whole or in part, at any dates.

    Of `targets`, float (N, K) each. Where one has fewer than 16 rows, nothing can be
    told. All that is found is said.

    Raises:
        UserError: More than half of a series stands in one before it, and `refuse`.
    """
    seen, owners = np.zeros(0, np.uint64), np.zeros(0, int)
    length = min(STRETCH, *(len(values) // 2 for values in targets))
    if length < SHORTEST:
        return
    for number, (path, values) in enumerate(zip(paths, targets)):
        hashes = _stretches(values, length)
        at = np.searchsorted(seen, hashes).clip(max=max(len(seen) - 1, 0))
        same = seen[at] == hashes if len(seen) else np.zeros(len(hashes), bool)
        if same.sum() > BY_CHANCE * len(same):
            other = int(np.bincount(owners[at[same]]).argmax())
            share = float(same.mean())
            found = f"{percent(share)} of its rows also stand in {paths[other]}"
            if refuse and share > MOST:
                what = "two names of one series make scores look surer than they are"
                raise error_at(path, f"{found}; {what}: leave one of the two out")
            log.info(f"{path}: {found}")
        seen = np.concatenate([seen, hashes])
        owners = np.concatenate([owners, np.full(len(hashes), number)])
        order = np.argsort(seen, kind="stable")
        seen, owners = seen[order], owners[order]


def _stretches(values: np.ndarray, length: int) -> np.ndarray:
    """A hash of each run of so many rows in which anything changes: uint64 (M,)."""
    rows = np.ascontiguousarray(values, np.float64).view(np.uint64)
    base = np.uint64(0x9E3779B97F4A7C15)
    row = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        row = (row + column + np.uint64(1)) * base
    changes = np.concatenate([[0], np.cumsum(row[1:] != row[:-1])])
    hashes = np.zeros(len(rows) - length + 1, np.uint64)
    for step in range(length):
        hashes = hashes * base + row[step : len(row) - length + 1 + step]
    return hashes[changes[length - 1 :] > changes[: len(changes) - length + 1]]


def _dates(one: Series) -> np.ndarray:
    assert one.dates is not None  # of others no date is checked
    return one.dates


def _since(one: Series, row: int) -> str:
    dates = _dates(one)
    return f"{dates[row]} after {dates[row - 1]}".replace("T00:00:00", "")


def _first_error(one: Series, rows: np.ndarray, what: str) -> UserError:
    more = f" ({len(rows)} such places)" if len(rows) > 1 else ""
    return one.error(rows[0], what + more)
