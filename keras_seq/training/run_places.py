"""Where a run and its export go: refused while nothing has been made or imported.

One process has a run's folder, by a lock that the system lets go of when it ends.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from keras_seq.data.data_name import data_name
from keras_seq.data.in_memory import Data
from keras_seq.data.places import exists, user_path
from keras_seq.errors import UserError

CONFIG = "config.json"
RUNS, MODELS = Path("runs"), Path("saved_models")
LOCK = ".lock"
_held: dict[Path, FileLock] = {}  # by folder; a process may ask twice


def default_export_dir(
    stem: str, data: Data = None, given: str | Path | None = None
) -> Path:
    """Where versions of a model go: `saved_models/<stem>/<data>`, or what was given.

    Args:
        stem: the task's name.
        data: that train it; None, the embedded sample, has no folder of its own.
        given: a folder in place of the default.

    Raises:
        UserError: It names the home of a user whom nobody knows.

    Example:

    >>> default_export_dir("stock", "data/AAPL.csv").as_posix()
    'saved_models/stock/AAPL'
    """
    if given is not None:
        return user_path(given)
    folder = MODELS / stem
    return folder if data is None else folder / data_name(data)


def check_export_dir(given: str | Path | None) -> None:
    """Refuses a folder that no export can be written to, before the training.

    Args:
        given: it need not be there; None is one below `saved_models`.

    Raises:
        UserError: It is a file, lies below one, cannot be written, or has an impossible
            name.

    Example:

    >>> check_export_dir("~nosuchuser/models")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: ~nosuchuser/models: no such user, or one without a \
home folder
    """
    _check_folder(MODELS if given is None else user_path(given), "--export-dir")


def check_run_dir(given: str | Path | None, resume: bool = False) -> None:
    """Refuses a folder that no run can be written to, or that holds something.

    Args:
        given: it need not be there; None is one below `runs`.
        resume: it may hold a run.

    Raises:
        UserError: As of `check_export_dir`, or it holds a run or other files.
    """
    path = RUNS if given is None else user_path(given)
    _check_folder(path, "--run-dir")
    if given is None or resume or not exists(path):
        return
    if found := sorted(each.name for each in path.iterdir()):
        what = "holds a run already; resume it, or give another folder"
        if CONFIG not in found:
            what = f"holds other files, such as {found[0]!r}; give another folder with "
            what += "--run-dir"
        raise UserError(f"{path}: {what}")


def _check_folder(path: Path, option: str) -> None:
    there = next((p for p in (path, *path.parents) if exists(p)), Path())
    if not there.is_dir():
        raise UserError(f"{there}: is a file; give a folder with {option}")
    if not os.access(there, os.W_OK):
        raise UserError(
            f"{there}: cannot be written; give another folder with {option}"
        )


def take_lock(run_dir: str | Path) -> None:
    """Keeps other processes off a run folder until this one ends; makes the folder.

    Raises:
        UserError: Another process has it, or it cannot be written.
    """
    folder = Path(run_dir).resolve()
    if folder in _held:
        return
    lock = FileLock(folder / LOCK, blocking=False, thread_local=False)
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
