"""Verdict, sentence and interval agree, whatever the numbers are."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from keras_seq.evaluation.resampling import by_blocks, by_groups, by_samples
from keras_seq.evaluation.scores import compare as compare_labels
from keras_seq.evaluation.scores import report as label_report
from keras_seq.evaluation.table import format_report
from keras_seq.evaluation.verdict import Change, Pair, change, compare, conclude

NUMBER = r"([+-]\d+(?:\.\d+)?(?:e[+-]\d+)?)"
SENTENCE = re.compile(
    r"The network (wins over|ties with|loses to) .*? \(\w+ "
    rf"{NUMBER}, 95 % interval {NUMBER} to {NUMBER}\)"
)
WORDS = {"wins over": "wins", "ties with": "ties", "loses to": "loses"}


def check(sentence: str, verdict: str, lower_is_better: bool) -> None:
    """What a reader concludes from the numbers is what the words say."""
    words, *numbers = SENTENCE.match(sentence).groups()
    value, low, high = map(float, numbers)
    assert WORDS[words] == verdict
    assert low <= value <= high, sentence
    if lower_is_better:
        low, high = -high, -low
    read = "wins" if low > 0 else "loses" if high < 0 else "ties"
    assert read == verdict, sentence


small_and_large = st.one_of(
    st.floats(-1e6, 1e6), st.floats(-1e-2, 1e-2), st.floats(-1e-6, 1e-6), st.just(0.0)
)


@given(st.tuples(*[small_and_large] * 3), st.booleans())
def test_a_sentence_says_what_its_interval_says(ends, lower_is_better):
    low, value, high = sorted(ends)
    found = Change((0.9, 0.9), {"value": value, "low": low, "high": high}, "")
    conclusion = conclude(found, "tfidf", "macro_f1", lower_is_better)
    check(conclusion["sentence"], conclusion["verdict"], lower_is_better)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=40),
    st.sampled_from(["accuracy", "macro_f1", "roc_auc", "log_loss"]),
)
def test_reports_of_any_answers_agree_with_themselves(rows, metric):
    truth, network, other = np.array(rows).T
    labels = (truth > 0.5).astype(int)
    answers, others = (np.stack([1 - p, p], axis=1) for p in (network, other))
    found = compare_labels(
        labels, answers, others, baseline="b", metric=metric, num_resamples=20
    )
    check(found["sentence"], found["verdict"], metric == "log_loss")
    whole = label_report(
        "t", labels, answers, {"b": others}, ["no", "yes"], num_resamples=20
    )
    last = format_report(whole).splitlines()[-1]
    assert last == whole["comparison"]["sentence"]
    check(last, whole["verdict"], False)
    score = whole["scores"]["accuracy"]
    assert 0 <= score["low"] <= score["value"] <= score["high"] <= 1


@settings(max_examples=40)
@given(st.lists(st.floats(-9, 9), min_size=1, max_size=60), st.integers(1, 9))
def test_losses_in_time_agree_with_themselves(apart, shortest):
    apart = np.array(apart)
    pair = Pair(
        lambda weights: np.array([weights @ apart, 0.0]) / weights.sum(), apart != 0
    )
    redraw = by_blocks(apart, shortest)
    found = compare(
        pair,
        redraw,
        baseline="b",
        metric="mae",
        lower_is_better=True,
        num_resamples=20,
    )
    check(found["sentence"], found["verdict"], True)
    if redraw.num_units < 8:
        assert found["verdict"] == "ties"
        assert "too short to tell" in found["sentence"]


def of_signs(signs: np.ndarray) -> Pair:
    return Pair(
        lambda weights: np.array([weights @ signs, 0.0]) / weights.sum(),
        signs != 0,
        signs,
    )


@pytest.mark.parametrize("losses", [0, 1, 4, 9])
def test_a_win_needs_the_exact_test_of_mcnemar(losses: int):
    """Of 500 samples; whoever wins has p < 5 % there, too."""
    for wins in range(0, 26, 2):
        signs = np.zeros(500, int)
        signs[:wins], signs[wins : wins + losses] = 1, -1
        found = change(of_signs(signs), by_samples(500), num_resamples=100)
        excludes = found.interval["low"] > 0 or found.interval["high"] < 0
        p_value = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1
        if excludes:
            assert p_value < 0.05
        if p_value < 0.005:
            assert excludes, (wins, losses)


def test_copies_are_one_sample():
    """Three texts, each a hundred times, are no three hundred."""
    signs = np.concatenate([np.ones(300, int), np.zeros(200, int)])
    copied = np.concatenate([np.arange(300) % 3, np.arange(3, 203)])
    found = change(of_signs(signs), by_samples(500), num_resamples=100)
    assert found.interval["low"] > 0
    found = change(of_signs(signs), by_groups(copied), num_resamples=100)
    assert found.interval["low"] <= 0 < found.interval["value"]
    assert found.remark == "They differ on 3 of 203 samples: too few to tell."


def test_a_score_that_is_no_number_is_an_error_and_no_tie():
    pair = Pair(lambda weights: np.array([np.nan, 1.0]), np.ones(9, bool))
    with pytest.raises(ValueError, match="the network scores nan, the baseline 1.0"):
        change(pair, by_samples(9))


def test_a_note_stands_where_the_baseline_is_named():
    found = Change((0.9, 0.8), {"value": 0.1, "low": 0.0, "high": 0.2}, "")
    said = conclude(found, "tfidf", "accuracy", False, note="fitted on 5 of 9 rows")
    expected = "The network ties with tfidf (fitted on 5 of 9 rows): accuracy 0.900"
    assert said["sentence"].startswith(expected)
