"""Where in a picture a place lies, as two more channels. Pure Keras.

Liu et al. 2018, "An Intriguing Failing of Convolutional Neural Networks and the
CoordConv Solution", arXiv:1807.03247.

Shapes: B batch, H and W of the grid, C channels.
"""

from typing import Any

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable("keras_seq")
class Coordinates(keras.layers.Layer):
    """Adds the row and the column of each place, from -1 to 1.

    A convolution sees the same wherever it looks; with these it can tell above from
    below.

    Args:
        **kwargs: of `keras.layers.Layer`.

    Call arguments:
        x: float (B, H, W, C).

    Returns:
        float (B, H, W, C + 2).

    Example:

    >>> ops.convert_to_numpy(Coordinates()(ops.zeros((1, 3, 2, 1))))[0, :, 1].tolist()
    [[0.0, -1.0, 1.0], [0.0, 0.0, 1.0], [0.0, 1.0, 1.0]]
    """

    def call(self, x: KerasTensor) -> KerasTensor:
        nothing = ops.zeros_like(x[..., :1])  # (B, H, W, 1)
        height, width = x.shape[1:3]
        rows = ops.reshape(ops.linspace(-1.0, 1.0, height), (1, height, 1, 1))
        columns = ops.reshape(ops.linspace(-1.0, 1.0, width), (1, 1, width, 1))
        both = [ops.cast(each, x.dtype) + nothing for each in (rows, columns)]
        return ops.concatenate([x, *both], axis=-1)

    def compute_output_shape(self, input_shape: tuple) -> tuple[Any, ...]:
        return (*input_shape[:-1], input_shape[-1] + 2)
