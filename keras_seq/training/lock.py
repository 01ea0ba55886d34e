"""One process a run folder: a lock that the system lets go of when its process ends.

Independent of what is in the folder.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from keras_seq.errors import UserError

NAME = ".lock"
_held: dict[Path, FileLock] = {}  # by folder; a process may ask twice


def take_lock(run_dir: str | Path) -> None:
    """Keeps other processes off a run folder until this one ends; makes the folder.

    Raises:
        UserError: Another process has it, or it cannot be written.
    """
    folder = Path(run_dir).resolve()
    if folder in _held:
        return
    lock = FileLock(folder / NAME, blocking=False, thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise UserError(
            f"{run_dir}: another process is at work on this run; wait until it ends, "
            "or give another folder"
        ) from None
    except OSError as error:
        raise UserError(
            f"{run_dir}: cannot be written ({error.strerror}); give another folder"
        ) from error
    _held[folder] = lock


def release_lock(run_dir: str | Path) -> None:
    """Lets other processes have a run folder again, where this one had it."""
    if lock := _held.pop(Path(run_dir).resolve(), None):
        lock.release()


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
