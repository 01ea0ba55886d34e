"""Scores against literals, verdicts, the table, and what they do at the edges."""

import json
import math

import numpy as np
import pytest

from keras_seq.evaluation.scores import (
    classification_scores,
    compare,
    format_report,
    report,
)

FAST = {"num_resamples": 50}


def names_of(num_classes: int) -> list[str]:
    return [f"class {i}" for i in range(num_classes)]


def certain(predictions: list[int], num_classes: int = 2) -> np.ndarray:
    return np.eye(num_classes)[predictions]


def test_literals():
    # Of "bad" 2 of 3 are found; of 3 called "bad", 2 are. Of "good" 1 of 2, of 2, 1.
    labels = [0, 0, 0, 1, 1]
    good = np.array([0.1, 0.2, 0.9, 0.8, 0.4])
    scores = classification_scores(
        labels, np.stack([1 - good, good], axis=1), ["bad", "good"], **FAST
    )
    values = {name: round(score["value"], 4) for name, score in scores.items()}
    assert values == {
        "accuracy": 0.6,
        "macro_f1": 0.5833,
        "f1_bad": 0.6667,
        "f1_good": 0.5,
        "roc_auc": 0.6667,  # of 6 pairs, 0.8 and 0.4 stand above 0.1 and 0.2
        "log_loss": round(-math.log(0.9 * 0.8 * 0.1 * 0.8 * 0.4) / 5, 4),
        # bins of 0.9, 0.9 | 0.8, 0.8 | 0.6; right 1 of 2, 2 of 2, 0 of 1
        "calibration_error": round((0.8 + 0.4 + 0.6) / 5, 4),
    }


def test_an_interval_is_that_of_the_normal_approximation():
    labels = np.zeros(2000, int)
    probabilities = certain([0] * 1600 + [1] * 400)
    accuracy = classification_scores(labels, probabilities, ["a", "b"])["accuracy"]
    error = 1.96 * math.sqrt(0.8 * 0.2 / 2000)
    assert accuracy["low"] == pytest.approx(0.8 - error, abs=0.003)
    assert accuracy["high"] == pytest.approx(0.8 + error, abs=0.003)


