"""The folder of an exported version on disk: written aside, flushed, given a number.

A server watches `saved_models/<stem>/` for folders with numbers for names and loads
each as it appears, so a version must appear whole. This module knows files only: no
TensorFlow, no signatures.
"""

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from keras_seq.data.places import log_once
from keras_seq.errors import UserError
from keras_seq.files import flush

GRAPH = "saved_model.pb"
HIDDEN = ".exporting-"
STALE = 24 * 3600  # seconds: no export takes a day, so an older folder was abandoned
TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


@contextlib.contextmanager
def hidden_folder(export_dir: Path) -> Iterator[Path]:
    """A folder that servers do not see, on the same disk; gone after the `with` block.

    A process that is killed leaves it behind; the next export sweeps it when it is
    older than a day, since a younger one may be an export at work.

    Args:
        export_dir: the model's folder; made when missing, and unmade when it was
            missing and nothing was published.

    Raises:
        UserError: `export_dir` cannot be made or written.
    """
    is_new = not export_dir.exists()
    try:
        export_dir.mkdir(parents=True, exist_ok=True)
        _sweep(export_dir)
        hidden = Path(tempfile.mkdtemp(prefix=HIDDEN, dir=export_dir))
    except OSError as error:
        raise UserError(
            f"{export_dir}: cannot be written ({error.strerror}); give another folder "
            "with --export-dir"
        ) from error
    try:
        yield hidden
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        if is_new:
            with contextlib.suppress(OSError):  # not empty: something was published
                export_dir.rmdir()


def _sweep(export_dir: Path) -> None:
    """Remove what killed exports left behind more than a day ago."""
    for folder in export_dir.glob(HIDDEN + "*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > STALE:
                shutil.rmtree(folder)


def versions_in(export_dir: Path) -> dict[int, Path]:
    """Everything in a model's folder that a server would take for a version.

    Returns:
        Number to path, in rising order.
    """
    numbered = {
        int(path.name): path
        for path in export_dir.iterdir()
        if path.name.isascii() and path.name.isdigit()
    }
    return dict(sorted(numbered.items()))


def newest_version(folder: Path) -> Path | None:
    """The version that answers for a folder: its highest, or that of the newest model.

    Args:
        folder: a model's folder, or a task's with several of them.

    Returns:
        None where there is no version.
    """
    models = [folder]
    for path in folder.iterdir():  # neither versions nor exports at work
        if path.is_dir() and not (path.name.isdigit() or path.name.startswith(".")):
            models.append(path)
    latest = [[*versions_in(each).values()][-1:] for each in models]
    found = [version for each in latest for version in each]
    if len(found) > 1:
        found.sort(key=_exported_at)
        others = f"the newest of {len(found)} models in {folder}"
        log_once(f"{found[-1]}: {others}; --model names another")
    return found[-1] if found else None


def _exported_at(version: Path) -> float:
    graph = version / GRAPH
    return graph.stat().st_mtime if graph.exists() else 0.0


def publish(written: Path, export_dir: Path) -> Path:
    """Flush a finished folder to disk and rename it to the next free number.

    A rename onto a folder with content fails, so of two exports that choose the same
    number at once one is refused, and chooses again.

    Returns:
        `export_dir/<N>`, N one above the highest there.
    """
    for folder, _, names in os.walk(written, topdown=False):
        for path in [*(os.path.join(folder, name) for name in names), folder]:
            flush(path)
    while True:
        target = export_dir / str(max(versions_in(export_dir), default=0) + 1)
        try:
            os.rename(written, target)
        except OSError as error:
            if error.errno not in TAKEN:
                raise
        else:
            flush(export_dir)
            return target
