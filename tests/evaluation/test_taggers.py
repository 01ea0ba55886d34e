"""Baselines of taggers: what they know, what they fall back on, and their arrays."""

import numpy as np
import pytest

from keras_seq.evaluation.taggers import BackoffTagger, PerceptronTagger, shape_of

TRAIN = [
    (["The", "dog", "was", "running", "."], ["D", "N", "V", "V", "P"]),
    (["A", "king", "ran", "to", "Paris", "."], ["D", "N", "V", "A", "X", "P"]),
    (["He", "was", "walking", "in", "1999", "."], ["R", "V", "V", "A", "M", "P"]),
] * 4


def test_an_unknown_word_has_the_tag_of_its_longest_known_suffix_and_shape():
    tagger = BackoffTagger().fit(TRAIN)
    # -king is of `king` and `walking`; of capitals and digits the shape decides.
    assert tagger.tag(["sleeping", "London", "2024", "DOG"]) == ["V", "D", "M", "N"]


def test_a_word_of_no_known_shape_has_the_commonest_tag():
    train = [(["a", "b", "c"], ["N", "N", "V"])]
    assert BackoffTagger().fit(train).tag(["§§", "很"]) == ["N", "N"]


def test_the_perceptron_tells_words_apart_by_their_neighbours():
    train = [(["to", "fish"], ["A", "V"]), (["a", "fish"], ["D", "N"])] * 20
    tagger = PerceptronTagger(seed=1).fit(train)
    assert [tagger.tag(words) for words, _ in train[:2]] == [["A", "V"], ["D", "N"]]


def test_the_perceptron_uses_the_tag_before():
    # `x` follows `a` or `b`, which only their own left neighbours tell apart.
    train = [
        (["p", "q", "m", "x"], ["P", "Q", "1", "3"]),
        (["r", "s", "m", "x"], ["R", "S", "2", "4"]),
    ] * 20
    tagger = PerceptronTagger().fit(train)
    assert tagger.tag(["r", "s", "m", "x"])[-2:] == ["2", "4"]


def test_one_seed_gives_one_perceptron():
    first, again = (PerceptronTagger(seed=3).fit(TRAIN).weights_ for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("kind", [BackoffTagger, PerceptronTagger])
def test_a_tagger_is_its_arrays(kind: type):
    tagger = kind().fit([*TRAIN, (["a\tb", "", "\ud800", "é"], ["N", "X", "N", "V"])])
    arrays = tagger.to_arrays()
    assert not any(array.dtype.hasobject for array in arrays.values())
    again = kind.from_arrays(arrays)
    for words in (["The", "walking", "Ufo", "\ud800", "很"], [], ["a\tb"]):
        assert again.tag(words) == tagger.tag(words)


@pytest.mark.parametrize(
    ("word", "shape"),
    [("I", "Xx"), ("USA", "X"), ("e-Mail2", "x-Xx0"), ("很好", "Xx"), ("", "")],
)
def test_shapes(word: str, shape: str):
    assert shape_of(word) == shape
