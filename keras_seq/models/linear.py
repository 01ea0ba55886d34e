"""A linear map from a window to what follows it: the ridge baseline as a model.

Lin et al. called its kind a hard one to beat (DLinear: Zeng et al. 2023,
arXiv:2205.13504). The weights are solved for elsewhere. Any Keras backend.

Shapes: B batch, T time steps, F features, K targets, N inputs of a target, H horizon.
"""

import keras
from keras import layers, ops

from keras_seq.models.blocks import check_window


def build_linear_forecaster(
    input_shape: tuple[int, int],
    *,
    horizon: int = 1,
    num_targets: int = 1,
    max_inputs: int = 3000,
) -> keras.Model:
    """Each target from its own past and the other features, by the same weights.

    Args:
        input_shape: (T, F); the first `num_targets` features are the targets.
        horizon: H.
        num_targets: K.
        max_inputs: the oldest steps are left out beyond so many numbers a target, as
            the weights are found by solving N equations.

    Returns:
        float32 (B, T, F) -> (B, H, K); its layer `inputs` gives (B, K, N).

    Example:

    >>> build_linear_forecaster((60, 5), horizon=5).output_shape
    (None, 5, 1)
    """
    num_steps, num_features = check_window(input_shape, horizon, num_targets, None)
    window = keras.Input((num_steps, num_features), name="window")
    num_others = num_features - num_targets
    steps = min(num_steps, max(1, max_inputs // (1 + num_others)))
    recent = window[:, num_steps - steps :]
    own = ops.transpose(recent[..., :num_targets], (0, 2, 1))  # (B, K, T)
    if num_others:
        others = ops.reshape(recent[..., num_targets:], (-1, 1, steps * num_others))
        own = ops.concatenate([own, ops.repeat(others, num_targets, axis=1)], axis=-1)
    own = layers.Identity(name="inputs")(own)  # (B, K, N)
    x = layers.Dense(horizon, name="ridge")(own)  # (B, K, H)
    return keras.Model(window, ops.transpose(x, (0, 2, 1)), name="linear")
