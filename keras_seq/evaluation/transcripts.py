"""Scores of finished transcripts, each with an interval, beside cheap baselines.

Knows texts alone: nothing of sound, models or files. jiwer aligns the words; the
bootstrap redraws whole utterances, because words of one are not independent, and where
there are several speakers those before them, because utterances of one are not either
(Bisani and Ney 2004, "Bootstrap estimates for confidence intervals in ASR performance
evaluation").
"""

import collections
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.errors import UserError
from keras_seq.evaluation import bootstrap, verdict
from keras_seq.evaluation.reports import gather_report
from keras_seq.evaluation.resampling import Redraw, by_speakers, redraw_of

RATES = ("wer", "cer", "substitutions", "deletions", "insertions")
BOUNDS = {"substitutions": (0.0, 1.0), "deletions": (0.0, 1.0)}


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
    recordings: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
    is_isolated: bool = False,
    num_resamples: int = 1000,
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
        speakers: N names, or none; "" where one is not known.
        recordings: N names, or none; utterances of one name are redrawn together.
        notes: what to know of a baseline, by name.
        is_isolated: every clip is one label.
        num_resamples: speakers and utterances are redrawn so many times.

    Returns:
        `{"task", "n", "scores", "baselines", "notes", "verdict", "comparison"}` as
        `evaluation.scores.report` has it, and `by_speaker` where there are speakers.

    Raises:
        ValueError: There is no transcript or no baseline.

    Example:

    >>> report = transcript_report("speech", ["go"] * 200, ["go", "no"] * 100,
    ...                          {"most_frequent": ["no"] * 200}, is_isolated=True)
    >>> report["scores"]["wer"]["value"], report["scores"]["accuracy"]["value"]
    (0.5, 0.5)
    >>> report["verdict"], report["baselines"]["most_frequent"]["wer"]
    ('wins', 1.0)
    """
    if not len(references) or not baselines:
        raise ValueError("expected one or more transcripts, and baselines beside them")
    names = (*RATES, "accuracy" if is_isolated else "sentence_accuracy")
    counts = error_counts(references, hypotheses)
    others = {
        name: error_counts(references, given) for name, given in baselines.items()
    }
    given = recordings if len(recordings) else None
    redraw = redraw_of(len(counts), given, "utterances")
    if len(set(speakers)) > 1:
        redraw = by_speakers(speakers)
    everyone = np.ones(len(counts))
    baseline_scores = {
        name: dict(zip(names, _rates(other)(everyone).tolist()))
        for name, other in others.items()
    }
    best = min(baseline_scores, key=lambda name: baseline_scores[name]["wer"])
    notes = notes or {}
    comparison = verdict.compare(
        _pair(counts, others[best], is_isolated),
        redraw,
        baseline=best,
        metric="accuracy" if is_isolated else "wer",
        lower_is_better=not is_isolated,
        bounds=verdict.SHARES if is_isolated else verdict.ANY,
        note=notes.get(best, ""),
        num_resamples=num_resamples,
    )
    if len(set(speakers)) == 1 and speakers[0]:
        comparison["sentence"] += " All of it is of one speaker: others may differ."
    n, scores = {"n": len(counts)}, _scores(names, counts, redraw, num_resamples)
    further: dict[str, Any] = {"notes": notes}
    if any(speakers):
        further["by_speaker"] = by_speaker(counts, speakers)
    return gather_report(task, n, scores, baseline_scores, comparison, **further)


def _scores(
    names: Sequence[str], counts: np.ndarray, redraw: Redraw, num_resamples: int
) -> dict[str, dict[str, float]]:
    values, resamples = bootstrap.bootstrap(_rates(counts), redraw, num_resamples)
    widening, scores = redraw.widening(), {}
    for name, value, drawn in zip(names, values, resamples.T):
        share = (0.0, 1.0) if name.endswith("accuracy") else (0.0, np.inf)
        bounds = BOUNDS.get(name, share)
        scores[name] = bootstrap.interval(value, drawn, widening, bounds)
    exact = bootstrap.share_interval(counts[:, 6].sum(), len(counts))
    scores[names[-1]] = bootstrap.hull(scores[names[-1]], *exact)
    return scores


def _pair(counts: np.ndarray, other: np.ndarray, is_isolated: bool) -> verdict.Pair:
    column = -1 if is_isolated else 0
    both = _rates(counts), _rates(other)
    signs = counts[:, 6] - other[:, 6]
    wrong, wrong_too = counts[:, :3].sum(axis=1), other[:, :3].sum(axis=1)
    return verdict.Pair(
        lambda weights: np.array([rates(weights)[column] for rates in both]),
        signs != 0 if is_isolated else wrong != wrong_too,
        signs if is_isolated else None,
    )


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


def error_table(
    references: Sequence[str], hypotheses: Sequence[str]
) -> list[tuple[str, str, int]]:
    """The 30 commonest word errors: (spoken, written, times); "" where there is none.

    Args:
        references: N transcripts, none of them empty.
        hypotheses: N transcripts.

    Example:

    >>> error_table(["go now", "go"], ["no now", "no"])
    [('go', 'no', 2)]
    """
    jiwer = _jiwer()
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    for reference, hypothesis in zip(references, hypotheses):
        aligned = jiwer.process_words(reference, hypothesis)
        spoken, written = aligned.references[0], aligned.hypotheses[0]
        for chunk in aligned.alignments[0]:
            if chunk.type == "equal":
                continue
            own = spoken[chunk.ref_start_idx : chunk.ref_end_idx]
            other = written[chunk.hyp_start_idx : chunk.hyp_end_idx]
            size = max(len(own), len(other))
            own, other = (part + [""] * (size - len(part)) for part in (own, other))
            found.update(zip(own, other))
    return [(own, other, times) for (own, other), times in found.most_common(30)]


def _jiwer():
    try:
        import jiwer
    except ImportError as error:
        raise UserError(
            f"counting word errors needs jiwer ({error}): "
            "python -m pip install 'keras_seq[speech]'"
        ) from error
    return jiwer
