"""Columns that are known ahead: a calendar, prices that are set, promotions planned.

A window holds rows that were; what is planned for the rows to come is put into it by
moving such a column up: row r of a window holds the value of row r + H. So the last H
rows of a window hold the values of the very H rows that are forecast, and a window's
shape, the network and its served signature stay as they are.

Shapes: N rows, F columns, L of them known ahead (the last), M rows ahead, H horizon.
"""

from collections.abc import Sequence

import numpy as np

from keras_seq.data.places import listed
from keras_seq.errors import UserError
from keras_seq.series.series_table import Series, SeriesTable

OPTION = "--known-future"


def cut_ahead(one: Series, num_targets: int, num_known: int) -> Series:
    """The series up to its last target; the rows behind it, which hold all of the last
    `num_known` columns, stand in `ahead`."""
    if not num_known:
        return one
    targets, known = one.values[:, :num_targets], one.values[:, -num_known:]
    is_ahead = np.isnan(targets).all(axis=1) & np.isfinite(known).all(axis=1)
    size = len(is_ahead) - int(np.argmin(is_ahead[::-1]))
    if is_ahead.all() or size == len(is_ahead):
        return one
    ahead = one.rows(slice(size, None))
    return one.rows(slice(size))._replace(
        ahead=known[size:], ahead_dates=ahead.dates, ahead_lines=ahead.lines
    )


def with_known_future(
    table: SeriesTable, horizon: int, needs_ahead: bool = False
) -> SeriesTable:
    """Moves columns that are known ahead up by the horizon.

    Args:
        table: of `read_series`; one without such columns stays as it is.
        horizon: H.
        needs_ahead: whether each series must hold H rows behind its last target, as a
            forecast of them asks for. Else the last H rows hold what no window reads.

    Raises:
        UserError: Too few rows are ahead.
    """
    if not table.known_future or table.rows_ahead:
        return table
    return table._replace(
        series=[_moved(one, table, horizon, needs_ahead) for one in table.series],
        rows_ahead=horizon,
    )


def check_lookback(known_future: Sequence[str], lookback: int, horizon: int) -> None:
    """UserError unless a window has a row for each step that is known ahead."""
    if known_future and lookback < horizon:
        raise UserError(
            f"{OPTION} needs windows of {horizon} rows, one for each step to forecast; "
            f"give --lookback {horizon} or more, or a smaller --horizon"
        )


def _moved(one: Series, table: SeriesTable, horizon: int, needs_ahead: bool) -> Series:
    num_known = len(table.known_future)
    known = one.values[:, -num_known:]
    ahead = np.zeros((0, num_known)) if one.ahead is None else one.ahead
    if needs_ahead and len(ahead) < horizon:
        targets = table.columns[: table.num_targets]
        what = f"{listed(table.known_future)} must be known of the {horizon} rows to "
        what += f"come: give {horizon} rows more, without {listed(targets)}"
        what += f" (there are {len(ahead)})" if len(ahead) else ""
        raise one.error(-1, what)
    last = np.repeat(known[-1:], horizon, axis=0)  # in rows that no window reads
    later = np.concatenate([known, ahead[:horizon], last])[horizon:][: len(known)]
    values = np.concatenate([one.values[:, :-num_known], later], axis=1)
    return one._replace(values=values)
