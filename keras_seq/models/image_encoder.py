"""A small convolutional network from pictures to a grid of features. Pure Keras.

Shapes: B batch, H and W of a picture, C channels.
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_seq.layers.coordinates import Coordinates
from keras_seq.models.blocks import check_shape, check_sizes


def build_image_encoder(
    image_shape: tuple[int, int, int], filters: Sequence[int] = (16, 32, 64, 128)
) -> keras.Model:
    """Convolutions of stride 2, each normalised over the picture, and ReLU.

    The last one also reads where it looks: what lies above and what below.

    Trained from nothing, with what reads its features: for pictures that are like each
    other. One that has seen a million photographs knows more. No statistics of batches
    are kept, so weights that are averaged need none of their own.

    Args:
        image_shape: (H, W, 3).
        filters: of each convolution; every one halves height and width.

    Returns:
        image float32 (B, H, W, 3), from 0 to 255 -> features (B, H', W', C).

    Raises:
        ValueError: A size is no positive integer.

    Example:

    >>> build_image_encoder((64, 64, 3)).output_shape
    (None, 4, 4, 128)
    """
    check_shape(image_shape, [3], image_shape="(H, W, 3)")
    for number, size in enumerate(filters, start=1):
        check_sizes(**{f"filters_{number}": size})
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1.0, name="scaled")(image)
    for number, size in enumerate(filters, start=1):
        if number == len(filters):
            x = Coordinates(name="coordinates")(x)
        x = layers.Conv2D(
            size, 3, 2, "same", use_bias=False, name=f"convolution_{number}"
        )(x)
        x = layers.GroupNormalization(1, name=f"normalised_{number}")(x)
        x = layers.Activation("relu", name=f"relu_{number}")(x)
    return keras.Model(image, x, name="image_encoder")
