"""Perplexity with an interval, beside that of n-gram models; and what was copied.

Takes log-probabilities of finished predictions and plain token ids: nothing of models,
texts or files.

Shapes: N tokens.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.evaluation import bootstrap
from keras_seq.evaluation.finite import (
    check_answers,
    checked_report,
    finite_baselines,
)
from keras_seq.evaluation.kneser_ney import ngram_hashes
from keras_seq.evaluation.scores import format_report

# Neighbouring tokens are hard together: stretches are redrawn, not tokens.
BLOCK_TOKENS = 200
RESAMPLES = 1000


def language_report(
    task: str,
    log_probabilities: np.ndarray,
    baselines: Mapping[str, np.ndarray],
    characters: int,
    *,
    num_resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Any]:
    """Gathers what `evaluate` prints of a language model.

    Scores are `cross_entropy` in nats a token, `perplexity` of a token (its
    exponential) and `bits_per_character`, which compares models with other tokens.
    Intervals are of a bootstrap over stretches of 200 tokens, paired for the verdict,
    which is against the baseline with the lowest perplexity.

    Args:
        task: the task's name.
        log_probabilities: float (N,), the network's, in nats.
        baselines: name to float (N,), for the same tokens; at least one.
        characters: of the text that the tokens make.
        num_resamples: stretches are redrawn so many times.
        seed: of the redrawing.

    Returns:
        `{"task", "n", "characters", "scores": {name: {"value", "low", "high"}},
        "baselines": {name: {score: value}}, "verdict", "comparison"}`.

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
    starts = np.arange(0, size, BLOCK_TOKENS)
    lost = np.stack([-np.add.reduceat(values, starts) for values in named.values()])
    tokens = np.diff(starts, append=size)

    def cross_entropies(weights: np.ndarray) -> np.ndarray:
        return lost @ weights / (tokens @ weights)

    values, drawn = bootstrap.bootstrap(
        cross_entropies, len(starts), num_resamples, seed
    )
    bits = size / characters / math.log(2)
    best = 1 + int(np.argmin(values[1:]))
    difference = bootstrap.interval(
        float(values[0] - values[best]), drawn[:, 0] - drawn[:, best]
    )
    name = list(named)[best]
    told = _verdict(difference, name, float(values[0]), float(values[best]))
    report = {
        "task": task,
        "n": size,
        "characters": characters,
        "scores": {
            "cross_entropy": bootstrap.interval(float(values[0]), drawn[:, 0]),
            "perplexity": bootstrap.interval(
                np.exp(values[0]), np.exp(drawn[:, 0])
            ),
            "bits_per_character": bootstrap.interval(
                float(values[0] * bits), drawn[:, 0] * bits
            ),
        },
        "baselines": {
            name: {
                "cross_entropy": float(value),
                "perplexity": float(np.exp(value)),
                "bits_per_character": float(value * bits),
            }
            for name, value in list(zip(named, values))[1:]
        },
        **told,
    }
    return checked_report(report, left_out)


def format_language_report(report: Mapping[str, Any]) -> str:
    """Writes a report for people: an aligned table, then the plain sentence."""
    table = format_report(report).replace(" samples", " tokens", 1)
    dynamic = report.get("dynamic")
    if dynamic:
        table += (
            f"\nDynamic evaluation: perplexity {dynamic['perplexity']:.3f}, "
            f"cross-entropy {dynamic['cross_entropy']:.3f} nats a token."
        )
    return table


def _verdict(
    difference: dict[str, float], name: str, network: float, baseline: float
) -> dict[str, Any]:
    verdict = "loses" if difference["low"] > 0 else "ties"
    if difference["high"] < 0:
        verdict = "wins"
    words, advice = {
        "wins": ("wins over", "Use the network."),
        "ties": ("ties with", "No difference is proven."),
        "loses": ("loses to", "Counting n-grams predicts this text better."),
    }[verdict]
    change, low, high = (f"{round(x, 3) + 0.0:+.3f}" for x in difference.values())
    sentence = (
        f"The network {words} {name}: cross-entropy {network:.3f} against "
        f"{baseline:.3f} nats a token (difference {change}, 95 % interval {low} to "
        f"{high}). {advice}"
    )
    return {
        "verdict": verdict,
        "comparison": {
            "baseline": name,
            "metric": "cross_entropy",
            "difference": difference,
            "verdict": verdict,
            "sentence": sentence,
        },
    }


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
    low, high = 0, len(token_ids)
    while low < high:
        middle = (low + high + 1) // 2
        if copied_share(token_ids, source, middle) > 0:
            low = middle
        else:
            high = middle - 1
    return low
