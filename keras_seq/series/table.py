"""Files as series: rows with a date, columns of numbers, the targets first.

One file is one series, or as many as a column of it names; several files with the same
columns are as many series of one table. What is wrong with a file is said by row, and
nothing is filled in silence: `series_checks` looks, `fill` mends when asked to.

Shapes: N rows, F columns, K targets.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from keras_seq.data.in_memory import Table, as_file
from keras_seq.data.numbers import check_decimal
from keras_seq.data.places import error_at, place_of
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import find_files, kind_of
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.series import checks as series_checks
from keras_seq.series.calendar import Frequency, infer_frequency, parse_frequency
from keras_seq.series.cells import (
    Cells,
    check_one_series,
    dates_of,
    numbers_of,
    read_cells,
    rows_of_series,
)
from keras_seq.series.columns import (
    PRICES,
    check_names,
    choose_columns,
    columns_that_part,
    find_date_columns,
    find_series_columns,
    number_columns,
    price_name,
)
from keras_seq.series.dates import check_date_format
from keras_seq.series.fill import filled
from keras_seq.series.known_future import OPTION, check_ahead, cut_ahead
from keras_seq.series.series_table import (
    ReadAs,
    Series,
    SeriesTable,
    names_of_files,
    with_own_names,
)
from keras_seq.series.sheets import (
    TICKERS,
    Sheet,
    check_columns,
    open_sheet,
)
from keras_seq.series.trading_days import report_missing_days

__all__ = ["Series", "SeriesTable", "check_columns", "read_series"]

Fill = Literal["forward", "drop"]


def read_series(
    paths: Table,
    *,
    date_column: Sequence[str] | None = None,
    target: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    known_future: Sequence[str] | None = None,
    series_column: Sequence[str] | None = None,
    frequency: str | None = None,
    fill: Fill | None = None,
    limit: int | None = None,
    table_format: TableFormat = AS_FOUND,
    date_format: str | None = None,
    decimal: str | None = None,
    likely: ReadAs = ReadAs(),
    mend_steps: str = "--frequency names another",
    refuse_copies: bool = True,
) -> SeriesTable:
    """Reads prices as Yahoo or Stooq write them, or any table of a regular series.

    Args:
        paths: a file, a glob or several; each file is a series. Or a DataFrame, with
            its dates in a column or as its index.
        date_column: its name; several are read together, such as year month day hour.
            None finds it by its usual names; a table without one ([]) has steps alone.
        target: columns to forecast, or `all`. None takes Close of prices, and the only
            column of numbers where there is but one.
        features: further columns to read. None takes Open, High, Low and Volume of
            prices, and no others.
        known_future: further columns, whose values are known of rows to come; rows
            without a target at the end of a file hold them.
        series_column: columns that tell several series of a file apart, or that of the
            names in a table of a series a row. None asks where one looks like it; []
            takes all rows as one series.
        frequency: as `parse_frequency` reads it; None looks at the dates.
        fill: what to do with missing values and rows: "forward" repeats the value
            before, "drop" leaves rows with a hole out and takes the rest as equal
            steps. None is an error where something is missing.
        limit: keep so many of the last rows.
        table_format: how the files are to be read; its `drop_missing` is fill "drop".
        date_format: order of the dates or a pattern, as `check_date_format` has it;
            None looks at the whole column.
        decimal: "point" or "comma"; None looks at all columns.
        likely: how to read what the file leaves open, such as a model's table was.
        mend_steps: what an error says about dates that are no steps of the frequency.
        refuse_copies: one series under two names is an error; else it is said.

    Returns:
        The series, checked.

    Raises:
        UserError: A file, row or name does not fit; one line that says which.
    """
    if limit is not None and not limit >= 1:
        raise ValueError(f"limit is {limit}; expected 1 row or more")
    check_date_format(date_format)
    asked = _Asked(
        parse_frequency(frequency) if frequency else None,
        _filling(fill, table_format),
        limit,
        date_format,
        check_decimal(decimal),
        date_column is not None,
        mend_steps,
    )
    files = find_files(
        as_file(paths, ["value"]), lambda path: kind_of(path, table_format)
    )
    first = open_sheet(files[0], table_format, series_column)
    dates_from = find_date_columns(first, date_column)
    is_parted = series_column is not None or first.layout == TICKERS
    chosen_by_name = [*dates_from, *(target or ()), *(features or ())]
    names_from = find_series_columns(first, series_column, chosen_by_name)
    taken = [*dates_from, *(names_from if is_parted else ())]
    targets, others, is_prices = choose_columns(first, taken, target, features)
    prices = [name for name in others if is_prices and price_name(name) in PRICES]
    known = list(dict.fromkeys(known_future or ()))
    check_names(files[0], number_columns(first, [*taken, *targets]), known, OPTION)
    others = [name for name in others if name not in (*prices, *known)]
    prices = [name for name in prices if name not in known]
    columns = [*targets, *prices, *others, *known]
    series, found = [], asked.frequency
    for path, name in zip(files, names_of_files(files)):
        sheet = open_sheet(path, table_format, series_column)
        needed = [*taken, *columns]
        check_columns(path, sheet.header, needed, first.header, files[0])
        own_names = [n for n in names_from if is_parted or n in sheet.header]
        cells = read_cells(sheet, dates_from, own_names, columns)
        if not is_parted:
            check_one_series(sheet, cells, own_names)
            cells = cells._replace(names=[])
        parts, likely = _parts_of(
            sheet, cells, dates_from, taken[len(dates_from) :], columns, asked, likely
        )
        for part in parts:
            if part.dates is not None:
                found = found or infer_frequency(part.dates)
            cut = cut_ahead(part, len(targets), len(known))
            check_ahead(cut, part.lines, found, mend_steps)
            whole = _without_holes(cut, columns, found, asked, is_prices)
            series.append(whole._replace(name=part.name or name, part=part.name))
    targets_of = [one.values[:, : len(targets)] for one in series]
    series_checks.check_copies([one.label for one in series], targets_of, refuse_copies)
    dates_from = dates_from if series[0].dates is not None else []
    return SeriesTable(
        with_own_names(series),
        columns,
        len(targets),
        len(prices),
        is_prices,
        dates_from,
        found if dates_from else None,
        first.header,
        None if series_column is None else names_from,
        likely,
        known,
    )


class _Asked(NamedTuple):
    """What the options say of every file."""

    frequency: Frequency | None
    fill: Fill | None
    limit: int | None
    date_format: str | None
    decimal: str | None
    names_dates: bool
    mend_steps: str


def _filling(fill: Fill | None, table_format: TableFormat) -> Fill | None:
    if not table_format.drop_missing:
        return fill
    if fill == "forward":
        raise UserError("--fill forward or --drop-missing: one of the two")
    return "drop"


def _parts_of(
    sheet: Sheet,
    cells: Cells,
    dates_from: Sequence[str],
    names_from: Sequence[str],
    columns: Sequence[str],
    asked: _Asked,
    likely: ReadAs,
) -> tuple[list[Series], ReadAs]:
    """The series of one file, each from its first date on, and how it was read."""
    if len(cells.lines) < 2:
        raise error_at(sheet.path, "fewer than two rows; a forecast needs a history")
    rows_of = rows_of_series(cells.names, len(cells.lines))
    values, decimal = numbers_of(sheet, cells, columns, asked.decimal, likely.decimal)
    dates = None
    if dates_from:
        dates = dates_of(
            sheet,
            cells,
            dates_from,
            list(rows_of.values()),
            is_given=asked.names_dates,
            date_format=asked.date_format,
            likely=likely.date_format,
        )
    parts, turned = [], 0
    for name, rows in rows_of.items():
        own = None if dates is None else dates.values[rows]
        if own is not None and np.all(np.diff(own) < np.timedelta64(0, "s")):
            rows, own, turned = rows[::-1], own[::-1], turned + 1
        parts.append(_part(sheet, cells, name, rows, own, values, names_from))
    if turned:
        log.info(f"{sheet.path}: its newest rows stand first; read from the oldest on")
    date_format = likely.date_format if dates is None else dates.date_format
    return parts, ReadAs(date_format, decimal)


def _part(
    sheet: Sheet,
    cells: Cells,
    name: str,
    rows: np.ndarray,
    dates: np.ndarray | None,
    values: np.ndarray,
    names_from: Sequence[str],
) -> Series:
    lines = cells.lines[rows]
    if len(rows) < 2:
        what = f"series {name!r} has one row; a forecast needs a history"
        raise error_at(place_of(sheet.path, int(lines[0])), what)
    if dates is not None:
        try:
            series_checks.check_order(sheet.path, lines, dates)
        except UserError as error:
            apart = columns_that_part(sheet, cells.dates, names_from)
            if not apart:
                raise
            what = f"{error}; or is each {' and '.join(apart)} a series of its own? "
            what += f"--series-column {' '.join(apart)} reads them so"
            raise UserError(what) from error
    own = values[rows]
    return Series(name, sheet.path, dates, own, np.ones(own.shape, bool), lines)


def _without_holes(
    one: Series,
    columns: Sequence[str],
    frequency: Frequency | None,
    asked: _Asked,
    is_prices: bool,
) -> Series:
    """The series with all its rows, checked."""
    path, lines = one.path, one.lines
    if is_prices:
        series_checks.check_prices(path, lines, columns, one.values)
    lines, dates, values, observed = filled(
        path,
        lines,
        one.dates,
        one.values,
        columns,
        frequency,
        asked.fill,
        asked.mend_steps,
    )
    last = slice(-asked.limit if asked.limit else None, None)
    lines, values, observed = lines[last], values[last], observed[last]
    dates = None if dates is None else dates[last]
    if is_prices:
        series_checks.warn_of_splits(path, lines, columns[0], values[:, 0])
    if dates is not None and frequency is not None and frequency.unit == "B":
        report_missing_days(one.label, dates)
    return one._replace(dates=dates, values=values, observed=observed, lines=lines)
