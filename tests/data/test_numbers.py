"""Numbers as people write them: read right, or the cell that leaves a doubt."""

import math

import pytest

from keras_seq.data.number_cells import reads_as_number
from keras_seq.data.numbers import (
    NumberColumn,
    check_decimal,
    decimal_mark,
)
from keras_seq.errors import UserError


def column(*cells: object) -> NumberColumn:
    made = NumberColumn()
    for cell in cells:
        made.add(cell)
    return made


READ = {  # cells, numbers
    "as Python writes them": (["7", "-2.5", "1e3", "  4 "], [7, -2.5, 1000, 4]),
    "of JSON": ([1, 2.5, None, True], [1, 2.5, math.nan, 1]),
    "missing": (["", "NA", "-", "null", "5"], [*[math.nan] * 4, 5]),
    "commas of thousands": (["2,048.50", "999.00"], [2048.5, 999]),
    "points of thousands": (["2.048,50", "999"], [2048.5, 999]),
    "a decimal comma": (["0,75", "12,5"], [0.75, 12.5]),
    "three decimals and a comma": (["0,755", "1,250"], [0.755, 1.25]),
    "two commas": (["1,250,000", "900"], [1250000, 900]),
    "two points": (["1.250.000", "900"], [1250000, 900]),
    "999, then a thousand": (["940", "999", "1.000", "1.020"], [940, 999, 1000, 1020]),
    "three decimals in all rows": (["1.250", "3.471"], [1.25, 3.471]),
    "decimals of several lengths": (["1.250", "3.4", "7"], [1.25, 3.4, 7]),
    "one below 1": (["1.250", "0.471", "7"], [1.25, 0.471, 7]),
    "dollars": (["$7.25", "-$1,007.25", "$ 3"], [7.25, -1007.25, 3]),
    "euros": (["1.007,25 €", "-3,5€"], [1007.25, -3.5]),
    "percent": (["5 %", "-0.5%", "+2%"], [5, -0.5, 2]),
    "units": (["950K", "1.5M", "2B", "0.1T"], [9.5e5, 1.5e6, 2e9, 1e11]),
    "in brackets": (["(7.5)", "(1,234.5)"], [-7.5, -1234.5]),
    "Swiss": (["1'234.50", "12’000’000.5"], [1234.5, 12000000.5]),
    "spaces": (
        ["1 234,5", "12\u00a0000\u00a0000,5", "2\u202f000,5"],
        [1234.5, 12000000.5, 2000.5],
    ),
    "a minus of printers": (["−3", "−1,234.5"], [-3, -1234.5]),
}


@pytest.mark.parametrize("case", READ)
def test_a_column_without_a_doubt_is_read(case: str):
    cells, expected = READ[case]
    made = column(*cells)
    values, wrong = made.values(decimal_mark([made]))
    assert wrong is None
    assert values.tolist() == pytest.approx(expected, nan_ok=True)


IN_DOUBT = {
    "commas before three digits": (["1,204", "1,310"], "1,204", 0),
    "a whole number beside them": (["7", "1,204"], "1,204", 1),
    "points, and a whole number": (["7", "12.345", "11.125"], "12.345", 1),
    "nothing and a thousand": (["0", "1.250"], "1.250", 1),
    "money": (["$1,204", "$1,310"], "$1,204", 0),
}


@pytest.mark.parametrize("case", IN_DOUBT)
def test_a_doubt_is_no_guess(case: str):
    cells, cell, row = IN_DOUBT[case]
    made = column(*cells)
    assert decimal_mark([made]) is None
    assert (made.in_doubt, made.row_in_doubt()) == (cell, row)
    thousand = float(cell.strip("$").replace(",", "").replace(".", ""))
    mark = "," if "." in cell else "."
    assert made.values(mark)[0][row] == thousand
    assert made.values("," if mark == "." else ".")[0][row] == thousand / 1000


def test_one_column_decides_for_its_file():
    open_one = column("1,204", "1,310")
    assert decimal_mark([open_one, column("2.5")]) == "."
    assert decimal_mark([open_one, column("2,5")]) == ","
    assert decimal_mark([column("1.204", "7"), column("2,5")]) == ","
    assert decimal_mark([column("1.204", "7"), column("2.5")]) == "."


WRONG = {
    "a word": (["1", "ten"], 1, "no number"),
    "both marks as decimals": (["1.5", "2,5"], 1, "no number with a decimal point"),
    "groups of two": (["12,34,567.8"], 0, "no number with a decimal point"),
    "beyond all": (["1", "1e999"], 1, "no number"),
    "infinite": (["inf"], 0, "no number"),
    "an open bracket": (["(7"], 0, "no number"),
    "euros beside dollars": (["$1", "€2"], 1, "another unit"),
    "percent beside none": (["1", "2%"], 1, "another unit"),
    "a list": ([[1, 2]], 0, "no number"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_number_is_named(case: str):
    cells, row, words = WRONG[case]
    made = column(*cells)
    _, wrong = made.values(decimal_mark([made]))
    assert wrong.row == row and words in wrong.what
    assert wrong.cell == str(cells[row])


def test_the_mark_of_the_option():
    assert [check_decimal(n) for n in ("point", ",", None)] == [".", ",", None]
    with pytest.raises(UserError, match="'dot': expected point or comma"):
        check_decimal("dot")


def test_what_reads_as_a_number():
    assert all(map(reads_as_number, ("7", "1.234,5", "-", "3 %", "$5", "2.5M", "1e-3")))
    assert not any(map(reads_as_number, ("AAPL", "2020-01-01", "1a", "12:30")))
