"""Scores of tags on raw text, where the words had to be found, too.

As the CoNLL 2018 shared task has it (Zeman et al. 2018, "Multilingual Parsing from Raw
Text to Universal Dependencies", section 5).
"""

from collections.abc import Sequence

import numpy as np

from keras_seq.evaluation.entities import Tags, precision_recall_f1

Multiword = Sequence[tuple[int, int, str]]  # (first word, number of words, as written)
Span = tuple[int, int, int]  # where a word stands among all characters but spaces


def aligned_scores(
    words: Tags,
    tags: Tags,
    found_words: Tags,
    found_tags: Tags,
    multiword: Sequence[Multiword] | None = None,
) -> dict[str, float]:
    """F1 of words and of tags, in texts that somebody else has split into words.

    A word is right where its characters, spaces aside, are those of a true word, and
    its tag where that is right as well. Words of a multiword token, such as `de le` of
    `du`, are right where they are found within it: as many of them as stand in both, in
    the same order and written alike but for capitals.

    Args:
        words, tags: N rows that are true.
        found_words, found_tags: N rows that were found in the same texts.
        multiword: the multiword tokens of each row, in order.

    Returns:
        {"words", "tags"}: F1; "n": sentences.

    Example:

    >>> aligned_scores([["do", "n't"]], [["A", "B"]], [["don't"]], [["A"]])["words"]
    0.0
    """
    sums = np.zeros(4)
    for own, own_tags, found, answered, tokens in zip(
        words,
        tags,
        found_words,
        found_tags,
        multiword or [()] * len(words),
        strict=True,
    ):
        pairs = aligned_pairs(own, found, tokens)
        right = sum(own_tags[one] == answered[other] for one, other in pairs)
        sums += len(pairs), right, len(found), len(own)
    f1 = [
        precision_recall_f1(np.array([part, *sums[2:]]))[2]
        for part in sums[:2]  # words, and those whose tag is right
    ]
    return {"words": f1[0], "tags": f1[1], "n": len(words)}


def aligned_pairs(
    words: Sequence[str], found: Sequence[str], multiword: Multiword = ()
) -> list[tuple[int, int]]:
    """Numbers of the true word and of the found one, of each pair that is the same.

    Example:

    >>> aligned_pairs(["vou", "a", "o", "mar"], ["vou", "ao", "mar"], [(1, 2, "ao")])
    [(0, 0), (3, 2)]
    """
    tokens = _tokens(words, multiword)
    place_of = {span: place for place, span in enumerate(_spans(found))}
    pairs = []
    for span, (_, own) in zip(_spans([written for written, _ in tokens]), tokens):
        if len(own) > 1:
            start, end, _ = span
            inside = [n for (a, b, _), n in place_of.items() if start <= a and b <= end]
            pairs += _in_both(words, found, own, inside)
        elif span in place_of:
            pairs.append((own[0], place_of[span]))
    return pairs


def _tokens(words: Sequence[str], multiword: Multiword) -> list[tuple[str, range]]:
    """As the text writes them, and the words that each stands for."""
    tokens, at = [], 0
    for first, count, written in (*multiword, (len(words), 0, "")):
        tokens += [(words[n], range(n, n + 1)) for n in range(at, first)]
        tokens += [(written, range(first, first + count))] if count else []
        at = first + count
    return tokens


def _in_both(
    words: Sequence[str], found: Sequence[str], own: Sequence[int], inside: list[int]
) -> list[tuple[int, int]]:
    """The longest common subsequence of a few words."""
    if not own or not inside:
        return []
    if words[own[0]].lower() == found[inside[0]].lower():
        rest = _in_both(words, found, own[1:], inside[1:])
        return [(own[0], inside[0]), *rest]
    without = (own[1:], inside), (own, inside[1:])
    return max((_in_both(words, found, *each) for each in without), key=len)


def _spans(words: Sequence[str]) -> list[Span]:
    """Words without any character stand apart by their number."""
    spans, at = [], 0
    for number, word in enumerate(words):
        size = len("".join(word.split()))
        spans.append((at, at + size, 0 if size else number))
        at += size
    return spans
