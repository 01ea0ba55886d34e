"""The library's logger: progress and remarks go to stderr, answers alone to stdout.

import logging
logging.getLogger("keras_seq").setLevel(logging.WARNING)   # remarks alone
"""

import contextlib
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from typing import TextIO


def in_notebook() -> bool:
    """Whether the kernel of a notebook shows what this process prints."""
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get_ipython is not None and hasattr(get_ipython(), "kernel")


class _Stderr(logging.Handler):
    """Writes to what `sys.stderr` is when a line is logged.

    In a notebook to `sys.stdout`: there stderr has the red ground of errors.
    """

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stdout if in_notebook() else sys.stderr
        try:
            print(self.format(record), file=stream, flush=True)
        except (OSError, ValueError):  # nobody reads, or it is closed
            self.handleError(record)


def _in_utf8(record: logging.LogRecord) -> bool:
    """Names of files need not be UTF-8; notebooks and files of logs take no other."""
    text = record.getMessage().encode("utf-8", "backslashreplace").decode()
    record.msg, record.args = text, ()
    return True


log = logging.getLogger("keras_seq")
if not log.handlers:
    log.addHandler(_Stderr())
    log.addFilter(_in_utf8)
    log.setLevel(logging.INFO)
    log.propagate = False


@contextlib.contextmanager
def warnings_logged() -> Iterator[None]:
    """Warnings of other packages become lines of the log: one each, without source.

    Example:

    >>> with warnings_logged():
    ...     warnings.warn("of a package,\\nin two lines")
    """

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        log.warning(f"{category.__name__}: {' '.join(str(message).split())}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Logs a stage of a run as it begins, and its seconds once it is done."""
    log.info(f"{name} ...")
    start = time.monotonic()
    yield
    log.info(f"{name}: {time.monotonic() - start:.1f} s")
