"""The one error a person at the shell is meant to mend."""


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
