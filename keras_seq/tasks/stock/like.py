"""Files that are read as an exported model's were: known before TensorFlow is imported.

What decides stands in model.json, so a wrong row is said at once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_seq.data.answers import check_output
from keras_seq.data.in_memory import SeveralData, Table, as_file
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import find_files, kind_of
from keras_seq.errors import UserError
from keras_seq.series.choices import Fill
from keras_seq.series.known_future import with_known_future
from keras_seq.series.numbers import check_dtype, check_positive, check_size
from keras_seq.series.series_table import ReadAs, SeriesTable
from keras_seq.series.sheets import check_columns, open_sheet
from keras_seq.series.table import read_series
from keras_seq.series.tickers import fetch_tickers
from keras_seq.serving.exported import Described

if TYPE_CHECKING:
    from keras_seq.serving.exported import Exported


def named_files(
    files: Sequence[str], data: SeveralData, output: str | Path | None
) -> list[str | Path]:
    """What a forecast is asked of: files as arguments, or tables, one of the two.

    Args:
        files: arguments; possibly none.
        data: tables, in memory or as paths, in place of them.
        output: file that the tables are written to with the answers.

    Returns:
        Files, downloaded where they are `stooq:SYMBOL`; none where none are named.

    Raises:
        UserError: Both are given, or an output without a table or that is none.
    """
    if data is None:
        if output is not None:
            raise UserError("--output needs a table; name it with --data")
        return fetch_tickers(files) if files else []
    if files:
        raise UserError("give the files as arguments or in --data: one way")
    found = fetch_tickers(data)
    if output is not None:
        check_output(output, found)
    return found


def read_like(
    exported: "Exported | Described",
    paths: Table,
    fill: Fill | None = None,
    *,
    series_column: Sequence[str] | None = None,
    table_format: TableFormat = AS_FOUND,
    date_format: str | None = None,
    decimal: str | None = None,
    needs_ahead: bool = False,
) -> SeriesTable:
    """Reads files by the names of the columns that an exported model was trained on.

    What a file leaves open, such as the order of its dates, is as in the training.

    Args:
        exported: of `load_exported` or `describe_exported`.
        paths, fill, table_format, date_format, decimal: as `read_series` has them.
        series_column: the same; None takes those of the training.
        needs_ahead: whether the rows to come must be there where the model reads
            columns that are known ahead.

    Raises:
        UserError: A column is missing, or a row is unsound.
    """
    facts = exported.metadata
    files = find_files(
        as_file(paths, ["value"]), lambda path: kind_of(path, table_format)
    )
    columns, dates_from = facts["columns"], facts["date_column"]
    known = facts.get("known_future", [])
    if series_column is None:
        series_column = facts.get("series_column")
    for path in files:
        header = open_sheet(path, table_format, series_column).header
        like = facts.get("header") or ()
        check_columns(path, header, [*dates_from, *columns], like, "the model")
    table = read_series(
        files,
        date_column=dates_from,
        target=columns[: facts["num_targets"]],
        features=columns[facts["num_targets"] : len(columns) - len(known)],
        known_future=known,
        series_column=series_column,
        frequency=facts["frequency"],
        fill=fill,
        table_format=table_format,
        date_format=date_format,
        decimal=decimal,
        likely=ReadAs(facts.get("date_format"), facts.get("decimal")),
        mend_steps="the step of the rows that trained the model",
        refuse_copies=False,
    )
    check_size(table)
    check_dtype(table, window_dtype(exported))
    if target_transform_of(facts) == "returns":
        num_prices = facts.get("num_prices", 0) + facts["num_targets"]
        check_positive(table, num_prices, "the model reads no others")
    return with_known_future(table, facts["horizon"], needs_ahead)


def window_dtype(exported: "Exported | Described") -> str:
    """Of the windows that the served model takes."""
    served = exported.metadata["signatures"]["serving_default"]
    return served["inputs"]["window"]["dtype"]


def target_transform_of(facts: Mapping[str, Any]) -> str:
    """What the network learns, by model.json; that of older exports calls it "form".

    Example:

    >>> target_transform_of({"form": "level"})
    'level'
    """
    return facts["target_transform"] if "target_transform" in facts else facts["form"]
