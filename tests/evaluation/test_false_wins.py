"""How often a network that is no better wins all the same, and one that is better.

Losses of network and baseline are drawn many times from one distribution, or with
a known difference; what is counted is the verdict. Nominal are 2.5 % false wins.
"""

import numpy as np
import pytest

from keras_seq.evaluation.resampling import Redraw, by_blocks, by_samples
from keras_seq.evaluation.verdict import Pair, change, verdict_of

LENGTHS = (20, 60, 200, 600, 2000)


def autoregressive(coefficient: float):
    def draw(rng: np.random.Generator, size: int) -> np.ndarray:
        steps = rng.normal(size=size + 200)
        for place in range(1, len(steps)):
            steps[place] += coefficient * steps[place - 1]
        return steps[200:]

    return draw


def overlapping(horizon: int):
    """Means over windows of a horizon, one step apart: they share most of it."""

    def draw(rng: np.random.Generator, size: int) -> np.ndarray:
        steps = rng.normal(size=size + horizon - 1)
        return np.convolve(steps, np.ones(horizon), "valid") / horizon**0.5

    return draw


# Name to the losses' differences, and what is known of the length of blocks.
LOSSES = {
    "independent": (autoregressive(0.0), 1),
    "autoregressive 0.5": (autoregressive(0.5), 1),
    "autoregressive 0.9": (autoregressive(0.9), 1),
    "windows of 5": (overlapping(5), 10),
    "windows of 24": (overlapping(24), 48),
    "windows of 12, not known": (overlapping(12), 1),
    "heavy tails": (lambda rng, size: rng.standard_t(3, size=size), 1),
}


def verdict_on(apart: np.ndarray, redraw: Redraw, num_resamples: int) -> str:
    """The verdict on losses that are so far apart, smaller being the better."""

    def scores(weights: np.ndarray) -> np.ndarray:
        return np.array([weights @ apart, 0.0]) / weights.sum()

    found = change(Pair(scores, apart != 0), redraw, num_resamples=num_resamples)
    return verdict_of(found.interval, lower_is_better=True)


def verdicts(
    name: str, size: int, repeats: int, num_resamples: int, gain: float = 0.0
) -> dict[str, float]:
    """Shares of the verdicts; `gain` is in standard errors of the mean."""
    draw, shortest = LOSSES[name]
    rng = np.random.default_rng(size)
    found = []
    for _ in range(repeats):
        apart = draw(rng, size) - gain
        redraw = by_blocks(apart, shortest)
        found.append(verdict_on(apart, redraw, num_resamples))
    return {verdict: found.count(verdict) / repeats for verdict in ("wins", "loses")}


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_no_better_seldom_wins(name: str):
    shares = [verdicts(name, size, 80, 100) for size in (24, 150, 400)]
    wrong = [share for found in shares for share in found.values()]
    # Two standard errors above 3 %, of 480 and of 80 verdicts.
    assert np.mean(wrong) <= 0.046 and max(wrong) <= 0.1, shares


@pytest.mark.slow
@pytest.mark.parametrize("size", LENGTHS)
@pytest.mark.parametrize("name", LOSSES)
def test_what_is_no_better_wins_in_four_of_a_hundred_at_most(name: str, size: int):
    found = verdicts(name, size, 500, 150)
    # Two standard errors of a share of 4 % in 500 are 1.8 points.
    assert max(found.values()) <= 0.04 + 0.018, found
    print(f"{name}, {size}: {found}")


@pytest.mark.parametrize(
    "name, size, gain",
    [  # four standard errors of the mean, which a z-test finds in 98 of a hundred
        ("independent", 50, 4 / 50**0.5),
        ("autoregressive 0.5", 200, 4 * 2 / 200**0.5),
        ("autoregressive 0.9", 1000, 4 * 10 / 1000**0.5),
        ("windows of 5", 400, 4 * 5**0.5 / 400**0.5),
        ("windows of 24", 2000, 4 * 24**0.5 / 2000**0.5),
    ],
)
def test_what_is_better_is_found(name: str, size: int, gain: float):
    assert verdicts(name, size, 40, 100, gain)["wins"] > 0.8


@pytest.mark.parametrize("size", [6, 30, 300])
@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_few_samples_seldom_win(size: int, share: float):
    """Answers that one of the two has right, and each of them is as likely to."""
    rng, found = np.random.default_rng(0), []
    for _ in range(80):
        signs = rng.choice([-1, 0, 1], p=[share / 2, 1 - share, share / 2], size=size)

        def scores(weights: np.ndarray, signs=signs) -> np.ndarray:
            return np.array([weights @ signs, 0.0]) / weights.sum()

        pair = Pair(scores, signs != 0, signs)
        told = change(pair, by_samples(size), num_resamples=80)
        found.append(verdict_of(told.interval))
    assert found.count("wins") <= 0.06 * len(found) >= found.count("loses")
