"""Norms of dense and sparse gradients, the layer of each, and exploding gradients."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from keras_seq.layers.loop import native_step

Gradient: TypeAlias = tf.Tensor | tf.IndexedSlices


def owner_of(model: keras.Model, variable: Any) -> str:
    """Name of the model's layer that a variable belongs to."""
    for layer in model.layers:
        if any(variable is own or variable is own.value for own in layer.variables):
            return layer.name
    return getattr(variable, "path", variable.name).split("/")[0]


def exact_norm(gradient: Gradient) -> tf.Tensor:
    """float32 (); rows of a sparse gradient that occur twice are added up first."""
    if isinstance(gradient, tf.IndexedSlices):
        rows, places = tf.unique(tf.reshape(gradient.indices, [-1]))
        gradient = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.norm(tf.cast(gradient, tf.float32))


def rough_norm(gradient: Gradient) -> tf.Tensor:
    """As `exact_norm`, but rows that occur twice stay apart: no number where it is."""
    if isinstance(gradient, tf.IndexedSlices):
        gradient = gradient.values
    return tf.norm(tf.cast(gradient, tf.float32))


def monitor_gradients(model: keras.Model, dataset: tf.data.Dataset) -> list[float]:
    """The norm of the whole gradient for each batch; the model learns nothing from it.

    Dropout is on, as in training; weights and random states stay as they were.

    Args:
        model: compiled.
        dataset: batches of (inputs, targets).

    Returns:
        One norm a batch, before any clipping.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.layers[0].set_weights([keras.ops.zeros((1, 1)), keras.ops.zeros(1)])
    >>> model.compile("sgd", "mse")
    >>> data = tf.data.Dataset.from_tensors((tf.ones((4, 1)), tf.ones((4, 1))))
    >>> [round(norm, 3) for norm in monitor_gradients(model, data)]
    [2.828]
    """
    kept = [v for v in model.variables if not v.trainable]
    before = [tf.identity(v.value) for v in kept]

    @tf.function(reduce_retracing=True)
    def norm(batch: Any) -> tf.Tensor:
        x, y, weights = keras.utils.unpack_x_y_sample_weight(batch)
        with native_step(), tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True), weights)
        found = tape.gradient(loss, [v.value for v in model.trainable_variables])
        squares = [exact_norm(g) ** 2 for g in found if g is not None]
        return tf.sqrt(tf.add_n(squares))

    try:
        return [float(norm(batch)) for batch in dataset]
    finally:
        for variable, value in zip(kept, before):
            variable.assign(value)


def detect_gradient_explosion(
    gradients: Iterable[float], threshold: float = 1.0
) -> bool:
    """Whether any gradient norm is above a threshold, or is no number.

    Args:
        gradients: norms, such as `monitor_gradients` returns.
        threshold: the largest norm that is still in order.

    Returns:
        True where one is above it, infinite or NaN.

    Example:

    >>> detect_gradient_explosion([0.2, 0.9]), detect_gradient_explosion([0.2, 1.1])
    (False, True)
    >>> detect_gradient_explosion([0.2, float("nan")])
    True
    """
    # `not <=` catches NaN, which is neither above nor below.
    return any(not norm <= threshold for norm in gradients)
