"""Words that were found in raw text, beside those that are true."""

import pytest

from keras_seq.evaluation.aligned_words import aligned_pairs, aligned_scores


def test_words_found_in_a_text_are_aligned_by_their_characters():
    # "don't go" with "don't" in one: `go` alone can be right.
    scores = aligned_scores(
        [["do", "n't", "go"]], [["A", "B", "C"]], [["don't", "go"]], [["A", "C"]]
    )
    assert scores == {"words": pytest.approx(0.4), "tags": pytest.approx(0.4), "n": 1}


def test_a_right_word_with_a_wrong_tag_counts_as_a_word_alone():
    scores = aligned_scores([["a", "b c"]], [["A", "B"]], [["a", "bc"]], [["A", "X"]])
    assert (scores["words"], scores["tags"]) == (1.0, 0.5)


# true words, multiword tokens, found words, the pairs of numbers
TOKENS = {
    "one for two": ("va a o mar", [(1, 2, "ao")], "va ao mar", [(0, 0), (3, 2)]),
    "found by letters": (
        "do n't go",
        [(0, 2, "don't")],
        "do n't go",
        [(0, 0), (1, 1), (2, 2)],
    ),
    "capitals": ("do not go", [(0, 2, "DON'T")], "DO N'T go", [(0, 0), (2, 2)]),
    "parts of it": ("da me lo", [(0, 3, "damelo")], "da melo", [(0, 0)]),
    "longest": ("a b a c", [(0, 4, "bac")], "b a c", [(1, 0), (2, 1), (3, 2)]),
    "two of them": (
        "de el a el fin",
        [(0, 2, "del"), (2, 2, "al")],
        "del al fin",
        [(4, 2)],
    ),
    "over its edge": ("x de el y", [(1, 2, "del")], "xdel y", [(3, 1)]),
    "none found": ("de el", [(0, 2, "del")], "", []),
    "spaces inside": ("10 000 m", [], "10 000 m", [(0, 0), (1, 1), (2, 2)]),
}


@pytest.mark.parametrize("case", TOKENS)
def test_words_of_a_multiword_token_are_found_within_it(case: str):
    words, multiword, found, pairs = TOKENS[case]
    assert aligned_pairs(words.split(), found.split(), multiword) == pairs


def test_what_follows_a_multiword_token_stays_aligned():
    words, tags = [["vas", "de", "el", "mar"]], [["V", "P", "D", "N"]]
    found, answers = [["vas", "del", "mar"]], [["V", "P", "N"]]
    scores = aligned_scores(words, tags, found, answers, [[(1, 2, "del")]])
    assert scores["words"] == scores["tags"] == pytest.approx(2 * 2 / 7)
    blind = aligned_scores(words, tags, found, answers)
    assert blind["words"] == pytest.approx(2 * 1 / 7)
