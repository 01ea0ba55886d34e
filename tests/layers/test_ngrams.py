"""Hashed n-grams against plain Python, log-count ratios against counts by hand."""

import math

import numpy as np
import pytest
from keras import ops

from keras_seq.layers import ngrams
from keras_seq.layers.ngrams import (
    MULTIPLIERS,
    ngram_ids,
    ngram_label_ratios,
    ngram_log_ratios,
    ngram_means,
)

BUCKETS = 5000


def by_hand(tokens: list[int]) -> set[int]:
    found = set(tokens)
    for multipliers in MULTIPLIERS:
        order = len(multipliers)
        for start in range(len(tokens) - order + 1):
            run = tokens[start : start + order]
            terms = [i % 2**15 * m % (BUCKETS - 1) for i, m in zip(run, multipliers)]
            found.add(sum(terms) % (BUCKETS - 1) + 1)
    return found


def test_ids_are_those_of_plain_python():
    rng = np.random.default_rng(0)
    lengths = [1, 2, 3, 9, 12]
    rows = [rng.integers(1, 40_000, length).tolist() for length in lengths]
    padded = np.array([row + [0] * (12 - len(row)) for row in rows], "int32")
    ids = ops.convert_to_numpy(ngram_ids(padded % BUCKETS, BUCKETS))
    assert ids.shape == (5, 36)
    for row, found in zip(rows, ids):
        expected = by_hand([token % BUCKETS for token in row])
        assert sorted(found[found > 0]) == sorted(expected)  # each one once


def test_products_do_not_overflow_at_the_largest_size():
    ids = ops.convert_to_numpy(ngram_ids(np.full((1, 3), 2**15 - 1, "int32"), 2**22))
    assert ids.min() >= 0
    assert ids.max() < 2**22


def test_log_ratios_are_those_counted_by_hand():
    texts = np.array([[7, 8], [7, 9], [5, 9], [5, 8]] * 2, "int32")
    labels = np.array([1, 1, 0, 0] * 2)
    ratios = ngram_log_ratios([(texts[:3], labels[:3]), (texts[3:], labels[3:])], 2, 64)
    # Each of a class's four texts has two tokens and a pair.
    totals = 64 + 4 * 3
    assert ratios.shape == (64, 1)
    assert ratios[7, 0] == pytest.approx(math.log(5 / totals) - math.log(1 / totals))
    assert ratios[5, 0] == pytest.approx(math.log(1 / totals) - math.log(5 / totals))
    assert ratios[8, 0] == ratios[9, 0] == ratios[0, 0] == 0


def test_an_ngram_of_two_texts_tells_nothing():
    texts = np.array([[7], [7], [8], [8], [8]])
    ratios = ngram_log_ratios([(texts, np.array([1, 1, 0, 0, 0]))], 2, 64)
    assert np.nonzero(ratios[:, 0])[0].tolist() == [8]


def test_more_classes_have_a_column_each():
    texts = np.repeat(np.array([[7], [8], [9]], "int32"), 3, axis=0)
    ratios = ngram_log_ratios([(texts, np.repeat([0, 1, 2], 3))], 3, 64)
    assert ratios[[7, 8, 9]].argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("classes", [2, 5])
def test_how_texts_stand_in_batches_changes_nothing(
    classes: int, monkeypatch: pytest.MonkeyPatch
):
    rng = np.random.default_rng(3)
    texts = rng.integers(1, 30, (60, 7)).astype("int32")
    texts[::3, 4:] = 0
    labels = rng.integers(0, classes, 60).astype("int32")
    whole = ngram_log_ratios([(texts, labels)], classes, 100)
    short = [
        (texts[n : n + 1, : 4 if n % 3 == 0 else 7], labels[n : n + 1])
        for n in range(60)
    ]
    monkeypatch.setattr(ngrams, "TOGETHER", 33)
    np.testing.assert_array_equal(ngram_log_ratios(short, classes, 100), whole)


TEXTS = np.random.default_rng(0).integers(1, 9, (40, 5)).astype("int32")
BUCKETS = 500


def test_ratios_of_a_label_are_those_of_a_class_against_the_rest():
    labels = np.random.default_rng(1).integers(0, 2, (40, 2))
    batches = [(TEXTS[:25], labels[:25]), (TEXTS[25:], labels[25:])]
    found = ngram_label_ratios(batches, 2, BUCKETS)
    for column in range(2):
        alone = ngram_log_ratios([(TEXTS, labels[:, column])], 2, BUCKETS)
        np.testing.assert_allclose(found[:, column], alone[:, 0], atol=1e-6)


def test_means_are_those_of_the_texts_that_hold_an_ngram():
    numbers = np.random.default_rng(1).normal(50, 10, 40)
    batches = [(TEXTS[:25], numbers[:25]), (TEXTS[25:], numbers[25:])]
    found = ngram_means(batches, 50.0, 10.0, BUCKETS)
    assert found.shape == (BUCKETS, 1)
    ids = ops.convert_to_numpy(ngram_ids(TEXTS, BUCKETS))
    for word in range(1, 9):
        holding = (numbers[(ids == word).any(axis=1)] - 50) / 10
        expected = holding.sum() / (len(holding) + 3)
        assert found[word, 0] == pytest.approx(expected, abs=1e-6)
    seen = np.bincount(ids[ids > 0], minlength=BUCKETS)
    assert not found[seen < 3].any()
