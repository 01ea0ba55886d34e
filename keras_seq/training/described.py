"""Short texts and numbers for anything, so that a run can be compared with itself."""

import functools
import hashlib
import json
import re
import types
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

LIBRARIES = ("keras", "keras_seq", "tensorflow", "numpy")
SCALARS = (type(None), bool, int, float, str)


def described(value: Any) -> Any:
    """Numbers and texts as they are; arrays, functions and objects by what they hold.

    Returns:
        What JSON can hold, the same in every process.

    Example:

    >>> described((0.5, np.int64(3), "relu"))
    [0.5, 3, 'relu']
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, SCALARS):
        return value
    if isinstance(value, list | tuple):
        return [described(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((described(item) for item in value), key=repr)
    if isinstance(value, Mapping):
        return {str(name): described(item) for name, item in value.items()}
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, np.ndarray):
        content = digest(repr((value.dtype, value.shape, value.tolist())))
        return f"array {list(value.shape)} {content}"
    if hasattr(value, "get_config") and not isinstance(value, type):
        config = json.dumps(value.get_config(), default=str, sort_keys=True)
        return f"{type(value).__name__} {without_counters(config)}"
    return _function(value)


def _function(value: Any) -> str:
    """A function of the user's by its code, too: names are often those of before."""
    if isinstance(value, functools.partial):
        given = described([list(value.args), value.keywords])
        return f"{_function(value.func)} of {json.dumps(given)}"
    value = getattr(value, "__func__", value)
    name = getattr(value, "__name__", type(value).__name__)
    library = str(getattr(value, "__module__", "")).partition(".")[0]
    if not isinstance(value, types.FunctionType):
        return name
    cells = [cell.cell_contents for cell in value.__closure__ or () if _is_set(cell)]
    held = [each for each in cells if isinstance(each, (*SCALARS, tuple))]
    given = [each for each in value.__defaults__ or () if isinstance(each, SCALARS)]
    code = [] if library in LIBRARIES else _code(value.__code__)
    if not (code or held or given):
        return name
    return f"{name} {digest(repr((code, held, given)))[:8]}"


def _is_set(cell: types.CellType) -> bool:
    try:
        cell.cell_contents
    except ValueError:
        return False
    return True


def _code(code: types.CodeType) -> list[Any]:
    """What it does: no line numbers, no order that a hash decides on."""
    constants: list[Any] = []
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            constants.append(_code(each))
        elif isinstance(each, frozenset):
            constants.append(sorted(map(repr, each)))
        else:
            constants.append(repr(each))
    return [code.co_code.hex(), code.co_names, constants]


def without_counters(text: str) -> str:
    """Keras numbers names as they come: `dense_3` here is `dense` there."""
    text = re.sub(r'_\d+(?=[/"])', "", text)
    return re.sub(r"0x[0-9a-f]+", "", text)


def digest(text: str) -> str:
    """SHA-256 as hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()
