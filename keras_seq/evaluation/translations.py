"""Scores of finished translations, each with an interval, beside cheap baselines.

BLEU and chrF are sacreBLEU's (Post 2018, "A Call for Clarity in Reporting BLEU
Scores"), with their signatures. Sentences are redrawn, those with one source together.
Knows texts alone: nothing of models or files.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.errors import UserError
from keras_seq.evaluation.reports import corpus_report
from keras_seq.evaluation.resampling import by_groups
from keras_seq.evaluation.tfidf_terms import UNSPACED

LENGTHS = (1, 6, 11, 16, 21, 31)  # words of a source: where each class begins
LONGEST_REPEAT = 3  # words said twice in a row, or runs of up to so many


class CorpusMetric:
    """Sums over sentences of one of sacreBLEU's metrics, and its score of them.

    Args:
        metric: of sacreBLEU.
        references: streams of N sentences each; None where one has fewer references.
    """

    def __init__(self, metric: Any, references: Sequence[Sequence[str | None]]) -> None:
        metric.num_refs = len(references)  # as a signature says
        self._metric, self._references = metric, references

    def counts(self, hypotheses: Sequence[str]) -> np.ndarray:
        """float64 (N, K), what the score of a corpus is made of."""
        counted = self._metric._extract_corpus_statistics(
            list(hypotheses), self._references
        )
        return np.array(counted, np.float64)

    def score(self, sums: np.ndarray) -> float:
        return float(self._metric._compute_score_from_stats(sums.tolist()).score)

    @property
    def signature(self) -> str:
        return str(self._metric.get_signature())


def translation_metrics(references: Sequence[str]) -> dict[str, CorpusMetric]:
    """Lower-cased BLEU, BLEU as written, and chrF, by name.

    Args:
        references: N translations; their script decides how sentences are cut.

    Raises:
        UserError: sacrebleu is not installed.
    """
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError as error:
        raise UserError(
            f"scoring translations needs sacrebleu ({error}): "
            "python -m pip install 'keras_seq[translation]'"
        ) from error
    cut = tokenizer_for(references)
    metrics: dict[str, Any] = {
        "bleu": BLEU(lowercase=True, tokenize=cut),
        "bleu_cased": BLEU(tokenize=cut),
        "chrf": CHRF(),
    }
    streams = [list(references)]
    return {name: CorpusMetric(metric, streams) for name, metric in metrics.items()}


def tokenizer_for(references: Sequence[str]) -> str:
    """sacreBLEU's name of how sentences of this script fall into words.

    Example:

    >>> tokenizer_for(["A dog runs."]), tokenizer_for(["一只狗在跑"])
    ('13a', 'zh')
    """
    text = "".join(references[:: max(1, len(references) // 1000)])
    letters = sum(map(str.isalpha, text))
    if 2 * len(UNSPACED.findall(text)) <= letters:
        return "13a"
    chinese = len(re.findall("[\u4e00-\u9fff]", text))
    kana = len(re.findall("[\u3040-\u30ff]", text))
    return "zh" if 2 * chinese > letters and not kana else "char"


def translation_report(
    task: str,
    sources: Sequence[str],
    references: Sequence[str],
    hypotheses: Sequence[str],
    baselines: Mapping[str, Sequence[str]],
    *,
    notes: Mapping[str, str] | None = None,
    num_resamples: int = 1000,
) -> dict[str, Any]:
    """Gathers what `evaluate` prints: scores, baselines and the verdict.

    `bleu` is lower-cased, and what the verdict compares; `bleu_cased` and `chrf` are
    as written. All three go from 0 to 100.

    Args:
        task: the task's name.
        sources, references: N sentences each.
        hypotheses: N translations, the network's.
        baselines: name to N translations; one or more.
        notes: what to know of a baseline, by name.
        num_resamples: sources are redrawn so many times.

    Returns:
        `{"task", "n", "scores", "baselines", "notes", "verdict", "comparison"}` as
        `evaluation.scores.report` has it; "signatures" of sacreBLEU; "by_length", BLEU
        by words of the source; and "faults", how many translations repeat themselves,
        copy the source, or are empty.

    Raises:
        ValueError: There is no sentence or no baseline.
        UserError: sacrebleu is not installed.

    Example:

    >>> rows = [f"Ein Hund läuft zu Haus {n}" for n in range(100)]
    >>> right = [f"A dog runs to house {n}" for n in range(100)]
    >>> report = translation_report("translation", rows, right, right, {"copy": rows})
    >>> round(report["scores"]["bleu"]["value"], 6), report["verdict"]
    (100.0, 'wins')
    >>> report["signatures"]["bleu"]
    'nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|version:2...'
    """
    if not len(references) or not baselines:
        raise ValueError("expected one or more sentences, and baselines beside them")
    metrics = translation_metrics(references)
    redraw = by_groups(list(sources), "sentences")

    def counts(texts: Sequence[str]) -> list[np.ndarray]:
        return [each.counts(texts) for each in metrics.values()]

    network = counts(hypotheses)
    ends = np.cumsum([part.shape[1] for part in network])

    def scores(weights: np.ndarray, own: np.ndarray) -> dict[str, float]:
        parts = zip(metrics.items(), np.split(weights @ own, ends[:-1]))
        return {name: metric.score(sums) for (name, metric), sums in parts}

    return corpus_report(
        task,
        scores,
        np.hstack(network),
        {name: np.hstack(counts(texts)) for name, texts in baselines.items()},
        slice(ends[0]),  # the counts of BLEU
        redraw,
        notes=notes,
        num_resamples=num_resamples,
        signatures={name: metric.signature for name, metric in metrics.items()},
        by_length=_by_length(sources, metrics["bleu"], network[0]),
        faults=translation_faults(sources, references, hypotheses),
    )


def _by_length(
    sources: Sequence[str], metric: CorpusMetric, counts: np.ndarray
) -> dict[str, dict[str, float]]:
    words = np.array([len(source.split()) for source in sources])
    classes = np.maximum(np.searchsorted(LENGTHS, words, "right") - 1, 0)
    found = {}
    for number in np.unique(classes).tolist():
        first, after = LENGTHS[number], (*LENGTHS, None)[number + 1]
        name = f"{first}-{after - 1}" if after else f"{first}+"
        own = counts[classes == number]
        found[name] = {"n": len(own), "bleu": metric.score(own.sum(axis=0))}
    return found


def translation_faults(
    sources: Sequence[str], references: Sequence[str], hypotheses: Sequence[str]
) -> dict[str, int]:
    """How many translations repeat themselves, copy the source, or are empty.

    What the reference does as well is no fault.

    Example:

    >>> translation_faults(["ein Hund"] * 3, ["a dog"] * 3, ["a a dog", "ein Hund", ""])
    {'repeats': 1, 'copies': 1, 'empty': 1}
    """
    rows = list(zip(sources, references, hypotheses, strict=True))
    return {
        "repeats": sum(_repeats(own) and not _repeats(true) for _, true, own in rows),
        "copies": sum(own == source != true for source, true, own in rows),
        "empty": sum(not own.strip() for _, _, own in rows),
    }


def _repeats(text: str) -> bool:
    """Whether one to three words stand twice in a row."""
    words = text.split()
    return any(
        words[at : at + size] == words[at + size : at + 2 * size]
        for size in range(1, LONGEST_REPEAT + 1)
        for at in range(len(words) - 2 * size + 1)
    )


def worst_translations(
    sources: Sequence[str], references: Sequence[str], hypotheses: Sequence[str]
) -> list[tuple[float, str, str, str]]:
    """The 20 sentences of lowest chrF: (chrF, source, translation, reference)."""
    chrf = translation_metrics(references)["chrf"]
    scores = [chrf.score(row) for row in chrf.counts(hypotheses)]
    order = np.argsort(scores, kind="stable")[:20].tolist()
    return [(scores[n], sources[n], hypotheses[n], references[n]) for n in order]
