"""Weights that are no numbers, found after each epoch and before an export.

A step whose loss and gradients are numbers can still leave NaN behind: by its update,
in statistics that no gradient reaches, or in rows of an embedding that nothing reads.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

import keras
import tensorflow as tf

from keras_seq.errors import UserError

Weight: TypeAlias = keras.Variable | tf.Variable


def broken_weights(
    weights: Iterable[Weight], paths: Mapping[int, str] | None = None
) -> dict[str, str]:
    """The weights that hold NaN or Inf.

    Args:
        weights: of any type; integers, texts and states of random numbers are passed
            over.
        paths: of variables that have only a name of their own, by identity.

    Returns:
        Path of each to "NaN" or "Inf"; "NaN" where it holds both.

    Example:

    >>> layer = keras.layers.Dense(1, name="last")
    >>> layer.build((None, 1))
    >>> _ = layer.bias.assign([float("nan")])
    >>> broken_weights(layer.weights)
    {'last/bias': 'NaN'}
    """
    found = {}
    for weight in weights:
        value = getattr(weight, "value", weight)
        value = tf.convert_to_tensor(value() if callable(value) else value)
        if not value.dtype.is_floating or bool(tf.reduce_all(tf.math.is_finite(value))):
            continue
        holds_nan = bool(tf.reduce_any(tf.math.is_nan(value)))
        path = (paths or {}).get(id(weight)) or getattr(weight, "path", weight.name)
        found[path] = "NaN" if holds_nan else "Inf"
    return found


def listed_weights(broken: dict[str, str]) -> str:
    """For an error: `dense/bias (NaN), lstm/kernel (Inf) and 2 more`."""
    shown = [f"{path} ({kind})" for path, kind in list(broken.items())[:3]]
    more = len(broken) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def refuse_weights(model: keras.Model, allowed: Collection[str], when: str) -> None:
    """Raises UserError where weights of a model in training are no numbers.

    Args:
        model: that is trained.
        allowed: paths of weights that may be infinite.
        when: for the error.
    """
    broken = broken_weights(model.weights)
    broken = {n: k for n, k in broken.items() if k == "NaN" or n not in allowed}
    if broken:
        raise UserError(
            f"training broke: {when} weights hold NaN or Inf: "
            f"{listed_weights(broken)}; lower the learning rate, or look at the data"
        )


def refuse_logs(logs: Mapping[str, float], names: Iterable[str], epoch: int) -> None:
    """Raises UserError where a loss or score of an epoch is no number.

    Args:
        logs: of the epoch.
        names: of the logs to look at; they need not be there.
        epoch: from 0.
    """
    broken = [
        f"{name} is {logs[name]}"
        for name in names
        if name in logs and not math.isfinite(logs[name])
    ]
    if broken:
        raise UserError(
            f"training broke: after epoch {epoch + 1} {', '.join(broken)}; look for "
            "what only the validation data hold, or lower the learning rate"
        )
