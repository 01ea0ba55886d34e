"""A network between raw windows and raw forecasts: a model that takes rows as they are.

It is independent of what the network is. Any Keras backend, uncompiled.

Shapes: B batch, T time steps, F columns, K targets, H horizon, Q quantiles.
"""

import math

import keras
from keras import ops

from keras_seq.layers.scaling import Scaling


def build_forecaster(
    network: keras.Model, scaling: Scaling
) -> tuple[keras.Model, keras.Model]:
    """Puts the scaling of its inputs and answers around a network.

    Args:
        network: features (B, T, C) -> scaled answers (B, H, K, Q), or without the axes
            K and Q where they are 1.
        scaling: of `level_scaling` or `returns_scaling`.

    Returns:
        learner: raw window (B, T, F) -> scaled answers (B, H, K, Q), to train on the
            targets of `scaling.to_scaled`.
        forecaster: raw window -> raw answers (B, H, K, Q); the same weights.

    Raises:
        ValueError: The network's answers are of another size.

    Example:

    >>> from keras_seq.layers.scaling import level_scaling
    >>> scaling = level_scaling(4, 2, 1, mean=[50.0], deviation=[5.0])
    >>> network = keras.Sequential([keras.Input((4, 1)), keras.layers.Flatten(),
    ...                             keras.layers.Dense(2)])
    >>> learner, forecaster = build_forecaster(network, scaling)
    >>> learner.output_shape, forecaster.output_shape
    ((None, 2, 1, 1), (None, 2, 1, 1))
    """
    raw = scaling.encode.inputs[0]
    window = keras.Input(raw.shape[1:], dtype=raw.dtype, name="window")
    horizon, num_targets = scaling.to_scaled.output_shape[1:]
    answers = network(scaling.encode(window))
    quantiles, left = divmod(math.prod(answers.shape[1:]), horizon * num_targets)
    if left or not quantiles:
        raise ValueError(
            f"the network answers with {tuple(answers.shape)}; expected a batch of "
            f"(H, K, Q) with H = {horizon} and K = {num_targets}"
        )
    answers = ops.reshape(answers, (-1, horizon, num_targets, quantiles))
    raw = scaling.to_raw([window, answers])
    return (
        keras.Model(window, answers, name="learner"),
        keras.Model(window, raw, name="forecaster"),
    )
