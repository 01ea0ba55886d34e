"""Which shapes the fast recurrent loop takes, and how they are made to fit.

Keras broadcasts one row of x, of a mask or of a state to the rows of the others. Where
sizes are known before and differ, Keras' own loop decides; where only the running graph
knows them, they are compared and broadcast here. Shapes as in recurrent_native.py.
"""

from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

from keras_seq.layers.native_build import operations

Tensor: TypeAlias = tf.Tensor


def uncovered(
    cell: str, x: Tensor, mask: Tensor | None, states: Sequence[Tensor], units: int
) -> str | None:
    """Why Keras' own loop is to decide about these shapes, if so.

    Keras broadcasts some and refuses others, and not the same ones in a graph. A mask
    of other steps is the exception: Keras cuts it in a graph without a word.

    Raises:
        ValueError: the mask is not (B, T), or has other steps than x.
    """
    if x.dtype != tf.float32:
        return f"sequences of dtype {x.dtype.name}"
    if len(states) != (2 if cell == "lstm" else 1):
        return f"{len(states)} states"
    for state in states:
        if state.shape.rank != 2 or state.shape[1] not in (units, None):
            return "states of another shape"
    if mask is not None:
        _check_mask(mask, x)
        if mask.shape.rank == 3 and mask.shape[2] != 1:
            return "a mask of each unit"
    rows = {tensor.shape[0] for tensor in (x, mask, *states) if tensor is not None}
    one_known = len(rows - {None}) <= 1
    if 0 in rows or not one_known or rows == {1, None}:
        return "rows that differ"
    return None


def _check_mask(mask: Tensor, x: Tensor) -> None:
    if mask.shape.rank not in (2, 3):
        fits = False
    else:
        fits = mask.shape[1] == x.shape[1] or None in (mask.shape[1], x.shape[1])
    if not fits:
        raise ValueError(
            f"A mask of shape {tuple(mask.shape)} does not fit sequences of shape "
            f"{tuple(x.shape)}: it needs one number for each step, (B, T)."
        )


def fitted(
    x: Tensor, mask: Tensor | None, states: list[Tensor], units: int
) -> tuple[Tensor, Tensor | None, list[Tensor]]:
    """The same with as many rows each: one row serves for all of the others'.

    What is known to fit costs nothing; the rest is compared when the graph runs.
    """
    tensors = [x, *states] if mask is None else [x, *states, mask]
    rows = {tensor.shape[0] for tensor in tensors}
    steps = {x.shape[1]} if mask is None else {x.shape[1], mask.shape[1]}
    if len(rows) == len(steps) == 1 and None not in rows | steps:
        return x, mask, states
    shape = operations().keras_seq_fit(
        x=tf.shape(x),
        h=tf.shape(states[0]),
        c=tf.shape(states[-1]),
        mask=tf.zeros([0], tf.int32) if mask is None else tf.shape(mask),
        units=units,
    )
    shape.set_shape([3])
    known = max((count for count in rows if count is not None), default=None)

    def stretched(tensor: Tensor, to: Tensor, static: list[int | None]) -> Tensor:
        tensor = tf.broadcast_to(tensor, to)
        tensor.set_shape(static)
        return tensor

    state_shape = tf.stack([shape[0], units])
    states = [stretched(state, state_shape, [known, units]) for state in states]
    if mask is not None:
        mask = stretched(mask, shape[:2], [known, x.shape[1]])
    return stretched(x, shape, [known, *x.shape[1:]]), mask, states


def sizes(x: Tensor) -> list[int | Tensor]:
    """B, T and F: numbers where they are known."""
    if None not in x.shape:
        return list(x.shape)
    dynamic = tf.unstack(tf.shape(x))
    return [size if known is None else known for known, size in zip(x.shape, dynamic)]
