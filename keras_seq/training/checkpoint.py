"""A state on disk, whole or absent: written aside, flushed, renamed, checked when read.

Knows arrays and plain facts; what they mean is the business of `run_state`.
"""

import json
import shutil
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ml_dtypes  # noqa: F401, so that NumPy knows bfloat16 and its like by name
import numpy as np
from numpy.typing import ArrayLike

from keras_seq.errors import UNREADABLE, UserError
from keras_seq.files import written_aside
from keras_seq.log import log

KEPT = 2  # the newest, and the one before it in case the newest is damaged
FACTS = "facts.json"
ASIDE = ".writing"
START = "start.npz"  # before the first step; gone once there is another


class State(NamedTuple):
    """What a checkpoint holds: arrays, and what JSON can hold."""

    arrays: dict[str, np.ndarray]
    facts: dict[str, Any]


class Checkpoints:
    """The last states of one run, in a folder.

    Args:
        folder: made at the first `save`.

    Attributes:
        seconds: what the last `save` took.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoints = Checkpoints(folder)
    ...     checkpoints.save({"w": np.ones(2)}, {"epoch": 3})
    ...     state = checkpoints.load()
    >>> state.facts, state.arrays["w"]
    ({'epoch': 3}, array([1., 1.]))
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.seconds = 0.0
        self._damaged: set[int] = set()

    def save(
        self,
        arrays: Mapping[str, ArrayLike],
        facts: Mapping[str, Any],
        is_start: bool = False,
    ) -> None:
        """Adds a state, then removes those that are too old.

        Until the rename the state before is the last one; a process that is killed
        leaves nothing but a file that the next `save` overwrites.

        Args:
            arrays: by name, or variables: one copy stands in memory at a time.
            facts: what JSON can hold.
            is_start: of a run that has not made a step yet; no other removes it sooner.

        Raises:
            UserError: The disk is full, or the folder cannot be written.
        """
        start = time.monotonic()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            numbers = self._numbers()
            target = self._path(max(numbers, default=0) + 1)
            target = self.folder / START if is_start else target
            with written_aside(target, self.folder / ASIDE) as aside:
                _write(aside, arrays, facts)
            if not is_start:
                self._clear(numbers)
        except OSError as error:
            raise UserError(
                f"{self.folder}: the checkpoint cannot be written ({error.strerror}); "
                "the last good one is still there: make room, then resume"
            ) from error
        self.seconds = time.monotonic() - start

    def _clear(self, numbers: list[int]) -> None:
        """Damaged ones count for nothing, and are the first to go."""
        whole = [number for number in numbers if number not in self._damaged]
        for number in [*self._damaged, *whole[: len(whole) + 1 - KEPT]]:
            _remove(self._path(number))
        _remove(self.folder / START)
        self._damaged.clear()

    def load(self, check: Callable[[State], None] | None = None) -> State | None:
        """The newest whole state, or None where there is none at all.

        Args:
            check: raises ValueError for a state that cannot be what it should be.

        Raises:
            UserError: There are files, and none can be read.
        """
        numbers = self._numbers()
        for number in reversed(numbers):
            state = self._tried(self._path(number), check)
            if state is not None:
                return state
            self._damaged.add(number)
        if not numbers and (self.folder / START).exists():
            return self._tried(self.folder / START, check)  # else the run begins anew
        if numbers:
            raise UserError(
                f"{self.folder}: no checkpoint can be read, all are damaged; train "
                "anew in another folder"
            )
        return None

    def _tried(self, path: Path, check: Callable[[State], None] | None) -> State | None:
        try:
            state = _read(path)
            if check is not None:
                check(state)
        except UserError:  # not damaged, but of no use here
            raise
        except UNREADABLE as error:
            reason = "is damaged or was cut short"
            if isinstance(error, OSError) and error.strerror:
                reason = f"cannot be read ({error.strerror})"
            log.warning(f"{path} {reason}; the checkpoint before it is used")
            return None
        return state

    def _path(self, number: int) -> Path:
        return self.folder / f"state-{number:08d}.npz"

    def _numbers(self) -> list[int]:
        names = (path.stem.removeprefix("state-") for path in self.folder.glob("*.npz"))
        return sorted(int(name) for name in names if name.isdigit())


def _write(
    path: Path, arrays: Mapping[str, ArrayLike], facts: Mapping[str, Any]
) -> None:
    """A zip of raw arrays: each member carries a checksum, the list of them is last.

    NumPy alone has no name for bfloat16 and its like, so kind and shape go into the
    facts and the bytes stay bytes.
    """
    kinds = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number, (name, content) in enumerate(arrays.items()):
            kinds[name] = _write_array(archive, str(number), content)
        archive.writestr(FACTS, json.dumps({"arrays": kinds, "facts": facts}))


def _write_array(
    archive: zipfile.ZipFile, name: str, content: ArrayLike
) -> tuple[str, tuple[int, ...]]:
    """Its kind and shape; the copy that is made of it is gone at the end."""
    array = np.asarray(content)
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    with archive.open(name, "w", force_zip64=True) as member:
        member.write(data.data)
    return str(array.dtype), array.shape


def _read(path: Path) -> State:
    with zipfile.ZipFile(path) as archive:
        written = json.loads(archive.read(FACTS))
        arrays = {}
        for number, (name, (kind, shape)) in enumerate(written["arrays"].items()):
            data = np.frombuffer(archive.read(str(number)), np.uint8)
            arrays[name] = data.view(np.dtype(kind)).reshape(shape)
    return State(arrays, written["facts"])


def _remove(path: Path) -> None:
    if path.is_dir():  # nobody's, but in the way
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
