"""Scores of finished transcripts, each with an interval, beside cheap baselines.

Knows texts alone: nothing of sound, models or files. jiwer aligns the words; the
bootstrap redraws whole utterances, because words of one are not independent.
"""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.errors import UserError
from keras_seq.evaluation import bootstrap
from keras_seq.evaluation.finite import checked_report

# Of fewer utterances, a resample says too little of those not heard.
FEW_UTTERANCES = 100
RATES = ("wer", "cer", "substitutions", "deletions", "insertions")


def error_counts(references: Sequence[str], hypotheses: Sequence[str]) -> np.ndarray:
    """What is wrong with each transcript.

    Args:
        references: N transcripts, none of them empty.
        hypotheses: N transcripts.

    Returns:
        int64 (N, 7): words substituted, deleted, inserted and spoken, wrong characters
        and spoken ones (spaces count), and 1 where all is right.

    Raises:
        ValueError: There are not as many of both, or a reference is empty.
        UserError: jiwer is not installed.

    Example:

    >>> error_counts(["go now"], ["no"]).tolist()
    [[1, 1, 0, 2, 4, 6, 0]]
    """
    jiwer = _jiwer()
    if len(references) != len(hypotheses) or not all(map(str.strip, references)):
        raise ValueError(
            f"{len(references)} references and {len(hypotheses)} hypotheses; expected "
            "as many of both, and no empty reference"
        )
    rows = np.zeros((len(references), 7), np.int64)
    for row, reference, hypothesis in zip(rows, references, hypotheses):
        words = jiwer.process_words(reference, hypothesis)
        characters = jiwer.process_characters(reference, hypothesis)
        row[:3] = words.substitutions, words.deletions, words.insertions
        row[3] = words.hits + words.substitutions + words.deletions
        edits = characters.substitutions, characters.deletions, characters.insertions
        row[4:6] = sum(edits), characters.hits + sum(edits[:2])
        row[6] = reference == hypothesis
    return rows


def _rates(counts: np.ndarray) -> bootstrap.Statistic:
    """RATES, then the share of transcripts that are right, of weighted utterances."""
    counts = counts.astype(np.float64)

    def statistic(weights: np.ndarray) -> np.ndarray:
        of = weights @ counts
        words = of[:3].sum() / of[3], *(of[:3] / of[3])
        values = [words[0], of[4] / of[5], *words[1:], of[6] / weights.sum()]
        return np.array(values)

    return statistic


