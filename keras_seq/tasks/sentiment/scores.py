"""Answers to texts beside those of baselines, scored on the same samples in one pass.

Takes callables and plain data; knows nothing of networks or files of samples. Texts are
read some thousand at a time and let go. Baselines are kept as arrays, so that an
exported model can be scored beside them anywhere.
"""

import hashlib
import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_seq.data.store import Samples, stored
from keras_seq.errors import UNREADABLE, UserError
from keras_seq.evaluation.fitted import SURROGATES
from keras_seq.tasks.sentiment.one_label import OneLabel
from keras_seq.tasks.sentiment.targets import Mistake, Scored, Target

Baselines = Mapping[str, Any]  # by name; `Target.baselines` says which
Named = Target | Sequence[str]  # names are those of classes

ROWS_READ = 4096
EXAMPLES = 64  # texts kept of what was scored
WORST = 10


def as_target(named: Named) -> Target:
    """Names of classes as the target that has them."""
    return named if isinstance(named, Target) else OneLabel(named)


def fit_baselines(samples: Samples, target: Named, seed: int = 0) -> dict[str, Any]:
    """Fits the baselines on the train part.

    Args:
        samples: (text, label) pairs.
        target: what is answered; C names are classes.
        seed: of the subsample that very large data is cut to.

    Returns:
        Name to fitted baseline.

    Example:

    >>> baselines = fit_baselines([("good", "yes"), ("bad", "no")] * 2, ["no", "yes"])
    >>> baselines["tfidf_logistic"].predict_proba(["so good"]).argmax(axis=1)
    array([1])
    """
    store, target = stored(samples), as_target(target)
    labels = target.values(store)
    return {
        baseline.name: baseline.fit(store.texts(), labels)
        for baseline in target.baselines(seed)
    }


def ask_all(
    samples: Samples,
    answer: Callable[[Iterable[str]], Iterator[Mapping[str, Any]]],
    baselines: Baselines,
    target: Target,
) -> Scored:
    """A network's answers and its baselines', in one pass over the samples.

    Args:
        samples: (text, label) pairs.
        answer: texts to one mapping each, with the target's `output`.
        baselines: fitted on the train part alone.
        target: what is answered.

    Returns:
        All but the report.

    Raises:
        UserError: There is no sample, or a label is unknown.
    """
    store = stored(samples)
    if not len(store):
        raise UserError("there is no sample to score")
    labels, every_text = target.values(store), store.texts()
    answers, groups = [], []
    examples: list[str] = []
    mistakes: list[Mistake] = []
    others: dict[str, list[np.ndarray]] = {name: [] for name in baselines}
    for start in range(0, len(store), ROWS_READ):
        texts = list(itertools.islice(every_text, ROWS_READ))
        truth = labels[start : start + ROWS_READ]
        some = np.stack([row[target.output] for row in answer(texts)])
        for name, baseline in baselines.items():
            others[name].append(target.ask(baseline, texts))
        examples += texts[: EXAMPLES - len(examples)]
        found = target.mistakes(truth, some, texts)
        mistakes = heapq.nlargest(WORST, [*mistakes, *found])
        answers.append(some)
        groups.append(np.array([_digest(text) for text in texts], np.uint64))
    whole = {name: np.concatenate(parts) for name, parts in others.items()}
    return Scored(
        labels,
        np.concatenate(answers),
        whole,
        np.concatenate(groups),
        examples,
        mistakes,
    )


def report_on(
    task: str, answered: Scored, baselines: Baselines, target: Target
) -> Scored:
    """Scores what was answered.

    Args:
        task: the task's name.
        answered: of `ask_all`.
        baselines: the same.
        target: with what validation data have chosen.
    """
    notes = {name: baseline.note for name, baseline in baselines.items()}
    return answered._replace(report=target.report(task, answered, notes))


def score_classifier(
    task: str,
    samples: Samples,
    answer: Callable[[Iterable[str]], Iterator[Mapping[str, Any]]],
    baselines: Baselines,
    target: Named,
) -> Scored:
    """Scores a network and its baselines on the same samples.

    Args:
        task: the task's name.
        samples: (text, label) pairs.
        answer: texts to one mapping each, with "probabilities" float (C,), or "number".
        baselines: fitted on the train part alone.
        target: what is answered; C names are classes, in the order of the
            probabilities.

    Returns:
        The report and what it was made of.

    Raises:
        UserError: There is no sample, or a label is unknown.
    """
    target = as_target(target)
    answered = ask_all(samples, answer, baselines, target)
    return report_on(task, answered, baselines, target)


def _digest(text: str) -> int:
    """The same for texts that differ in case and spaces alone."""
    plain = " ".join(text.casefold().split()).encode("utf-8", SURROGATES)
    return int.from_bytes(hashlib.blake2b(plain, digest_size=8).digest())


def worst_mistakes(scored: Scored, target: Named) -> str:
    """The wrong answers that the network was surest of, for people to read.

    Args:
        scored: what `score_classifier` returned.
        target: what was answered; C names are classes.

    Returns:
        One line a mistake; the text is cut to 200 characters.

    Example:

    >>> mistakes = [(0.9, 0, 1, "awful")]
    >>> print(worst_mistakes(Scored(*[None] * 5, mistakes), ["no", "yes"]))
    yes 0.900, but no: awful
    """
    target = as_target(target)
    return "\n".join(
        f"{target.described(mistake)}: {' '.join(mistake[-1].split())[:200]}"
        for mistake in scored.mistakes
    )


def save_baselines(path: Path, baselines: Baselines) -> None:
    """Writes fitted baselines as arrays alone.

    Args:
        path: file, by habit with the suffix .npz.
        baselines: what `fit_baselines` returned.
    """
    with open(path, "wb") as file:
        *_, strongest = baselines.values()
        np.savez_compressed(file, **strongest.to_arrays())


def load_baselines(path: Path, target: Named = ()) -> dict[str, Any]:
    """Reads what `save_baselines` wrote.

    Args:
        path: the file.
        target: what is answered; by default one of some classes.

    Raises:
        UserError: The file is missing or no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            fitted = as_target(target).saved_baselines(arrays)
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: no baselines can be read ({reason})") from error
    return {baseline.name: baseline for baseline in fitted}
