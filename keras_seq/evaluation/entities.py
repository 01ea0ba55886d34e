"""Entities that were found and those that were to be found, counted as seqeval does.

An entity is right where its first word, its last one and its type are; tags that break
the rules of their scheme are read as CoNLL's own scorer reads them.

Shapes: N sentences.
"""

from collections.abc import Sequence

import numpy as np

from keras_seq.text.tag_schemes import entities_of

Tags = Sequence[Sequence[str]]


def entity_counts(
    truth: Tags, answers: Tags, entity_type: str | None = None
) -> np.ndarray:
    """Of each sentence, how many entities are right, answered and true: int64 (N, 3).

    Args:
        truth: N rows of tags.
        answers: N rows of tags, each as long.
        entity_type: counts this type alone.

    Example:

    >>> entity_counts([["B-x", "I-x", "O"]], [["B-x", "O", "B-y"]]).tolist()
    [[0, 2, 1]]
    """
    rows = []
    for own, answered in zip(truth, answers, strict=True):
        sets = [
            {each for each in entities_of(tags) if entity_type in (None, each[2])}
            for tags in (answered, own)
        ]
        rows.append((len(sets[0] & sets[1]), len(sets[0]), len(sets[1])))
    return np.array(rows, np.int64).reshape(-1, 3)


def precision_recall_f1(counts: np.ndarray) -> tuple[float, float, float]:
    """Of (right, answered, true); 0 where nothing was answered or true.

    Example:

    >>> precision_recall_f1(np.array([1, 2, 1]))
    (0.5, 1.0, 0.6666666666666666)
    """
    right, answered, true = (float(count) for count in counts)
    shares = ((right, answered), (right, true), (2 * right, answered + true))
    precision, recall, f1 = (p / whole if whole else 0.0 for p, whole in shares)
    return precision, recall, f1


def scores_of(counts: np.ndarray) -> dict[str, float]:
    """The same by name, and n, how many are true."""
    names = "precision", "recall", "f1", "n"
    return dict(zip(names, (*precision_recall_f1(counts), int(counts[2]))))


def entity_scores(truth: Tags, answers: Tags) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of all entities ("all"), and of each type.

    Args:
        truth: N rows of tags.
        answers: N rows of tags.

    Returns:
        {type: {"precision", "recall", "f1", "n"}}, n the entities that are true.
    """
    found = {each[2] for tags in (*truth, *answers) for each in entities_of(tags)}
    scores = {}
    for name in [None, *sorted(found)]:
        counts = entity_counts(truth, answers, name).sum(axis=0)
        scores[name or "all"] = scores_of(counts)
    return scores
