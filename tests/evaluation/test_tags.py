"""The report of a tagger: scores by hand, a verdict by sentences."""

import pytest

from keras_seq.evaluation.tags import scores_by_tag, tag_report, worst_sentences


def report(truth: list, answers: list, other: list, **options: object) -> dict:
    known = [[word > 0 for word in range(len(tags))] for tags in truth]  # not the first
    return tag_report("t", truth, answers, {"b": other}, is_known=known, **options)


def test_scores_are_shares_of_words_and_of_sentences():
    truth = [["A", "B", "A"], ["B"]] * 50
    answers = [["A", "B", "B"], ["A"]] * 50
    told = report(truth, answers, truth)
    values = {name: score["value"] for name, score in told["scores"].items()}
    assert values == {
        "accuracy": 0.5,
        "accuracy_known": 0.5,
        "accuracy_unknown": 0.5,
        "sentences_right": 0.0,
    }
    assert told["n"] == 100 and told["words"] == 200 and told["verdict"] == "loses"


def test_entities_are_what_the_verdict_is_about():
    truth = [["B-x", "O", "O", "O"]] * 60
    answers, blind = [["B-x", "O", "B-x", "O"]] * 60, [["O"] * 4] * 60
    told = report(truth, answers, blind, has_entities=True)
    # As many words are right, but one of the two finds entities.
    assert told["baselines"]["b"]["accuracy"] == told["scores"]["accuracy"]["value"]
    assert told["comparison"]["metric"] == "f1" and told["verdict"] == "wins"
    assert told["scores"]["precision"]["value"] == pytest.approx(0.5)


def test_a_tagger_that_answers_no_entity_has_zero_of_all_three():
    told = report([["B-x"]] * 40, [["O"]] * 40, [["B-x"]] * 40, has_entities=True)
    found = [told["scores"][name]["value"] for name in ("precision", "recall", "f1")]
    assert found == [0, 0, 0] and told["verdict"] == "loses"


def test_words_of_one_sentence_are_one_observation():
    # 1,000 words, but 5 sentences: too few to tell anything.
    truth = [["A"] * 200] * 5
    told = report(truth, truth, [["B"] * 200] * 5)
    assert told["verdict"] == "ties" and "too" in told["comparison"]["sentence"]


def test_copies_are_redrawn_together():
    truth = [["A"]] * 100
    told = report(truth, truth, [["B"]] * 100, groups=["same"] * 100)
    assert told["verdict"] == "ties"


def test_a_metric_that_the_data_do_not_define_is_left_out():
    told = tag_report(
        "t", [["A"]] * 9, [["A"]] * 9, {"b": [["A"]] * 9}, is_known=[[True]] * 9
    )
    assert "accuracy_unknown" not in told["scores"]


@pytest.mark.parametrize(
    ("answers", "known"), [([["A"]], [[True] * 2]), ([["A", "A"]], [[True]])]
)
def test_rows_of_another_length_are_refused(answers: list, known: list):
    with pytest.raises(ValueError, match="expected 2 of both"):
        tag_report("t", [["A", "B"]], answers, {"b": [["A", "B"]]}, is_known=known)


def test_every_tag_has_its_own_scores():
    scores = scores_by_tag([["A", "B", "B"]], [["A", "B", "C"]])
    assert scores["B"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "n": 2,
    }
    assert scores["C"]["n"] == 0 and scores["C"]["f1"] == 0


def test_the_worst_sentences_are_those_with_the_surest_mistakes():
    words, truth = [["a", "b"], ["c"], ["d"]], [["A", "B"], ["A"], ["A"]]
    answers = [["A", "X"], ["X"], ["A"]]
    lines = worst_sentences(words, truth, answers, [[1.0, 0.5], [0.75], [1.0]])
    assert lines.splitlines() == [
        "0.750: **c** (X, but A)",
        "0.500: a **b** (X, but B)",
    ]
    assert worst_sentences(words, truth, truth, [[1, 1], [1], [1]]) == ""
