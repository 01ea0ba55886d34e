"""Rows of an Excel workbook's first sheet, read one by one with openpyxl."""

import contextlib
import warnings
import zipfile
from collections.abc import Generator
from pathlib import Path

from keras_seq.data.places import error_at, log_once
from keras_seq.errors import UNREADABLE

# An archive's list says what it unpacks to; shared texts of a workbook are in memory.
MOST_UNPACKED, MOST_PACKED = 1 << 31, 200


def read_cells(path: Path) -> Generator[tuple[int, list[object]], None, None]:
    """(row number from 1, its cells) of the first sheet; empty rows are passed over.

    Raises:
        UserError: openpyxl is not installed, or it is no sound workbook.
    """
    _check_size(path)
    try:
        import openpyxl
    except ImportError as error:
        what = "Excel files need openpyxl: python -m pip install openpyxl"
        raise error_at(path, f"{what}; or save the sheet as CSV") from error
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # styles and other parts that are not read
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            stack.callback(book.close)
            sheet, *others = book.worksheets
            if others:
                names = f"{len(others)} more: " + ", ".join(s.title for s in others[:5])
                log_once(f"{path}: sheet {sheet.title!r} is read; there are {names}")
            sheet.reset_dimensions()  # which some writers state wrongly
            for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                if any(cell is not None for cell in cells):
                    yield number, list(cells)
        except (*UNREADABLE, SyntaxError) as error:
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise error_at(path, f"not a sound Excel workbook: {what}") from error


def _check_size(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            sizes = [(i.file_size, i.compress_size) for i in packed.infolist()]
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise error_at(path, f"not a sound Excel workbook: {error}") from error
    unpacked = sum(size for size, _ in sizes)
    most = max(1 << 26, MOST_PACKED * sum(packed for _, packed in sizes))
    if unpacked > min(MOST_UNPACKED, most):
        raise error_at(path, f"unpacks to {unpacked >> 20} MiB; save the sheet as CSV")
