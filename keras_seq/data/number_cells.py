"""One number as people write it: which mark is its decimal one, and what it is.

Nothing here knows of files or columns.
"""

import re

POINT, COMMA = ".", ","
MISSING = {"", "na", "n/a", "nan", "null", "none", "nat", "-", "?", "--", "#n/a"}
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_SIGNS = "$€£¥₹₩₽"
_SPACES = "\u00a0\u202f\u2009 "
_BETWEEN = f"'’{_SPACES}"  # what stands between thousands and is never a decimal mark
NUMBER = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+−]?)(?P<money>[{_SIGNS}]?)\s?(?P<minus>[-−]?)"
    rf"(?P<digits>\d[\d.,{_BETWEEN}]*|[.,]\d+)(?P<power>[eE][-+]?\d+)?"
    rf"\s?(?P<unit>[kKmMbBtT]?)\s?(?P<end>[{_SIGNS}%]?)(?P<close>\))?"
)
_GROUPS = re.compile(rf"\d{{1,3}}([.,{_BETWEEN}])\d{{3}}(\1\d{{3}})*")


def reads_as_number(text: str) -> bool:
    """Whether a cell is a number in some way of writing, or a missing one.

    Example:

    >>> reads_as_number("$1,166.71"), reads_as_number("1.5M"), reads_as_number("AAPL")
    (True, True, False)
    """
    text = text.strip()
    return text.lower() in MISSING or NUMBER.fullmatch(text) is not None


def may_be_thousands(text: str) -> bool:
    """1.234 may; 0.234 and 1234.567 may not."""
    return len(text) <= 7 and text[0] not in "0." and text[:-4].isdecimal()


def _digits(text: str) -> str:
    match = NUMBER.fullmatch(text)
    return "" if match is None else match["digits"].strip()


def is_open(text: str) -> bool:
    """Whether its one mark could part thousands or be the decimal one."""
    digits = _digits(text)
    return (
        bool(digits)
        and mark_of(text) is None
        and sum(digits.count(mark) for mark in (POINT, COMMA)) == 1
    )


def mark_of(text: str) -> str | None:
    """The only mark that can be the decimal one; None where it is open."""
    digits = _digits(text)
    points, commas = digits.count(POINT), digits.count(COMMA)
    if points and commas:
        return max(POINT, COMMA, key=digits.rfind)
    if not points + commas:
        return None
    mark, other = (POINT, COMMA) if points else (COMMA, POINT)
    if points + commas > 1:
        return other
    if any(sign in digits for sign in _BETWEEN):
        return mark
    before, after = digits.split(mark)
    may_part = len(after) == 3 and 1 <= len(before) <= 3 and before[0] != "0"
    return None if may_part else mark


def number_of(match: re.Match, mark: str) -> float | None:
    """The number; None where its marks stand elsewhere than between thousands."""
    whole, _, rest = match["digits"].strip().partition(mark)
    parts = [sign for sign in whole if not sign.isdecimal()]
    if parts and not _GROUPS.fullmatch(whole) or not rest.isdecimal() and rest:
        return None
    if bool(match["open"]) != bool(match["close"]):
        return None
    digits = "".join(sign for sign in whole if sign.isdecimal())
    number = float(f"{digits or 0}.{rest or 0}{match['power'] or ''}")
    below = match["sign"] in ("-", "−") or bool(match["minus"] or match["open"])
    return (-number if below else number) * _UNITS[match["unit"].lower()]