def test_the_seed_decides_the_interval_and_not_the_value():
    of_a = np.linspace(0.3, 0.7, 100)
    samples = [0, 1] * 50, np.stack([of_a, 1 - of_a], axis=1), ["a", "b"]
    first, again, other = (
        classification_scores(*samples, seed=seed, **FAST)["log_loss"]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first["low"] != other["low"]
    assert first["value"] == other["value"]


@pytest.mark.parametrize(
    "labels, predictions",
    [
        ([0], [0]),
        ([1], [0]),
        ([2, 2, 2], [2, 2, 2]),
        ([0, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]),
        ([0, 0, 1], [1, 1, 0]),
    ],
)
def test_degenerate_sets_give_finite_ordered_intervals(labels, predictions):
    scores = classification_scores(labels, certain(predictions, 3), names_of(3))
    for name, score in scores.items():
        assert all(type(number) is float for number in score.values())
        assert np.isfinite(list(score.values())).all(), name
        assert score["low"] <= score["value"] <= score["high"], name


def test_where_nothing_can_be_known():
    scores = classification_scores([0, 0], certain([0, 0]), ["a", "b"], **FAST)
    assert scores["roc_auc"] == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert scores["f1_b"]["value"] == 0.0
    # Class b does not occur: as scikit-learn, the mean is over class a alone.
    assert scores["macro_f1"]["value"] == 1.0


def test_a_resample_without_the_rare_class_says_nothing_of_it():
    # One sample in three of the resamples misses it: its F1 would go down to 0.
    scores = classification_scores([0] * 50 + [1], certain([0] * 50 + [1]), ["a", "b"])
    assert scores["f1_b"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert scores["roc_auc"]["low"] == scores["macro_f1"]["low"] == 1.0


def test_a_sure_and_wrong_answer_costs_no_infinity():
    log_loss = classification_scores([1], certain([0]), ["a", "b"], **FAST)["log_loss"]
    assert log_loss["value"] == pytest.approx(-math.log(1e-7))


@pytest.mark.parametrize(
    "right, baseline_right, verdict",
    [(906, 856, "wins"), (856, 906, "loses"), (900, 901, "ties"), (900, 900, "ties")],
)
def test_verdicts(right, baseline_right, verdict):
    labels = np.zeros(1000, int)
    network = certain([0] * right + [1] * (1000 - right))
    other = certain([0] * baseline_right + [1] * (1000 - baseline_right))
    result = compare(labels, network, other, baseline="tfidf_logistic")
    assert result["verdict"] == verdict
    difference = (right - baseline_right) / 1000
    assert result["difference"]["value"] == pytest.approx(difference)


def test_the_sentence_says_who_by_how_much_and_what_to_do():
    labels = np.zeros(1000, int)
    network, other = certain([0] * 856 + [1] * 144), certain([0] * 906 + [1] * 94)
    result = compare(labels, network, other, baseline="tfidf_logistic")
    low, high = result["difference"]["low"], result["difference"]["high"]
    assert result["sentence"] == (
        "The network loses to tfidf_logistic: accuracy 0.856 against 0.906 "
        f"(difference -0.050, 95 % interval {low:.3f} to {high:.3f}). "
        "Use the baseline."
    )
    assert -0.066 < low < -0.060 and -0.040 < high < -0.034


def test_few_samples_are_called_few():
    few = compare([0] * 20, certain([0] * 20), certain([1] * 20), baseline="majority")
    assert few["verdict"] == "wins"
    assert few["sentence"].endswith("so few samples (20) this is a hint at most.")


def test_the_bootstrap_is_paired():
    # Both fail on the same hard half, the baseline on five samples more: unpaired, each
    # accuracy moves by 0.07 and hides what is the same on every resample.
    labels = np.zeros(200, int)
    network, other = certain([0] * 100 + [1] * 100), certain([0] * 90 + [1] * 110)
    result = compare(labels, network, other, baseline="b")
    assert result["verdict"] == "wins"
    assert result["difference"]["high"] - result["difference"]["low"] < 0.08


def test_a_lower_loss_wins():
    labels = np.zeros(500, int)
    sure, unsure = np.tile([0.9, 0.1], (500, 1)), np.tile([0.6, 0.4], (500, 1))
    for metric in ("log_loss", "calibration_error"):
        result = compare(labels, sure, unsure, baseline="b", metric=metric)
        assert (result["verdict"], result["difference"]["value"] < 0) == ("wins", True)


def test_the_report_measures_against_the_strongest_baseline():
    labels = [0, 1] * 100
    network = certain([0, 1] * 80 + [1, 0] * 20)
    strong = certain([0, 1] * 95 + [1, 0] * 5)
    baselines = {"zero": certain([0] * 200), "strong": strong}
    result = report("sentiment", labels, network, baselines, ["bad", "好评"])
    assert (result["task"], result["n"]) == ("sentiment", 200)
    assert result["verdict"] == result["comparison"]["verdict"] == "loses"
    assert result["comparison"]["baseline"] == "strong"
    assert result["baselines"]["zero"]["accuracy"] == 0.5
    assert type(result["baselines"]["zero"]["accuracy"]) is float
    assert result["baselines"]["strong"].keys() == result["scores"].keys()
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_the_table_is_aligned_for_wide_characters_too():
    others = {"one": certain([0, 0])}
    result = report("t", [0, 1], certain([0, 1]), others, ["a", "好评"])
    _, header, *rows, sentence = format_report(result).splitlines()
    assert sentence == result["comparison"]["sentence"]
    assert header.split() == ["network", "95", "%", "interval", "one"]
    columns = {len(row) + 2 * ("好评" in row) for row in [header, *rows]}
    assert columns == {len(header)}


@pytest.mark.parametrize(
    "labels, probabilities, message",
    [
        ([], np.zeros((0, 2)), "N >= 1"),
        ([0.0, 1.0], certain([0, 1]), "float64"),
        ([0, 1], [0.3, 0.7], r"give \[1 - p, p\]"),
        ([0, 1], certain([0]), r"\(1, 2\); expected \(N, C\) = \(2, 2\)"),
        ([0, 2], certain([0, 1]), "up to 2; expected 0 to 1"),
        ([-1, 0], certain([0, 1]), "start at -1"),
        ([0, 1], [[np.nan, 0.5], [0.5, 0.5]], "NaN"),
        ([0, 1], [[-3.0, 4.0], [0.0, 1.0]], "softmax of logits"),
        ([0, 1], [[3.0, 4.0], [0.0, 1.0]], "softmax of logits"),
    ],
)
def test_misuse_is_named(labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        classification_scores(labels, probabilities, ["a", "b"])


def test_an_unknown_metric_and_no_baseline_are_named():
    with pytest.raises(ValueError, match="'auc'; expected one of accuracy, macro_f1"):
        compare([0], certain([0]), certain([0]), baseline="b", metric="auc")
    with pytest.raises(ValueError, match="baselines is empty"):
        report("t", [0], certain([0]), {}, ["a", "b"])


def imbalanced(found: int, rare: int = 10) -> dict:
    """A report on 100 samples, of whose rare class some are found."""
    labels = np.arange(100) >= 100 - rare
    answers = np.arange(100) >= 100 - found
    probabilities = np.stack([1 - answers * 0.8 - 0.1, answers * 0.8 + 0.1], axis=1)
    common = {"majority": np.tile([0.9, 0.1], (100, 1))}
    return report("t", labels.astype(int), probabilities, common, ["ham", "spam"])


def test_accuracy_that_hides_imbalance_is_said():
    told = imbalanced(found=0)
    assert told["imbalance"].startswith(
        "Accuracy hides imbalance: 90 % of the samples are 'ham', which alone scores "
        "0.900; over the classes alike, F1 is 0.474 (macro_f1)."
    )
    assert told["imbalance"] in format_report(told).splitlines()


@pytest.mark.parametrize(("found", "rare"), [(10, 10), (0, 50)])
def test_accuracy_that_hides_nothing_gets_no_line(found: int, rare: int):
    assert "imbalance" not in imbalanced(found, rare)
