"""The baseline of entities: what it sees of words, what it learns, and its arrays."""

import numpy as np
import pytest

from keras_seq.evaluation.crfsuite import CrfsuiteTagger, hand_made_features

TRAIN = [
    (
        ["Ada", "Byron", "met", "Alan", "in", "Ulm"],
        ["B-person", "I-person", "O", "B-person", "O", "B-place"],
    ),
    (["we", "met", "in", "Paris"], ["O", "O", "O", "B-place"]),
] * 6


@pytest.fixture
def tagger() -> CrfsuiteTagger:
    pytest.importorskip("pycrfsuite")
    return CrfsuiteTagger().fit(TRAIN)


def test_a_word_is_seen_with_its_neighbours_and_the_edges_of_the_sentence():
    first, second, third = map(set, hand_made_features(["In", "NYC", "2024"]))
    assert {"-1:edge", "1:w=nyc", "1:upper", "2:digit", "0&1=w=in|w=nyc"} <= first
    assert {"suffix=nyc", "prefix=ny", "word=NYC", "-1:title", "2:edge"} <= second
    assert {"1:edge", "-1:shape=X", "0:shape=0"} <= third
    assert list(hand_made_features([])) == []


def test_it_finds_names_by_their_neighbours(tagger: CrfsuiteTagger):
    assert tagger.tag(["we", "met", "in", "Rome"])[-1] == "B-place"
    assert tagger.tag(["Ada", "Byron", "met", "Eve"])[:2] == ["B-person", "I-person"]
    assert tagger.tag([]) == []


@pytest.mark.parametrize("word", ["a\0b", "\ud800", "很", "a:b\t=c\\", ""])
def test_any_word_gets_a_tag_also_from_its_arrays(word: str, tagger: CrfsuiteTagger):
    arrays = tagger.to_arrays()
    assert not any(array.dtype.hasobject for array in arrays.values())
    again = CrfsuiteTagger.from_arrays({k: np.array(v) for k, v in arrays.items()})
    for words in ([word, "met", "Ada"], [word]):
        assert again.tag(words) == tagger.tag(words)


def test_a_model_that_is_none_is_refused():
    pytest.importorskip("pycrfsuite")
    with pytest.raises(ValueError):
        CrfsuiteTagger.from_arrays({"model": np.zeros(9, np.uint8)})
