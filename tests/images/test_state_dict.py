"""Weights that PyTorch saved, and pickles that want something else."""

import io
import pickle
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.images.state_dict import MAGIC, VERSION, read_state_dict

NUMBERS = np.arange(6, dtype="<f4")


class _Global:
    """Pickled as a name of a module, and called with nothing."""

    def __init__(self, module: str, name: str) -> None:
        self.name = f"c{module}\n{name}\n".encode()


class _Pickler(pickle._Pickler):  # the one in Python, whose opcodes can be added
    def save(self, obj: object, save_persistent_id: bool = True) -> None:
        if isinstance(obj, _Global):
            self.write(obj.name)
        elif isinstance(obj, tuple) and obj[:1] == ("storage",):
            super().save(obj, False)
            self.write(pickle.BINPERSID)
        elif isinstance(obj, tuple) and obj[:1] == ("call",):
            self.save(obj[1])
            super().save(obj[2])
            self.write(pickle.REDUCE)
        else:
            super().save(obj)


def pickled(value: object) -> bytes:
    content = io.BytesIO()
    _Pickler(content, 2).dump(value)
    return content.getvalue()


def tensor(shape=(2, 3), strides=(3, 1), offset=0, size=6, kind="FloatStorage"):
    storage = ("storage", _Global("torch", kind), "0", "cpu", size, None)
    rebuild = _Global("torch._utils", "_rebuild_tensor_v2")
    return ("call", rebuild, (storage, offset, shape, strides, False, OrderedDict()))


def saved(value: object, numbers: bytes = NUMBERS.tobytes(), keys=("0",)) -> bytes:
    head = [pickled(MAGIC), pickled(VERSION), pickled({}), pickled(value)]
    return b"".join([*head, pickled(list(keys)), struct.pack("<q", 6), numbers])


def test_tensors_are_read_by_their_strides(tmp_path: Path):
    path = tmp_path / "w.pth"
    path.write_bytes(
        saved({"a": tensor(), "b": tensor((3, 2), (1, 3)), "c": tensor((), (), 4)})
    )
    found = read_state_dict(path)
    assert found["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["b"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["c"] == 4 and found["a"].dtype == np.float32


class _Hostile:
    def __init__(self, ran: Path) -> None:
        self.ran = ran

    def __reduce__(self) -> tuple:
        return Path.touch, (self.ran,)


HOSTILE = {
    "a function": ("call", _Global("os", "system"), ("true",)),
    "of builtins": ("call", _Global("builtins", "eval"), ("1",)),
    "of torch": ("call", _Global("torch", "load"), ("x",)),
    "a value": {"a": tensor(), "b": 3},
    "a string": "weights",
    "beyond the storage": {"a": tensor((7,), (1,))},
    "behind the storage": {"a": tensor((2, 3), (9, 1))},
    "before the storage": {"a": tensor((2,), (-1,), 3)},
    "a number many times": {"a": tensor((10**9,), (0,))},
    "another storage": {"a": tensor(kind="ByteStorage")},
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_pickle_of_anything_else_is_refused(case: str, tmp_path: Path):
    path = tmp_path / "w.pth"
    path.write_bytes(saved(HOSTILE[case]))
    with pytest.raises(UserError, match="nothing of it was run"):
        read_state_dict(path)


def test_nothing_of_a_hostile_pickle_is_run(tmp_path: Path):
    path, ran = tmp_path / "w.pth", tmp_path / "ran"
    content = pickle.dumps(_Hostile(ran), 2)
    pickle.loads(content)
    assert ran.exists()  # it would do harm
    ran.unlink()
    for bad in (content, pickled(MAGIC) + content, saved({})[:-60] + content):
        path.write_bytes(bad)
        with pytest.raises(UserError):
            read_state_dict(path)
    assert not ran.exists()


@pytest.mark.parametrize("cut", [0, 1, 20, -1, -30])
def test_a_file_that_is_cut_short_is_one_line(cut: int, tmp_path: Path):
    path = tmp_path / "w.pth"
    path.write_bytes(saved({"a": tensor()})[:cut])
    with pytest.raises(UserError, match="w.pth: ") as found:
        read_state_dict(path)
    assert "\n" not in str(found.value)
    path.write_bytes(pickled(3) + pickled(VERSION))
    with pytest.raises(UserError, match="no weights of PyTorch"):
        read_state_dict(path)
