"""Features are computed once for each file and each network."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.images.captioned import CaptionedPicture
from keras_seq.images.features import picture_features, picture_pixels
from keras_seq.models.image_encoder import build_image_encoder
from tests.images.pictures_made import RED, encoded, quarters

PNG, JPEG = encoded(quarters(), "PNG"), encoded(quarters(), "JPEG")


def pictures(*contents: bytes) -> list[CaptionedPicture]:
    return [
        CaptionedPicture(f"{number}.png", ("a",), lambda content=content: content)
        for number, content in enumerate(contents)
    ]


def test_features_are_kept_by_the_file_and_the_network(tmp_path: Path):
    encoder = build_image_encoder((8, 8, 3), (4,))
    first = picture_features(encoder, pictures(PNG, JPEG, PNG), tmp_path)
    assert first.shape == (3, 4, 4, 4) and first.dtype == np.float16
    np.testing.assert_array_equal(first[0], first[2])
    kept = sorted(tmp_path.rglob("*.npy"))
    assert len(kept) == 2
    kept[0].write_bytes(b"damaged")  # is made anew
    again = picture_features(encoder, pictures(JPEG, PNG), tmp_path)
    np.testing.assert_array_equal(again, first[[1, 0]])
    for path in kept:  # and what is there is taken
        np.save(path, np.full((4, 4, 4), 7, np.float16))
    assert (picture_features(encoder, pictures(PNG), tmp_path) == 7).all()
    keras.utils.set_random_seed(9)
    other = build_image_encoder((8, 8, 3), (4,))
    assert not (picture_features(other, pictures(PNG), tmp_path) == 7).any()


def test_pixels_are_whole_numbers_of_one_size():
    found = picture_pixels(pictures(PNG, JPEG), 8, 12)
    assert found.shape == (2, 8, 12, 3) and found.dtype == np.uint8
    assert found[0, 1, 1].tolist() == list(RED)


def test_a_file_that_is_no_picture_is_named(tmp_path: Path):
    encoder = build_image_encoder((8, 8, 3), (4,))
    with pytest.raises(UserError, match="^1.png: no picture"):
        picture_features(encoder, pictures(PNG, b"text"), tmp_path)
