"""Scoring reads samples in parts: the answers of one pass, the memory of one part."""

import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.evaluation.baselines import TfidfBaseline
from keras_seq.evaluation.table import format_report
from keras_seq.tasks.sentiment import scores as classifier
from keras_seq.tasks.sentiment.scores import (
    fit_baselines,
    load_baselines,
    save_baselines,
    score_classifier,
    worst_mistakes,
)

NAMES = ["no", "yes"]
TRAIN = [("good film", "yes"), ("bad film", "no")] * 4


def by_length(texts) -> Iterator[dict]:
    """A scripted network: the longer the text, the surer it says yes."""
    for text in texts:
        yes = min(len(text), 100) / 100
        yield {"probabilities": np.array([1 - yes, yes])}


def some_samples(rows: int = 50) -> list[tuple[str, str]]:
    return [("x" * (n + 1), NAMES[n % 2]) for n in range(rows)]


def test_parts_give_what_one_pass_gives(monkeypatch):
    baselines = fit_baselines(TRAIN, NAMES)
    whole = score_classifier("t", some_samples(), by_length, baselines, NAMES)
    monkeypatch.setattr(classifier, "ROWS_READ", 7)
    parts = score_classifier("t", some_samples(), by_length, baselines, NAMES)
    assert parts.report == whole.report
    assert parts.report["n"] == 50
    assert parts.mistakes == whole.mistakes
    assert parts.examples == whole.examples
    np.testing.assert_array_equal(parts.answers, whole.answers)


def test_a_baseline_that_was_cut_says_so_after_a_file_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(TfidfBaseline.__init__, "__defaults__", (6,))
    fitted = fit_baselines(TRAIN * 3, NAMES)
    save_baselines(tmp_path / "baselines.npz", fitted)
    for baselines in (fitted, load_baselines(tmp_path / "baselines.npz")):
        samples = [(f"good film {n}", "yes") for n in range(50)]
        report = score_classifier("t", samples, by_length, baselines, NAMES).report
        note = "fitted on 6 of 24 rows, drawn at random"
        assert report["notes"] == {"tfidf_logistic": note}
        assert f"\ntfidf_logistic: {note}\n" in format_report(report)
        said = report["comparison"]["sentence"]
        assert said.startswith(f"The network loses to tfidf_logistic ({note}): acc")


def test_copies_of_a_text_are_redrawn_as_one():
    baselines = {"majority": fit_baselines(TRAIN, NAMES)["majority"]}
    texts = ["Good film", "good  film", "GOOD FILM "] * 20 + ["bad"]
    samples = [(text, "yes") for text in texts]
    report = score_classifier("t", samples, by_length, baselines, NAMES).report
    assert report["n"] == 61
    assert report["comparison"]["units"] == {"count": 2, "of": "different samples"}
    assert report["verdict"] == "ties"


def test_the_worst_mistakes_come_first():
    scored = score_classifier(
        "t", some_samples(), by_length, fit_baselines(TRAIN, NAMES), NAMES
    )
    lines = worst_mistakes(scored, NAMES).splitlines()
    # Surest and wrong: the shortest texts that are "yes", from 2 characters on.
    assert lines[:2] == ["no 0.980, but yes: xx", "no 0.960, but yes: xxxx"]
    assert len(lines) == 10


def test_texts_are_let_go(monkeypatch):
    monkeypatch.setattr(classifier, "ROWS_READ", 64)
    rows, size = 4000, 10_000
    samples = ((str(n).zfill(size), NAMES[n % 2]) for n in range(rows))
    baselines = {"majority": fit_baselines(TRAIN, NAMES)["majority"]}
    tracemalloc.start()
    try:
        score_classifier("t", samples, by_length, baselines, NAMES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < rows * size / 4


def test_an_unknown_label_is_named_with_its_place():
    samples = [*TRAIN[:4], ("fine", "maybe")]
    with pytest.raises(UserError, match="sample 5: label 'maybe'"):
        score_classifier("t", samples, by_length, fit_baselines(TRAIN, NAMES), NAMES)
    with pytest.raises(UserError, match="no sample to score"):
        score_classifier("t", [], by_length, fit_baselines(TRAIN, NAMES), NAMES)
