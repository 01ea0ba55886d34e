"""Several labels a sample: thresholds and F1 as scikit-learn has them."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from keras_seq.errors import UserError
from keras_seq.evaluation.label_sets import choose_thresholds, label_set_report
from keras_seq.evaluation.table import format_report

NAMES = ["sad", "loud", "odd"]
RNG = np.random.default_rng(0)
LABELS = (RNG.random((300, 3)) < [0.5, 0.2, 0.05]).astype(int)
GUESSED = np.clip(0.4 * LABELS + 0.5 * RNG.random((300, 3)), 0, 1)
SHARES = np.tile(LABELS.mean(axis=0), (300, 1))
HALF = {"network": np.full(3, 0.5), "shares": np.full(3, 0.5)}


def some_report(**settings) -> dict:
    settings = {"thresholds": HALF, "num_resamples": 200} | settings
    return label_set_report("t", LABELS, GUESSED, {"shares": SHARES}, NAMES, **settings)


def test_scores_are_those_of_scikit_learn():
    scores = some_report()["scores"]
    answers = GUESSED >= 0.5
    each = f1_score(LABELS, answers, average=None)
    found = {name: score["value"] for name, score in scores.items()}
    assert found["micro_f1"] == pytest.approx(
        f1_score(LABELS, answers, average="micro")
    )
    assert found["macro_f1"] == pytest.approx(each.mean())
    assert [found[f"f1_{name}"] for name in NAMES] == pytest.approx(each.tolist())
    assert found["exact_match"] == pytest.approx((answers == LABELS).all(1).mean())
    chance = np.where(LABELS == 1, GUESSED, 1 - GUESSED)
    assert found["log_loss"] == pytest.approx(-np.log(np.clip(chance, 1e-7, 1)).mean())
    for score in scores.values():
        assert score["low"] <= score["value"] <= score["high"]


def test_thresholds_are_the_best_that_there_are():
    chosen = choose_thresholds(LABELS, GUESSED)
    for label, probability, threshold in zip(LABELS.T, GUESSED.T, chosen):
        every = [f1_score(label, probability >= t) for t in np.unique(probability)]
        assert f1_score(label, probability >= threshold) == pytest.approx(max(every))


def test_a_label_without_a_sample_keeps_one_half_and_equal_ones_stay_together():
    assert choose_thresholds(np.zeros((4, 1)), np.full((4, 1), 0.2)).tolist() == [0.5]
    labels, same = np.array([[1], [0], [0]]), np.array([[0.6], [0.6], [0.2]])
    assert choose_thresholds(labels, same)[0] == pytest.approx(0.4)


def test_each_model_is_scored_with_thresholds_of_its_own():
    everything = HALF | {"shares": np.zeros(3)}
    report = some_report(thresholds=everything)
    expected = f1_score(LABELS, np.ones_like(LABELS), average="micro")
    assert report["baselines"]["shares"]["micro_f1"] == pytest.approx(expected)
    assert report["verdict"] == "wins"
    assert "wins over shares: micro F1 0." in format_report(report)


def test_a_label_that_never_occurs_scores_0_and_is_left_out_of_the_mean():
    labels = np.array([[1, 0], [0, 0], [1, 0]] * 4)
    report = label_set_report(
        "t",
        labels,
        labels * 0.9,
        {"b": labels * 0.9},
        ["a", "never"],
        thresholds={"network": [0.5, 0.5], "b": [0.5, 0.5]},
        num_resamples=50,
    )
    assert report["scores"]["f1_never"]["value"] == 0
    assert report["scores"]["macro_f1"]["value"] == 1
    assert report["verdict"] == "ties"
    assert "They do not differ anywhere." in report["comparison"]["sentence"]


def test_copies_are_redrawn_as_one():
    report = some_report(groups=np.arange(300) // 100)
    assert report["comparison"]["units"] == {"count": 3, "of": "different samples"}


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="baselines is empty"):
        label_set_report("t", LABELS, GUESSED, {}, NAMES, thresholds=HALF)
    with pytest.raises(ValueError, match=r"b: labels .*; expected \(N, C\) = \(300, 3"):
        label_set_report("t", LABELS, GUESSED, {"b": [0]}, NAMES, thresholds=HALF)
    broken = GUESSED.copy()
    broken[1, 1] = np.nan
    with pytest.raises(UserError, match="probabilities of 1 of 300 samples"):
        label_set_report(
            "t", LABELS, broken, {"shares": SHARES}, NAMES, thresholds=HALF
        )
