"""Baselines: strong where words decide, whole where texts are odd, blind to test."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from keras_seq.evaluation import baselines, tfidf_terms
from keras_seq.evaluation.baselines import MajorityBaseline, TfidfBaseline


def make_reviews(num_texts: int, words: list[list[str]], filler: str, seed: int = 0):
    """Texts of which one word tells the class, at a random place in filler."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(words), size=num_texts)
    texts = []
    for label in labels:
        text = rng.choice(filler.split(), size=8).tolist()
        text.insert(int(rng.integers(9)), str(rng.choice(words[label])))
        texts.append(" ".join(text))
    return texts, labels


ENGLISH = [["good", "Great"], ["bad", "awful"], ["fine", "okay"]]
FILLER = "the film story plot actor scene was and with a of it"


def accuracy(baseline, texts, labels) -> float:
    return float((baseline.predict_proba(texts).argmax(axis=1) == labels).mean())


def test_names_are_those_of_the_report():
    assert MajorityBaseline.name == "majority"
    assert TfidfBaseline.name == "tfidf_logistic"


def test_the_majority_answers_with_shares_of_train():
    baseline = MajorityBaseline().fit(["x"] * 4, [2, 2, 0, 2])
    probabilities = baseline.predict_proba(text for text in ["", "y"])
    np.testing.assert_allclose(probabilities, [[0.25, 0, 0.75]] * 2)


@pytest.mark.parametrize("num_classes", [2, 3])
def test_words_that_decide_are_learnt(num_classes):
    train = make_reviews(400, ENGLISH[:num_classes], FILLER)
    test = make_reviews(200, ENGLISH[:num_classes], FILLER, seed=1)
    baseline = TfidfBaseline().fit(*train)
    probabilities = baseline.predict_proba(test[0])
    assert probabilities.shape == (200, num_classes)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert accuracy(baseline, *test) == 1.0


def test_probabilities_equal_those_of_a_plain_pipeline():
    texts, labels = make_reviews(300, ENGLISH, FILLER)
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+"
    )
    classifier = LogisticRegression(C=10.0).fit(vectorizer.fit_transform(texts), labels)
    np.testing.assert_allclose(
        TfidfBaseline().fit(texts, labels).predict_proba(texts[:20]),
        classifier.predict_proba(vectorizer.transform(texts[:20])),
        atol=2e-3,
    )


def test_pairs_of_words_tell_what_single_words_cannot():
    texts = ["not good just bad", "not bad just good"] * 20
    baseline = TfidfBaseline().fit(texts, [0, 1] * 20)
    assert accuracy(baseline, ["not good", "not bad"], [0, 1]) == 1.0


def test_texts_without_spaces_are_read_by_characters():
    good, bad = "房间很干净服务也很好", "早餐太差不会再来了"
    baseline = TfidfBaseline().fit([good, bad] * 5, [1, 0] * 5)
    assert accuracy(baseline, ["服务很好 OK", "太差了"], [1, 0]) == 1.0
    terms = baseline.vectorizer_.vocabulary_
    assert max(map(len, terms)) == 3 and "干净" in terms


@pytest.mark.parametrize(
    "text, unspaced",
    [
        ("a plain English text", False),
        ("한국어 는 띄어쓰기 를 한다", False),
        ("これは日本語です", True),
        ("ภาษาไทยไม่มีช่องว่าง", True),
        ("ភាសាខ្មែរ", True),
        ("很好 very good indeed, would come again", False),
        ("这家酒店的WiFi很好用", True),
        ("很好很好 very good", False),
        ("", False),
        ("123 !!!", False),
    ],
)
def test_the_script_of_train_decides(text, unspaced):
    assert tfidf_terms._is_unspaced([text] * 3) == unspaced


def test_words_keep_their_marks_and_markup_is_no_word():
    texts = ["अच्छी फ़िल्म<br />I <b>LOVE</b> it", "बुरी"]
    baseline = TfidfBaseline().fit(texts, [1, 0])
    words = {term for term in baseline.vectorizer_.vocabulary_ if " " not in term}
    assert words == {"अच्छी", "फ़िल्म", "i", "love", "it", "बुरी"}


