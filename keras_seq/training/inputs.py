"""What `fit` is given, as datasets: arrays, tables, PyDatasets, tf.data.

Shapes: N samples.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.keras_internals import compile_arguments
from keras_seq.log import log
from keras_seq.training.array_batches import (
    Batching,
    Parts,
    array_batches,
    pydataset_batches,
)
from keras_seq.training.arrays import as_arrays, check_indexes, check_rows, leaves
from keras_seq.training.class_weights import check_one_hot
from keras_seq.training.epochs import check_count
from keras_seq.training.train_step import has_own_step

FORMATS = (
    "arrays, (x, y[, sample_weight]), a tf.data.Dataset or a keras.utils.PyDataset"
)


def fit_datasets(
    model: keras.Model,
    x: Any,
    y: Any,
    sample_weight: Any,
    validation_data: Any,
    validation_split: float,
    class_weight: Mapping[int, float] | None,
    batching: Batching,
) -> tuple[tf.data.Dataset, tf.data.Dataset | None]:
    """The datasets that a compiled model trains and is validated on, given as `fit` is.

    Returns:
        Train and validation; None without one.

    Raises:
        ValueError: Something is given that cannot be trained on.
    """
    if validation_data is None and _in_batches(x) and _in_batches(y):
        # Targets are never a dataset: this is a call as version 0.1 had it.
        log.warning("fit: a third argument is y; validation_data=... says what it is")
        y, validation_data = None, y
    _check_batching(batching, validation_split, validation_data)
    train, validation = _given("x", model, x, y, sample_weight), None
    if validation_split:
        if not isinstance(train, Parts):
            raise ValueError(
                f"validation_split divides arrays, and x is a {_kind(x)}; give "
                "validation_data"
            )
        train, validation = _split(train, validation_split)
    elif validation_data is not None:
        validation = _given("validation_data", model, validation_data)
    if class_weight is not None and isinstance(train, Parts):
        if isinstance(train.y, np.ndarray):
            check_one_hot(train.y)
    if batching.size is not None and not isinstance(train, Parts):
        raise ValueError(
            f"batch_size is {batching.size}, and x is a {_kind(x)}, which comes in "
            "batches of its own"
        )
    size = batching.validation_size or batching.size
    held_out = batching._replace(size=size, shuffle=False)
    if validation is not None:
        validation = _dataset(validation, held_out)
        _check_outputs("y of validation_data", model, validation)
    train = _dataset(train, batching)
    _check_outputs("y", model, train)
    return train, validation


def _check_outputs(name: str, model: keras.Model, data: tf.data.Dataset) -> None:
    """Raises ValueError where a dict of targets has none for an output that needs some.

    Without metrics an output without a loss needs none, as Keras has it.
    """
    spec = data.element_spec
    y = spec[1] if isinstance(spec, tuple) and len(spec) > 1 else None
    outputs = getattr(model, "output", None)
    if not isinstance(y, Mapping) or outputs is None or has_own_step(model):
        return
    names = list(outputs if isinstance(outputs, Mapping) else model.output_names)
    compiled = compile_arguments(model)
    losses = compiled.get("loss")
    if isinstance(losses, list | tuple):
        losses = dict(zip(names, losses))
    measured = any(compiled.get(m) is not None for m in ("metrics", "weighted_metrics"))
    if isinstance(losses, Mapping) and not measured:
        names = [each for each in names if losses.get(each) is not None]
    missing = [each for each in names if each not in y]
    if missing:
        raise ValueError(
            f"{name} has no targets for the output {missing[0]!r}, only for "
            f"{sorted(y)}; give one array each"
        )


def _check_batching(batching: Batching, split: float, validation_data: Any) -> None:
    check_count("batch_size", batching.size)
    check_count("validation_batch_size", batching.validation_size)
    if not isinstance(batching.shuffle, bool):
        raise ValueError(f"shuffle is {batching.shuffle!r}; expected True or False")
    if not 0 <= split < 1:
        raise ValueError(f"validation_split is {split}; expected 0 up to, without, 1")
    if split and validation_data is not None:
        raise ValueError("validation_data and validation_split are given; give one")


def _given(
    name: str, model: keras.Model, x: Any, y: Any = None, sample_weight: Any = None
) -> "Parts | tf.data.Dataset | keras.utils.PyDataset":
    """Arrays, or what comes in batches."""
    if _in_batches(x):
        for other, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(
                    f"{name} is a {_kind(x)}, which brings its own targets and "
                    f"weights, and {other} is a {_kind(value)}; data to validate on "
                    "is given as validation_data=..."
                )
        return x
    if _in_batches(y) or _in_batches(sample_weight):
        raise ValueError(
            f"{name} is a {_kind(x)}, and y or sample_weight a dataset; expected "
            "arrays for all, or one dataset of (x, y) as x"
        )
    if x is None:
        raise ValueError(f"{name} is None; expected {FORMATS}")
    if y is None and _is_tuple_of_parts(name, model, x):
        if len(x) == 3 and sample_weight is not None:
            raise ValueError(f"{name} holds sample weights; leave sample_weight out")
        x, y, sample_weight = (*x, sample_weight)[:3]
    return _parts(name, model, x, y, sample_weight)


def _is_tuple_of_parts(name: str, model: keras.Model, x: Any) -> bool:
    """Whether a tuple is (x, y[, sample_weight]), and not one array an input."""
    if name != "x" and (not isinstance(x, tuple | list) or len(x) not in (2, 3)):
        raise ValueError(f"{name} is a {_kind(x)}; expected (x, y[, sample_weight])")
    if not isinstance(x, tuple) or len(x) not in (2, 3):
        return name != "x"
    inputs = getattr(model, "inputs", None)
    if name != "x" or not inputs or len(inputs) != len(x):
        return True
    return isinstance(x[0], Mapping | list | tuple)


def _parts(name: str, model: keras.Model, x: Any, y: Any, weight: Any) -> Parts:
    names: tuple[str, ...] = Parts._fields
    if name != "x":
        names = tuple(f"{each} of {name}" for each in names)
    check_indexes(**dict(zip(names, (x, y, weight))))
    parts = Parts(*(as_arrays(n, v) for n, v in zip(names, (x, y, weight))))
    loss = compile_arguments(model).get("loss")
    if parts.y is None and loss is not None and not has_own_step(model):
        raise ValueError(
            f"{names[1]} is missing: the loss compares answers with targets"
        )
    parts = parts._replace(sample_weight=_weights(parts))
    check_rows(**dict(zip(names, parts)))
    _check_texts(model, names, parts)
    return parts


def _weights(parts: Parts) -> Any:
    """One weight a sample for each output; without one an output has ones."""
    weight, y = parts.sample_weight, parts.y
    if weight is None or y is None:
        return weight
    if isinstance(weight, np.ndarray):
        if weight.ndim == 2 and weight.shape[1] == 1:
            weight = weight[:, 0]
        if tf.nest.is_nested(y) and weight.ndim > 1:
            raise ValueError(
                f"sample_weight has shape {weight.shape} for several outputs; expected "
                "one weight a sample, or one array an output"
            )
        return tf.nest.map_structure(lambda _: weight, y)
    ones = np.ones(len(tf.nest.flatten(y)[0]), keras.config.floatx())
    if isinstance(weight, Mapping) and isinstance(y, Mapping) and set(weight) <= set(y):
        weight = {name: weight.get(name) for name in y}
    if type(weight) is not type(y) or len(weight) != len(y):
        raise ValueError("sample_weight has other outputs than y; give one array each")
    return tf.nest.map_structure(lambda w: ones if w is None else w, weight)


def _check_texts(model: keras.Model, names: tuple[str, ...], parts: Parts) -> None:
    inputs = getattr(model, "inputs", None) or []
    reads_texts = not inputs or any(each.dtype == "string" for each in inputs)
    for part, value in zip(names, parts):
        for name, array in leaves(part, value):
            if array.dtype == object and not (part == names[0] and reads_texts):
                raise ValueError(
                    f"{name} holds texts; expected numbers: encode labels as class "
                    "numbers and texts as token ids (keras_seq.Tokenizer)"
                )


def _split(parts: Parts, share: float) -> tuple[Parts, Parts]:
    """The last rows validate, as in Keras: those who sort their data shuffle it."""
    rows = len(tf.nest.flatten(parts.x)[0])
    at = math.floor(rows * (1.0 - share))
    if at in (0, rows):
        raise ValueError(
            f"validation_split is {share}, and x has {rows} rows: one part is empty"
        )

    def cut(rows: slice) -> Parts:
        return Parts(*(_mapped(lambda array: array[rows], part) for part in parts))

    return cut(slice(at)), cut(slice(at, None))


def _mapped(function: Callable[[np.ndarray], np.ndarray], nest: Any) -> Any:
    return None if nest is None else tf.nest.map_structure(function, nest)


def _in_batches(value: Any) -> bool:
    return isinstance(value, tf.data.Dataset | keras.utils.PyDataset)


def _kind(value: Any) -> str:
    dataset = "tf.data.Dataset" if isinstance(value, tf.data.Dataset) else ""
    return dataset or type(value).__name__


def _dataset(given: Any, batching: Batching) -> tf.data.Dataset:
    if isinstance(given, tf.data.Dataset):
        return given
    if isinstance(given, keras.utils.PyDataset):
        return pydataset_batches(given, batching)
    return array_batches(given, batching)
