"""Files as series: rows with a date, columns of numbers, the targets first.

One file is one series; several files with the same columns are as many series of one
table. What is wrong with a file is said by row, and nothing is filled in silence:
`series_checks` looks, `fill` mends when asked to.

Shapes: N rows, F columns, K targets.
"""

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from keras_seq.data.in_memory import Table, as_file
from keras_seq.data.tables import (
    error_at,
    find_files,
    kind_of,
    listed,
    place_of,
    read_columns,
    read_rows,
)
from keras_seq.series import checks as series_checks
from keras_seq.series.calendar import Frequency, infer_frequency, parse_frequency
from keras_seq.series.dates import (
    check_names,
    find_date_columns,
    is_number,
    parse_dates,
)
from keras_seq.series.fill import filled

Fill = Literal["forward", "drop"]
OPEN_TO_LOW = ("open", "high", "low")
MISSING = {"", "na", "n/a", "nan", "null", "none", "nat", "-", "?"}


class Series(NamedTuple):
    """One file's rows.

    Attributes:
        name: the file's name without its ending.
        path: the file.
        dates: datetime64[s] (N,), rising; None where the table has none.
        values: float64 (N, F), finite.
        observed: bool (N, F); False where `fill` put the value in.
        lines: int64 (N,), where each row stands in the file; 0 where `fill` put it.
    """

    name: str
    path: Path
    dates: np.ndarray | None
    values: np.ndarray
    observed: np.ndarray
    lines: np.ndarray


class SeriesTable(NamedTuple):
    """Series with the same columns.

    Attributes:
        series: one or more.
        columns: F names, the K targets first, then what moves like a price.
        num_targets: K.
        num_prices: how many columns behind the targets are prices, too.
        is_prices: the target is a price.
        date_column: its name or names; empty where there are no dates.
        frequency: None without dates.
        header: names of all columns of the first file.
    """

    series: list[Series]
    columns: list[str]
    num_targets: int
    num_prices: int
    is_prices: bool
    date_column: list[str]
    frequency: Frequency | None
    header: Sequence[str] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all values and dates."""
        digest = hashlib.sha256(repr(self.columns).encode())
        for one in self.series:
            digest.update(one.values.tobytes())
            digest.update(b"" if one.dates is None else one.dates.tobytes())
        return digest.hexdigest()


def read_series(
    paths: Table,
    *,
    date_column: Sequence[str] | None = None,
    target: Sequence[str] | None = None,
    features: Sequence[str] | None = None,
    frequency: str | None = None,
    fill: Fill | None = None,
    limit: int | None = None,
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
        frequency: as `parse_frequency` reads it; None looks at the dates.
        fill: what to do with missing values and rows: "forward" repeats the value
            before, "drop" leaves rows with a hole out and takes the rest as equal
            steps. None is an error where something is missing.
        limit: keep so many of the last rows.
        mend_steps: what an error says about dates that are no steps of the frequency.
        refuse_copies: one series under two names is an error; else it is said.

    Returns:
        The series, checked.

    Raises:
        UserError: A file, row or name does not fit; one line that says which.
    """
    if limit is not None and not limit >= 1:
        raise ValueError(f"limit is {limit}; expected 1 row or more")
    files = find_files(as_file(paths, ["value"]))
    header = column_names(files[0])
    dates_from = find_date_columns(files[0], header, date_column)
    targets, others, is_prices = _choose(files[0], header, dates_from, target, features)
    prices = [name for name in others if is_prices and name.lower() in _price_names()]
    columns = [*targets, *prices, *(name for name in others if name not in prices)]
    given = None if frequency is None else parse_frequency(frequency)
    series, found = [], given
    for path, name in zip(files, _series_names(files)):
        own_header = column_names(path)
        check_columns(path, own_header, [*dates_from, *columns], header, files[0])
        lines, dates, values = _read(path, own_header, dates_from, columns)
        dates = parse_dates(path, lines, dates) if dates_from else None
        if len(lines) < 2:
            raise error_at(path, "fewer than two rows; a forecast needs a history")
        if dates is not None:
            series_checks.check_order(path, lines, dates)
            found = found or infer_frequency(dates)
        if is_prices:
            series_checks.check_prices(path, lines, columns, values)
        made = filled(path, lines, dates, values, columns, found, fill, mend_steps)
        made = [part if part is None or not limit else part[-limit:] for part in made]
        lines, dates, values, observed = made
        if is_prices:
            series_checks.warn_of_splits(path, lines, columns[0], values[:, 0])
        series.append(Series(name, path, dates, values, observed, lines))
    targets_of = [one.values[:, : len(targets)] for one in series]
    series_checks.check_copies([one.path for one in series], targets_of, refuse_copies)
    found = found if dates_from else None
    return SeriesTable(
        series, columns, len(targets), len(prices), is_prices, dates_from, found, header
    )


