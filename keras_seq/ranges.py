"""Which numbers an option takes, and how a number is written at the shell.

One table for all tasks, by the name of the option, as `cli_options.COMMON_HELP`; a
parameter annotated `Annotated[float, Range(0, 1)]` brings a range of its own.
"""

import re
from typing import NamedTuple, SupportsFloat

from keras_seq.errors import UserError

LONGEST = 40  # characters of a value that an error repeats
# Python alone would take 1_000, surrounding spaces and digits of any script.
INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
NUMBER = re.compile(
    r"[+-]?((([0-9]+\.?[0-9]*)|(\.[0-9]+))(e[+-]?[0-9]+)?|nan|inf|infinity)", re.I
)


class Range(NamedTuple):
    """Numbers from `low` to `high`, both included unless said otherwise.

    Example:

    >>> Range(0, 1, without_high=True).problem(1.0)
    'must be below 1'
    >>> Range(1, 9).problem(3) is None
    True
    """

    low: float
    high: float
    without_low: bool = False
    without_high: bool = False

    def problem(self, value: float) -> str | None:
        """What is wrong with a number; None where it is in the range."""
        # `not >=` turns away nan as well.
        if self.without_low and not value > self.low:
            return f"must be above {self.low}"
        if not value >= self.low:
            return f"must be at least {self.low}"
        if self.without_high and not value < self.high:
            return f"must be below {self.high}"
        if not value <= self.high:
            return f"must be at most {self.high}"
        return None


_RATE = Range(0, 1, without_high=True)
_COUNT = Range(1, 10**9)
_SIZE = Range(1, 65_536)  # of a state: a square matrix of more fits into no memory
RANGES = {
    "horizon": Range(1, 100_000),
    "lookback": Range(1, 1_000_000),
    "season": Range(1, 1_000_000),
    "refit_every": _COUNT,
    "max_len": Range(1, 1_000_000),
    "epochs": Range(1, 100_000),
    "batch_size": Range(1, 1_000_000),
    "max_seconds": Range(0, 10**8),  # three years
    "limit": Range(3, 10**12),  # a sample of each part
    "seed": Range(0, 2**32 - 1),  # as NumPy has it
    "vocab_size": Range(4, 10_000_000),  # padding, unknown, and two to choose from
    "num_layers": Range(1, 100),
    "embedding_dim": _SIZE,
    "rnn_units": _SIZE,
    "dropout": _RATE,
    "weight_drop": _RATE,
    "temporal_activation": Range(0, 1000),
    "label_smoothing": _RATE,
    "learning_rate": Range(0, 10, without_low=True),
    "steps": Range(1, 1_000_000),
    "beam_width": Range(1, 10_000),
    "max_new_tokens": Range(0, 1_000_000),
    "temperature": Range(0, 100),
    "top_k": Range(0, 2**31 - 1),
    "top_p": Range(0, 1),
}


def integer(text: str) -> int:
    """Reads plain digits.

    Raises:
        ValueError: It is anything else, or too long for Python.

    Example:

    >>> integer("-12")
    -12
    """
    if not INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


integer.__name__ = "int"  # as argparse calls it in an error


def number(text: str) -> float:
    """Reads a decimal number, or nan and inf, which a range turns away.

    Raises:
        ValueError: It is anything else.

    Example:

    >>> number("1.5e-3")
    0.0015
    """
    if not NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


number.__name__ = "float"


def check_settings(**settings: object) -> None:
    """Checks numbers that came from Python against the ranges of the options.

    Args:
        **settings: value by name; None and names without a range are passed over.

    Raises:
        UserError: A number is out of its range.

    Example:

    >>> check_settings(dropout=5.0, data="a.csv", epochs=None)
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: dropout must be below 1, got 5.0
    """
    for name, value in settings.items():
        if name not in RANGES or isinstance(value, bool):
            continue
        if not isinstance(value, SupportsFloat):
            continue
        number = value if isinstance(value, int | float) else float(value)
        if problem := RANGES[name].problem(number):
            raise UserError(f"{name} {problem}, got {shortened(value)}")


def shortened(value: object) -> str:
    """A value as an error repeats it: not longer than a line.

    Example:

    >>> shortened("9" * 50)
    '9999999999999999999999999999999999999...'
    """
    text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
