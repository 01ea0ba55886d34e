"""Norms of dense and sparse gradients, and the layers that they belong to."""

from typing import Any

import keras
import tensorflow as tf

Gradient = tf.Tensor | tf.IndexedSlices


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
        gradient = tf.math.unsorted_segment_sum(
            gradient.values, places, tf.size(rows)
        )
    return tf.norm(tf.cast(gradient, tf.float32))


def rough_norm(gradient: Gradient) -> tf.Tensor:
    """As `exact_norm`, but rows that occur twice stay apart: no number where it is."""
    if isinstance(gradient, tf.IndexedSlices):
        gradient = gradient.values
    return tf.norm(tf.cast(gradient, tf.float32))
