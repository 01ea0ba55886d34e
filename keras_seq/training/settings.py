"""What makes a run the run it is, so that it is not resumed as another.

Independent of files; descriptions are plain dicts of short texts and numbers.
"""

import json
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import keras_seq
from keras_seq.errors import UserError
from keras_seq.keras_internals import compile_arguments, flatten_layers
from keras_seq.training.callback_state import callback_settings
from keras_seq.training.described import described, digest, without_counters


def describe_run(
    model: keras.Model,
    train: tf.data.Dataset,
    validation: tf.data.Dataset | None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **settings: Any,
) -> dict[str, Any]:
    """Everything that decides on the bits of a run.

    The attribute `data_fingerprint` of a dataset, where it has one, tells other data.
    """
    strategy, compiled = model.distribute_strategy, compile_arguments(model)
    own = {name: compiled.get(name) for name in ("loss", "metrics")}
    schedule, epochs = settings.pop("schedule"), settings["epochs"]
    given = {name: described(value) for name, value in (own | settings).items()}
    return given | {
        "schedule": schedule and [float(schedule(e)) for e in range(epochs)],
        "optimizer": described(model.optimizer),
        "model": digest(_architecture(model)),
        "precision": model.dtype_policy.name,
        "replicas": strategy.num_replicas_in_sync,
        "training data": _described_data(train),
        "validation data": validation and _described_data(validation),
        "callbacks": callback_settings(keras.tree.flatten(list(callbacks))),
    }


def describe_machine(model: keras.Model) -> dict[str, str]:
    """What does not decide what a run is, but may decide on the last bits of it."""
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    names = [each.get("device_name", "GPU") for each in details]
    return {
        "recurrent layers": _loops(model),
        "device": ", ".join(names) or platform.machine(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "keras_seq": keras_seq.__version__,
    }


def check_same(
    then: Mapping[str, Any], now: Mapping[str, Any], run_dir: str | Path
) -> None:
    """Compares a run as it was started with a run as it is resumed.

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
    if differ := differences(then, now):
        raise UserError(
            f"{run_dir}: cannot be resumed with other settings: {'; '.join(differ)}; "
            "give the same again, or another folder"
        )


def differences(
    then: Mapping[str, Any], now: Mapping[str, Any], within: str = ""
) -> list[str]:
    """What differs, by name; of a group with the same names each of them.

    Example:

    >>> differences({"a": 1, "Stop": {"wait": 2}}, {"a": 1, "Stop": {"wait": 3}})
    ['Stop.wait was 2, is 3']
    """
    found = []
    for name in {**then, **now}:
        one, other = then.get(name), now.get(name)
        if isinstance(one, dict) and isinstance(other, dict) and [*one] == [*other]:
            group = "" if name == "callbacks" else f"{within}{name}."
            found += differences(one, other, group)
        elif json.dumps(one) != json.dumps(other):
            found.append(f"{within}{name} was {_short(one)}, is {_short(other)}")
    return found


def _described_data(data: tf.data.Dataset) -> list[Any]:
    """Size, kind and contents; what a Python function yields only the data can tell."""
    fingerprint = getattr(data, "data_fingerprint", None)
    if fingerprint is None and not _calls_python(data):
        # tf.data's own: of the tensors and files, without reading a batch.
        fingerprint = int(data.fingerprint().numpy())
    return [int(data.cardinality()), str(data.element_spec), fingerprint]


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
    return f"{without_counters(config)} {shapes}"


def _loops(model: keras.Model) -> str:
    """The loop that a training step takes; kernels and Keras' own differ in last bits.

    Not `layer.path`, which tells of the last call, whatever it was made for.
    """
    layers = [x for x in flatten_layers(model) if isinstance(x, keras.layers.RNN)]
    loops = [getattr(layer, "loop_in_fit", None) for layer in layers]
    return ", ".join("fallback" if loop is None else loop.kind for loop in loops)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        value = list(value)
    text = re.sub(r"\b([0-9a-f]{8})[0-9a-f]{56}\b", r"\1…", str(value))
    return text if len(text) <= 200 else text[:199] + "…"
