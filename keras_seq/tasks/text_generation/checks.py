"""What a language model's signatures are given, held to its shapes and ranges.

Shapes: B batch, V vocabulary, U units of a state.
"""

from collections.abc import Sequence

import tensorflow as tf

from keras_seq.serving.checks import (
    Dims,
    checked_finite,
    checked_range,
    checked_shapes,
    checked_values,
)
from keras_seq.tasks.text_generation.client import RANGES


def checked_options(**options: tf.Tensor) -> dict[str, tf.Tensor]:
    """Options of the writing, each one number in its range.

    Example:

    >>> float(checked_options(temperature=tf.constant(0.5))["temperature"])
    0.5
    """
    scalars = checked_shapes(
        {name: (value, []) for name, value in options.items()}, "one number"
    )
    return {
        name: checked_range(name, value, *RANGES[name])
        for name, value in zip(options, scalars)
    }


def checked_state(
    key: tf.Tensor,
    logits: tf.Tensor,
    position: tf.Tensor,
    states: Sequence[tf.Tensor],
    sizes: Sequence[int],
) -> list[tf.Tensor]:
    """What `init` or a step gave to the next: of one batch, and finite.

    Args:
        key: int64 (B,).
        logits: float32 (B, V).
        position: int32 (), 0 or more.
        states: float32 (B, U) each.
        sizes: V, and U of each state.

    Returns:
        Key, logits, position, and the states.
    """
    rows = {"logits": logits} | {f"state_{n}": s for n, s in enumerate(states)}
    given: dict[str, tuple[tf.Tensor, Dims]]
    given = {"key": (key, ["B"]), "position": (position, [])}
    given |= {n: (row, ["B", size]) for (n, row), size in zip(rows.items(), sizes)}
    key, position, *found = checked_shapes(given, "what `init` or `step` gave")
    position = checked_values("position", position, position >= 0, "0 or more")
    logits, *states = (
        checked_finite(name, row, axes=("row", "place"))
        for name, row in zip(rows, found)
    )
    return [key, logits, position, *states]
