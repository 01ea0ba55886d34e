"""Weights that PyTorch has saved, read without PyTorch, and with no code of the file.

A pickle may call any function of any module while it is read. This reader knows four
names, none of which does more than put numbers into arrays, and refuses all others.

The file is of the format that `torch.save` wrote before version 1.6: a number that says
so, a version, facts of the machine, the dictionary, the names of its storages, and the
numbers of each.
"""

import io
import math
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_seq.data.places import error_at
from keras_seq.errors import UNREADABLE, UserError

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
DTYPES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype
    size: int


class _Tensor:
    """Where a tensor's numbers will stand, once the storages are read."""

    def __init__(
        self, storage: Any, offset: Any, shape: Any, strides: Any, *_: Any
    ) -> None:
        given = [offset, *shape, *strides]
        if not isinstance(storage, _Storage) or not all(type(n) is int for n in given):
            raise pickle.UnpicklingError("a tensor without a storage")
        last = offset + sum((n - 1) * step for n, step in zip(shape, strides))
        if len(shape) != len(strides) or min(given, default=0) < 0:
            raise pickle.UnpicklingError("a tensor without a shape")
        # More numbers than the storage has would be the same ones, many times.
        if math.prod(shape) > storage.size or last >= max(storage.size, 1):
            raise pickle.UnpicklingError("a tensor reaches beyond its storage")
        self.storage, self.offset = storage, offset
        self.shape, self.strides = tuple(shape), tuple(strides)

    def of(self, storages: dict[str, np.ndarray]) -> np.ndarray:
        numbers = storages[self.storage.key][self.offset :]
        steps = [step * numbers.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(
            numbers, self.shape, steps, writeable=False
        )


class _TensorsAlone(pickle.Unpickler):
    """Reads dictionaries and tensors; any other name is refused before it is found."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise pickle.UnpicklingError(f"asks for {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _, size, view = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or view is not None:
            raise pickle.UnpicklingError("a storage of another kind")
        if not isinstance(key, str) or type(size) is not int or size < 0:
            raise pickle.UnpicklingError("a storage without a size")
        return _Storage(key, dtype, size)


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """The weights of a file by their names.

    Args:
        path: of a state dict, as `torch.save` wrote it before version 1.6.

    Returns:
        Arrays as PyTorch has them: a convolution's are (out, in, height, width).

    Raises:
        UserError: The file is damaged, of another format, or holds anything beside
            tensors.
    """
    try:
        with open(path, "rb") as file:
            content = io.BytesIO(file.read())
        if _loaded(content) != MAGIC or _loaded(content) != VERSION:
            raise error_at(path, "no weights of PyTorch as it wrote them before 1.6")
        _loaded(content)  # facts of the machine
        tensors, keys = _loaded(content), _loaded(content)
        if not isinstance(tensors, dict) or not isinstance(keys, list):
            raise pickle.UnpicklingError("no dictionary of tensors")
        if not all(isinstance(each, _Tensor) for each in tensors.values()):
            raise pickle.UnpicklingError("something beside tensors")
        known = {each.storage.key: each.storage for each in tensors.values()}
        storages = {key: _numbers(content, known[key]) for key in keys}
        return {str(name): each.of(storages) for name, each in tensors.items()}
    except UserError:
        raise
    except (*UNREADABLE, pickle.UnpicklingError, struct.error) as error:
        what = f"cannot be read as weights ({error}); nothing of it was run"
        raise error_at(path, what) from error


def _loaded(content: io.BytesIO) -> Any:
    return _TensorsAlone(content).load()


def _numbers(content: io.BytesIO, storage: _Storage) -> np.ndarray:
    (size,) = struct.unpack("<q", content.read(8))
    read = content.read(size * storage.dtype.itemsize) if size == storage.size else b""
    if len(read) != storage.size * storage.dtype.itemsize:
        raise pickle.UnpicklingError("it is cut short")
    return np.frombuffer(read, storage.dtype)
