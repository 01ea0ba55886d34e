"""Features of pictures by a frozen network, computed once for each file.

They are kept by the digest of the file and of the network: another run, another split
or another name of a picture finds them again.

Shapes: N pictures, then those of the network's answer.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from keras_seq.data.download import default_cache
from keras_seq.errors import UNREADABLE
from keras_seq.files import written_aside
from keras_seq.images.captioned import CaptionedPicture
from keras_seq.images.pictures import read_pixels
from keras_seq.log import stage

BATCH = 32  # pictures
LARGEST = float(np.finfo(np.float16).max)


def picture_pixels(
    pictures: Sequence[CaptionedPicture], height: int, width: int
) -> np.ndarray:
    """Pixels of pictures, for a network that is trained on them.

    Args:
        pictures: whose files are read.
        height: H.
        width: W.

    Returns:
        uint8 (N, H, W, 3).

    Raises:
        UserError: A file is no picture; the line names it.
    """
    files = ((picture.place, picture.read()) for picture in pictures)
    found = np.zeros((len(pictures), height, width, 3), np.uint8)
    for number, pixels in enumerate(read_pixels(files, height, width)):
        found[number] = pixels
    return found


def picture_features(
    encoder: keras.Model,
    pictures: Sequence[CaptionedPicture],
    cache: Path | None = None,
) -> np.ndarray:
    """Features of pictures, out of the cache where it has them.

    Args:
        encoder: float32 (B, H, W, 3), from 0 to 255, to features.
        pictures: whose files are read.
        cache: folder; default `features` in that of downloads.

    Returns:
        float16 (N, ...).

    Raises:
        UserError: A file is no picture; the line names it.
    """
    folder = (cache or default_cache() / "features") / encoder_digest(encoder)[:16]
    folder.mkdir(parents=True, exist_ok=True)
    shape = encoder.output_shape[1:]
    found = np.zeros((len(pictures), *shape), np.float16)
    with stage(f"features of {len(pictures):,} pictures"):
        for start in range(0, len(pictures), BATCH):
            some = pictures[start : start + BATCH]
            for number, features in _kept_or_made(encoder, some, folder):
                found[start + number] = features
    return found


def model_inputs(
    pictures: Sequence[CaptionedPicture], encoder: keras.Model | None, image_size: int
) -> np.ndarray:
    """What a model reads of pictures: a network's features, or pixels without one."""
    if encoder is None:
        return picture_pixels(pictures, image_size, image_size)
    return picture_features(encoder, pictures)


def _kept_or_made(
    encoder: keras.Model, pictures: Sequence[CaptionedPicture], folder: Path
) -> Iterator[tuple[int, np.ndarray]]:
    shape, missing = encoder.output_shape[1:], {}
    for number, picture in enumerate(pictures):
        content = picture.read()
        path = folder / f"{hashlib.sha256(content).hexdigest()}.npy"
        kept = _kept(path, shape)
        if kept is None:
            missing[number] = path, (picture.place, content)
        else:
            yield number, kept
    if not missing:
        return
    height, width = encoder.input_shape[1:3]
    files = (file for _, file in missing.values())
    pixels = np.stack(list(read_pixels(files, height, width))).astype(np.float32)
    made = np.clip(encoder.predict_on_batch(pixels), -LARGEST, LARGEST)
    for (number, (path, _)), features in zip(missing.items(), made.astype(np.float16)):
        with written_aside(path) as aside, open(aside, "wb") as file:
            np.save(file, features)
        yield number, features


def _kept(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """What a file holds, or None where it is missing or damaged: it is made anew."""
    try:
        found = np.load(path, allow_pickle=False)
    except UNREADABLE:
        return None
    return found if found.shape == shape and found.dtype == np.float16 else None


def encoder_digest(encoder: keras.Model) -> str:
    """SHA-256 of a network's layers and weights."""
    digest = hashlib.sha256(encoder.to_json().encode())
    for weight in encoder.get_weights():
        digest.update(np.ascontiguousarray(weight).data)
    return digest.hexdigest()
