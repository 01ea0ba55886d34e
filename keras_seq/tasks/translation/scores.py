"""A translator beside its baselines: all scored on the same sentences.

Takes callables and plain data; knows nothing of networks or files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_seq.evaluation.finite import check_answers
from keras_seq.evaluation.table import format_report
from keras_seq.evaluation.translations import translation_report, worst_translations
from keras_seq.evaluation.translators import (
    CopyBaseline,
    TranslationMemory,
    WordTranslator,
)
from keras_seq.text.pairs import SentencePair

KINDS = (CopyBaseline, TranslationMemory, WordTranslator)
Baselines = Mapping[str, CopyBaseline | TranslationMemory | WordTranslator]
Answer = Callable[[Iterable[str]], Iterator[Mapping[str, Any]]]


class Scored(NamedTuple):
    """A report, and the translations with the lowest chrF.

    Attributes:
        report: of `evaluation.translations.translation_report`.
        worst: (chrF, source, translation, reference).
    """

    report: dict[str, Any]
    worst: list[tuple[float, str, str, str]]


def fit_baselines(pairs: Sequence[SentencePair]) -> Baselines:
    """Fits the baselines on the train part."""
    sides = [pair.source for pair in pairs], [pair.target for pair in pairs]
    return {kind.name: kind().fit(*sides) for kind in KINDS}


def score_translator(
    task: str, pairs: Sequence[SentencePair], answer: Answer, baselines: Baselines
) -> Scored:
    """Scores a network and its baselines, fitted on train alone, on the same pairs."""
    sources, references = [p.source for p in pairs], [p.target for p in pairs]
    answers = list(answer(sources))
    sureness = np.array([row["log_probability"] for row in answers])
    check_answers(sureness, "log-probabilities")
    answered = [row["translation"] for row in answers]
    report = translation_report(
        task,
        sources,
        references,
        answered,
        {name: each.translate(sources) for name, each in baselines.items()},
        notes={name: each.note for name, each in baselines.items()},
    )
    return Scored(report, worst_translations(sources, references, answered))


def describe(report: Mapping[str, Any]) -> str:
    """A report for people, with sacreBLEU's signatures and what goes wrong."""
    lengths = ", ".join(
        f"{words} words {own['bleu']:.1f} ({own['n']:,})"
        for words, own in report["by_length"].items()
    )
    faults = ", ".join(f"{n:,} {fault}" for fault, n in report["faults"].items())
    signatures = [f"{name}: {text}" for name, text in report["signatures"].items()]
    lines = [f"bleu by length of the source: {lengths}", f"faults: {faults}"]
    return format_report(report, unit="sentences", lines=[*signatures, *lines])
