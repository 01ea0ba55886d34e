"""States on disk: what `save` reads and when, and what it leaves in the folder."""

import errno
import os
import weakref
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.training.checkpoint import ASIDE, Checkpoints


class Copied:
    """Has a new array for each who asks, and counts those in use."""

    arrays: list[weakref.ref] = []
    most = 0

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        array = np.zeros(3)
        self.arrays.append(weakref.ref(array))
        Copied.most = max(Copied.most, sum(ref() is not None for ref in self.arrays))
        return array


class Unreadable:
    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_variables_are_read_when_they_are_written_one_at_a_time(tmp_path: Path):
    checkpoints, variable = Checkpoints(tmp_path), tf.Variable([1.0, 2.0])
    arrays = {"w": variable, "a": Copied(), "b": Copied(), "c": Copied()}
    variable.assign([3.0, 4.0])
    checkpoints.save(arrays, {})
    assert checkpoints.load().arrays["w"].tolist() == [3.0, 4.0]
    assert (len(Copied.arrays), Copied.most) == (3, 1)


def test_an_error_while_a_state_is_written_leaves_those_before(tmp_path: Path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"w": np.ones(3)}, {"epoch": 1})
    with pytest.raises(UserError, match="No space left on device.; the last good one"):
        checkpoints.save({"w": np.ones(3), "v": Unreadable()}, {"epoch": 2})
    assert names(tmp_path) == ["state-00000001.npz"]
    assert checkpoints.load().facts == {"epoch": 1}


def test_the_two_newest_stay_and_nothing_of_a_killed_process(tmp_path: Path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({}, {"epoch": 0}, is_start=True)
    (tmp_path / ASIDE).write_bytes(b"cut off")
    assert checkpoints.load().facts == {"epoch": 0}
    for epoch in (1, 2, 3):
        checkpoints.save({}, {"epoch": epoch})
    assert names(tmp_path) == ["state-00000002.npz", "state-00000003.npz"]
    assert Checkpoints(tmp_path).load().facts == {"epoch": 3}
