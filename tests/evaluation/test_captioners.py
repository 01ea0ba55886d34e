"""Captioners without a network: what they say, and that a file keeps them."""

from pathlib import Path

import numpy as np
import pytest

from keras_seq.evaluation.captioners import (
    ConsensusNeighbours,
    ConstantCaption,
    NearestNeighbour,
)
from keras_seq.evaluation.fitted import load_fitted, save_fitted

KINDS = ConstantCaption, NearestNeighbour, ConsensusNeighbours
RNG = np.random.default_rng(0)
# Two kinds of pictures; of each, one caption in four says something else.
KIND = np.arange(60) % 2
FEATURES = np.eye(2)[KIND] + RNG.normal(0, 0.1, (60, 2))
SAID = ["A dog runs on grass.", "Two men play football."]
CAPTIONS = [
    (
        [f"Thing number {n}."]
        if n % 4 == kind
        else [SAID[kind], f"{SAID[kind]} Really {n}."]
    )
    for n, kind in enumerate(KIND)
]


def test_consensus_does_not_follow_what_one_picture_says():
    odd = FEATURES[[n for n in range(60) if len(CAPTIONS[n]) == 1]]
    nearest = NearestNeighbour().fit(FEATURES, CAPTIONS).describe(odd)
    assert all(text.startswith("Thing") for text in nearest)
    consensus = ConsensusNeighbours().fit(FEATURES, CAPTIONS)
    assert not any(text.startswith("Thing") for text in consensus.describe(odd))
    assert consensus.note == f"{consensus.neighbours} neighbours"


def test_the_constant_caption_is_that_of_most():
    (text,) = set(ConstantCaption().fit(FEATURES, CAPTIONS).describe(FEATURES))
    assert text.startswith(tuple(SAID))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_keeps_them(kind, tmp_path: Path):
    texts = [[text.replace("dog", "dög\n") for text in own] for own in CAPTIONS]
    fitted = {kind.name: kind().fit(FEATURES, texts)}
    save_fitted(tmp_path / "b.npz", fitted)
    kinds = {each.name: each for each in KINDS}
    loaded = load_fitted(tmp_path / "b.npz", kinds.__getitem__)
    asked = RNG.normal(size=(9, 2))
    expected = [" ".join(t.split()) for t in fitted[kind.name].describe(asked)]
    assert loaded[kind.name].describe(asked) == expected
    assert loaded[kind.name].note == fitted[kind.name].note


@pytest.mark.parametrize("kind", KINDS)
def test_one_picture_of_train_is_enough(kind):
    fitted = kind().fit(np.ones((1, 2)), [["a dog"]])
    assert fitted.describe(np.ones((2, 2))) == ["a dog", "a dog"]
    zeros = kind().fit(np.zeros((3, 2)), [["a"], ["!"], ["b c"]])
    assert len(zeros.describe(np.zeros((2, 2)))) == 2
