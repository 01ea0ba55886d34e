"""Values that a checkpoint can hold: as JSON and arrays, and back into what is there.

Beside numbers, texts and arrays these are containers, functions that have a name,
random generators, variables and metrics. Whatever has an identity that others may hold
(a list, a generator, a variable) is changed in place, not replaced.
"""

import pathlib
import random
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.random import Generator, RandomState

from keras_seq.errors import UserError

PLAIN = (type(None), bool, int, float, str)
_KINDS = (set, frozenset, deque, OrderedDict, Counter, defaultdict)
CONTAINERS: dict[str, Callable[..., Any]] = {each.__name__: each for each in _KINDS}
VARIABLES = (tf.Variable, keras.Variable)


class Content(NamedTuple):
    """What is to be put into an object, which a state cannot make by itself.

    Attributes:
        kind: a key of `RANDOM`, or "variables".
        state: of the generator, or an array for each variable.
    """

    kind: str
    state: Any


def _generator_state(generator: Generator) -> Mapping[str, Any]:
    return generator.bit_generator.state


def _set_generator(generator: Generator, state: dict[str, Any]) -> None:
    generator.bit_generator.state = state


# Class, what reads its state, and what sets it.
RANDOM: dict[str, tuple[type, Callable, Callable]] = {
    "Random": (random.Random, random.Random.getstate, random.Random.setstate),
    "RandomState": (RandomState, RandomState.get_state, RandomState.set_state),
    "Generator": (Generator, _generator_state, _set_generator),
}


def encode(value: Any, arrays: dict[str, np.ndarray], name: str) -> Any:
    """Values as JSON keeps them exactly; arrays go into `arrays`, under `name`.

    Raises:
        ValueError: There is something in it that cannot be kept.

    Example:

    >>> arrays = {}
    >>> decode(encode({1: (np.ones(1), 0.1)}, arrays, "x"), arrays)
    {1: (array([1.]), 0.1)}
    >>> decode(encode(keras.ops.less, arrays, "x"), arrays) is keras.ops.less
    True
    """
    if isinstance(value, np.ndarray | np.generic) and _is_numbers(value):
        arrays[name] = np.asarray(value)
        return {"array": name, "scalar": isinstance(value, np.generic)}
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, Mapping | list | tuple | set | frozenset | deque):
        return _encode_container(value, arrays, name)
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, pathlib.PurePath):
        return {"path": str(value)}
    if named := _name_of(value):
        return {"named": named}
    for kind, (owner, state_of, _) in RANDOM.items():
        if isinstance(value, owner):
            return {kind: encode(state_of(value), arrays, name)}
    if (variables := _variables(value)) is not None:
        found = [each.numpy() for each in variables]
        return {"variables": encode(found, arrays, name)}
    if tf.is_tensor(value) and hasattr(value, "numpy"):
        return {"tensor": encode(np.asarray(value.numpy()), arrays, name)}
    raise ValueError(f"{name} is {value!r}; a state holds plain values and arrays")


def _encode_container(value: Any, arrays: dict[str, np.ndarray], name: str) -> Any:
    kind = type(value).__name__ if type(value) in CONTAINERS.values() else None
    if isinstance(value, Mapping):
        items = enumerate(value.items())
        pairs = [
            [encode(k, arrays, f"{name}/{i}/key"), encode(v, arrays, f"{name}/{i}")]
            for i, (k, v) in items
        ]
        if isinstance(value, defaultdict):
            factory = encode(value.default_factory, arrays, name)
            return {"pairs": pairs, "kind": kind, "factory": factory}
        return {"pairs": pairs, "kind": kind} if kind else {"pairs": pairs}
    each = [encode(item, arrays, f"{name}/{i}") for i, item in enumerate(value)]
    if isinstance(value, list):
        return each
    if isinstance(value, tuple):
        return {"tuple": each}
    return {"items": each, "kind": kind, "most": getattr(value, "maxlen", None)}


