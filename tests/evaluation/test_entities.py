"""Entities, counted as an independent implementation has counted them."""

import json
from pathlib import Path

import pytest

from keras_seq.evaluation.entities import entity_counts, entity_scores
from keras_seq.text.tag_schemes import entities_of

RECORDED = json.loads((Path(__file__).parent / "entities_recorded.json").read_text())


@pytest.mark.parametrize("case", RECORDED["cases"])
def test_scores_are_those_of_seqeval(case: dict):
    scores = entity_scores(case["truth"], case["answers"])["all"]
    found = [scores[name] for name in ("precision", "recall", "f1")]
    assert found == pytest.approx(case["scores"])


@pytest.mark.parametrize("case", RECORDED["cases"])
def test_spans_are_those_of_seqeval(case: dict):
    for tags, spans in zip(case["answers"], case["spans"]):
        ours = [[kind, start, end - 1] for start, end, kind in entities_of(tags)]
        assert ours == spans


def test_an_entity_is_right_only_as_a_whole_and_with_its_type():
    truth = [["B-x", "I-x", "O", "B-y"], ["O", "O", "B-x", "I-x"]]
    answers = [["B-x", "O", "O", "B-y"], ["O", "B-x", "I-x", "I-x"]]
    assert entity_counts(truth, answers).tolist() == [[1, 2, 2], [0, 1, 1]]
    assert entity_counts(truth, answers, "y").tolist() == [[1, 1, 1], [0, 0, 0]]


def test_nothing_answered_scores_nothing():
    scores = entity_scores([["B-x"]], [["O"]])
    assert scores["all"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "n": 1}


def test_rows_of_other_numbers_are_a_programmers_mistake():
    with pytest.raises(ValueError):
        entity_counts([["O"]], [])
