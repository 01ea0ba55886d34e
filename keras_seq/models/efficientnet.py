"""EfficientNet-Lite0: photographs to a grid of features. Pure Keras.

Tan and Le 2019, "EfficientNet", arXiv:1905.11946, in the form for small devices,
without squeeze-and-excitation and with ReLU6.

Shapes: B batch, H and W of a picture.
"""

import keras
from keras import KerasTensor, layers

from keras_seq.models.blocks import check_shape

STEM, HEAD = 32, 1280  # channels
EPSILON = 1e-3  # of the batch normalisation that the published weights were made with
# Repeats, kernel size, stride of the first, expansion, channels.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def build_efficientnet_lite0(
    image_shape: tuple[int, int, int] = (224, 224, 3)
) -> keras.Model:
    """The network without its last layer, which names a class of ImageNet.

    Args:
        image_shape: (H, W, 3); the published weights were made at 224.

    Returns:
        image float32 (B, H, W, 3), from 0 to 255 -> features (B, H / 32, W / 32, 1280).

    Raises:
        ValueError: The shape is none of a picture.

    Example:

    >>> build_efficientnet_lite0((64, 96, 3)).output_shape
    (None, 2, 3, 1280)
    """
    check_shape(image_shape, [3], image_shape="(H, W, 3)")
    image = keras.Input(image_shape, name="image")
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="scaled")(image)
    x = layers.Conv2D(STEM, 3, 2, "same", use_bias=False, name="conv_stem")(x)
    x = _normalised(x, "bn0", "stem_relu")
    number, channels = 0, STEM
    for repeats, size, stride, expansion, wider in STAGES:
        for repeat in range(repeats):
            first = stride if repeat == 0 else 1
            x = _block(x, f"blocks_{number}", size, first, expansion * channels, wider)
            number, channels = number + 1, wider
    x = layers.Conv2D(HEAD, 1, use_bias=False, name="conv_head")(x)
    x = _normalised(x, "bn1", "head_relu")
    return keras.Model(image, x, name="efficientnet_lite0")


def _block(
    x: KerasTensor, name: str, size: int, stride: int, expanded: int, channels: int
) -> KerasTensor:
    """An inverted bottleneck: wider, filtered place by place, narrow again."""
    before = x
    if expanded != x.shape[-1]:
        x = layers.Conv2D(expanded, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _normalised(x, f"{name}_bn0", f"{name}_expand_relu")
    x = layers.DepthwiseConv2D(
        size, stride, "same", use_bias=False, name=f"{name}_depthwise_conv"
    )(x)
    x = _normalised(x, f"{name}_bn1", f"{name}_depthwise_relu")
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn2")(x)
    if stride == 1 and before.shape[-1] == channels:
        x = layers.Add(name=f"{name}_sum")([x, before])
    return x


def _normalised(x: KerasTensor, name: str, relu: str) -> KerasTensor:
    x = layers.BatchNormalization(epsilon=EPSILON, name=name)(x)
    return layers.ReLU(6.0, name=relu)(x)