def decode(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """What `encode` was given; what only an object can take is a `Content`."""
    if isinstance(value, list):
        return [decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        array = arrays[value["array"]]
        return array[()] if value["scalar"] else array.copy()
    if "tuple" in value:
        return tuple(decode(item, arrays) for item in value["tuple"])
    if "items" in value:
        items = [decode(item, arrays) for item in value["items"]]
        more = () if value["most"] is None else (value["most"],)
        return CONTAINERS[value["kind"]](items, *more)
    if "pairs" in value:
        pairs = {decode(k, arrays): decode(v, arrays) for k, v in value["pairs"]}
        if "factory" in value:
            return defaultdict(decode(value["factory"], arrays), pairs)
        return CONTAINERS[value["kind"]](pairs) if "kind" in value else pairs
    ((kind, content),) = value.items()
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind == "path":
        return pathlib.Path(content)
    if kind == "named":
        return _named(content)
    if kind == "tensor":
        return tf.constant(decode(content, arrays))
    if kind != "variables" and kind not in RANDOM:
        raise ValueError(f"{kind!r} is no kind of value that a state holds")
    return Content(kind, decode(content, arrays))


def settle(old: Any, new: Any) -> Any:
    """Puts a decoded value into the place of another.

    Returns:
        `old`, changed in place, where it is of the same kind; else the new value.

    Example:

    >>> shared = [1]
    >>> settle(shared, [1, 2]) is shared, shared
    (True, [1, 2])
    """
    if isinstance(new, Content):
        return _settle_content(old, new)
    if isinstance(new, list) and isinstance(old, list):
        kept = [*old, *[None] * len(new)]
        old[:] = [settle(kept[n], item) for n, item in enumerate(new)]
        return old
    if isinstance(new, MutableMapping) and type(old) is type(new):
        items = {key: settle(old.get(key), item) for key, item in new.items()}
        old.clear()
        old.update(items)
        return old
    if isinstance(new, deque | set) and type(old) is type(new):
        old.clear()
        (old.extend if isinstance(old, deque) else old.update)(new)
        return old
    return new


def _settle_content(old: Any, content: Content) -> Any:
    if content.kind in RANDOM:
        owner, _, set_state = RANDOM[content.kind]
        generator = old
        if not isinstance(old, owner):
            kind = owner is Generator and content.state["bit_generator"]
            generator = owner(getattr(np.random, kind)()) if kind else owner()
        set_state(generator, content.state)
        return generator
    variables = _variables(old)
    if variables is None or len(variables) != len(content.state):
        (value,) = content.state  # one that training has made; others are constructed
        return tf.Variable(value, trainable=False)
    for variable, value in zip(variables, content.state):
        variable.assign(value)
    return old


def _is_numbers(value: np.ndarray | np.generic) -> bool:
    """No pointers, no fields, no mask: nothing that bytes alone do not tell."""
    is_masked = isinstance(value, np.ma.MaskedArray)
    return not (value.dtype.hasobject or value.dtype.names or is_masked)


def _variables(value: Any) -> list[Any] | None:
    if isinstance(value, VARIABLES):
        return [value]
    if isinstance(value, keras.random.SeedGenerator):
        return [value.state]
    return list(value.variables) if isinstance(value, keras.metrics.Metric) else None


def _name_of(value: Any) -> str | None:
    """Where a function or class is found, if anybody finds it there."""
    module, name = (getattr(value, each, None) for each in ("__module__", "__name__"))
    if not (callable(value) and isinstance(module, str) and isinstance(name, str)):
        return None
    found = getattr(sys.modules.get(module), name, None)
    return f"{module}:{name}" if found is value else None


def _named(place: str) -> Any:
    """No module is imported for it: a file must not be able to run anything."""
    module, _, name = place.partition(":")
    if not hasattr(sys.modules.get(module), name):
        raise UserError(
            f"a callback of the run held {place.replace(':', '.')}, which is not there "
            "any more; resume with the program that the run was started with"
        )
    return getattr(sys.modules[module], name)