def test_empty_texts_are_answered():
    baseline = TfidfBaseline().fit(["good", "", "bad", "  ", "!?"], [1, 1, 0, 0, 1])
    probabilities = baseline.predict_proba(["", "\ud800", "unseen", "<br />"])
    assert np.isfinite(probabilities).all()
    assert baseline.predict_proba([]).shape == (0, 2)


@pytest.mark.parametrize(
    "texts, labels, expected",
    [
        (["", "!", " "], [0, 1, 1], [1 / 3, 2 / 3]),
        (["a", "b"], [1, 1], [0, 1]),
        ([f"id{i}" for i in range(1500)], [0, 1, 1] * 500, [1 / 3, 2 / 3]),
    ],
    ids=["no word", "one class", "no word twice"],
)
def test_train_parts_that_teach_nothing_leave_the_shares(texts, labels, expected):
    baseline = TfidfBaseline().fit(texts, labels)
    np.testing.assert_allclose(baseline.predict_proba(["a"]), [expected])


def test_a_large_train_part_is_subsampled_by_the_seed_and_says_so():
    texts, labels = make_reviews(500, ENGLISH[:2], FILLER)
    first, again, other = (
        TfidfBaseline(max_rows=100, seed=seed).fit(iter(texts), labels)
        for seed in (1, 1, 2)
    )
    assert first.note == "fitted on 100 of 500 rows, drawn at random"
    answers = [one.predict_proba(texts[:50]) for one in (first, again, other)]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert np.abs(answers[0] - answers[2]).max() > 1e-4
    assert TfidfBaseline().fit(texts, labels).note == ""
    assert TfidfBaseline.from_arrays(first.to_arrays()).note == first.note


def test_terms_and_steps_that_were_cut_are_named(monkeypatch):
    texts, labels = make_reviews(200, ENGLISH[:2], FILLER)
    monkeypatch.setattr(tfidf_terms, "MAX_WEIGHTS", 20)
    fitted = TfidfBaseline(max_rows=150).fit(texts, labels)
    rows = "fitted on 150 of 200 rows, drawn at random"
    assert fitted.note == f"{rows}; of its terms the commonest 10"
    monkeypatch.setattr(tfidf_terms, "MAX_WEIGHTS", 10**6)
    monkeypatch.setattr(baselines, "MAX_STEPS", 1)
    note = TfidfBaseline().fit(texts, labels).note
    assert note == "its solver was stopped after 1 steps, still improving"


def test_a_class_that_the_subsample_misses_keeps_its_column():
    texts, labels = make_reviews(300, ENGLISH[:2], FILLER)
    labels = np.append(labels * 2, 1)  # classes 0 and 2, and a single 1
    baseline = TfidfBaseline(max_rows=50).fit([*texts, "rare"], labels)
    probabilities = baseline.predict_proba(texts)
    assert probabilities.shape == (300, 3)
    assert (probabilities[:, 1] == 0).all()
    assert accuracy(baseline, texts, labels[:-1]) > 0.8


def test_answers_depend_on_train_alone(monkeypatch):
    texts, labels = make_reviews(200, ENGLISH[:2], FILLER)
    baseline = TfidfBaseline().fit(texts, labels)
    monkeypatch.setattr(tfidf_terms, "PREDICT_ROWS", 7)
    together = baseline.predict_proba([*texts[:20], "good good " * 100])
    alone = [baseline.predict_proba([text])[0] for text in texts[:20]]
    np.testing.assert_allclose(together[:20], alone, rtol=1e-6)


def test_many_classes_leave_fewer_terms(monkeypatch):
    monkeypatch.setattr(tfidf_terms, "MAX_WEIGHTS", 60)
    baseline = TfidfBaseline().fit(*make_reviews(100, ENGLISH, FILLER))
    assert len(baseline.vectorizer_.vocabulary_) == 20


@pytest.mark.parametrize(
    "texts, labels, message",
    [
        (["a", "b"], [0], "2 texts and 1 labels"),
        (["a"], [0, 1], "1 texts and 2 labels"),
        (["a"], ["good"], "turn label names into their ids"),
        (["a", "b"], [-1, 0], "start at -1"),
    ],
)
def test_misuse_is_named(texts, labels, message):
    with pytest.raises(ValueError, match=message):
        TfidfBaseline().fit(texts, labels)


def test_max_rows_is_checked():
    with pytest.raises(ValueError, match="max_rows is 0; expected 1 or more"):
        TfidfBaseline(max_rows=0)
