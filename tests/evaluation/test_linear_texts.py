"""Baselines of several labels and of numbers, as scikit-learn alone would have them."""

import io

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from keras_seq.evaluation.linear_texts import (
    LabelShares,
    MeanNumber,
    TfidfLabels,
    TfidfRidge,
)

TEXTS = [
    f"{a} {b} {c}"
    for a in ("good", "bad")
    for b in ("film", "play", "book")
    for c in ("here", "there", "now", "then")
]
LABELS = np.array([[t.startswith("good"), "film" in t, "now" in t] for t in TEXTS], int)
NUMBERS = LABELS @ [3.0, -1.0, 0.5] + 10
ASKED = ["good film", "bad play now", "nothing known", ""]


def test_each_label_has_a_regression_of_its_own():
    fitted = TfidfLabels().fit(TEXTS, LABELS)
    features = fitted.vectorizer_.transform(TEXTS)
    asked = fitted.vectorizer_.transform(ASKED)
    for column in range(3):
        alone = LogisticRegression(C=10.0, max_iter=300).fit(
            features, LABELS[:, column]
        )
        expected = alone.predict_proba(asked)[:, 1]
        assert fitted.predict(ASKED)[:, column] == pytest.approx(expected, abs=1e-4)


def test_a_label_of_all_texts_or_none_has_its_share():
    labels = np.stack([LABELS[:, 0], np.ones(24), np.zeros(24)], axis=1)
    found = TfidfLabels().fit(TEXTS, labels).predict(ASKED)
    assert (found[:, 1] > 0.999).all() and (found[:, 2] < 0.001).all()


def test_numbers_are_those_of_ridge():
    fitted = TfidfRidge().fit(TEXTS, NUMBERS)
    features = fitted.vectorizer_.transform(TEXTS).toarray().astype(float)
    alone = Ridge(alpha=1.0).fit(features, NUMBERS)
    asked = fitted.vectorizer_.transform(ASKED).toarray()
    assert fitted.predict(ASKED) == pytest.approx(alone.predict(asked), abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "targets", "trivial"),
    [(TfidfLabels, LABELS, LabelShares), (TfidfRidge, NUMBERS, MeanNumber)],
)
@pytest.mark.parametrize("texts", [TEXTS, [""] * 24], ids=["texts", "no term"])
def test_arrays_make_the_same_baseline_again(kind, targets, trivial, texts):
    fitted = kind().fit(iter(texts), targets)
    file = io.BytesIO()
    np.savez(file, **fitted.to_arrays())
    file.seek(0)
    again = kind.from_arrays(np.load(file, allow_pickle=False))
    np.testing.assert_array_equal(again.predict(ASKED), fitted.predict(ASKED))
    np.testing.assert_array_equal(
        again.fallback_.predict(ASKED), trivial().fit((), targets).predict(ASKED)
    )
    assert again.note == fitted.note


def test_of_many_rows_a_part_is_used_and_said():
    fitted = TfidfLabels(max_rows=6).fit(TEXTS, LABELS)
    assert fitted.note == "fitted on 6 of 24 rows, drawn at random"
    with pytest.raises(ValueError, match="24 texts and 23 labels"):
        TfidfRidge().fit(TEXTS, NUMBERS[:23])
