"""Scores of captions beside cheap baselines, each with an interval, and how unlike.

BLEU-1 to BLEU-4 over all references are sacreBLEU's (Post 2018), CIDEr-D is of
`evaluation.cider`. Pictures are redrawn, copies of one together. Knows texts alone:
nothing of models or pictures.

Shapes: N pictures.
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from keras_seq.data.copies import copy_key, text_digests
from keras_seq.errors import UserError
from keras_seq.evaluation.cider import CiderD
from keras_seq.evaluation.reports import corpus_report
from keras_seq.evaluation.resampling import by_groups
from keras_seq.evaluation.table import format_report
from keras_seq.evaluation.translations import CorpusMetric, tokenizer_for

ORDERS = (4, 3, 2, 1)  # of BLEU; the first is what the verdict compares
HEADLINE = f"bleu_{ORDERS[0]}"
FEW_DIFFERENT = 2  # captions for all pictures: fewer are an alarm


def check_installed() -> Any:
    """sacreBLEU's BLEU; a UserError where it is not installed: before a training."""
    try:
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        raise UserError(
            f"scoring captions needs sacrebleu ({error}): "
            "python -m pip install 'keras_seq[captioning]'"
        ) from error
    return BLEU


class _Scorer:
    """What every caption of one part is scored with."""

    def __init__(self, references: Sequence[Sequence[str]]) -> None:
        BLEU, streams = check_installed(), list(zip_longest(*references))
        cut = tokenizer_for([text for texts in references for text in texts])
        self._kinds = {
            n: CorpusMetric(
                BLEU(lowercase=True, tokenize=cut, max_ngram_order=n), streams
            )
            for n in ORDERS
        }
        self.bleu, self._cider = self._kinds[ORDERS[0]], CiderD(references)
        self._keys = [{copy_key(text) for text in texts} for texts in references]

    def columns(self, hypotheses: Sequence[str]) -> np.ndarray:
        """float64 (N, 12): counts of BLEU, CIDEr-D, and whether a reference says it."""
        exact = [copy_key(h) in keys for h, keys in zip(hypotheses, self._keys)]
        counts, cider = self.bleu.counts(hypotheses), self._cider.scores(hypotheses)
        return np.column_stack([counts, cider, exact])

    def scores(self, weights: np.ndarray, columns: np.ndarray) -> dict[str, float]:
        """Of weighted pictures, by name."""
        sums = weights @ columns
        # Right and all n-grams of each length.
        lengths, right, every, others = np.split(sums, [2, 2 + ORDERS[0], -2])
        found = {
            f"bleu_{n}": bleu.score(np.concatenate([lengths, right[:n], every[:n]]))
            for n, bleu in self._kinds.items()
        }
        cider, exact = others / weights.sum()
        return found | {"cider_d": float(cider), "exact": float(exact)}


def caption_report(
    task: str,
    references: Sequence[Sequence[str]],
    hypotheses: Sequence[str],
    baselines: Mapping[str, Sequence[str]],
    *,
    train_digests: np.ndarray,
    several: Sequence[Sequence[str]] | None = None,
    groups: Sequence[str] | None = None,
    notes: Mapping[str, str] | None = None,
    num_resamples: int = 1000,
) -> dict[str, Any]:
    """Gathers what `evaluate` prints: scores, baselines, the verdict, and variety.

    BLEU goes from 0 to 100, CIDEr-D from 0 to 10; `exact` is the share of captions that
    a reference says, but for case and signs.

    Args:
        task: the task's name.
        references: captions of each picture, one or more.
        hypotheses: N captions, the network's.
        baselines: name to N captions; one or more.
        train_digests: uint64, `caption_digests` of all captions of train.
        several: the best few of the network's captions of each picture.
        groups: N names; pictures of one are redrawn together. None: each alone.
        notes: what to know of a baseline, by name.
        num_resamples: pictures are redrawn so many times.

    Returns:
        `{"task", "n", "scores", "baselines", "notes", "verdict", "comparison"}` as
        `evaluation.scores.report` has it; "signatures" of sacreBLEU; "variety", how
        many captions differ and which share stands in train, of the network and of
        baselines; "oracle", scores of the best of `several`; and "alarm", a sentence
        where one caption serves all pictures, or "".

    Raises:
        ValueError: There is no picture or no baseline.
        UserError: sacrebleu is not installed.

    Example:

    >>> references = [[f"a dog {n} runs home", f"the dog {n}"] for n in range(100)]
    >>> right = [texts[0] for texts in references]
    >>> report = caption_report("captioning", references, right,
    ...     {"constant": ["a dog"] * 100}, train_digests=caption_digests(["a dog"]))
    >>> round(report["scores"]["bleu_4"]["value"], 6), report["verdict"]
    (100.0, 'wins')
    >>> report["variety"]["constant"], report["alarm"]
    ({'different': 1, 'in_train': 1.0}, '')
    """
    if not len(references) or not baselines:
        raise ValueError("expected one or more pictures, and baselines beside them")
    scorer = _Scorer(references)
    redraw = by_groups(range(len(references)) if groups is None else groups, "pictures")
    given = {"network": list(hypotheses), **baselines}
    columns = {name: scorer.columns(texts) for name, texts in given.items()}
    return corpus_report(
        task,
        scorer.scores,
        columns.pop("network"),
        columns,
        slice(-2),  # the counts of BLEU
        redraw,
        bounds={"cider_d": (0.0, 10.0), "exact": (0.0, 1.0)},
        notes=notes,
        num_resamples=num_resamples,
        signatures={HEADLINE: scorer.bleu.signature},
        variety={name: variety(texts, train_digests) for name, texts in given.items()},
        oracle={} if several is None else _oracle(scorer, references, several),
        alarm=alarm(hypotheses),
    )


