"""Where a row stands, and errors about it on one line."""

import functools
from collections.abc import Sequence
from pathlib import Path

from keras_seq.errors import UserError
from keras_seq.log import log

# Formats whose rows have numbers and no lines.
_WITHOUT_LINES = (".parquet", ".xlsx")


def error_at(place: str | Path, what: str) -> UserError:
    """The error of a file or row, on one line whatever the file holds.

    Example:

    >>> error_at("reviews.csv:7", "3 fields, but the header has 2")
    UserError('reviews.csv:7: 3 fields, but the header has 2')
    """
    return UserError(" ".join(f"{place}: {what}".split()))


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names for an error message, long ones and long lists cut.

    Example:

    >>> listed(["id", "review"])
    "'id', 'review'"
    """
    shown = [repr(name if len(name) <= 40 else name[:37] + "...") for name in names]
    more = [f"and {len(shown) - most} more"] if len(shown) > most else []
    return ", ".join(shown[:most] + more) or "none"


def place_of(path: Path, number: int) -> str:
    """Where a row stands, as editors understand it; some formats have no lines.

    Example:

    >>> place_of(Path("a.csv"), 7), place_of(Path("a.parquet"), 7)
    ('a.csv:7', 'a.parquet: row 7')
    """
    name = Path(path).name.lower().removesuffix(".gz")
    has_lines = not name.endswith(_WITHOUT_LINES)
    return f"{path}:{number}" if has_lines else f"{path}: row {number}"


def user_path(given: str | Path) -> Path:
    """The path that a user names; `~` is the home folder, `~ada` that of ada.

    Raises:
        UserError: There is no such user.

    Example:

    >>> user_path("reviews.csv")
    PosixPath('reviews.csv')
    """
    try:
        return Path(given).expanduser()
    except RuntimeError as error:
        raise error_at(given, "no such user, or one without a home folder") from error


def exists(path: Path) -> bool:
    """Whether there is such a file or folder.

    Raises:
        UserError: Nothing can have this name, or the system does not let us look.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise error_at(path, f"cannot be read: {why}") from error
    return True


def check_utf8(place: str | Path, kind: str, text: str) -> None:
    """Refuses what a model could not answer, such as the name of an odd folder.

    Raises:
        UserError: It is no UTF-8.

    Example:

    >>> check_utf8("data/a.txt", "label", "caf\\udce9")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: data/a.txt: the label 'caf\\udce9' is no UTF-8 text; \
rename it
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        what = f"the {kind} {text!r} is no UTF-8 text; rename it"
        raise error_at(place, what) from error


def plural(count: int, noun: str) -> str:
    """A number and what it counts.

    Example:

    >>> plural(1, "row"), plural(2000, "row")
    ('1 row', '2,000 rows')
    """
    return f"{count:,} {noun}{'s' * (count != 1)}"


@functools.lru_cache(256)
def log_once(line: str) -> None:
    """Logs what is found anew each time a file is read, such as its number of rows."""
    log.info(line)
