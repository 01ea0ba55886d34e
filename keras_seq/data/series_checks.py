"""What is wrong with rows of a series, said in one line by row; nothing is mended here.

Shapes: N rows, F columns.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_seq.data.calendar import Frequency, steps_between
from keras_seq.data.readers import error_at, place_of

# Shares are split or merged in such proportions; an ex-dividend day or a crash lies
# between them.
SPLITS = (1.5, 2, 3, 4, 5, 7, 8, 10, 15, 20, 25, 50, 100)
SPLIT_TOLERANCE = 0.06  # of the ratio: the price moves on that day, too


def check_order(path: Path, lines: np.ndarray, dates: np.ndarray) -> None:
    """UserError at the first date that does not come after the one before it."""
    wrong = np.flatnonzero(np.diff(dates) <= np.timedelta64(0, "s"))
    if not len(wrong):
        return
    row = wrong[0] + 1
    now, before = (str(dates[i]).replace("T00:00:00", "") for i in (row, row - 1))
    what = f"date {now} stands twice; keep one of the rows"
    if now != before:
        what = f"date {now} comes after {before}; sort the rows by date"
    raise error_at(place_of(path, int(lines[row])), what + _and_more(len(wrong)))


def check_steps(
    path: Path,
    lines: np.ndarray,
    dates: np.ndarray,
    frequency: Frequency,
    mend: str = "--frequency names another",
) -> None:
    """UserError at the first gap in the dates, or at a date off the grid; `mend` says
    what to do about the latter."""
    steps = steps_between(dates, frequency)
    wrong = np.flatnonzero(steps != 1)
    if not len(wrong):
        return
    row = wrong[0] + 1
    step, place = steps[wrong[0]], place_of(path, int(lines[row]))
    since = f"{dates[row]} after {dates[row - 1]}".replace("T00:00:00", "")
    if step != int(step):
        what = f"{since} is no whole step of {frequency}; {mend}"
    else:
        missing = int(step) - 1
        what = f"{since}: {missing} row{'s' * (missing != 1)} of step {frequency} "
        what += "missing; --fill forward repeats the row before"
    raise error_at(place, what + _and_more(len(wrong)))


def check_missing(
    path: Path, lines: np.ndarray, columns: Sequence[str], values: np.ndarray
) -> None:
    """UserError at the first missing value."""
    rows, places = np.nonzero(np.isnan(values))
    if len(rows):
        what = f"column {columns[places[0]]!r} has no value; --fill forward repeats the"
        what += " value before it, --fill drop leaves such rows out"
        raise error_at(
            place_of(path, int(lines[rows[0]])), what + _and_more(len(rows))
        )


def check_prices(
    path: Path, lines: np.ndarray, columns: Sequence[str], values: np.ndarray
) -> None:
    """UserError at the first price that is not positive, or Low that is above High."""
    lower = [name.lower() for name in columns]
    for column, name in enumerate(lower):
        least = 0.0 if name == "volume" else np.nextafter(0, 1)
        known = name in ("open", "high", "low", "close", "adj close", "volume")
        wrong = np.flatnonzero(known & (values[:, column] < least))
        if len(wrong):
            value = values[wrong[0], column]
            what = f"{columns[column]} is {value:g}; a price is above zero"
            if name == "volume":
                what = f"{columns[column]} is {value:g}; a volume is not negative"
            place = place_of(path, int(lines[wrong[0]]))
            raise error_at(place, what + _and_more(len(wrong)))
    if "low" in lower and "high" in lower:
        low, high = values[:, lower.index("low")], values[:, lower.index("high")]
        wrong = np.flatnonzero(low > high)
        if len(wrong):
            what = f"Low {low[wrong[0]]:g} is above High {high[wrong[0]]:g}"
            place = place_of(path, int(lines[wrong[0]]))
            raise error_at(place, what + _and_more(len(wrong)))


def warn_of_splits(
    path: Path, lines: np.ndarray, column: str, prices: np.ndarray
) -> int:
    """Tells, on stderr, of jumps of one step that look like a split; how many.

    Args:
        path: the file.
        lines: int (N,).
        column: name of the prices.
        prices: float (N,), positive.
    """
    ratios = prices[:-1] / prices[1:]
    found = 0
    for row in np.flatnonzero((ratios > 1.4) | (ratios < 1 / 1.4)):
        size = max(ratios[row], 1 / ratios[row])
        near = min(SPLITS, key=lambda split: abs(split / size - 1))
        if abs(near / size - 1) > SPLIT_TOLERANCE:
            continue
        found += 1
        sides = (f"{near:g}", "1") if ratios[row] > 1 else ("1", f"{near:g}")
        print(
            f"warning: {place_of(path, int(lines[row + 1]))}: {column} goes from "
            f"{prices[row]:g} to {prices[row + 1]:g} in one step, which looks like a "
            f"{':'.join(sides)} split; adjust the prices before it",
            file=sys.stderr,
        )
    return found


def _and_more(count: int) -> str:
    return f" ({count} such places)" if count > 1 else ""
