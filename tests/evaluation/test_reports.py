"""The report of sums over sentences: what is compared, and what bounds a score."""

import numpy as np

from keras_seq.evaluation.reports import corpus_report, gather_report
from keras_seq.evaluation.resampling import by_samples


def mean(weights: np.ndarray, own: np.ndarray) -> dict[str, float]:
    first, second = weights @ own / weights.sum()
    return {"first": 100 * float(first), "second": float(second)}


def test_the_headline_alone_decides_where_two_differ():
    network, other = np.ones((80, 2)), np.tile([1.0, 0.0], (80, 1))
    worst = {"worst": np.zeros((80, 2)), "other": other}
    redraw = by_samples(80)
    report = corpus_report("t", mean, network, worst, slice(1), redraw, extra=1)
    comparison = report["comparison"]
    assert (comparison["baseline"], comparison["metric"]) == ("other", "first")
    assert report["verdict"] == "ties"
    assert "do not differ anywhere" in comparison["sentence"]
    assert [*report][-1] == "extra" and report["baselines"]["worst"]["second"] == 0


def test_scores_have_bounds_of_their_own():
    right = np.tile([1.0, 1.0], (80, 1))
    right[0] = 0
    given = mean, right, {"none": 0 * right}, slice(1), by_samples(80)
    wide = corpus_report("t", *given)["scores"]["second"]["high"]
    bounded = corpus_report("t", *given, bounds={"second": (0.0, 1.0)})
    assert wide > 1 and bounded["scores"]["second"]["high"] == 1


def test_notes_are_of_what_is_compared_or_is_not_there_and_say_something():
    right = {"right": {"value": 1.0, "low": 1.0, "high": 1.0}}
    baselines = {"a": {"right": 0.0}, "b": {"right": 0.0}}
    compared = {"metric": "right", "verdict": "wins", "sentence": "It wins."}
    notes = {"a": "fitted on 9 rows", "b": "", "c": "not installed", "d": "of 9 rows"}
    report = gather_report(
        "t", {"n": 9}, right, baselines, compared, notes=notes, left_out=["d"]
    )
    assert report["notes"] == {"a": "fitted on 9 rows", "c": "not installed"}
    assert report["comparison"]["sentence"].endswith("NaN or Inf: d.")
