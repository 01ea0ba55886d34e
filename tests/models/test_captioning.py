"""What the captioning builder takes of features and encoders."""

import numpy as np
import pytest

from keras_seq.models.captioning import build_captioning_model
from keras_seq.models.image_encoder import build_image_encoder

SIZES = 20, 6, 8


@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 3, 5)])
def test_features_are_of_a_whole_picture_or_of_a_grid(shape: tuple[int, ...]):
    model = build_captioning_model(shape, *SIZES)
    ids = np.array([[0, 3, 4]])
    assert model([np.ones((1, *shape)), ids]).shape == (1, 3, 20)


def test_without_attention_places_may_change_theirs():
    grid = np.random.default_rng(0).normal(size=(1, 2, 3, 5)).astype("float32")
    moved, ids = grid[:, ::-1], np.array([[0, 3, 4]])
    model = build_captioning_model((2, 3, 5), *SIZES)
    same = np.array(model([grid, ids])), np.array(model([moved, ids]))
    assert same[0] == pytest.approx(same[1], abs=1e-6)


def test_a_frozen_encoder_does_not_learn():
    encoder = build_image_encoder((8, 8, 3), (4,))
    model = build_captioning_model((4, 4, 4), *SIZES, encoder=encoder)
    learns = len(model.trainable_weights)
    encoder.trainable = False
    frozen = build_captioning_model((4, 4, 4), *SIZES, encoder=encoder)
    assert learns - len(frozen.trainable_weights) == 3  # a kernel, and a normalisation


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"feature_shape": (2, 3, 4, 5)}, r"feature_shape is \(2, 3, 4, 5\); expected"),
        ({"feature_shape": (2, 0)}, "feature_shape is .*size is 0"),
        ({"feature_shape": 5}, "feature_shape is 5"),
        ({"attention": "dot"}, "attention is 'dot'"),
        ({"attention": "additive"}, "attention needs a grid"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        (
            {"encoder": build_image_encoder((8, 8, 3), (4,))},
            "the encoder answers with",
        ),
    ],
)
def test_what_does_not_fit_is_refused(options: dict, problem: str):
    given = {"feature_shape": (6,)} | options
    with pytest.raises(ValueError, match=problem):
        build_captioning_model(given.pop("feature_shape"), *SIZES, **given)


def test_an_encoder_needs_sizes():
    for shape in ((8, 8), (8, 8, 0)):
        with pytest.raises(ValueError, match="image_shape"):
            build_image_encoder(shape)
    with pytest.raises(ValueError, match="filters_2 is 0"):
        build_image_encoder((8, 8, 3), (4, 0))
