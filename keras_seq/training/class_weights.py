"""Weights of classes as weights of samples.

Shapes: B batch, N samples, C classes.
"""

import math
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

TOLERANCE = 1e-3  # of the sum of a row of class probabilities


def check_class_weight(
    model: keras.Model, class_weight: Mapping[int, float], spec: Any
) -> None:
    """Checks that class weights fit the data and the model.

    Raises:
        ValueError: They do not; the message says which and why.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> spec = tf.TensorSpec([None, 2]), tf.TensorSpec([None])
    >>> check_class_weight(model, {0: 1.0, "yes": 2.0}, spec)
    Traceback (most recent call last):
    ...
    ValueError: class_weight has the class 'yes'; expected class numbers, from 0
    """
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            f"class_weight is a {type(class_weight).__name__}; expected a dict of "
            "class numbers and weights, such as {0: 1.0, 1: 5.0}"
        )
    for label, weight in class_weight.items():
        is_number = isinstance(label, numbers.Integral) and not isinstance(label, bool)
        if not is_number or label < 0:
            raise ValueError(
                f"class_weight has the class {label!r}; expected class numbers, from 0"
            )
        if not isinstance(weight, numbers.Real) or not 0 <= weight < math.inf:
            raise ValueError(
                f"class_weight of class {label} is {weight!r}; expected a finite number"
                " of 0 or more"
            )
    _check_targets(model, spec)


def _check_targets(model: keras.Model, spec: Any) -> None:
    _, y, sample_weight = keras.utils.unpack_x_y_sample_weight(spec)
    if sample_weight is not None:
        raise ValueError(
            "class_weight and sample_weight are both given; multiply them into "
            "sample_weight"
        )
    if y is None:
        raise ValueError("class_weight needs targets, and there is no y")
    if tf.nest.is_nested(y):
        raise ValueError(
            "class_weight is for models with a single output; give a sample_weight for "
            "each output"
        )
    outputs = getattr(model, "outputs", None) or [None]
    a_label = 1 if y.shape.rank == 1 or y.shape[-1] == 1 else 2
    if y.shape.rank > 2 or (outputs[0] is not None and len(outputs[0].shape) > 2):
        raise ValueError(
            f"class_weight is for one label a sample, and targets have shape "
            f"{y.shape}; give sample_weight, one a step"
        )
    classes = outputs[0].shape[-1] if outputs[0] is not None else y.shape[-1]
    if a_label == 2 and y.shape[-1] != classes:
        raise ValueError(
            f"class_weight is for one label a sample; targets have {y.shape[-1]} "
            f"columns, and the model {classes} classes"
        )


def check_one_hot(y: np.ndarray) -> None:
    """Checks that rows of several columns name one class each.

    Args:
        y: (N,), (N, 1) or (N, C).

    Raises:
        ValueError: A row does not sum to 1: of several labels none is the class.
    """
    if y.ndim != 2 or y.shape[1] == 1:
        return
    wrong = np.flatnonzero(np.abs(y.sum(axis=1, dtype="float64") - 1) > TOLERANCE)
    if len(wrong):
        raise ValueError(
            f"class_weight is for one label a sample, and row {wrong[0]} of y holds "
            f"{y[wrong[0]].tolist()}; give sample_weight"
        )


def weighing(class_weight: Mapping[int, float]) -> Callable[..., tuple]:
    """A step of tf.data that adds the weights of samples to a batch.

    Returns:
        (inputs, labels) -> (inputs, labels, weights float (B,)).

    Example:

    >>> weigh = weighing({1: 5.0})
    >>> weigh(tf.zeros([3, 1]), tf.constant([0, 1, 2]))[2].numpy().tolist()
    [1.0, 5.0, 1.0]
    """
    classes = tf.constant([int(each) for each in class_weight], tf.int64)
    weights = tf.constant([float(w) for w in class_weight.values()], tf.float32)

    def weigh(x: Any, y: tf.Tensor) -> tuple:
        labels = y
        if y.shape.rank > 1 and y.shape[-1] == 1:
            labels = tf.squeeze(y, axis=-1)
        elif y.shape.rank > 1:
            labels = tf.argmax(y, axis=-1)
        if labels.dtype.is_floating:
            labels = tf.round(labels)
        named = tf.cast(labels, tf.int64)[:, tf.newaxis] == classes  # (B, classes)
        found = tf.reduce_sum(tf.where(named, weights, 0.0), axis=-1)
        found = tf.where(tf.reduce_any(named, axis=-1), found, 1.0)
        return x, y, tf.cast(found, keras.config.floatx())

    return weigh
