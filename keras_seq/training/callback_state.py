"""What a callback was constructed with, and what it has learned since: two things.

Only the second is state. The first is compared when a run is resumed, since Keras keeps
both as plain attributes side by side. A callback with `get_state()` and
`set_state(state)` says itself what its state is.
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_seq.training.described import described
from keras_seq.training.state_values import Content, decode, encode, settle

MEMORY = "_as_constructed"
# Set by Keras: no state of the callback.
SET_BY_KERAS = {"params", "model", "_model", "validation_data", MEMORY}
# What decides on no bit: how much is said, and where files lie, as `run_dir`.
SHOWN = {"verbose", "filename", "filepath", "log_dir", "batch_dir", "backup_dir"}
OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
FILES = {"append_header"}  # depends on the file: `event_files`


class Attribute(NamedTuple):
    """One attribute at some time, as `encode` has it."""

    value: Any
    arrays: dict[str, np.ndarray]

    def equals(self, other: "Attribute | None") -> bool:
        """Bit for bit; a NaN equals itself."""
        if other is None or json.dumps(self.value) != json.dumps(other.value):
            return False
        if self.arrays.keys() != other.arrays.keys():
            return False
        pairs = ((array, other.arrays[name]) for name, array in self.arrays.items())
        return all(
            a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
            for a, b in pairs
        )


Attributes = dict[str, Attribute]


class Memory(NamedTuple):
    """What is known of a callback from run to run.

    Attributes:
        names: of all attributes that it came with.
        constructed: those of them that a state can hold, as the constructor, or the
            user since, has set them.
        left: as the last `fit` left them; None while one runs.
    """

    names: frozenset[str]
    constructed: Attributes
    left: Attributes | None


def as_constructed(callback: keras.callbacks.Callback) -> Attributes:
    """The attributes that a callback came with, however often it was trained with.

    The first call must come before anything of the callback is called.
    """
    memory = vars(callback).get(MEMORY)
    if memory is None:
        memory = Memory(frozenset(vars(callback)), _copied(_attributes(callback)), None)
    elif memory.left is not None:
        changed = {
            name: each
            for name, each in _attributes(callback).items()
            if not each.equals(memory.left.get(name))
        }
        constructed = memory.constructed | _copied(changed)
        memory = Memory(memory.names | changed.keys(), constructed, None)
    vars(callback)[MEMORY] = memory
    return memory.constructed


def remember_left(callback: keras.callbacks.Callback) -> None:
    """Notes how a `fit` leaves a callback, to tell what the user changes after it."""
    memory = vars(callback).get(MEMORY)
    if memory is not None:
        vars(callback)[MEMORY] = memory._replace(left=_copied(_attributes(callback)))


def _copied(attributes: Attributes) -> Attributes:
    return {
        name: Attribute(each.value, {key: a.copy() for key, a in each.arrays.items()})
        for name, each in attributes.items()
    }


def callback_settings(
    callbacks: Sequence[keras.callbacks.Callback],
) -> dict[str, dict[str, Any]]:
    """What callbacks were constructed with, by callback and attribute.

    Example:

    >>> stop = keras.callbacks.EarlyStopping(patience=3)
    >>> callback_settings([stop])["EarlyStopping"]["patience"]
    3
    """
    found: dict[str, dict[str, Any]] = {}
    for each in callbacks:
        name, number = type(each).__name__, 2
        while name in found:
            name, number = f"{type(each).__name__} {number}", number + 1
        found[name] = _settings(each)
    return found


def callback_state(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """What a callback has learned: `restore_callback` takes it."""
    if hasattr(callback, "get_state"):
        return {"own": callback.get_state()}
    constructed, now = as_constructed(callback), _attributes(callback)
    same = [name for name in now if now[name].equals(constructed.get(name))]
    learned = {name: vars(callback)[name] for name in now if name not in same}
    return {"learned": learned, "same": same}


def restore_callback(
    callback: keras.callbacks.Callback, state: Mapping[str, Any]
) -> None:
    """Gives a callback what `callback_state` returned."""
    learned = state["own"] if "own" in state else state["learned"]
    if "own" in state and hasattr(callback, "set_state"):
        callback.set_state(learned)
        return
    for name, value in learned.items():
        setattr(callback, name, settle(vars(callback).get(name), value))
    constructed, now = as_constructed(callback), _attributes(callback)
    for name in state.get("same", ()):
        begun = constructed.get(name)
        # Callbacks change themselves as they begin, too.
        if begun is not None and not begun.equals(now.get(name)):
            value = decode(begun.value, begun.arrays)
            setattr(callback, name, settle(vars(callback).get(name), value))


def _attributes(callback: keras.callbacks.Callback) -> Attributes:
    """Every attribute that a state can hold."""
    found = {}
    for name, value in vars(callback).items():
        if name in SET_BY_KERAS | FILES:
            continue
        arrays: dict[str, np.ndarray] = {}
        try:
            found[name] = Attribute(encode(value, arrays, name), arrays)
        except (ValueError, TypeError, AttributeError, RuntimeError):
            continue  # an object, which only its callback knows how to keep
    return found


def _settings(callback: keras.callbacks.Callback) -> dict[str, Any]:
    if hasattr(callback, "get_config"):
        return {name: described(value) for name, value in callback.get_config().items()}
    keeps_state = hasattr(callback, "get_state")
    if keeps_state and _is_empty(callback):
        return {}  # it says that nothing of it belongs to the run
    constructed = as_constructed(callback)
    taken, all_kept = _parameters(callback)
    found = {}
    for name in vars(callback)[MEMORY].names - SET_BY_KERAS - FILES:
        own = name.lstrip("_")
        if own in SHOWN or own not in taken and (all_kept or keeps_state):
            continue
        value = vars(callback).get(name)
        if name in constructed:
            value = decode(constructed[name].value, constructed[name].arrays)
        elif not callable(value):
            continue
        # A generator may start anywhere, and LambdaCallback's functions are no setting.
        if not (isinstance(value, Content) or name.startswith("on_")):
            found[name] = described(value)
    return dict(sorted(found.items()))


def _is_empty(callback: keras.callbacks.Callback) -> bool:
    try:
        return not callback.get_state()
    except AttributeError:  # before training there is none yet
        return False


def _parameters(callback: keras.callbacks.Callback) -> tuple[set[str], bool]:
    """What the constructor takes, and whether all of it is kept under its own name.

    Where it is not, any attribute may come from it.
    """
    taken: set[str] = set()
    for owner in type(callback).__mro__[:-1]:
        constructor = vars(owner).get("__init__")
        if constructor is None:
            continue
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        named = {each.name for each in parameters if each.kind not in OPEN}
        taken |= named
        if len(named) == len(parameters):
            kept = {name.lstrip("_") for name in vars(callback)}
            return taken, taken <= kept
    return taken, False
