"""The library's logger: progress and remarks go to stderr, answers alone to stdout.

    import logging
    logging.getLogger("keras_seq").setLevel(logging.WARNING)   # remarks alone
"""

import contextlib
import logging
import sys
import time
from collections.abc import Iterator


class _Stderr(logging.Handler):
    """Writes to what `sys.stderr` is when a line is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except (OSError, ValueError):  # nobody reads, or it is closed
            self.handleError(record)


log = logging.getLogger("keras_seq")
if not log.handlers:
    log.addHandler(_Stderr())
    log.setLevel(logging.INFO)
    log.propagate = False


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """Logs a stage of a run as it begins, and its seconds once it is done.

    Args:
        name: such as "scoring".
    """
    log.info(f"{name} ...")
    start = time.monotonic()
    yield
    log.info(f"{name}: {time.monotonic() - start:.1f} s")
