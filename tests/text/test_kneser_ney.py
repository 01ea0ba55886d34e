"""Kneser-Ney against the formula worked out by hand, and as a distribution."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq.text.kneser_ney import KneserNey

A, B, C = 2, 3, 4


def test_a_bigram_model_is_the_formula():
    # Pairs: start-A 1, AB 3, BA 2, BC 1. Discount 0.5 everywhere, four words to choose.
    model = KneserNey(2, vocab_size=5).fit([A, B, A, B, A, B, C], [0.5] * 3)
    # Unigrams count different tokens before: A 2 (start, B), B 1, C 1; 4 in all.
    hands_on = 3 * 0.5 / 4
    p_a, p_b, p_c = ((count - 0.5) / 4 + hands_on / 4 for count in (2, 1, 1))
    p_unknown = hands_on / 4
    assert p_a + p_b + p_c + p_unknown == pytest.approx(1)
    after_b = 2 * 0.5 / 3  # two followers, A twice and C once
    expected = {
        A: (2 - 0.5) / 3 + after_b * p_a,
        B: after_b * p_b,
        C: (1 - 0.5) / 3 + after_b * p_c,
        1: after_b * p_unknown,
    }
    for word, probability in expected.items():
        found = model.log_probabilities([A, B, word])[2]
        assert np.exp(found) == pytest.approx(probability), word
    assert np.exp(model.log_probabilities([A])[0]) == pytest.approx(0.5 + 0.5 * p_a)


def test_a_unigram_model_is_discounted_frequencies():
    model = KneserNey(1, vocab_size=5).fit([A, A, A, B], [0.5] * 3)
    expected = [(3 - 0.5) / 4 + 0.25 / 4, (1 - 0.5) / 4 + 0.25 / 4, 0.25 / 4]
    found = [np.exp(model.log_probabilities([word])[0]) for word in (A, B, C)]
    assert found == pytest.approx(expected)
    assert model.name == "unigram"


@settings(max_examples=25)
@given(st.lists(st.integers(2, 6), min_size=3, max_size=80), st.integers(1, 5))
def test_probabilities_of_all_words_sum_to_one(text: list[int], order: int):
    model = KneserNey(order, vocab_size=8).fit(text)
    for history in ([], text[:1], text[-3:], [6, 6, 6, 6], [1, 7]):
        words = [model.log_probabilities([*history, word])[-1] for word in range(1, 8)]
        assert np.exp(words).sum() == pytest.approx(1)


def test_a_token_is_scored_by_what_stands_before_it_alone():
    text = np.random.default_rng(0).integers(2, 9, 300)
    model = KneserNey(3, vocab_size=10).fit(text)
    whole = model.log_probabilities(text[:50])
    changed = text[:50].copy()
    changed[30:] = 9
    assert model.log_probabilities(changed)[:30] == pytest.approx(whole[:30])
    assert len(whole) == 50


def test_more_context_helps_on_text_that_has_it():
    text = np.tile([A, B, A, C], 60)
    losses = [
        -KneserNey(order, 5).fit(text[:200]).log_probabilities(text[200:]).mean()
        for order in (1, 2, 3)
    ]
    # After A come B and C in turn, which takes two tokens to know.
    assert losses[0] > losses[1] > losses[2]
    assert losses[1] == pytest.approx(np.log(2) / 2, abs=0.05)


def test_arrays_keep_it():
    text = np.random.default_rng(1).integers(2, 30, 500)
    model = KneserNey(4, 30).fit(text)
    again = KneserNey.from_arrays(model.to_arrays())
    assert again.name == "kneser_ney_4"
    assert np.array_equal(again.log_probabilities(text), model.log_probabilities(text))


@pytest.mark.real_data
def test_penn_treebank_is_where_others_measured_it(data_dir):
    """SRILM's interpolated modified Kneser-Ney: 141.2 on test (Mikolov 2012)."""
    import gzip

    from keras_seq.text.coders import Words

    train, test = (
        gzip.open(data_dir / "text" / f"ptb.{part}.txt.gz", "rt").read()
        for part in ("train", "test")
    )
    coder = Words.fit([train])
    assert coder.vocab_size == 10_001
    ids = coder.ids_of(test)
    assert len(ids) == 82_430
    model = KneserNey(5, coder.vocab_size).fit(coder.ids_of(train))
    perplexity = np.exp(-model.log_probabilities(ids).mean())
    assert perplexity == pytest.approx(141.2, abs=1.5)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="order is 0"):
        KneserNey(0, 5)