def transcript_report(
    task: str,
    references: Sequence[str],
    hypotheses: Sequence[str],
    baselines: Mapping[str, Sequence[str]],
    *,
    speakers: Sequence[str] = (),
    is_isolated: bool = False,
    num_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Gathers what `evaluate` prints: scores, baselines and the verdict.

    `wer` and `cer` are errors as a share of what was spoken; `substitutions`,
    `deletions` and `insertions` are the parts of `wer`; `accuracy` is the share of
    transcripts without any error, called `sentence_accuracy` where a clip is more than
    one label. The verdict compares `wer` with that of the best baseline, on the same
    resamples.

    Args:
        task: the task's name.
        references: N transcripts.
        hypotheses: N transcripts, the network's.
        baselines: name to N transcripts; one or more.
        speakers: N names, or none.
        is_isolated: every clip is one label.
        num_resamples: utterances are redrawn so many times.
        seed: of the resampling.

    Returns:
        `{"task", "n", "scores", "baselines", "verdict", "comparison"}` as
        `evaluation.scores.report` has it, and `by_speaker` where there are speakers.

    Raises:
        ValueError: There is no transcript or no baseline.

    Example:

    >>> told = transcript_report("speech", ["go"] * 200, ["go", "no"] * 100,
    ...                          {"most_frequent": ["no"] * 200}, is_isolated=True)
    >>> told["scores"]["wer"]["value"], told["scores"]["accuracy"]["value"]
    (0.5, 0.5)
    >>> told["verdict"], told["baselines"]["most_frequent"]["wer"]
    ('wins', 1.0)
    """
    if not len(references) or not baselines:
        raise ValueError("expected one or more transcripts, and baselines beside them")
    names = (*RATES, "accuracy" if is_isolated else "sentence_accuracy")
    counts = error_counts(references, hypotheses)
    others = {name: error_counts(references, said) for name, said in baselines.items()}
    values, resamples = bootstrap.bootstrap(
        _rates(counts), len(counts), num_resamples, seed
    )
    scores = {
        name: bootstrap.interval(value, drawn)
        for name, value, drawn in zip(names, values, resamples.T)
    }
    everyone = np.ones(len(counts))
    beside = {
        name: dict(zip(names, _rates(other)(everyone).tolist()))
        for name, other in others.items()
    }
    best = min(beside, key=lambda name: beside[name]["wer"])
    drawn = num_resamples, seed
    comparison = _compare(counts, others[best], best, is_isolated, *drawn)
    told = {"task": task, "n": len(counts), "scores": scores, "baselines": beside}
    told |= {"verdict": comparison["verdict"], "comparison": comparison}
    if any(speakers):
        told["by_speaker"] = by_speaker(counts, speakers)
    return checked_report(told)


def by_speaker(
    counts: np.ndarray, speakers: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Utterances, WER, CER and share of right transcripts of each speaker.

    Args:
        counts: from `error_counts`.
        speakers: N names.
    """
    found = {}
    for name in sorted(set(speakers)):
        own = counts[np.array([speaker == name for speaker in speakers])]
        wer, cer, *_, right = _rates(own)(np.ones(len(own))).tolist()
        found[name] = {"n": len(own), "wer": wer, "cer": cer, "accuracy": right}
    return found


def _compare(
    counts: np.ndarray, other: np.ndarray, baseline: str, is_isolated: bool,
    num_resamples: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Whether the network makes fewer errors than a baseline, as `scores.compare`."""
    metric, column = ("accuracy", -1) if is_isolated else ("wer", 0)
    both = _rates(counts), _rates(other)
    values, resamples = bootstrap.bootstrap(
        lambda weights: np.array([rates(weights)[column] for rates in both]),
        len(counts), num_resamples, seed,
    )  # fmt: skip
    apart = resamples[:, 0] - resamples[:, 1]
    change = bootstrap.interval(values[0] - values[1], apart)
    gains = (change["low"], change["high"]) if is_isolated else (
        -change["high"], -change["low"]
    )  # fmt: skip
    verdict = "wins" if gains[0] > 0 else "loses" if gains[1] < 0 else "ties"
    words, advice = {
        "wins": ("wins over", "Use the network."),
        "ties": ("ties with", "No difference is proven, and the baseline is cheaper."),
        "loses": ("loses to", "Use the baseline."),
    }[verdict]
    sentence = (
        f"The network {words} {baseline}: {metric} {values[0]:.3f} against "
        f"{values[1]:.3f} (difference {change['value']:+.3f}, 95 % interval "
        f"{change['low']:+.3f} to {change['high']:+.3f}). {advice}"
    )
    if len(counts) < FEW_UTTERANCES:
        sentence += f" With so few utterances ({len(counts)}) this is a hint at most."
    told = {"baseline": baseline, "metric": metric, "difference": change}
    return told | {"verdict": verdict, "sentence": sentence}


def error_table(
    references: Sequence[str], hypotheses: Sequence[str], most: int = 30
) -> list[tuple[str, str, int]]:
    """The commonest word errors: (spoken, written, times); "" where there is none.

    Args:
        references: N transcripts, none of them empty.
        hypotheses: N transcripts.
        most: errors to list.

    Example:

    >>> error_table(["go now", "go"], ["no now", "no"])
    [('go', 'no', 2)]
    """
    jiwer = _jiwer()
    found = collections.Counter()
    for reference, hypothesis in zip(references, hypotheses):
        aligned = jiwer.process_words(reference, hypothesis)
        spoken, written = aligned.references[0], aligned.hypotheses[0]
        for chunk in aligned.alignments[0]:
            if chunk.type == "equal":
                continue
            own = spoken[chunk.ref_start_idx : chunk.ref_end_idx]
            said = written[chunk.hyp_start_idx : chunk.hyp_end_idx]
            size = max(len(own), len(said))
            own, said = (part + [""] * (size - len(part)) for part in (own, said))
            found.update(zip(own, said))
    return [(own, said, times) for (own, said), times in found.most_common(most)]


def _jiwer():
    try:
        import jiwer
    except ImportError as error:
        raise UserError(
            f"counting word errors needs jiwer ({error}): "
            "python -m pip install 'keras_seq[speech]'"
        ) from error
    return jiwer
