"""Taggers beside their baselines: words, sentences, entities, and a verdict.

Sentences are what is redrawn: words of one are not independent of each other.

Shapes: N sentences, T words, M metrics.
"""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.evaluation import bootstrap, verdict
from keras_seq.evaluation.entities import Tags, entity_counts, scores_of
from keras_seq.evaluation.reports import compared_report
from keras_seq.evaluation.resampling import by_groups
from keras_seq.text.tag_schemes import entities_of

# Each metric is a sum over a sum: columns of `_counts`.
WORDS = {
    "accuracy": (1, 0),
    "accuracy_known": (3, 2),
    "accuracy_unknown": (5, 4),
    "sentences_right": (6, 7),
}
ENTITIES = {"precision": (8, 9), "recall": (8, 10), "f1": (11, 12)}


def tag_report(
    task: str,
    truth: Tags,
    answers: Tags,
    baselines: Mapping[str, Tags],
    *,
    is_known: Sequence[Sequence[bool]],
    has_entities: bool = False,
    groups: Sequence | None = None,
    notes: Mapping[str, str] | None = None,
    num_resamples: int = 1000,
) -> dict[str, Any]:
    """Gathers what `evaluate` prints: scores, baselines, verdict, every tag's F1.

    Args:
        task: its name.
        truth: N rows of tags.
        answers: N rows, the network's.
        baselines: name to N rows; one or more.
        is_known: N rows, whether train has the word.
        has_entities: the verdict is about the F1 of entities, else about accuracy.
        groups: N names; sentences of one, such as copies, are redrawn together.
        notes: what to know of a baseline, by name; None where there is nothing.
        num_resamples: sentences are redrawn so many times.

    Returns:
        `{"task", "n", "words", "scores", "baselines", "verdict", "comparison",
        "by_tag"}` as `evaluation.scores.report` has it; n counts sentences. A metric
        that the data do not define, such as accuracy on unknown words where all are
        known, is left out.

    Raises:
        ValueError: There is no sentence or no baseline, or rows differ in length.

    Example:

    >>> truth, right = [["A", "B"]] * 200, [["A", "B"]] * 200
    >>> report = tag_report("tagging", truth, right, {"b": [["A", "A"]] * 200},
    ...                   is_known=[[True, False]] * 200)
    >>> report["scores"]["accuracy_unknown"]["value"], report["verdict"]
    (1.0, 'wins')
    >>> report["baselines"]["b"]["accuracy"], report["by_tag"]["A"]["n"]
    (0.5, 200)
    """
    if not len(truth) or not baselines:
        raise ValueError("expected one or more sentences, and baselines beside them")
    has_entities = has_entities and any(map(entities_of, truth))
    counts = _counts(truth, answers, is_known, has_entities)
    others = {
        name: _counts(truth, tags, is_known, has_entities)
        for name, tags in baselines.items()
    }
    metrics = {n: of for n, of in WORDS.items() if counts[:, of[1]].any()}
    metrics |= ENTITIES if has_entities else {}
    return compared_report(
        task,
        {"n": len(truth), "words": int(counts[:, 0].sum())},
        _statistic(counts, metrics),
        {name: _statistic(other, metrics) for name, other in others.items()},
        dict.fromkeys(metrics, (0.0, 1.0)),
        lambda name: (counts != others[name]).any(axis=1),
        by_groups(range(len(truth)) if groups is None else groups, "sentences"),
        headline="f1" if "f1" in metrics else "accuracy",
        notes=notes,
        comparing={"bounds": verdict.SHARES, "undefined": 0.0},
        num_resamples=num_resamples,
        by_tag=scores_by_tag(truth, answers),
    )


def _counts(
    truth: Tags, answers: Tags, is_known: Sequence, has_entities: bool
) -> np.ndarray:
    """float64 (N, 13) of each sentence, as `WORDS` and `ENTITIES` read them."""
    rows = np.zeros((len(truth), 13))
    for row, tags, answered, known in zip(rows, truth, answers, is_known, strict=True):
        if not len(tags) == len(answered) == len(known):
            raise ValueError(
                f"{len(answered)} tags and {len(known)} marks of known words; expected "
                f"{len(tags)} of both"
            )
        right = np.array([a == b for a, b in zip(tags, answered)])
        known = np.asarray(known, bool)
        row[:8] = (
            len(tags),
            right.sum(),
            known.sum(),
            right[known].sum(),
            (~known).sum(),
            right[~known].sum(),
            right.all(),
            1,
        )
    if has_entities:
        rows[:, 8:11] = entity_counts(truth, answers)
        rows[:, 11], rows[:, 12] = 2 * rows[:, 8], rows[:, 9] + rows[:, 10]
    return rows


def _statistic(
    counts: np.ndarray, metrics: Mapping[str, tuple[int, int]]
) -> bootstrap.Statistic:
    above, below = (np.array(columns) for columns in zip(*metrics.values()))

    def statistic(weights: np.ndarray) -> np.ndarray:
        sums = weights @ counts
        # Where nothing was answered no answer was right.
        return np.divide(
            sums[above], sums[below], out=np.zeros(len(above)), where=sums[below] > 0
        )

    return statistic


def scores_by_tag(truth: Tags, answers: Tags) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of every tag; n, how often it is true.

    Example:

    >>> scores_by_tag([["A", "B"]], [["A", "A"]])["A"]
    {'precision': 0.5, 'recall': 1.0, 'f1': 0.6666666666666666, 'n': 1}
    """
    own = list(itertools.chain(*truth))
    answered = list(itertools.chain(*answers))
    true, found = Counter(own), Counter(answered)
    right = Counter(a for a, b in zip(own, answered) if a == b)
    return {
        tag: scores_of(np.array([right[tag], found[tag], true[tag]]))
        for tag in sorted(true | found)
    }


def worst_sentences(
    words: Tags, truth: Tags, answers: Tags, probability: Sequence
) -> str:
    """The ten sentences with the mistakes that a tagger was surest of, one a line.

    Args:
        words: N rows.
        truth, answers: N rows of tags.
        probability: N rows of floats, those of the answers.

    Example:

    >>> worst_sentences([["fish", "ends"]], [["N", "V"]], [["V", "V"]], [[0.9, 1]])
    '0.900: **fish** (V, but N) ends'
    """
    marked = (_marked(*row) for row in zip(words, truth, answers, probability))
    worst = sorted((each for each in marked if each[0]), reverse=True)[:10]
    return "\n".join(f"{sureness:.3f}: {shown}" for sureness, shown in worst)


def _marked(
    words: Sequence[str],
    tags: Sequence[str],
    answers: Sequence[str],
    probability: Sequence[float],
) -> tuple[float, str]:
    """How sure the surest mistake is, 0 where there is none; and the sentence."""
    sureness, shown = 0.0, []
    for word, own, answered, sure in zip(words, tags, answers, probability):
        wrong = own != answered
        shown.append(f"**{word}** ({answered}, but {own})" if wrong else word)
        sureness = max(sureness, wrong * float(sure))
    return sureness, " ".join(shown)[:500]
