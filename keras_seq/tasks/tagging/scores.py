"""A tagger beside its baselines: all scored on the same sentences.

Takes callables and plain data; knows nothing of networks or files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_seq.data.copies import Digest
from keras_seq.errors import UNREADABLE, UserError
from keras_seq.evaluation.finite import check_answers
from keras_seq.evaluation.table import format_report
from keras_seq.evaluation.taggers import BackoffTagger, PerceptronTagger
from keras_seq.evaluation.tags import aligned_scores, tag_report
from keras_seq.text.conll import Sentence

Baselines = Mapping[str, BackoffTagger | PerceptronTagger]
Answer = Callable[[Iterable], Iterator[Mapping[str, Any]]]
KINDS = (BackoffTagger, PerceptronTagger)
WORST = 10


class Scored(NamedTuple):
    """A report, with what it was made of.

    Attributes:
        report: of `evaluation.tags.tag_report`, and `from_text`.
        truth, answers: N rows of tags.
        mistakes: (sureness, sentence with its mistakes marked), the surest first.
    """

    report: dict[str, Any]
    truth: list[Sequence[str]]
    answers: list[Sequence[str]]
    mistakes: list[tuple[float, str]]


def fit_baselines(sentences: Sequence[Sentence], seed: int = 0) -> Baselines:
    """Fits the baselines on the train part.

    Args:
        sentences: of the train part.
        seed: of the perceptron's order of sentences.
    """
    pairs = [(each.words, each.tags) for each in sentences]
    fitted = (BackoffTagger(), PerceptronTagger(seed))
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
    beside = {
        name: [baseline.tag(each.words) for each in sentences]
        for name, baseline in baselines.items()
    }
    known, digest = baselines[BackoffTagger.name].table_, Digest(0)
    report = tag_report(
        task, truth, answers, beside, has_entities=has_entities,
        is_known=[[f"w\t{word}" in known for word in s.words] for s in sentences],
        groups=[digest(" ".join(each.words)) for each in sentences],
    )  # fmt: skip
    written = [each for each in sentences if each.text]
    if written:
        found = list(answer([each.text for each in written]))
        report["from_text"] = aligned_scores(
            [each.words for each in written], [each.tags for each in written],
            [row["words"] for row in found], [row["tags"] for row in found],
        )  # fmt: skip
    wrong = map(_marked, sentences, answers, sureness)
    mistakes = sorted((each for each in wrong if each[0]), reverse=True)[:WORST]
    return Scored(report, truth, answers, mistakes)


def _marked(
    sentence: Sentence, answers: Sequence[str], sureness: np.ndarray
) -> tuple[float, str]:
    """How sure the surest mistake is, 0 where there is none; and the sentence."""
    right = [own == answered for own, answered in zip(sentence.tags, answers)]
    shown = [
        word if fine else f"**{word}** ({answered}, but {own})"
        for word, own, answered, fine in zip(
            sentence.words, sentence.tags, answers, right
        )
    ]
    return float(np.where(right, 0.0, sureness).max()), " ".join(shown)[:500]


def worst_sentences(scored: Scored) -> str:
    """The sentences with the mistakes that the network was surest of, one a line.

    Example:

    >>> worst_sentences(Scored({}, [], [], [(0.9, "**fish** (VERB, but NOUN) ends")]))
    '0.900: **fish** (VERB, but NOUN) ends'
    """
    return "\n".join(f"{sureness:.3f}: {shown}" for sureness, shown in scored.mistakes)


def describe(report: Mapping[str, Any]) -> str:
    """A report for people, with what the tagger makes of raw texts."""
    lines = []
    if found := report.get("from_text"):
        words, tags = (f"{found[name]:.3f}" for name in ("words", "tags"))
        lines.append(
            f"from {found['n']:,} raw texts: F1 of words {words}, of their tags {tags}"
        )
    unit = f"sentences, {report['words']:,} words"
    return format_report(report, unit=unit, lines=lines)


def save_baselines(path: Path, baselines: Baselines) -> None:
    """Writes fitted baselines as arrays alone."""
    arrays = {
        f"{name}/{key}": array
        for name, baseline in baselines.items()
        for key, array in baseline.to_arrays().items()
    }
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)


def load_baselines(path: Path) -> Baselines:
    """Reads what `save_baselines` wrote.

    Raises:
        UserError: The file is missing or no such file.
    """
    found = {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for kind in KINDS:
                own = f"{kind.name}/"
                some = {
                    k.removeprefix(own): arrays[k] for k in arrays if k.startswith(own)
                }
                found[kind.name] = kind.from_arrays(some)
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: no baselines can be read ({reason})") from error
    return found
