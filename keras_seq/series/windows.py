"""Where windows lie in time: parts by date, and embargoes.

A window is named by its first target row f: its inputs are rows f - T to f - 1, its
targets rows f to f + H - 1. A part owns its target rows. Of two cuts a and b,

    rows        0 ........ a-1 | a .......... b-1 | b ........ N-1
    targets     [   train      ] [  validation    ] [   test     ]
    f           T ....... a-H    a ......... b-H    b ...... N-H
                          |<-H->|            |<-H->|
                           embargo            embargo

so no target row is shared by two parts, and between the last window of a part and the
first of the next lie H rows: what decided the one part was over before the other
began. The inputs of a later part reach back over the cut, as they would on the day.
`train_facts` reads rows 0 to a - 1. Every window whose targets lie in the test part
is scored, and none is dropped: with 8,640, 2,880 and 2,880 rows and H = 96 these are
the 2,785 test windows a variable of the usual ETT protocol.

Shapes: N rows, F columns, K targets, T steps of a window, H horizon.
"""

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_seq.errors import UserError
from keras_seq.series.calendar import Frequency
from keras_seq.series.numbers import needed_dtype
from keras_seq.series.table import Series, SeriesTable

PARTS = ("train", "validation", "test")
SHARES = (0.7, 0.15)  # of the rows: train and validation; the rest tests


class WindowPlan(NamedTuple):
    """The windows of one part, over the rows of all series end to end.

    Attributes:
        values: float32 or float64 (R, F), rows of all series.
        firsts: int64 (S,), the row of the first target of each series' first window.
        counts: int64 (S,), windows of each series.
        lookback: T.
        horizon: H.
        num_targets: K.
    """

    values: np.ndarray
    firsts: np.ndarray
    counts: np.ndarray
    lookback: int
    horizon: int
    num_targets: int

    @property
    def num_windows(self) -> int:
        """Windows of all series together."""
        return int(self.counts.sum())

    def first_rows(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Series (B,) and first target row (B,) of windows by their number."""
        ends = np.cumsum(self.counts)
        series = np.searchsorted(ends, numbers, side="right")
        return series, self.firsts[series] + numbers - (ends - self.counts)[series]


def cut_rows(
    table: SeriesTable,
    validation_start: str | None = None,
    test_start: str | None = None,
) -> list[tuple[int, int]]:
    """The rows a and b of each series at which validation and test begin.

    With dates all series are cut on the same days.

    Args:
        table: the series.
        validation_start: a date, or the number of a row from 0 where there are none;
            None takes the row after 70 % of them.
        test_start: the same; None takes the row after 85 %.

    Returns:
        (a, b) of each series.

    Raises:
        UserError: A start is no date or row, or they are not in order.
    """
    starts = (validation_start, test_start)
    dated = table.frequency is not None
    if dated:
        every_date = np.unique(np.concatenate([one.dates for one in table.series]))
    cuts = []
    for one in table.series:
        keys = one.dates if dated else np.arange(len(one.values))
        assert keys is not None  # a table with a frequency has dates
        pool = every_date if dated else keys
        usual = [pool[int(share * len(pool))] for share in np.cumsum(SHARES)]
        found = [
            default if text is None else _start(text, dated)
            for text, default in zip(starts, usual)
        ]
        if any(starts) and not found[0] < found[1]:
            raise UserError(
                f"validation would start at {found[0]} and test at {found[1]}; "
                "give --validation-start and --test-start in this order"
            )
        validation, test = (int(np.searchsorted(keys, start)) for start in found)
        cuts.append((validation, test))
    return cuts


def _start(text: str, dated: bool) -> np.datetime64 | int:
    import pandas as pd

    try:
        if not dated:
            return int(text)
        return pd.Timestamp(text).to_datetime64().astype("datetime64[s]")
    except ValueError:
        kind = "a date, such as 2019-01-31" if dated else "the number of a row"
        raise UserError(f"{text!r} is not {kind}") from None


def plan_windows(
    table: SeriesTable, cuts: Sequence[tuple[int, int]], lookback: int, horizon: int
) -> dict[str, WindowPlan]:
    """The windows of train, validation and test, as the picture above has them, by the
    name of the part; their rows are the same array.

    Raises:
        UserError: A series has too few rows for one window in each part.
    """
    values = all_rows(table, needed_dtype(table))
    ends = [len(one.values) for one in table.series]
    bounds = {
        "train": [(0, start) for start, _ in cuts],
        "validation": cuts,
        "test": [(test, end) for (_, test), end in zip(cuts, ends)],
    }
    plan = functools.partial(plan_part, table, values=values)
    return {
        part: plan(own, lookback, horizon, part=part) for part, own in bounds.items()
    }


def plan_part(
    table: SeriesTable,
    bounds: Sequence[tuple[int, int]],
    lookback: int,
    horizon: int,
    *,
    values: np.ndarray,
    part: str = "test",
    has_options: bool = True,
) -> WindowPlan:
    """The windows whose targets lie between two rows of each series.

    Args:
        table: the series.
        bounds: (first row, row after the last) of the targets, for each series.
        lookback, horizon: T and H.
        values: float (R, F), of `all_rows`.
        part: what to call it in an error.
        has_options: whether the user can choose lookback and horizon.

    Raises:
        UserError: A series has no such window.
    """
    offset, firsts, counts = 0, [], []
    for one, (low, high) in zip(table.series, bounds):
        first = max(low, lookback)
        count = high - horizon - first + 1
        if count < 1:
            _refuse(one, part, high - low, lookback, horizon, has_options)
        firsts.append(offset + first)
        counts.append(count)
        offset += len(one.values)
    at = np.array(firsts), np.array(counts)
    return WindowPlan(values, *at, lookback, horizon, table.num_targets)


def all_rows(table: SeriesTable, dtype: str) -> np.ndarray:
    """Rows of all series end to end: (R, F)."""
    return np.concatenate([one.values for one in table.series]).astype(dtype)


def _refuse(
    one: Series, part: str, rows: int, lookback: int, horizon: int, has_options: bool
) -> None:
    need, what = horizon, f"{horizon} to forecast"
    if part == "train":
        need, what = need + lookback, f"a window of {lookback} rows and {what}"
    options = ["--lookback"] * (part == "train" and lookback > 1)  # what would help
    options += ["--horizon"] * (horizon > 1)
    less = f", or less of {' or '.join(options)}" if options else ""
    if rows <= (part == "train"):  # not enough for a window of one row and one more
        less = ", or other --validation-start and --test-start"
    raise one.error(
        -1,
        f"the file ends after {len(one.values)} rows; the {part} part has {rows} of "
        f"them and needs {need}: {what}; give more rows{less if has_options else ''}",
    )


def default_lookback(
    horizon: int, rows: int, frequency: Frequency | None, is_prices: bool
) -> int:
    """Rows of a window: 60 prices; else seven horizons, as far as the rows of the
    shortest series' train part allow.

    Example:

    >>> default_lookback(96, 8640, None, is_prices=False)
    336
    """
    season = frequency.season if frequency else 1
    most = max(1, (rows - horizon) // 3)
    wished = 60 if is_prices else max(7 * horizon // 2, 2 * season, 12)
    return max(1, min(wished, most))
