"""A classifier beside its baselines: all scored on the same samples, in one pass.

Takes callables and plain data; knows nothing of networks or files of samples. Baselines
are kept as arrays, so that an exported model can be scored beside them anywhere.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_seq.errors import UserError
from keras_seq.evaluation.baselines import MajorityBaseline, TfidfBaseline
from keras_seq.evaluation.scores import report

Samples = Iterable[tuple[str, str]]
Baselines = Mapping[str, MajorityBaseline | TfidfBaseline]


class Scored(NamedTuple):
    """A report, with what it was made of.

    Attributes:
        report: what `evaluation.scores.report` returned.
        labels: int (N,).
        probabilities: float (N, C), the network's.
        texts: N texts.
    """

    report: dict[str, Any]
    labels: np.ndarray
    probabilities: np.ndarray
    texts: list[str]


def fit_baselines(
    samples: Samples, label_names: Sequence[str], seed: int = 0
) -> dict[str, MajorityBaseline | TfidfBaseline]:
    """Fits the baselines on the train part.

    Args:
        samples: (text, label) pairs, read twice.
        label_names: C names.
        seed: of the subsample that very large data is cut to.

    Returns:
        Name to fitted baseline.

    Example:

    >>> baselines = fit_baselines([("good", "yes"), ("bad", "no")] * 2, ["no", "yes"])
    >>> baselines["tfidf_logistic"].predict_proba(["so good"]).argmax(axis=1)
    array([1])
    """
    labels = label_ids(samples, label_names)
    fitted = (MajorityBaseline(), TfidfBaseline(seed=seed))
    return {
        baseline.name: baseline.fit((text for text, _ in samples), labels)
        for baseline in fitted
    }


def label_ids(samples: Samples, label_names: Sequence[str]) -> np.ndarray:
    """Labels as positions in `label_names`: int64 (N,).

    Raises:
        UserError: A label is not among them.

    Example:

    >>> label_ids([("fine", "yes"), ("poor", "no")], ["no", "yes"])
    array([1, 0])
    """
    number_of = {name: number for number, name in enumerate(label_names)}
    numbers = []
    for row, (_, label) in enumerate(samples, start=1):
        if label not in number_of:
            raise UserError(
                f"label {label!r} (sample {row}) was not in the training data, which "
                f"has: {', '.join(label_names)}; mend the data or train anew"
            )
        numbers.append(number_of[label])
    return np.array(numbers, np.int64)


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
    samples = list(samples)
    if not samples:
        raise UserError("there is no sample to score")
    labels = label_ids(samples, label_names)
    texts = [text for text, _ in samples]
    probabilities = np.stack([row["probabilities"] for row in answer(texts)])
    others = {name: each.predict_proba(texts) for name, each in baselines.items()}
    return Scored(
        report(task, labels, probabilities, others, label_names),
        labels,
        probabilities,
        texts,
    )


def worst_mistakes(scored: Scored, label_names: Sequence[str], most: int = 10) -> str:
    """The wrong answers that the network was surest of, for people to read.

    Args:
        scored: what `score_classifier` returned.
        label_names: C names.
        most: number of mistakes.

    Returns:
        One line a mistake; the text is cut to 200 characters.

    Example:

    >>> print(worst_mistakes(Scored({}, np.array([0, 1]), np.array(
    ...     [[0.1, 0.9], [0.2, 0.8]]), ["awful", "nice"]), ["no", "yes"]))
    yes 0.900, but no: awful
    """
    answers = scored.probabilities.argmax(axis=1)
    sureness = scored.probabilities.max(axis=1)
    wrong = np.nonzero(answers != scored.labels)[0]
    wrong = wrong[np.argsort(-sureness[wrong], kind="stable")][:most]
    return "\n".join(
        f"{label_names[answers[i]]} {sureness[i]:.3f}, but "
        f"{label_names[scored.labels[i]]}: {' '.join(scored.texts[i].split())[:200]}"
        for i in wrong
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
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path}: no baselines can be read ({error})") from error
    return {tfidf.fallback_.name: tfidf.fallback_, tfidf.name: tfidf}
