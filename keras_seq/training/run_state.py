"""All that a training run is at one step, as arrays and facts, and back into it.

Weights, optimizer, loss scale, metrics half-way through an epoch, random states and
callbacks. Two things have no state that can be kept, and so are not here: `tf.random`
ops (use `keras.random`), and objects that a callback holds (give it `get_state`).
"""

import random
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from keras_seq.errors import UserError
from keras_seq.keras_internals import (
    GLOBAL_SEED_GENERATOR,
    global_seed_generator,
    global_state,
)
from keras_seq.training.callback_state import callback_state, restore_callback
from keras_seq.training.checkpoint import State
from keras_seq.training.event_files import kept_files, rewind_files
from keras_seq.training.monitor import Progress
from keras_seq.training.state_values import decode, encode
from keras_seq.training.train_step import carried_states, components

# What draws on the screen; a run may go on where there is no terminal.
DISPLAY_CALLBACKS = (keras.callbacks.ProgbarLogger, Progress)
FORMAT = 2  # of a state; another version of keras_seq may have another
FACTS = {
    "random": dict,
    "numpy": dict,
    "callbacks": list,
    "epoch": int,
    "batch": int,
    "over": bool,
    "seconds": float,
    "settings": dict,
    "machine": dict,
}


def capture_state(
    model: keras.Model, callbacks: Iterable[keras.callbacks.Callback]
) -> State:
    """A state to save at once: its variables are read while they are written.

    Nothing that training uses is changed by it.
    """
    arrays: dict[str, Any] = {}
    for group, variables in _variables(model).items():
        for number, variable in enumerate(variables):
            # Sums over replicas are not exact; the part of each replica is.
            for copy, part in enumerate(components(variable)):
                arrays[f"{group}/{number}/{copy}"] = part
    facts = {
        "random": encode(random.getstate(), arrays, "random"),
        "numpy": encode(np.random.get_state(), arrays, "numpy"),
        "callbacks": [
            _take_callback(each, arrays, f"callback{number}")
            for number, each in enumerate(_stateful(callbacks))
        ],
        "format": FORMAT,
    }
    return State(arrays, facts)


def restore_state(
    model: keras.Model, callbacks: Iterable[keras.callbacks.Callback], state: State
) -> None:
    """Puts everything back as `capture_state` found it.

    Raises:
        ValueError: The model or the callbacks are others.
    """
    arrays, facts = state
    for group, variables in _variables(model).items():
        saved = {name for name in arrays if name.startswith(group + "/")}
        for number, variable in enumerate(variables):
            for copy, part in enumerate(components(variable)):
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
    for each, state_of_it, _ in _pairs(callbacks, state):
        restore_callback(each, state_of_it)


def put_files(callbacks: Iterable[keras.callbacks.Callback], state: State) -> None:
    """Puts the files of callbacks back, before anything of the callbacks is called."""
    for each, _, files in _pairs(callbacks, state):
        rewind_files(each, files)


def check_state(state: State) -> None:
    """Looks whether a state that could be read is one of a run.

    Raises:
        ValueError: It is damaged.
        UserError: Another version of keras_seq has written it.
    """
    if not isinstance(state.facts, dict):
        raise ValueError("the facts are no dict")
    if "settings" in state.facts and state.facts.get("format") != FORMAT:
        raise UserError(
            "the checkpoints of this run are of another version of keras_seq; resume "
            "with that one, or train anew in another folder"
        )
    for name, kind in FACTS.items():
        if not isinstance(state.facts.get(name), kind):
            raise ValueError(f"{name} is no {kind.__name__}")
    random.Random().setstate(decode(state.facts["random"], state.arrays))
    np.random.RandomState().set_state(decode(state.facts["numpy"], state.arrays))
    for name, *parts in state.facts["callbacks"]:
        for part in parts:
            decode(part, state.arrays)


def _take_callback(
    callback: keras.callbacks.Callback, arrays: dict[str, np.ndarray], name: str
) -> list[Any]:
    name, kind = f"{name} {type(callback).__name__}", type(callback).__name__
    state = encode(callback_state(callback), arrays, name)
    return [kind, state, encode(kept_files(callback), arrays, f"{name} files")]


def _pairs(
    callbacks: Iterable[keras.callbacks.Callback], state: State
) -> list[tuple[keras.callbacks.Callback, dict[str, Any], dict[str, Any]]]:
    """Each callback with its state and what is kept of its files."""
    stateful = _stateful(callbacks)
    names = [type(each).__name__ for each in stateful]
    saved = state.facts["callbacks"]
    if names != [name for name, *_ in saved]:
        raise ValueError(
            f"callbacks are {names}; the run was started with "
            f"{[name for name, *_ in saved]}"
        )
    return [
        (each, *(decode(part, state.arrays) for part in parts))
        for each, (_, *parts) in zip(stateful, saved)
    ]


def _variables(model: keras.Model) -> dict[str, list[keras.Variable]]:
    generator = global_state.get_global_attribute(GLOBAL_SEED_GENERATOR)
    return {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "metrics": model.metrics_variables,
        "carried": carried_states(model),
        "seed": [] if generator is None else [generator.state],
    }


def _stateful(
    callbacks: Iterable[keras.callbacks.Callback],
) -> list[keras.callbacks.Callback]:
    return [each for each in callbacks if not isinstance(each, DISPLAY_CALLBACKS)]
