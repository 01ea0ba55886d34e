"""The embedded sample: reproducible, balanced, and not for a bag of words."""

import re
from collections import Counter

import numpy as np
import pytest

from keras_seq.data.sources import split_samples
from keras_seq.text.sample_reviews import load_sample_reviews


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_a_seed_fixes_the_reviews():
    assert load_sample_reviews(5, 50) == load_sample_reviews(5, 50)
    assert load_sample_reviews(5, 50) != load_sample_reviews(6, 50)


@pytest.mark.parametrize("num_samples", [2, 3, 100, 3000])
def test_labels_are_balanced_and_texts_are_distinct(num_samples: int):
    samples = load_sample_reviews(num_samples=num_samples)
    counts = Counter(label for _, label in samples)
    assert sum(counts.values()) == num_samples
    assert abs(counts["positive"] - counts["negative"]) <= 1
    assert len({tuple(words(text)) for text, _ in samples}) >= 0.9 * num_samples


def test_texts_look_like_short_reviews():
    samples = load_sample_reviews()
    lengths = {len(words(text)) for text, _ in samples}
    assert (min(lengths), max(lengths)) == (2, 24)
    assert 100 <= len({word for text, _ in samples for word in words(text)}) <= 300
    assert all(re.fullmatch(r"[A-Z][\w ,.!]+[.!]", text) for text, _ in samples)


def test_most_words_are_as_frequent_in_both_classes():
    samples = load_sample_reviews()
    counts = {label: Counter() for label in ("positive", "negative")}
    for text, label in samples:
        counts[label].update(words(text))
    for word in "not but although nobody started ended far instead used".split():
        positive, negative = counts["positive"][word], counts["negative"][word]
        assert positive > 20
        assert 0.8 < positive / negative < 1.25


@pytest.mark.parametrize(
    ("pattern", "label"),
    [
        (r"^what a \w+ (great|good|lovely)", "positive"),
        (r"nobody would call the \w+ \w+ (bad|dull|weak)", "positive"),
        (r"next to this \w+ the last one was \w+ (good|great|superb)", "negative"),
        (r"next to the last one this \w+ was \w+ (good|great|superb)", "positive"),
        (r"was not \w+ (bad|dull|weak|poor) but", "positive"),
        (r"far from being \w+ (good|great|superb|lovely)\W* the", "negative"),
        (r"was \w+ (good|great|superb|lovely) and far from being", "positive"),
        (r"instead of a \w+ (bad|dull|weak|poor) one", "positive"),
    ],
)
def test_labels_say_what_a_reader_would(pattern: str, label: str):
    found = {lab for t, lab in load_sample_reviews() if re.search(pattern, t.lower())}
    assert found == {label}


@pytest.mark.parametrize("seed", range(3))
def test_a_bag_of_words_and_pairs_stays_below_four_in_five(seed: int):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    parts = split_samples(load_sample_reviews(seed), test=0.2, validation=0, seed=seed)
    data = {name: np.array(list(part)) for name, part in parts.items()}
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, max_iter=1000),
    )
    model.fit(data["train"][:, 0], data["train"][:, 1])
    assert model.score(data["test"][:, 0], data["test"][:, 1]) < 0.8


def test_fewer_than_two_samples_are_refused():
    with pytest.raises(ValueError, match="num_samples=1: each of two labels needs one"):
        load_sample_reviews(num_samples=1)


def test_reviews_exclaim_without_a_good_or_bad_word():
    samples = dict(load_sample_reviews())
    ends = {"positive": "what a film", "negative": "what a waste of a film"}
    for label, end in ends.items():
        found = [
            lab
            for text, lab in samples.items()
            if re.search(rf"(^|[.!] ){end}[.!]", text.lower())
        ]
        assert found and set(found) == {label}
