"""Which columns of a table hold its dates, and what their cells say.

Shapes: N rows.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_seq.data.tables import error_at, listed, place_of
from keras_seq.log import log

DATE_NAMES = ("date", "datetime", "timestamp", "time", "month", "day", "period", "ds")
CLOCK = ("year", "month", "day", "hour", "minute", "second")


def find_date_columns(
    path: Path, header: list[str], given: Sequence[str] | None
) -> list[str]:
    """The columns that a table's dates are read from.

    Args:
        path: for messages.
        header: names of all columns.
        given: names that the user gave, none in []; None finds usual ones.

    Returns:
        One name, those of year, month ... in their order, or none.

    Raises:
        UserError: There is no such column.
    """
    if given is not None:
        check_names(path, header, given, "--date-column")
        return list(given)
    for usual in DATE_NAMES:
        for name in header:
            of_a_clock = usual in CLOCK and "year" in map(str.lower, header)
            if name.lower() == usual and not of_a_clock:
                return [name]
    clock = [name for part in CLOCK for name in header if name.lower() == part]
    if clock and clock[0].lower() == "year":
        return clock
    what = "no date column found, rows are taken as equal steps in time"
    log.info(f"{path}: {what}; --date-column names one")
    return []


def parse_dates(path: Path, lines: np.ndarray, cells: list[tuple]) -> np.ndarray:
    """datetime64[s] (N,), or the first row whose date cannot be read."""
    import pandas as pd

    if not cells:
        return np.zeros(0, "datetime64[s]")
    texts = [" ".join(map(str, cell)) for cell in cells]
    if len(cells[0]) > 1 and all(map(is_number, map(str, cells[0]))):
        # Year, month, day and perhaps hour ... as numbers of their own.
        texts = [_clock_text(cell) for cell in cells]
    try:
        parsed = pd.to_datetime(pd.Series(texts), errors="coerce", utc=False)
        if parsed.dtype == object:
            raise ValueError("mixed time zones")
    except ValueError:
        parsed = pd.to_datetime(pd.Series(texts), errors="coerce", utc=True)
    if getattr(parsed.dt, "tz", None) is not None:
        parsed = parsed.dt.tz_convert("UTC").dt.tz_localize(None)
    bad = np.flatnonzero(parsed.isna().to_numpy())
    if len(bad):
        what = f"{texts[bad[0]][:40]!r} is no date as the rows before it have them"
        raise error_at(place_of(path, int(lines[bad[0]])), what)
    return parsed.to_numpy().astype("datetime64[s]")


def _clock_text(cell: tuple) -> str:
    parts = [str(part).split(".")[0] for part in cell] + ["1", "1", "0", "0", "0"]
    parts = parts[: len(cell)] + ["1", "1", "0", "0", "0"][len(cell) - 1 :]
    year, month, day, hour, minute, second = parts[:6]
    date = f"{year.zfill(4)}-{month.zfill(2)}-{day.zfill(2)}"
    return f"{date} {hour.zfill(2)}:{minute.zfill(2)}:{second.zfill(2)}"


def is_number(text: str) -> bool:
    """Whether a cell reads as one."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def check_names(
    path: Path, header: Sequence[str], names: Sequence[str], option: str
) -> None:
    """UserError at the first name that is no column of the header."""
    for name in names:
        if name not in header:
            what = f"{option} {name!r}: no such column; has: {listed(header)}"
            raise error_at(path, what)
