"""Files of every colour mode to pixels, and what is refused by its name."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from keras_seq.errors import UserError
from keras_seq.images.orientation import exif_orientation
from keras_seq.images.pictures import MOST_PIXELS, decode_pictures, read_pixels
from tests.images.pictures_made import BLUE, GREEN, RED, YELLOW, encoded, quarters

COLOURS = np.array([[RED, GREEN], [BLUE, YELLOW]])
GREYS = np.array([[76, 150], [29, 226]])[..., None].repeat(3, 2)
MODES = {
    "JPEG": {"RGB": COLOURS, "L": GREYS, "CMYK": COLOURS},
    "PNG": {"RGB": COLOURS, "L": GREYS, "RGBA": COLOURS, "P": COLOURS, "LA": GREYS},
}
JPEG, PNG = encoded(quarters(), "JPEG"), encoded(quarters(), "PNG")
HUGE = Image.new("L", (10_000, 10_000))
EVERY = [(kind, mode) for kind, modes in MODES.items() for mode in modes]


def pixels_of(content: bytes, height: int = 8, width: int = 8) -> np.ndarray:
    (pixels,) = read_pixels([("a.jpg", content)], height, width)
    return pixels.astype(int)


@pytest.mark.parametrize(("kind", "mode"), EVERY)
def test_every_colour_mode_becomes_rgb(kind: str, mode: str):
    pixels = pixels_of(encoded(quarters().convert(mode), kind))
    corners = pixels[[[1], [6]], [[1, 6]]]
    assert np.abs(corners - MODES[kind][mode]).max() <= 3


def test_sixteen_bits_and_transparency():
    deep = np.asarray(quarters().convert("L")).astype(np.uint16) * 257
    pixels = pixels_of(encoded(Image.fromarray(deep), "PNG"))
    assert np.abs(pixels[1, 1] - GREYS[0, 0]).max() <= 1
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert (pixels_of(encoded(clear, "PNG")) == 255).all()  # it lies on white


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", [b"II", b"MM"])
def test_a_photograph_is_turned_as_its_camera_says(orientation: int, order: bytes):
    exif = Image.Exif()
    exif.endian = "<" if order == b"II" else ">"
    exif[0x0112] = orientation
    content = encoded(quarters(), "JPEG", exif=exif)
    assert order in content[:40]
    assert int(exif_orientation(tf.constant(content))) == orientation
    right = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    corners = np.asarray(right.resize((8, 8)))[[[1], [6]], [[1, 6]]].astype(int)
    assert np.abs(pixels_of(content)[[[1], [6]], [[1, 6]]] - corners).max() <= 3


@pytest.mark.parametrize("cut", [4, 12, 22, 24, 30, 34, 40, 46])
def test_an_exif_that_is_cut_or_wrong_turns_nothing(cut: int):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(quarters(), "JPEG", exif=exif)
    assert int(exif_orientation(tf.constant(content[:cut]))) == 1
    wrong = content[:cut] + b"\xff" * 12 + content[cut + 12 :]
    assert 1 <= int(exif_orientation(tf.constant(wrong))) <= 8


def test_pictures_of_any_size_are_scaled():
    assert (pixels_of(encoded(Image.new("RGB", (1, 1), RED), "PNG")) == RED).all()
    pixels = pixels_of(encoded(quarters().resize((3000, 2000)), "JPEG"), 16, 24)
    assert pixels.shape == (16, 24, 3) and np.abs(pixels[2, 3] - RED).max() <= 3


REFUSED = {
    "text": (b"hello, I am no picture", "no picture that is known; save it as JPEG"),
    "empty": (b"", "is empty"),
    "jpeg cut short": (JPEG[: len(JPEG) * 2 // 3], "damaged or cut short"),
    "jpeg of 12 bytes": (JPEG[:12], "damaged or cut short"),
    "png cut short": (PNG[: len(PNG) * 2 // 3], "damaged or cut short"),
    "png of 20 bytes": (PNG[:20], "header is damaged"),
    "gif": (encoded(quarters(), "GIF"), "a GIF, which may move"),
    "webp": (b"RIFF\0\0\0\0WEBP", "WebP"),
    "png that moves": (
        encoded(quarters(), "PNG", save_all=True, append_images=[quarters().rotate(9)]),
        "a PNG that moves",
    ),
    "png of 100 megapixels": (encoded(HUGE, "PNG"), "10000 x 10000 pixels; at most 67"),
    "jpeg of 100 megapixels": (encoded(HUGE, "JPEG"), "10000 x 10000 pixels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_one_line_that_names_it(case: str):
    content, message = REFUSED[case]
    with pytest.raises(UserError, match=message) as found:
        list(read_pixels([("a.png", PNG), ("photos/b.jpg", content)], 8, 8))
    text = str(found.value)
    assert text.startswith("photos/b.jpg: ") and "\n" not in text and "node" not in text
    assert len(content) < MOST_PIXELS


def test_a_batch_names_the_picture_that_is_none():
    with pytest.raises(tf.errors.InvalidArgumentError, match="image 1: a GIF"):
        decode_pictures(tf.constant([PNG, b"GIF89a", JPEG]), 8, 8)
    assert decode_pictures(tf.constant([], tf.string), 8, 8).shape == (0, 8, 8, 3)
