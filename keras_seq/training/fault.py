"""Where a training step went wrong: which layer, and the batch it happened on."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.keras_internals import functional, layer_calls

FAULTY_BATCH = "faulty_batch.npz"
PARTS = ("inputs", "targets", "sample weights")


def cause_of(
    model: keras.Model, batch: Any, owners: Sequence[str], norms: np.ndarray
) -> str:
    """The first thing that is no number, in the order in which a step computes.

    Args:
        model: with the weights of the step.
        batch: as the dataset gave it: inputs, or a tuple of inputs, targets and sample
            weights, each an array or a structure of them; None where it was not kept.
        owners: G layer names, from the input to the output.
        norms: float (G,), of the gradient of each.

    Returns:
        A few words that name the layer.
    """
    parts = keras.utils.unpack_x_y_sample_weight(batch)
    for kind, part in zip(PARTS, parts):
        if not all(map(_finite, _arrays(part))):
            return f"the {kind} of the batch hold NaN or Inf"
    with contextlib.suppress(Exception):  # a user's own model may not take this call
        layer = parts[0] is None or first_layer_that_breaks(model, parts[0])
        if isinstance(layer, str):
            return f"layer '{layer}' answers with NaN or Inf"
    # Backwards, a fault spreads from the output to the input: the last is the first.
    broken = [name for name, norm in zip(owners, norms) if not np.isfinite(norm)]
    if not broken:
        return "the loss is NaN or Inf, though every layer answers with numbers"
    if len(set(broken)) == len(set(owners)):
        return (
            "the loss or its gradient is NaN or Inf, first at the last layer "
            f"'{broken[-1]}'"
        )
    return f"the gradient of layer '{broken[-1]}' is NaN or Inf"


def first_layer_that_breaks(model: keras.Model, inputs: Any) -> str | None:
    """Name of the first layer whose answer is no number; None where all are.

    Args:
        model: functional; of others only the answer is looked at.
        inputs: of one batch, as the model is called with them.
    """
    with model.distribute_strategy.scope():
        if not getattr(model, "inputs", None):
            answer = _arrays(model(inputs))
            return None if all(map(_finite, answer)) else model.name
        nodes = layer_calls(model)
        outputs = [node.output_tensors for node in nodes]
        answers = keras.Model(functional(model).input, outputs)(inputs)
    for node, answer in zip(nodes, answers):
        if not all(map(_finite, _arrays(answer))):
            return node.operation.name
    return None


def save_batch(path: Path, batch: Sequence[np.ndarray]) -> None:
    """Writes the parts of a batch as `part_0`, `part_1` ..., inputs first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Any] = {f"part_{n}": part for n, part in enumerate(batch)}
    with open(path, "wb") as file:
        np.savez(file, **parts)


def as_dense(part: Any) -> tf.Tensor:
    """A part of a batch as one array; ragged rows are padded."""
    if isinstance(part, tf.RaggedTensor):
        return part.to_tensor()
    if isinstance(part, tf.SparseTensor):
        return tf.sparse.to_dense(part)
    return tf.convert_to_tensor(part)


def _arrays(structure: Any) -> list[np.ndarray]:
    flat = keras.tree.flatten(structure)
    return [keras.ops.convert_to_numpy(each) for each in flat if each is not None]


def _finite(array: np.ndarray) -> bool:
    array = np.asarray(array)
    return array.dtype.kind not in "fV" or bool(
        np.isfinite(array.astype(np.float32)).all()
    )
