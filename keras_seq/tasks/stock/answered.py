"""A table of series in, the same table out with the forecast of what follows it.

All rows and columns stay. The steps to come stand in rows of their own below, with date
and series; where the table has these rows already, as columns that are known ahead ask
for, the answers are put into them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np

from keras_seq.data.answers import Row, names_of_answers
from keras_seq.data.places import error_at
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.series.dates_as_written import date_writer
from keras_seq.series.series_table import Series, SeriesTable
from keras_seq.series.sheets import TICKER, TICKERS, Sheet, open_sheet, text_of
from keras_seq.serving.exported import Exported
from keras_seq.tasks.stock.exported import ANSWERS, Forecast, forecast_series

Answers = dict[str, np.ndarray]  # (K,) by name
Key = tuple[int, str]  # a line of the file, and the series: a line may hold several
TAIL = 30  # rows that show how dates are written


def answer_series(
    exported: Exported, table: SeriesTable, table_format: TableFormat = AS_FOUND
) -> Iterator[Row]:
    """Rows of the files a table was read from, then rows of what follows.

    Args:
        exported: of `load_exported`.
        table: of `read_like`.
        table_format: how its files are to be read.

    Yields:
        Values by column, and forecast, lower and upper (of several targets
        `forecast_<target>` and so on), which are None in rows that were known.

    Raises:
        UserError: A series is shorter than a window, or files differ in their columns.
    """
    columns: list[str] = []
    targets = table.columns[: table.num_targets]
    for path in dict.fromkeys(one.path for one in table.series):
        sheet = open_sheet(path, table_format, table.series_column)
        columns = columns or sheet.header
        if sheet.header != columns:
            what = f"its columns are not those of {table.series[0].path}"
            raise error_at(path, f"{what}; --output takes files of one kind")
        own = [one for one in table.series if one.path == path]
        names_from = table.series_column
        if names_from is None:
            names_from = [TICKER] if sheet.layout == TICKERS else []
        for values, answers in _rows(exported, sheet, own, table, names_from):
            named = _named(answers, targets)
            names = names_of_answers(named, columns)
            yield dict(zip([*columns, *names], [*values, *named.values()]))


def _rows(
    exported: Exported,
    sheet: Sheet,
    series: Sequence[Series],
    table: SeriesTable,
    names_from: Sequence[str],
) -> Iterator[tuple[list[object], Answers | None]]:
    """(all values, answers (K,) by name), rows of the file first."""
    at = [sheet.header.index(name) for name in names_from]
    forecasts = {one.part: forecast_series(exported, one) for one in series}
    ahead: dict[Key, Answers] = {}
    seen: dict[Key, datetime | None] = {}  # the last rows of each series
    for one in series:
        lines = [] if one.ahead_lines is None else one.ahead_lines.tolist()
        steps = zip(lines, _steps(forecasts[one.part]))
        ahead |= {(line, one.part): answers for line, answers in steps}
        dates = [None] * len(one.lines) if one.dates is None else one.dates.tolist()
        last = zip(one.lines[-TAIL:].tolist(), dates[-TAIL:])
        seen |= {(line, one.part): date for line, date in last}
    tails: dict[str, list[tuple[datetime | None, list[object]]]] = {}
    for line, values in sheet.rows():
        key = line, " ".join(text_of(values[n]) for n in at)
        if key in seen:
            tails.setdefault(key[1], []).append((seen[key], values))
        yield values, ahead.get(key)
    for one in series:
        if one.ahead_lines is None:
            forecast, tail = forecasts[one.part], tails[one.part]
            dated = _dates(forecast, tail, sheet.header, table.date_column)
            kept = {n: tail[-1][1][n] for n in at}
            for written, answers in zip(dated, _steps(forecast)):
                cells = kept | written
                yield [cells.get(n) for n in range(len(sheet.header))], answers


def _steps(forecast: Forecast) -> Iterator[Answers]:
    """The answers of each step: (K,) by name."""
    for step in zip(*forecast.answers.values()):
        yield dict(zip(forecast.answers, step))


def _dates(
    forecast: Forecast,
    tail: Sequence[tuple[datetime | None, list[object]]],
    header: Sequence[str],
    date_column: Sequence[str],
) -> list[dict[int, str]]:
    """Cells of each step's date by their column, as those above them are written.

    Where the columns' way is none that is known, the first one has ISO's.
    """
    horizon = len(forecast.answers[ANSWERS[0]])
    at = [header.index(name) for name in date_column]
    if forecast.dates is None or not at:
        return [{} for _ in range(horizon)]
    new = forecast.dates.tolist()
    old = [date for date, _ in tail if date is not None]
    writers = [date_writer(old, [text_of(row[n]) for _, row in tail]) for n in at]
    if all(writers):
        return [{n: w(date) for n, w in zip(at, writers) if w} for date in new]
    return [{at[0]: str(date).removesuffix(" 00:00:00")} for date in new]


def _named(answers: Answers | None, targets: Sequence[str]) -> dict[str, float | None]:
    """The answers of one row by the names of their columns."""
    return {
        name if len(targets) == 1 else f"{name}_{target}": (
            None if answers is None else float(answers[name][place])
        )
        for place, target in enumerate(targets)
        for name in ANSWERS
    }
