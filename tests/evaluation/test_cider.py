"""CIDEr-D against recorded answers of pycocoevalcap 1.2: CiderScorer(n=4, sigma=6)."""

import numpy as np
import pytest

from keras_seq.evaluation.cider import CiderD, words_of

REFERENCES = [
    ["a dog runs through the grass", "a brown dog is running on grass"],
    ["two men play football", "men are playing football on a field"],
    ["a girl in a red dress jumps", "a little girl jumps on a bed"],
    ["a dog jumps over a bar", "a black dog leaps over a hurdle"],
]
REFERENCES[0].append("the dog runs fast")
REFERENCES[2].append("the girl wears red")
HYPOTHESES = [
    "a dog is running through the grass",
    "two men are playing",
    "a a a girl girl jumps on a bed in a red dress",
    "a cat sleeps",
]
RECORDED = [2.28238519, 2.68325486, 1.69206814, 0.0]


def test_scores_are_those_of_the_original():
    assert CiderD(REFERENCES).scores(HYPOTHESES) == pytest.approx(RECORDED, abs=1e-8)


def test_case_and_signs_count_for_nothing():
    shouted = [f"{text.upper()} !" for text in HYPOTHESES]
    assert CiderD(REFERENCES).scores(shouted) == pytest.approx(RECORDED, abs=1e-8)
    assert words_of("一只狗 runs.") == ["一", "只", "狗", "runs"]


def test_empty_captions_score_nothing():
    assert not CiderD(REFERENCES).scores([""] * 4).any()
    one = CiderD([["a dog"]])  # said of every picture there is
    assert np.isfinite(one.scores(["a dog"])).all()
