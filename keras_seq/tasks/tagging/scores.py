"""A tagger beside its baselines: all scored on the same sentences.

Takes callables and plain data; is independent of networks or files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_seq.data.copies import Digest
from keras_seq.evaluation.aligned_words import aligned_scores
from keras_seq.evaluation.crfsuite import CrfsuiteTagger, has_crfsuite
from keras_seq.evaluation.finite import check_answers
from keras_seq.evaluation.fitted import load_fitted
from keras_seq.evaluation.table import format_report
from keras_seq.evaluation.taggers import BackoffTagger, PerceptronTagger
from keras_seq.evaluation.tags import tag_report, worst_sentences
from keras_seq.text.sentences import Sentence

Baselines = Mapping[str, BackoffTagger | PerceptronTagger | CrfsuiteTagger]
Answer = Callable[[Iterable], Iterator[Mapping[str, Any]]]
KINDS = (BackoffTagger, PerceptronTagger, CrfsuiteTagger)
LEFT_OUT = "left out; it needs python-crfsuite (pip install 'keras_seq[tagging]')"


class Scored(NamedTuple):
    """A report, with what it was made of.

    Attributes:
        report: of `evaluation.tags.tag_report`, and `from_text`.
        truth, answers: N rows of tags.
        worst: sentences with their mistakes marked, a line each.
    """

    report: dict[str, Any]
    truth: Sequence[Sequence[str]]
    answers: Sequence[Sequence[str]]
    worst: str


def fit_baselines(
    sentences: Sequence[Sentence], seed: int, has_entities: bool
) -> Baselines:
    """Fits the baselines on the train part.

    Args:
        sentences: of the train part.
        seed: of the perceptron's order of sentences.
        has_entities: a CRF with hand-made features, too, where it is installed.
    """
    pairs = [(each.words, each.tags) for each in sentences]
    fitted: list[BackoffTagger | PerceptronTagger | CrfsuiteTagger]
    fitted = [BackoffTagger(), PerceptronTagger(seed)]
    if has_entities and has_crfsuite():
        fitted.append(CrfsuiteTagger())
    return {tagger.name: tagger.fit(pairs) for tagger in fitted}


def score_tagger(
    task: str,
    sentences: Sequence[Sentence],
    tag: Answer,
    answer: Answer,
    baselines: Baselines,
    has_entities: bool,
) -> Scored:
    """Scores a network and its baselines on words, and the network on raw texts.

    Args:
        task: the task's name.
        sentences: whose words and tags are true.
        tag: sentences of words to one answer each.
        answer: texts to one answer each; asked of sentences that have their text.
        baselines: fitted on the train part alone.
        has_entities: tags are of a scheme.
    """
    truth = [list(each.tags) for each in sentences]
    rows = list(tag([each.words for each in sentences]))
    sureness = [np.array(row["probability"]) for row in rows]
    check_answers(np.array([each.sum() for each in sureness]), "probabilities")
    answers = [row["tags"] for row in rows]
    others = {
        name: [baseline.tag(each.words) for each in sentences]
        for name, baseline in baselines.items()
    }
    lookup, digest = baselines[BackoffTagger.name], Digest(0)
    assert isinstance(lookup, BackoffTagger)
    lacks_crf = has_entities and CrfsuiteTagger.name not in baselines
    report = tag_report(
        task,
        truth,
        answers,
        others,
        has_entities=has_entities,
        is_known=[[lookup.has_word(word) for word in s.words] for s in sentences],
        groups=[digest(" ".join(each.words)) for each in sentences],
        notes={CrfsuiteTagger.name: LEFT_OUT} if lacks_crf else None,
    )
    written = [each for each in sentences if each.text]
    if written:
        found = list(answer([each.text for each in written]))
        report["from_text"] = aligned_scores(
            [each.words for each in written],
            [each.tags for each in written],
            [row["words"] for row in found],
            [row["tags"] for row in found],
            [each.multiword for each in written],
        )
    worst = worst_sentences(
        [each.words for each in sentences], truth, answers, sureness
    )
    return Scored(report, truth, answers, worst)


def describe(report: Mapping[str, Any]) -> str:
    """A report for people, with what the tagger makes of raw texts."""
    lines = []
    if found := report.get("from_text"):
        words, tags = (f"{found[name]:.3f}" for name in ("words", "tags"))
        scores = f"F1 of words {words}, of their tags {tags}"
        lines.append(f"from {found['n']:,} raw texts: {scores}")
    unit = f"sentences, {report['words']:,} words"
    return format_report(report, unit=unit, lines=lines)


def load_baselines(path: Path) -> Baselines:
    """What `save_fitted` wrote; what is not installed here is left out.

    Raises:
        UserError: The file is missing or no such file.
    """
    kinds = {kind.name: kind for kind in KINDS}
    skip = () if has_crfsuite() else (CrfsuiteTagger.name,)
    return load_fitted(path, kinds.__getitem__, skip)
