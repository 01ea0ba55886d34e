"""Embedded sample: two drawn shapes a picture, and sentences about where they lie.

    A red circle above a blue square.   /   A blue square below a red circle.

What is drawn, two coloured shapes and how they lie to each other, falls into parts by a
digest of it: no combination of the test part stands in train, and neither does one of
validation. Who learned captions by heart has none that is right.
"""

import functools
import hashlib
import itertools
from collections.abc import Iterator
from functools import partial

import numpy as np

from keras_seq.images.captioned import CaptionedPicture

COLOURS = {
    "red": (205, 40, 40),
    "green": (40, 160, 60),
    "blue": (45, 80, 205),
    "yellow": (235, 210, 50),
    "purple": (140, 50, 165),
    "black": (25, 25, 30),
}
SHAPES = ("circle", "square", "triangle", "cross", "ring")
RELATIONS = {
    "vertical": ("above", "below"),
    "horizontal": ("to the left of", "to the right of"),
}
SIDE = 64  # pixels
SHARES = {"test": 0.1, "validation": 0.1}
Thing = tuple[str, str]  # colour and shape
Scene = tuple[Thing, str, Thing]  # the upper or left one first


def load_sample_drawings(
    seed: int = 0, drawings: int = 3000
) -> dict[str, list[CaptionedPicture]]:
    """Draws pictures of every part.

    Args:
        seed: of where things lie, how large they are, and of the noise; which
            combinations a part has depends on nothing.
        drawings: of all parts together.

    Returns:
        "train", "validation" and "test".

    Example:

    >>> parts = load_sample_drawings(drawings=20)
    >>> {name: len(part) for name, part in parts.items()}
    {'train': 16, 'validation': 2, 'test': 2}
    >>> parts["test"][0].captions
    ('A black cross to the left of a yellow circle.',
     'A yellow circle to the right of a black cross.')
    """
    rng = np.random.default_rng(seed)
    sizes = {part: max(1, round(drawings * share)) for part, share in SHARES.items()}
    sizes = {"train": max(1, drawings - sum(sizes.values())), **sizes}
    found = {}
    for part in ("train", "validation", "test"):
        scenes = [scene for scene in _scenes() if _part_of(scene) == part]
        # All combinations once, then once more, in an order of their own each time.
        orders = (rng.permutation(len(scenes)) for _ in itertools.count())
        numbers = itertools.islice(itertools.chain.from_iterable(orders), sizes[part])
        found[part] = [
            _captioned(scenes[n], int(rng.integers(1 << 62))) for n in numbers
        ]
    return found


def _scenes() -> Iterator[Scene]:
    things = list(itertools.product(COLOURS, SHAPES))
    for first, relation, second in itertools.product(things, RELATIONS, things):
        if first != second:
            yield first, relation, second


def _part_of(scene: Scene) -> str:
    digest = hashlib.sha256(repr(scene).encode()).digest()
    share = int.from_bytes(digest[:4], "big") / (1 << 32)
    for part, size in SHARES.items():
        if share < size:
            return part
        share -= size
    return "train"


def _captioned(scene: Scene, seed: int) -> CaptionedPicture:
    (colour, shape), relation, (other_colour, other_shape) = scene
    first, second = f"a {colour} {shape}", f"a {other_colour} {other_shape}"
    there, back = RELATIONS[relation]
    sentences = f"{first} {there} {second}.", f"{second} {back} {first}."
    captions = tuple(text[0].upper() + text[1:] for text in sentences)
    read = functools.cache(partial(_png, scene, seed))  # drawn once, when asked for
    return CaptionedPicture(f"drawing {seed}", captions, read)


def _png(scene: Scene, seed: int) -> bytes:
    import tensorflow as tf

    return tf.io.encode_png(draw(scene, seed)).numpy()


def draw(scene: Scene, seed: int) -> np.ndarray:
    """uint8 (64, 64, 3), the same for the same seed."""
    rng = np.random.default_rng(seed)
    first, relation, second = scene
    picture = np.full((SIDE, SIDE, 3), rng.uniform(150, 235))
    picture += rng.normal(0, 6, picture.shape)
    across = rng.uniform(20, 44, 2)  # in the direction that says nothing
    along = np.array([16, 48]) + rng.uniform(-4, 4, 2)
    for (colour, shape), wide, deep in zip((first, second), across, along):
        x, y = (wide, deep) if relation == "vertical" else (deep, wide)
        inside = _mask(shape, x, y, rng.uniform(8, 12))
        tone = np.array(COLOURS[colour]) + rng.uniform(-18, 18, 3)
        picture[inside] = tone + rng.normal(0, 6, (int(inside.sum()), 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def _mask(shape: str, x: float, y: float, radius: float) -> np.ndarray:
    """bool (64, 64), where a shape lies."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    right, down = columns - x, rows - y
    distance = np.hypot(right, down)
    widest = np.maximum(np.abs(right), np.abs(down))
    masks = {
        "circle": distance <= radius,
        "square": widest <= 0.85 * radius,
        "triangle": (np.abs(down) <= radius)
        & (np.abs(right) <= 0.55 * (down + radius)),
        "cross": (widest <= radius)
        & (np.minimum(np.abs(right), np.abs(down)) <= 0.32 * radius),
        "ring": (distance <= radius) & (distance >= 0.55 * radius),
    }
    return masks[shape]