def _series_names(paths: Sequence[Path]) -> list[str]:
    """Names of files without their endings; with their folders where those repeat."""
    names = [path.name.split(".")[0] for path in paths]
    return [
        str(path.with_name(name)) if names.count(name) > 1 else name
        for path, name in zip(paths, names)
    ]


def check_columns(
    path: Path,
    header: Sequence[str],
    needed: Sequence[str],
    like: Sequence[str],
    whose: str | Path,
) -> None:
    """UserError unless a file has columns by their names, in any order.

    Args:
        path: the file.
        header: its columns.
        needed: names to find; further columns are left alone.
        like: all columns of what it is read like: where these are mere numbers, as in a
            file without names, there must be as many.
        whose: where `like` and `needed` are from.
    """
    missing = [name for name in needed if name not in header]
    if missing:
        raise error_at(
            path,
            f"other columns than {whose}: no {listed(missing)}; has: "
            f"{listed(list(header))}",
        )
    if _is_numbered(like) and len(header) != len(like):
        raise error_at(
            path,
            f"other columns than {whose}: {len(header)} instead of {len(like)}, and no "
            "names to find them by",
        )


def _is_numbered(header: Sequence[str]) -> bool:
    """Whether columns have numbers for names, as `column_names` gives them."""
    return bool(header) and [*header] == [str(n + 1) for n in range(len(header))]


def column_names(path: Path) -> list[str]:
    """Names of a file's columns; their numbers from 1 where its first row holds data.

    Raises:
        UserError: The file is empty, or two columns share a name.
    """
    names = read_columns(path)
    if kind_of(path) in ("csv", "tsv") and names and all(map(is_number, names)):
        return [str(number) for number in range(1, len(names) + 1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise error_at(path, f"two columns are named {listed(twice)}; rename one")
    return names


def _price_names() -> tuple[str, ...]:
    return (*OPEN_TO_LOW, "close")


def _choose(
    path: Path,
    header: list[str],
    dates_from: list[str],
    target: Sequence[str] | None,
    features: Sequence[str] | None,
) -> tuple[list[str], list[str], bool]:
    """Targets, further columns, and whether these are prices."""
    lower = {name.lower(): name for name in header}
    is_prices = "close" in lower and all(name in lower for name in OPEN_TO_LOW)
    number_columns = [name for name in header if name not in dates_from]
    if target is None and is_prices:
        target = [lower["close"]]
    elif target is None and len(number_columns) == 1:
        target = number_columns
    elif target is None:
        what = f"name the column to forecast with --target: {listed(number_columns)}"
        raise error_at(path, what)
    elif list(target) == ["all"]:
        target = number_columns
    check_names(path, number_columns, target, "--target")
    is_prices = is_prices and all(
        name.lower() in (*_price_names(), "adj close") for name in target
    )
    if features is None:
        usual = (*OPEN_TO_LOW, "close", "volume") if is_prices else ()
        features = [lower[name] for name in usual if name in lower]
    check_names(path, number_columns, features, "--features")
    targets = list(dict.fromkeys(target))
    return targets, [name for name in features if name not in targets], is_prices


def _read(
    path: Path, header: list[str], dates_from: list[str], columns: list[str]
) -> tuple[np.ndarray, list[tuple], np.ndarray]:
    """Lines (N,), date cells, and values float64 (N, F), NaN for what is missing."""
    dates_at = [header.index(name) for name in dates_from]
    values_at = [header.index(name) for name in columns]
    lines, dates, values = [], [], []
    rows = read_rows(path, None)
    first = read_columns(path)
    if first != header:  # the first row holds data, not names
        rows = itertools.chain([(1, first)], rows)
    for line, row in rows:
        lines.append(line)
        dates.append(tuple(row[i] for i in dates_at))
        values.append([_number(path, line, header[i], row[i]) for i in values_at])
    values = np.array(values, np.float64).reshape(len(lines), len(columns))
    return np.array(lines, np.int64), dates, values


def _number(path: Path, line: int, column: str, cell: object) -> float:
    if cell is None or isinstance(cell, str) and cell.strip().lower() in MISSING:
        return np.nan
    try:
        number = float(cell)
    except (TypeError, ValueError):
        number = np.inf
    if np.isinf(number):
        what = f"column {column!r} holds {str(cell)[:40]!r}, which is no number"
        raise error_at(place_of(path, line), what)
    return number
