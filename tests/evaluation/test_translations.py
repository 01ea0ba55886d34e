"""Scores of translations against sacreBLEU's own calls."""

import sys

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF

from keras_seq.errors import UserError
from keras_seq.evaluation.translations import (
    translation_faults,
    translation_metrics,
    translation_report,
    worst_translations,
)

SOURCES = [f"Ein Hund läuft {n} Meter weit." for n in range(60)]
REFERENCES = [f"A dog runs {n} metres far." for n in range(60)]
SAID = [f"a Dog runs {n} metres" + " far." * (n % 3 > 0) for n in range(60)]


def test_scores_are_sacrebleus_on_the_whole_corpus():
    report = translation_report(
        "t", SOURCES, REFERENCES, SAID, {"copy": SOURCES}, num_resamples=50
    )
    expected = {
        "bleu": BLEU(lowercase=True).corpus_score(SAID, [REFERENCES]),
        "bleu_cased": BLEU().corpus_score(SAID, [REFERENCES]),
        "chrf": CHRF().corpus_score(SAID, [REFERENCES]),
    }
    for name, score in expected.items():
        found = report["scores"][name]
        assert found["value"] == pytest.approx(score.score, abs=1e-9)
        assert found["low"] < found["value"] < found["high"]
    copied = BLEU(lowercase=True).corpus_score(SOURCES, [REFERENCES]).score
    assert report["baselines"]["copy"]["bleu"] == pytest.approx(copied, abs=1e-9)
    assert report["verdict"] == "wins" and "|case:lc|" in report["signatures"]["bleu"]
    assert {name: own["n"] for name, own in report["by_length"].items()} == {"6-10": 60}


def test_a_resample_is_the_score_of_the_sentences_drawn():
    bleu = translation_metrics(REFERENCES)["bleu"]
    drawn = np.random.default_rng(0).integers(60, size=60)
    weights = np.bincount(drawn, minlength=60).astype(float)
    again = [[REFERENCES[n] for n in drawn]]
    expected = BLEU(lowercase=True).corpus_score([SAID[n] for n in drawn], again).score
    assert bleu.score(weights @ bleu.counts(SAID)) == pytest.approx(expected, abs=1e-9)


def test_what_the_reference_does_is_no_fault():
    assert translation_faults(["so so"], ["so so"], ["so so"]) == {
        "repeats": 0,
        "copies": 0,
        "empty": 0,
    }
    assert translation_faults(["x"], ["y"], ["a b c a b c d"])["repeats"] == 1


def test_the_worst_stand_first():
    said = ["a dog", "nothing"]
    (first, *_), *_ = worst_translations(["1", "2"], ["a dog", "a cat"], said)
    rows = worst_translations(["1", "2"], ["a dog", "a cat"], said)
    assert [row[1] for row in rows] == ["2", "1"] and first < 20


def test_without_sacrebleu_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(UserError, match=r"keras_seq\[translation\]"):
        translation_metrics(["a"])
