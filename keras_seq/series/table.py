"""Files as series: rows with a date, columns of numbers, the targets first.

One file is one series, or as many as a column of it names; several files with the same
columns are as many series of one table. What is wrong with a file is said by row, and
nothing is filled in silence: `checks` looks, `fill` mends when asked to.

Shapes: N rows, F columns, K targets.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_seq.data.in_memory import Table, as_file
from keras_seq.data.numbers import check_decimal
from keras_seq.data.places import error_at
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import find_files, kind_of
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.series.calendar import infer_frequency, parse_frequency
from keras_seq.series.cells import (
    Cells,
    check_one_series,
    dates_of,
    numbers_of,
    read_cells,
    rows_of_series,
)
from keras_seq.series.checks import (
    check_ahead,
    check_copies,
    check_order,
    check_prices,
    warn_of_splits,
)
from keras_seq.series.choices import Fill
from keras_seq.series.columns import (
    PRICES,
    check_names,
    choose_columns,
    columns_that_part,
    find_date_columns,
    find_series_columns,
    price_name,
)
from keras_seq.series.dates import check_date_format
from keras_seq.series.fill import filled
from keras_seq.series.known_future import OPTION, cut_ahead
from keras_seq.series.series_table import (
    ReadAs,
    Series,
    SeriesTable,
    names_of_files,
    with_own_names,
)
from keras_seq.series.sheets import TICKERS, check_columns, open_sheet
from keras_seq.series.trading_days import report_missing_days

__all__ = ["Series", "SeriesTable", "check_columns", "read_series"]


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
    found = parse_frequency(frequency) if frequency else None
    if table_format.drop_missing and fill == "forward":
        raise UserError("--fill forward or --drop-missing: one of the two")
    fill = "drop" if table_format.drop_missing else fill
    decimal = check_decimal(decimal)
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
    free = [name for name in first.header if name not in (*taken, *targets)]
    check_names(files[0], free, known, OPTION)
    others = [name for name in others if name not in (*prices, *known)]
    prices = [name for name in prices if name not in known]
    columns = [*targets, *prices, *others, *known]
    series: list[Series] = []
    for path, name in zip(files, names_of_files(files)):
        sheet = open_sheet(path, table_format, series_column)
        needed = [*taken, *columns]
        check_columns(path, sheet.header, needed, first.header, files[0])
        own_names = [n for n in names_from if is_parted or n in sheet.header]
        cells = read_cells(sheet, dates_from, own_names, columns)
        if not is_parted:
            check_one_series(cells, own_names)
            cells = cells._replace(names=[])
        if len(cells.lines) < 2:
            raise error_at(path, "fewer than two rows; a forecast needs a history")
        rows_of = rows_of_series(cells.names, len(cells.lines))
        values, mark = numbers_of(cells, decimal, likely.decimal)
        dates = None
        if dates_from:
            dates = dates_of(
                cells,
                dates_from[0],
                list(rows_of.values()),
                is_given=date_column is not None,
                date_format=date_format,
                likely=likely.date_format,
            )
        likely = ReadAs(dates.date_format if dates else likely.date_format, mark)
        when, observed = dates and dates.values, np.ones(values.shape, bool)
        of_file = Series("", path, when, values, observed, cells.lines)
        for one in _parts_of(of_file, rows_of, cells, taken[len(dates_from) :]):
            if one.dates is not None:
                found = found or infer_frequency(one.dates)
            one = cut_ahead(one, len(targets), len(known))
            check_ahead(one, found, mend_steps)
            if is_prices:
                check_prices(one, columns)
            one = filled(one, columns, found, fill, mend_steps)
            one = one.rows(slice(-limit if limit else None, None))
            if is_prices:
                warn_of_splits(one, columns[0])
            if one.dates is not None and found is not None and found.unit == "B":
                report_missing_days(str(path), one.dates)
            series.append(one._replace(name=one.part or name))
    targets_of = [one.values[:, : len(targets)] for one in series]
    check_copies([one.label for one in series], targets_of, refuse_copies)
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


def _parts_of(
    of_file: Series,
    rows_of: Mapping[str, np.ndarray],
    cells: Cells,
    names_from: Sequence[str],
) -> list[Series]:
    """The series of one file, each from its first date on."""
    parts, turned = [], False
    for name, rows in rows_of.items():
        one = of_file.rows(rows)._replace(part=name)
        if len(rows) < 2:
            what = f"series {name!r} has one row; a forecast needs a history"
            raise one.error(0, what)
        if one.dates is not None:
            if np.all(np.diff(one.dates) < np.timedelta64(0, "s")):
                one, turned = one.rows(slice(None, None, -1)), True
            try:
                check_order(one)
            except UserError as error:
                apart = columns_that_part(cells.sheet, cells.dates, names_from)
                if not apart:
                    raise
                what = f"{error}; or is each {' and '.join(apart)} a series of its "
                what += f"own? --series-column {' '.join(apart)} reads them so"
                raise UserError(what) from error
        parts.append(one)
    if turned:
        what = "its newest rows stand first; read from the oldest on"
        log.info(f"{of_file.path}: {what}")
    return parts
