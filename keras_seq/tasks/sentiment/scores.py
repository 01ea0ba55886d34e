"""A classifier beside its baselines: all scored on the same samples, in one pass.

Takes callables and plain data; knows nothing of networks or files of samples. Texts are
read some thousand at a time and let go. Baselines are kept as arrays, so that an
exported model can be scored beside them anywhere.
"""

import hashlib
import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_seq.data.store import Samples, stored
from keras_seq.errors import UNREADABLE, UserError
from keras_seq.evaluation.baselines import (
    SURROGATES,
    MajorityBaseline,
    TfidfBaseline,
)
from keras_seq.evaluation.scores import report

Baselines = Mapping[str, MajorityBaseline | TfidfBaseline]

ROWS_READ = 4096
EXAMPLES = 64  # texts kept of what was scored
WORST = 10


class Scored(NamedTuple):
    """A report, with what it was made of.

    Attributes:
        report: what `evaluation.scores.report` returned.
        labels: int (N,).
        probabilities: float (N, C), the network's.
        examples: the first texts, 64 at most.
        mistakes: (sureness, label, answer, text) of the wrong answers that the network
            was surest of, the surest first.
    """

    report: dict[str, Any]
    labels: np.ndarray
    probabilities: np.ndarray
    examples: list[str]
    mistakes: list[tuple[float, int, int, str]]


def fit_baselines(
    samples: Samples, label_names: Sequence[str], seed: int = 0
) -> dict[str, MajorityBaseline | TfidfBaseline]:
    """Fits the baselines on the train part.

    Args:
        samples: (text, label) pairs.
        label_names: C names.
        seed: of the subsample that very large data is cut to.

    Returns:
        Name to fitted baseline.

    Example:

    >>> baselines = fit_baselines([("good", "yes"), ("bad", "no")] * 2, ["no", "yes"])
    >>> baselines["tfidf_logistic"].predict_proba(["so good"]).argmax(axis=1)
    array([1])
    """
    store = stored(samples)
    labels = store.label_ids(label_names)
    fitted = (MajorityBaseline(), TfidfBaseline(seed=seed))
    return {baseline.name: baseline.fit(store.texts(), labels) for baseline in fitted}


def score_classifier(
    task: str,
    samples: Samples,
    answer: Callable[[Iterable[str]], Iterator[Mapping[str, Any]]],
    baselines: Baselines,
    label_names: Sequence[str],
) -> Scored:
    """Scores a network and its baselines on the same samples.

    Args:
        task: the task's name.
        samples: (text, label) pairs.
        answer: texts to one mapping each, with "probabilities" float (C,).
        baselines: fitted on the train part alone.
        label_names: C names, in the order of the probabilities.

    Returns:
        The report and what it was made of.

    Raises:
        UserError: There is no sample, or a label is unknown.
    """
    store = stored(samples)
    if not len(store):
        raise UserError("there is no sample to score")
    labels, every_text = store.label_ids(label_names), store.texts()
    probabilities, copies, examples, mistakes = [], [], [], []
    others = {name: [] for name in baselines}
    for start in range(0, len(store), ROWS_READ):
        texts = list(itertools.islice(every_text, ROWS_READ))
        truth = labels[start : start + ROWS_READ]
        answers = np.stack([row["probabilities"] for row in answer(texts)])
        for name, baseline in baselines.items():
            others[name].append(baseline.predict_proba(texts))
        examples += texts[: EXAMPLES - len(examples)]
        mistakes = heapq.nlargest(WORST, [*mistakes, *_wrong(truth, answers, texts)])
        probabilities.append(answers)
        copies.append(np.array([_digest(text) for text in texts], np.uint64))
    answers = np.concatenate(probabilities)
    beside = {name: np.concatenate(parts) for name, parts in others.items()}
    notes = {name: getattr(b, "note", "") for name, b in baselines.items()}
    told = report(
        task, labels, answers, beside, label_names, notes=notes,
        groups=np.concatenate(copies),
    )  # fmt: skip
    return Scored(told, labels, answers, examples, mistakes)


def _digest(text: str) -> int:
    """The same for texts that differ in case and spaces alone."""
    plain = " ".join(text.casefold().split()).encode("utf-8", SURROGATES)
    return int.from_bytes(hashlib.blake2b(plain, digest_size=8).digest())


def _wrong(
    labels: np.ndarray, probabilities: np.ndarray, texts: Sequence[str]
) -> Iterator[tuple[float, int, int, str]]:
    answers = probabilities.argmax(axis=1)
    for row in np.nonzero(answers != labels)[0]:
        sureness = float(probabilities[row].max())
        yield sureness, int(labels[row]), int(answers[row]), texts[row]


def worst_mistakes(scored: Scored, label_names: Sequence[str]) -> str:
    """The wrong answers that the network was surest of, for people to read.

    Args:
        scored: what `score_classifier` returned.
        label_names: C names.

    Returns:
        One line a mistake; the text is cut to 200 characters.

    Example:

    >>> mistakes = [(0.9, 0, 1, "awful")]
    >>> print(worst_mistakes(Scored({}, None, None, [], mistakes), ["no", "yes"]))
    yes 0.900, but no: awful
    """
    return "\n".join(
        f"{label_names[answer]} {sureness:.3f}, but {label_names[label]}: "
        f"{' '.join(text.split())[:200]}"
        for sureness, label, answer, text in scored.mistakes
    )


def save_baselines(path: Path, baselines: Baselines) -> None:
    """Writes fitted baselines as arrays alone.

    Args:
        path: file, by habit with the suffix .npz.
        baselines: what `fit_baselines` returned.
    """
    with open(path, "wb") as file:
        np.savez_compressed(file, **baselines[TfidfBaseline.name].to_arrays())


def load_baselines(path: Path) -> dict[str, MajorityBaseline | TfidfBaseline]:
    """Reads what `save_baselines` wrote.

    Raises:
        UserError: The file is missing or no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            tfidf = TfidfBaseline.from_arrays(arrays)
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: no baselines can be read ({reason})") from error
    return {tfidf.fallback_.name: tfidf.fallback_, tfidf.name: tfidf}