def caption_digests(captions: Sequence[str]) -> np.ndarray:
    """uint64 (N,), equal where captions differ in case and signs alone."""
    return text_digests([text.encode("utf-8", "replace") for text in captions], 0)


def variety(captions: Sequence[str], train_digests: np.ndarray) -> dict[str, float]:
    """How many captions differ, and the share that stands in train word for word.

    Example:

    >>> train = caption_digests(["A dog runs."])
    >>> variety(["a dog runs", "a dog runs.", "a cat", "a car"], train)
    {'different': 3, 'in_train': 0.5}
    """
    own = caption_digests(captions)
    known = np.isin(own, train_digests)
    return {"different": len(np.unique(own)), "in_train": float(known.mean())}


def alarm(captions: Sequence[str]) -> str:
    """A sentence where one caption serves all of several pictures, or "".

    Example:

    >>> alarm(["a dog", "A dog."])
    "One caption serves all 2 pictures, 'a dog': the network does not look at them."
    """
    keys = {copy_key(text) for text in captions}
    if len(captions) < FEW_DIFFERENT or len(keys) >= FEW_DIFFERENT:
        return ""
    return (
        f"One caption serves all {len(captions):,} pictures, {captions[0]!r}: the "
        "network does not look at them."
    )


def _oracle(
    scorer: _Scorer,
    references: Sequence[Sequence[str]],
    several: Sequence[Sequence[str]],
) -> dict[str, float]:
    """Scores where somebody chose the best of each picture's captions by CIDEr-D."""
    ranks = list(zip_longest(*several, fillvalue=""))
    by_rank = np.stack([scorer.columns(texts) for texts in ranks])  # (K, N, 12)
    chosen = by_rank[..., -2].argmax(axis=0)
    columns = by_rank[chosen, np.arange(len(references))]
    found = scorer.scores(np.ones(len(references)), columns)
    return {"n_best": len(ranks), **found}


def worst_captions(
    references: Sequence[Sequence[str]], hypotheses: Sequence[str]
) -> list[tuple[float, int]]:
    """(CIDEr-D, number of the picture), the lowest first.

    Example:

    >>> worst_captions([["a dog runs"], ["one cat sleeps"]], ["a dog runs", "a car"])
    [(0.0, 1), (7.5, 0)]
    """
    scores = CiderD(references).scores(hypotheses)
    order = np.argsort(scores, kind="stable").tolist()
    return [(float(scores[number]), number) for number in order]


def describe_captions(report: Mapping[str, Any]) -> str:
    """A report for people: how unlike the captions are, and what the best few hold."""
    variety = ", ".join(
        f"{name} {own['different']:,} ({own['in_train']:.0%} in train)"
        for name, own in report["variety"].items()
    )
    lines = [f"{name}: {text}" for name, text in report["signatures"].items()]
    lines.append(f"different captions of {report['n']:,}: {variety}")
    if oracle := report["oracle"]:
        scores = ", ".join(
            f"{name} {oracle[name]:.3f}" for name in ("bleu_4", "cider_d", "exact")
        )
        lines.append(f"with the best of {oracle['n_best']} captions: {scores}")
    lines += [report["alarm"]] if report["alarm"] else []
    return format_report(report, unit="pictures", lines=lines)
