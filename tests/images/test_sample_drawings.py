"""Drawings whose combinations stand in one part alone."""

import numpy as np

from keras_seq.images.pictures import read_pixels
from keras_seq.images.sample_drawings import load_sample_drawings


def test_no_combination_of_a_part_stands_in_another():
    parts = load_sample_drawings(drawings=2200)  # each combination once
    captions = {n: {each.captions for each in part} for n, part in parts.items()}
    assert not captions["train"] & captions["test"]
    assert not captions["train"] & captions["validation"]
    assert not captions["validation"] & captions["test"]
    fresh = load_sample_drawings(1_000_000, 300)["test"]
    assert not captions["train"] & {each.captions for each in fresh}
    words = {n: set(" ".join(sum(own, ())).split()) for n, own in captions.items()}
    assert words["test"] <= words["train"]  # what is new are combinations


def test_the_same_seed_draws_the_same():
    one, again, other = (load_sample_drawings(seed, 30)["train"] for seed in (3, 3, 4))
    assert [each.digest() for each in one] == [each.digest() for each in again]
    assert one[0].digest() != other[0].digest()
    (pixels,) = read_pixels([("drawing", one[0].read())], 64, 64)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100
