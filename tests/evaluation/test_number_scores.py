"""Scores of numbers against SciPy and scikit-learn, and the verdict about MAE."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from keras_seq.errors import UserError
from keras_seq.evaluation.number_scores import _statistic, number_report
from keras_seq.evaluation.table import format_report

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(50, 10, 200).round(0)  # with ties
ANSWERS = TRUTH + RNG.normal(0, 4, 200).round(0)
MEAN = np.full(200, TRUTH.mean())


def test_scores_are_those_of_scipy():
    report = number_report("t", TRUTH, ANSWERS, {"mean": MEAN}, num_resamples=200)
    found = {name: score["value"] for name, score in report["scores"].items()}
    assert list(found) == ["mae", "rmse", "spearman"]
    assert found["mae"] == pytest.approx(np.abs(ANSWERS - TRUTH).mean())
    assert found["rmse"] == pytest.approx(np.sqrt(np.square(ANSWERS - TRUTH).mean()))
    assert found["spearman"] == pytest.approx(spearmanr(TRUTH, ANSWERS)[0])
    assert report["baselines"]["mean"]["spearman"] == 0
    for score in report["scores"].values():
        assert score["low"] < score["value"] < score["high"]


def test_ranks_of_a_resample_are_its_own():
    drawn = np.random.default_rng(1).integers(0, 200, 200)
    weights = np.bincount(drawn, minlength=200).astype(float)
    mae, _, correlation = _statistic(TRUTH, ANSWERS)(weights)
    assert correlation == pytest.approx(spearmanr(TRUTH[drawn], ANSWERS[drawn])[0])
    assert mae == pytest.approx(np.abs(ANSWERS - TRUTH)[drawn].mean())


def test_the_lower_error_wins_over_the_strongest_baseline():
    far = np.zeros(200)
    report = number_report("t", TRUTH, ANSWERS, {"zero": far, "mean": MEAN})
    assert report["comparison"]["baseline"] == "mean" and report["verdict"] == "wins"
    assert "The network wins over mean: MAE" in format_report(report)
    worse = number_report("t", TRUTH, MEAN, {"better": ANSWERS})
    assert worse["verdict"] == "loses"
    same = number_report("t", TRUTH, MEAN, {"mean": MEAN})
    assert same["verdict"] == "ties"


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="baselines is empty"):
        number_report("t", TRUTH, ANSWERS, {})
    with pytest.raises(ValueError, match=r"b: numbers .* answers \(1,\); expected"):
        number_report("t", TRUTH, ANSWERS, {"b": [0]})
    broken = ANSWERS.copy()
    broken[3] = np.inf
    with pytest.raises(UserError, match="numbers of 1 of 200 samples, .* sample 4"):
        number_report("t", TRUTH, broken, {"mean": MEAN})
