"""The command that this process runs, for whoever reads later what it has left."""

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

_running: ContextVar[str | None] = ContextVar("command", default=None)


@contextlib.contextmanager
def running(program: str, arguments: Sequence[str]) -> Iterator[None]:
    """Keeps the command while it runs.

    Args:
        program: `sys.argv[0]`: a script, or words such as "keras-seq stock".
        arguments: those behind it.

    Example:

    >>> with running("tasks/stock.py", ["train", "--data", "my prices.csv"]):
    ...     command()
    "python tasks/stock.py train --data 'my prices.csv'"
    """
    is_script = program.endswith(".py")
    words = [*(["python", program] if is_script else program.split()), *arguments]
    token = _running.set(shlex.join(words))
    try:
        yield
    finally:
        _running.reset(token)


def command() -> str | None:
    """What a shell would run again; None in a script or a notebook of one's own."""
    return _running.get()
