"""All that a training run is at one step, as arrays and facts, and back into it.

Weights, optimizer, loss scale, metrics half-way through an epoch, random states and
callbacks. Knows nothing of files. Two things have no state that can be kept, and so are
not here: `tf.random` ops (use `keras.random`), and objects that a callback holds.
"""

import random
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.keras_internals import (
    GLOBAL_SEED_GENERATOR,
    global_seed_generator,
    global_state,
)
from keras_seq.training.checkpoint import State

# What a callback is told, not what it knows; and what draws on the screen.
TOLD = {"params", "model", "_model", "validation_data"}
SCREEN = (keras.callbacks.ProgbarLogger,)
PLAIN = (type(None), bool, int, float, str)


def take_state(
    model: keras.Model, callbacks: Iterable[keras.callbacks.Callback]
) -> State:
    """Reads a state; nothing that training uses is changed by it.

    Args:
        model: built and compiled, its optimizer built.
        callbacks: in the order that `put_state` gets them in.

    Returns:
        The state.
    """
    arrays = {}
    for group, variables in _variables(model).items():
        for number, variable in enumerate(variables):
            for copy, part in enumerate(_copies(variable)):
                arrays[f"{group}/{number}/{copy}"] = part.numpy()
    facts = {
        "random": encode(random.getstate(), arrays, "random"),
        "numpy": encode(np.random.get_state(), arrays, "numpy"),
        "callbacks": [
            [type(each).__name__, encode(_knows(each), arrays, f"callback{number}")]
            for number, each in enumerate(_stateful(callbacks))
        ],
    }
    return State(arrays, facts)


def put_state(
    model: keras.Model, callbacks: Iterable[keras.callbacks.Callback], state: State
) -> None:
    """Puts everything back as `take_state` found it.

    Args:
        model: the same, built and compiled.
        callbacks: the same, in the same order.
        state: what was taken.

    Raises:
        ValueError: The model or the callbacks are others.
    """
    arrays, facts = state
    for group, variables in _variables(model).items():
        saved = {name for name in arrays if name.startswith(group + "/")}
        for number, variable in enumerate(variables):
            for copy, part in enumerate(_copies(variable)):
                name = f"{group}/{number}/{copy}"
                if name not in saved or arrays[name].shape != tuple(part.shape):
                    raise ValueError(
                        f"the checkpoint does not fit the model at {variable.path}; "
                        "resume with the model that the run was started with"
                    )
                part.assign(arrays[name])
                saved.discard(name)
        if saved and group != "seed":
            raise ValueError(
                f"the checkpoint has {len(saved)} more {group} variables than the "
                "model; resume with the model that the run was started with"
            )
    if "seed/0/0" in arrays:
        global_seed_generator().state.assign(arrays["seed/0/0"])
    random.setstate(decode(facts["random"], arrays))
    np.random.set_state(decode(facts["numpy"], arrays))
    stateful = _stateful(callbacks)
    names = [type(each).__name__ for each in stateful]
    if names != [name for name, _ in facts["callbacks"]]:
        raise ValueError(
            f"callbacks are {names}; the run was started with "
            f"{[name for name, _ in facts['callbacks']]}"
        )
    for each, (_, knowledge) in zip(stateful, facts["callbacks"]):
        _remind(each, decode(knowledge, arrays))


def _variables(model: keras.Model) -> dict[str, list[keras.Variable]]:
    generator = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    return {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "metrics": model.metrics_variables,
        "seed": [] if generator is None else [generator.state],
    }


def _copies(variable: keras.Variable) -> list[tf.Variable]:
    """One a replica: sums over replicas are not exact, each replica's part is."""
    value = variable.value
    if isinstance(value, tf.distribute.DistributedValues):
        return list(value.values)
    return [value]


def _stateful(
    callbacks: Iterable[keras.callbacks.Callback],
) -> list[keras.callbacks.Callback]:
    return [each for each in callbacks if not isinstance(each, SCREEN)]


def _knows(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """What `get_state` returns where there is one, else every plain attribute."""
    if hasattr(callback, "get_state"):
        return callback.get_state()
    return {
        name: value
        for name, value in vars(callback).items()
        if name not in TOLD and _is_plain(value)
    }


def _remind(callback: keras.callbacks.Callback, knowledge: dict[str, Any]) -> None:
    if hasattr(callback, "set_state"):
        callback.set_state(knowledge)
        return
    for name, value in knowledge.items():
        setattr(callback, name, value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(k) and _is_plain(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return isinstance(value, PLAIN + (np.ndarray, np.generic))


def encode(value: Any, arrays: dict[str, np.ndarray], name: str) -> Any:
    """Plain values as JSON keeps them exactly; arrays go into `arrays`.

    Example:

    >>> arrays = {}
    >>> decode(encode({1: (np.ones(1), 0.1)}, arrays, "x"), arrays)
    {1: (array([1.]), 0.1)}
    """
    if isinstance(value, np.ndarray | np.generic):
        arrays[name] = np.asarray(value)
        return {"array": name, "scalar": isinstance(value, np.generic)}
    if isinstance(value, Mapping):
        items = enumerate(value.items())
        pairs = [[encode(k, arrays, ""), encode(v, arrays, f"{name}/{i}")]
                 for i, (k, v) in items]  # fmt: skip
        return {"pairs": pairs}
    if isinstance(value, list | tuple):
        each = [encode(item, arrays, f"{name}/{i}") for i, item in enumerate(value)]
        return {"tuple": each} if isinstance(value, tuple) else each
    if not isinstance(value, PLAIN):
        raise ValueError(f"{name} is {value!r}; a state holds plain values and arrays")
    return value


def decode(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """What `encode` was given."""
    if isinstance(value, list):
        return [decode(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        array = arrays[value["array"]]
        return array[()] if value["scalar"] else array.copy()
    if "tuple" in value:
        return tuple(decode(item, arrays) for item in value["tuple"])
    return {decode(k, arrays): decode(v, arrays) for k, v in value["pairs"]}
