"""The one error a person at the shell is meant to mend, and what leads to it."""

import zipfile
import zlib


class UserError(ValueError):
    """What the user must mend: one line that names the file, row or option.

    The command line prints it without a traceback and exits with 2; every other
    exception is a bug of keras_seq.

    Example:

    >>> raise UserError("reviews.csv: no column 'text'; it has: id, body")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: reviews.csv: no column 'text'; it has: id, body
    """


# What the readers of zip archives, JSON and NumPy answer with to bytes that nobody has
# written for them; each file that is read again turns them into one line.
UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    EOFError,
    MemoryError,
    ArithmeticError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
