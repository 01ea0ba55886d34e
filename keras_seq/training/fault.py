"""Where a training step went wrong: which layer, and the batch it happened on.

Knows arrays and layers, nothing of files but the one it writes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

FAULTY_BATCH = "faulty_batch.npz"


def cause_of(
    model: keras.Model,
    batch: Sequence[np.ndarray],
    owners: Sequence[str],
    norms: np.ndarray,
) -> str:
    """The first thing that is no number, in the order in which a step computes.

    Args:
        model: with the weights of the step.
        batch: its inputs and targets, flat; empty where nobody kept them.
        owners: G layer names, from the input to the output.
        norms: float (G,), of the gradient of each.

    Returns:
        A few words that name the layer.
    """
    for part, array in enumerate(batch):
        if not _finite(array):
            kind = "inputs" if part < len(model.inputs or [0]) else "targets"
            return f"the {kind} of the batch hold NaN or Inf"
    layer = first_layer_that_breaks(model, batch)
    if layer is not None:
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


def first_layer_that_breaks(
    model: keras.Model, batch: Sequence[np.ndarray]
) -> str | None:
    """Name of the first layer whose answer is no number; None where all are.

    Args:
        model: functional; of others only the answer is looked at.
        batch: inputs first.
    """
    if not batch:
        return None
    inputs = list(batch[: len(model.inputs or [0])])
    with model.distribute_strategy.scope():
        if not getattr(model, "inputs", None):
            return None if _finite(np.array(model(inputs[0]))) else model.name
        layers = [each for each in model.layers if len(each._inbound_nodes) >= 1]
        outputs = [each.output for each in layers]
        answers = keras.Model(model.inputs, outputs)(inputs)
    for layer, answer in zip(layers, answers):
        for part in keras.tree.flatten(answer):
            if not _finite(keras.ops.convert_to_numpy(part)):
                return layer.name
    return None


def owner_of(model: keras.Model, variable: Any) -> str:
    """Name of the model's layer that a variable belongs to."""
    for layer in model.layers:
        if any(variable is own or variable is own.value for own in layer.variables):
            return layer.name
    return getattr(variable, "path", variable.name).split("/")[0]


def save_batch(path: Path, batch: Sequence[np.ndarray]) -> None:
    """Writes the parts of a batch as `part_0`, `part_1` ..., inputs first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        np.savez(file, **{f"part_{n}": part for n, part in enumerate(batch)})


def _finite(array: np.ndarray) -> bool:
    array = np.asarray(array)
    return array.dtype.kind not in "fV" or bool(
        np.isfinite(array.astype(np.float32)).all()
    )
