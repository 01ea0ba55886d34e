"""`.keras` files: without keras_seq's classes inside, and with the fast ones again.

Keras' own LSTM, GRU, SimpleRNN and Adam have the weights, slots and numbers of ours. So
a model is saved with Keras', which any process loads, and trained with ours.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_seq.errors import UserError
from keras_seq.keras_internals import (
    compile_arguments,
    flatten_layers,
    optimized_variables,
)
from keras_seq.layers.attention import Attention
from keras_seq.layers.characters import CharacterEncoder, WordDropout
from keras_seq.layers.coordinates import Coordinates
from keras_seq.layers.crf import CRF, crf_loss
from keras_seq.layers.decoder import RecurrentDecoder
from keras_seq.layers.recurrent import GRU, LSTM, SimpleRNN
from keras_seq.layers.token_scores import TokenEmbedding, TokenScores
from keras_seq.layers.transformer import SinusoidalPositions, TransformerBlock
from keras_seq.losses import TokenLoss, tag_loss
from keras_seq.metrics import TagAccuracy
from keras_seq.training.optimizers import Adam
from keras_seq.training.step_schedule import InverseSquareRoot
from keras_seq.training.tag_metrics import EntityF1, PathAccuracy
from keras_seq.training.train_step import carried_states
from keras_seq.training.transcripts import SymbolErrorRate

# Keras finds what a file names only where somebody has imported it.
REGISTERED: tuple[Any, ...] = (Attention, CRF, CharacterEncoder, WordDropout)
REGISTERED += (Coordinates, RecurrentDecoder, SinusoidalPositions, TransformerBlock)
REGISTERED += (EntityF1, PathAccuracy, SymbolErrorRate, TagAccuracy)
REGISTERED += (InverseSquareRoot,)
REGISTERED += (TokenEmbedding, TokenLoss, TokenScores, crf_loss, tag_loss)

FAST: dict[Any, type] = {
    keras.layers.LSTM: LSTM,
    keras.layers.GRU: GRU,
    keras.layers.SimpleRNN: SimpleRNN,
    keras.optimizers.Adam: Adam,
}
STOCK: dict[type, Any] = {ours: stock for stock, ours in FAST.items()}

Classes = Mapping[Any, type]  # Keras' class to another, or the other way round
# Module and class name in a config, and what stands in their place.
Names = dict[tuple[str | None, str | None], dict[str, str | None]]


def portable(model: keras.Model) -> keras.Model:
    """The same model with Keras' own recurrent layers and Adam, to be saved.

    What it saves loads where keras_seq is not installed. Layers inside Bidirectional,
    TimeDistributed and nested models are found; weights, seeds, compile arguments and
    the optimizer's state are copied. Layers, losses and metrics that Keras has no twin
    for stay what they are: whoever loads those imports keras_seq.

    Args:
        model: Functional or Sequential, compiled or not.

    Returns:
        A copy; `model` itself where it has no such layer or optimizer.

    Raises:
        ValueError: The model is of a class that makes our layers itself, or has a part
            that Keras cannot make anew from its config.

    Example:

    >>> model = keras.Sequential([keras.Input((3, 2)), LSTM(4, name="reads")])
    >>> type(portable(model).get_layer("reads")) is keras.layers.LSTM
    True
    """
    return _with_classes(model, STOCK)


def load_model(
    path: str | Path,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> keras.Model:
    """Loads a `.keras` file for fine-tuning, with the fast recurrent layers and Adam.

    The optimizer goes on with the slots and iterations that were saved. Layers that a
    model of a class of its own makes are left as they are; `layer.loop` tells.

    Args:
        path: of the file.
        custom_objects: name to class or function, as `keras.saving.load_model` has it.
        compile: compile it as it was, and take up the optimizer's state.
        safe_mode: refuse files that carry Python code.

    Returns:
        The model.

    Raises:
        UserError: There is no such file, or it cannot be read.

    Example:

    >>> load_model("nowhere.keras")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: nowhere.keras: no such file; give a .keras file
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; give a .keras file")
    if Path(path).suffix == ".keras" and not zipfile.is_zipfile(path):
        raise UserError(f"{path}: is cut short, or no .keras file; save it again")
    try:
        model = keras.saving.load_model(
            path, custom_objects, compile=compile, safe_mode=safe_mode
        )
    except (OSError, ValueError, TypeError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: cannot be loaded: {_cause(error)}") from error
    with keras.saving.CustomObjectScope(dict(custom_objects or {})):
        try:
            return _with_classes(model, FAST)
        except ValueError:  # of a class that makes its layers itself: Keras' they stay
            return model


def _cause(error: BaseException) -> str:
    """One line; Keras wraps the cause in configs of many lines, and puts it last."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    line = (lines or [type(error).__name__])[-1]
    line = line.removeprefix("Exception encountered: ")
    return line if len(line) <= 200 else line[:199] + "…"


def _with_classes(model: keras.Model, classes: Classes) -> keras.Model:
    """A copy in which classes are replaced; `model` where there is nothing to."""
    optimizer = model.optimizer if model.compiled else None
    parts = [*flatten_layers(model), optimizer]
    parts.append(getattr(optimizer, "inner_optimizer", None))
    if not any(type(part) in classes for part in parts):
        return model
    twin = _copied(model, classes, _custom_objects(flatten_layers(model)))
    left = [part for part in flatten_layers(twin) if type(part) in classes]
    if left:
        raise ValueError(
            f"{type(model).__name__} {model.name!r} makes its layer {left[0].name!r} "
            f"itself, as {type(left[0]).__module__}.{type(left[0]).__name__}; take a "
            "Functional or Sequential model"
        )
    _assign(model.variables, twin.variables)
    _assign(carried_states(model), carried_states(twin))
    if model.compiled:
        arguments = compile_arguments(model)
        if optimizer is not None:
            arguments["optimizer"] = _optimizer_copy(model, twin, classes)
        twin.compile(**arguments)
    return twin


def _copied(part: Any, classes: Classes, custom_objects: Mapping[str, type]) -> Any:
    """Made anew from its config, with other classes and without weights."""
    config = _replaced(keras.saving.serialize_keras_object(part), _names(classes))
    try:
        return keras.saving.deserialize_keras_object(
            config, custom_objects=dict(custom_objects), safe_mode=False
        )
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ValueError(
            f"{type(part).__name__} {part.name!r} cannot be made anew from its config: "
            f"{_cause(error)}"
        ) from error


def _names(classes: Classes) -> Names:
    """(module, class name) in a config to what stands in its place."""
    return {
        (_reference(old)["module"], old.__name__): _reference(new)
        for old, new in classes.items()
    }


def _reference(kind: type) -> dict[str, str | None]:
    """How a config names a class, beside its `class_name`."""
    if kind in STOCK:
        name = keras.saving.get_registered_name(kind)
        return {"module": kind.__module__, "registered_name": name}
    is_optimizer = issubclass(kind, keras.optimizers.Optimizer)
    module = "keras.optimizers" if is_optimizer else "keras.layers"
    return {"module": module, "registered_name": None}


def _replaced(config: Any, names: Names) -> Any:
    """A config with other classes, and without how nested models were compiled."""
    if isinstance(config, list | tuple):
        return type(config)(_replaced(item, names) for item in config)
    if not isinstance(config, dict):
        return config
    new = {
        key: _replaced(value, names)
        for key, value in config.items()
        if key != "compile_config"
    }
    key = (config.get("module"), config.get("class_name"))
    return new | names.get(key, {})


def _custom_objects(layers: list[keras.Layer]) -> dict[str, type]:
    """Classes that a config names, and that nobody need have registered."""
    kinds = {type(layer) for layer in layers}
    return {
        name: kind
        for kind in kinds
        if not kind.__module__.startswith("keras.")
        for name in (kind.__name__, keras.saving.get_registered_name(kind))
    }


def _optimizer_copy(
    model: keras.Model, twin: keras.Model, classes: Classes
) -> keras.optimizers.Optimizer:
    """Of another class, with the slots and counters that the model's has."""
    optimizer = model.optimizer
    copy = _copied(optimizer, classes, {type(optimizer).__name__: type(optimizer)})
    if optimizer.built:
        places = {id(variable): i for i, variable in enumerate(model.variables)}
        moved = [places[id(variable)] for variable in optimized_variables(optimizer)]
        copy.build([twin.variables[place] for place in moved])
        _assign(optimizer.variables, copy.variables)
    return copy


def _assign(variables: list[keras.Variable], copies: list[keras.Variable]) -> None:
    for variable, copy in zip(variables, copies, strict=True):
        copy.assign(keras.ops.convert_to_tensor(variable))
