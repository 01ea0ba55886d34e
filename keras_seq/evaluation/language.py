"""Perplexity with an interval, beside that of n-gram models; and what was copied.

Takes log-probabilities of finished predictions and plain token ids: nothing of models,
texts or files.

Shapes: N tokens.
"""

import bisect
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.evaluation import bootstrap, table, verdict
from keras_seq.evaluation.finite import check_answers, finite_baselines
from keras_seq.evaluation.reports import gather_report
from keras_seq.evaluation.resampling import by_blocks
from keras_seq.text.kneser_ney import ngram_hashes

# Tokens are summed by so many stretches at most, which are what blocks are made of.
MOST_STRETCHES = 5000
RESAMPLES = 1000
MOST_NATS = 700.0  # of a token: the exponential of more is no number


def language_report(
    task: str,
    log_probabilities: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    characters: int,
    *,
    notes: Mapping[str, str] | None = None,
    num_resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Gathers what `evaluate` prints of a language model.

    Scores are `cross_entropy` in nats a token, `perplexity` of a token (its
    exponential) and `bits_per_character`, which compares models with other tokens.
    Neighbouring tokens are hard together: intervals are of a bootstrap over blocks of
    text, as long as the losses' autocorrelation asks for, paired for the verdict, which
    is against the baseline with the lowest perplexity.

    Args:
        task: the task's name.
        log_probabilities: float (N,), the network's, in nats.
        baselines: name to float (N,), for the same tokens; at least one.
        characters: of the text that the tokens make.
        notes: what to know of a baseline, by name.
        num_resamples: blocks are redrawn so many times.

    Returns:
        `{"task", "n", "characters", "scores": {name: {"value", "low", "high"}},
        "baselines": {name: {score: value}}, "notes", "verdict", "comparison"}`.

    Raises:
        ValueError: There is no baseline or no token, or a baseline's are more or fewer.
        UserError: The network's log-probabilities hold NaN or Inf.

    Example:

    >>> report = language_report(
    ...     "text", np.log(np.full(400, 0.5)), {"unigram": np.log(np.full(400, 0.1))},
    ...     characters=800)
    >>> round(report["scores"]["perplexity"]["value"], 6), report["verdict"]
    (2.0, 'wins')
    >>> round(report["scores"]["bits_per_character"]["value"], 6)
    0.5
    """
    check_answers(log_probabilities, "log-probabilities")
    baselines, left_out = finite_baselines(baselines)
    named = {"network": log_probabilities, **baselines}
    lengths = {name: len(values) for name, values in named.items()}
    if len(named) < 2 or not len(log_probabilities) or len(set(lengths.values())) > 1:
        raise ValueError(f"tokens are {lengths}; expected a baseline of as many")
    size = len(log_probabilities)
    each = -(-size // MOST_STRETCHES)
    starts = np.arange(0, size, each)
    tokens = np.diff(starts, append=size)
    losses = {n: -np.add.reduceat(values, starts) for n, values in named.items()}
    values = {name: float(lost.sum() / size) for name, lost in losses.items()}
    best = min(baselines, key=lambda name: values[name])
    notes = notes or {}
    both = np.stack([losses["network"], losses[best]])
    comparison = verdict.compare(
        verdict.Pair(
            lambda weights: both @ weights / (tokens @ weights),
            ~np.isclose(both[0], both[1], rtol=1e-9, atol=0),
        ),
        by_blocks(
            _per_token(both[0] - both[1], tokens),
            unit="tokens" if each == 1 else f"stretches of {each:,} tokens",
        ),
        baseline=best,
        metric="cross_entropy",
        lower_is_better=True,
        unit=" nats a token",
        note=notes.get(best, ""),
        num_resamples=num_resamples,
    )
    bits = size / characters / math.log(2)
    beside = {
        name: {
            "cross_entropy": values[name],
            "perplexity": float(np.exp(values[name])),
            "bits_per_character": values[name] * bits,
        }
        for name in baselines
    }
    return gather_report(
        task,
        {"n": size, "characters": characters},
        _scores(losses["network"], tokens, bits, num_resamples),
        beside,
        comparison,
        notes=notes,
        left_out=left_out,
    )


def _per_token(lost: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """What each stretch adds to a mean over tokens."""
    return lost - lost.sum() / tokens.sum() * tokens


def _scores(
    lost: np.ndarray, tokens: np.ndarray, bits: float, num_resamples: int
) -> dict[str, dict[str, float]]:
    redraw = by_blocks(_per_token(lost, tokens))
    (value,), drawn = bootstrap.bootstrap(
        lambda weights: np.atleast_1d(lost @ weights / (tokens @ weights)),
        redraw,
        num_resamples,
    )
    bounds = 0.0, MOST_NATS
    nats = bootstrap.interval(value, drawn[:, 0], redraw.widening(), bounds)
    return {
        "cross_entropy": nats,
        "perplexity": {end: float(np.exp(number)) for end, number in nats.items()},
        "bits_per_character": {end: number * bits for end, number in nats.items()},
    }


def format_language_report(report: Mapping[str, Any]) -> str:
    """Writes a report for people: an aligned table, then the plain sentence."""
    text = table.format_report(report, unit="tokens")
    dynamic = report.get("dynamic")
    if dynamic:
        text += (
            f"\nDynamic evaluation: perplexity {dynamic['perplexity']:.3f}, "
            f"cross-entropy {dynamic['cross_entropy']:.3f} nats a token."
        )
    return text


def copied_share(
    token_ids: Sequence[int] | np.ndarray, source: np.ndarray, size: int
) -> float:
    """Share of a text's n-grams that stand in another text word for word.

    Of generated text beside training text it shows memorisation; held-out text gives
    the share that is only the language's own.

    Args:
        token_ids: int (N,), the text looked at.
        source: int (M,), the text it may be copied from.
        size: n.

    Returns:
        From 0 to 1; 0 where the text is shorter than n.

    Example:

    >>> copied_share([5, 6, 7, 9], np.array([4, 5, 6, 7, 8]), size=3)
    0.5
    """
    if len(token_ids) < size:
        return 0.0
    own = ngram_hashes(np.asarray(token_ids), size)[size][size - 1 :]
    others = ngram_hashes(np.asarray(source), size)[size][size - 1 :]
    return float(np.isin(own, others).mean())


def longest_copy(token_ids: Sequence[int] | np.ndarray, source: np.ndarray) -> int:
    """Tokens in the longest stretch of a text that stands in another text.

    Args:
        token_ids: int (N,).
        source: int (M,).

    Returns:
        Its length.

    Example:

    >>> longest_copy([5, 6, 7, 9], np.array([4, 5, 6, 7, 8]))
    3
    """
    sizes = range(1, len(token_ids) + 1)
    return bisect.bisect(sizes, 0, key=lambda n: not copied_share(token_ids, source, n))
