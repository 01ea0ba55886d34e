"""What makes a run the run it is, so that it is not resumed as another.

Knows nothing of files; descriptions are plain dicts of short texts and numbers.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_seq.errors import UserError


def describe_run(
    model: keras.Model,
    train: tf.data.Dataset,
    validation: tf.data.Dataset | None,
    **settings: Any,
) -> dict[str, Any]:
    """Everything that decides on the bits of a run.

    Args:
        model: compiled.
        train: batches; `data_fingerprint`, where it has one, tells other data.
        validation: the same, or None.
        **settings: further arguments of `fit`.

    Returns:
        Name to text, number, list or None.
    """
    strategy = model.distribute_strategy
    schedule, epochs = settings.pop("schedule"), settings["epochs"]
    described = {name: _described(value) for name, value in settings.items()}
    return described | {
        "schedule": schedule and [float(schedule(e)) for e in range(epochs)],
        "optimizer": _described(model.optimizer),
        "model": _digest(_architecture(model)),
        "recurrent layers": _paths(model),
        "precision": model.dtype_policy.name,
        "replicas": strategy.num_replicas_in_sync,
        "training data": _described_data(train),
        "validation data": validation and _described_data(validation),
    }


def check_same(
    then: Mapping[str, Any], now: Mapping[str, Any], run_dir: str | Path
) -> None:
    """Compares a run as it was started with a run as it is resumed.

    Args:
        then: what the run was started with.
        now: the same names.
        run_dir: for the error.

    Raises:
        UserError: They differ; the one line says where.

    Example:

    >>> check_same({"epochs": 3, "seed": 0}, {"epochs": 5, "seed": 0}, "runs/a")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: runs/a: cannot be resumed with other settings: epochs \
was 3, is 5; give the same again, or another folder
    """
    now = json.loads(json.dumps(now))  # as the state has it: tuples are lists
    differ = [
        f"{name} was {_short(then.get(name))}, is {_short(now.get(name))}"
        for name in {**then, **now}
        if then.get(name) != now.get(name)
    ]
    if differ:
        raise UserError(
            f"{run_dir}: cannot be resumed with other settings: {'; '.join(differ)}; "
            "give the same again, or another folder"
        )


def _described(value: Any) -> Any:
    """Numbers and texts as they are; objects by class and settings."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_described(item) for item in value]
    if hasattr(value, "get_config"):
        config = json.dumps(value.get_config(), default=str, sort_keys=True)
        return f"{type(value).__name__} {_without_counters(config)}"
    return getattr(value, "__name__", type(value).__name__)


def _described_data(data: tf.data.Dataset) -> list[Any]:
    """Size, kind and contents; what a Python function yields only the data can tell."""
    told = getattr(data, "data_fingerprint", None)
    if told is None and not _calls_python(data):
        # tf.data's own: of the tensors and files, without reading a batch.
        told = int(data.fingerprint().numpy())
    return [int(data.cardinality()), str(data.element_spec), told]


def _calls_python(data: tf.data.Dataset) -> bool:
    """Then tf.data's fingerprint counts calls within the process, and tells nothing."""
    try:
        graph = tf.raw_ops.DatasetToGraphV2(
            input_dataset=tf.data.experimental.to_variant(data)
        )
    except tf.errors.OpError:  # too large for a message, or of no graph
        return True
    return b"PyFunc" in graph.numpy()


def _architecture(model: keras.Model) -> str:
    try:
        config = json.dumps(model.get_config(), default=str, sort_keys=True)
    except NotImplementedError:  # a subclass need not have one
        config = type(model).__name__
    shapes = [(tuple(v.shape), str(v.dtype)) for v in model.variables]
    return f"{_without_counters(config)} {shapes}"


def _paths(model: keras.Model) -> str:
    """Which way each computes: kernels and Keras' own loop differ in the last bits."""
    layers = [x for x in model._flatten_layers() if isinstance(x, keras.layers.RNN)]
    loops = [getattr(layer, "loop_in_fit", None) for layer in layers]
    return ", ".join("fallback" if loop is None else loop.kind for loop in loops)


def _without_counters(text: str) -> str:
    """Keras numbers names as they come: `dense_3` here is `dense` there."""
    text = re.sub(r'_\d+(?=[/"])', "", text)
    return re.sub(r"0x[0-9a-f]+", "", text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _short(value: Any) -> str:
    text = re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1…", str(value))
    return text if len(text) <= 200 else text[:199] + "…"
