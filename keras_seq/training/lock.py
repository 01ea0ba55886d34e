"""One process a run folder: a lock that the system lets go of when its process ends.

Knows nothing of what is in the folder.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from keras_seq.errors import UserError

NAME = ".lock"
_held: dict[Path, int] = {}  # folder to descriptor; a process may ask twice


def take_lock(run_dir: str | Path) -> None:
    """Keeps every other process off a run folder until this one ends.

    Args:
        run_dir: folder; made when missing.

    Raises:
        UserError: Another process has it, or it cannot be written.
    """
    folder = Path(run_dir).resolve()
    if folder in _held:
        return
    try:
        import fcntl
    except ImportError:  # a system without such locks
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UserError(
            f"{run_dir}: cannot be written ({error.strerror}); give another folder"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise UserError(
            f"{run_dir}: another process is at work on this run; wait until it ends, "
            "or give another folder"
        ) from error
    _held[folder] = descriptor


def release_lock(run_dir: str | Path) -> None:
    """Lets other processes have a run folder again, where this one had it."""
    descriptor = _held.pop(Path(run_dir).resolve(), None)
    if descriptor is not None:
        os.close(descriptor)


@contextlib.contextmanager
def locked(run_dir: str | Path | None) -> Iterator[None]:
    """`take_lock` for the length of a `with` block; what was held before stays held."""
    if run_dir is None or Path(run_dir).resolve() in _held:
        yield
        return
    take_lock(run_dir)
    try:
        yield
    finally:
        release_lock(run_dir)
