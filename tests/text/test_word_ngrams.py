"""The n-gram model sums to one, survives its ARPA file, and guides the beam."""

import math

import numpy as np
import pytest

from keras_seq.decoding.ctc import prefix_beam_search
from keras_seq.text.word_ngrams import END, UNKNOWN, WordNgrams, word_scores

TEXTS = ["enter one two", "enter two", "stop", "enter one one two", "one stop"]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("history", [(), ("enter",), ("one", "two"), ("new", "enter")])
def test_the_words_after_any_history_have_probability_one(order: int, history: tuple):
    model = WordNgrams.count(TEXTS, order)
    words = {word for text in TEXTS for word in text.split()} | {END, UNKNOWN}
    total = sum(math.exp(model.log_probability(history, word)) for word in words)
    assert total == pytest.approx(1, abs=1e-6)


def test_a_bigram_by_hand():
    model = WordNgrams.count(["a b", "a c"], order=2)
    # Six words with </s>, four kinds, five with <unk>.
    of_b = (1 + 4 / 5) / (6 + 4)
    assert model.log_probability(("a",), "b") == pytest.approx(
        math.log((1 + 2 * of_b) / (2 + 2))
    )


def test_an_arpa_file_gives_the_same_answers():
    model = WordNgrams.count(TEXTS, 3)
    again = WordNgrams.from_arpa(model.to_arpa().splitlines())
    for history in ((), ("enter",), ("enter", "one"), ("no", "one")):
        for word in ("one", "stop", END, "never"):
            expected = model.log_probability(history, word)
            assert again.log_probability(history, word) == pytest.approx(
                expected, abs=1e-5
            )


ARPA = """
\\data\\
ngram 1=3
ngram 2=1

\\1-grams:
-1.0\t<s>\t-0.5
-0.5\tgo\t-0.25
-0.7\t</s>

\\2-grams:
-0.1\t<s> go

\\end\\
"""


def test_a_foreign_file_is_read_with_its_back_off_weights():
    model = WordNgrams.from_arpa(ARPA.splitlines())
    tens = math.log(10)
    assert model.log_probability((), "go") == pytest.approx(-0.1 * tens)
    assert model.log_probability(("go",), "go") == pytest.approx(-0.75 * tens)
    assert model.log_probability(("go",), "never") == pytest.approx(-7 * tens)


@pytest.mark.parametrize(
    ("text", "message"),
    [("hello", "there is no n-gram"), ("\\1-grams:\nx y z w", "line 2 is no 1-gram")],
)
def test_what_is_no_arpa_file_is_told(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        WordNgrams.from_arpa(text.splitlines())


def test_the_beam_prefers_words_that_were_read():
    symbols = [" ", "n", "o", "w"]  # ids 1 to 4
    model = WordNgrams.count(["no now"] * 5)
    # The last letter is as good as missing.
    sure = [[2], [3], [1], [2], [3], [0, 4]]
    rows = np.full((len(sure), 5), 1e-4)
    for row, ids in zip(rows, sure):
        row[ids] = [0.52, 0.48] if len(ids) == 2 else 1
    log_probabilities = np.log(rows / rows.sum(axis=1, keepdims=True))
    extend, finish = word_scores(model, symbols, "", weight=1.0, bonus=0.0)
    alone = prefix_beam_search(log_probabilities)[0].ids
    guided = prefix_beam_search(log_probabilities, extend=extend, finish=finish)[0]
    assert alone == (2, 3, 1, 2, 3)
    assert guided.ids == (2, 3, 1, 2, 3, 4)
    words = ["no", "now", END]
    said = sum(model.log_probability(words[:n], words[n]) for n in range(3))
    heard = prefix_beam_search(log_probabilities, beam_width=200)
    heard = {reading.ids: reading.score for reading in heard}[guided.ids]
    assert guided.score == pytest.approx(heard + said, abs=1e-3)
