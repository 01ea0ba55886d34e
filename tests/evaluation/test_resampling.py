"""What is redrawn together, how often, and how long the blocks of time are."""

import numpy as np
import pytest
from scipy import stats

from keras_seq.evaluation.resampling import (
    Redraw,
    block_length,
    by_blocks,
    by_groups,
    by_samples,
    by_speakers,
)


def drawn(redraw: Redraw, times: int = 400) -> np.ndarray:
    """float64 (times, N)."""
    rng = np.random.default_rng(0)
    return np.stack([redraw.draw(rng) for _ in range(times)])


@pytest.mark.parametrize(
    "redraw",
    [
        by_samples(30),
        by_groups(np.arange(30) % 7),
        by_groups(["b", "a", "b"] * 10),
        by_speakers(["x", "y", "z"] * 10),
        by_blocks(np.random.default_rng(0).normal(size=30)),
        by_blocks(np.arange(30.0)),
    ],
    ids=["samples", "groups", "two groups", "speakers", "short blocks", "long blocks"],
)
def test_each_sample_is_drawn_once_on_the_average(redraw: Redraw):
    weights = drawn(redraw)
    assert weights.shape == (400, 30) and weights.dtype == np.float64
    errors = weights.std(axis=0) / 20
    assert weights.mean(axis=0) == pytest.approx(weights.mean(), abs=5 * errors.max())
    assert weights.mean() == pytest.approx(1, abs=0.2)


def test_groups_and_blocks_stay_whole():
    weights = drawn(by_groups(["b", "a", "b", "c", "a"]))
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    blocks = drawn(by_blocks(np.zeros(40), shortest=5))
    # A block begins and ends: in a circle, as many steps up as down, 8 of each at most.
    jumps = np.abs(np.diff(blocks, axis=1, append=blocks[:, :1])).sum(axis=1)
    assert (jumps <= 16).all() and (blocks.sum(axis=1) == 40).all()


def test_a_speaker_is_drawn_with_utterances_of_its_own():
    weights = drawn(by_speakers(["a"] * 50 + ["b"] * 50))
    of_a = weights[:, :50].sum(axis=1)
    assert set(of_a) == {0.0, 50.0, 100.0}
    assert np.mean(of_a == 50) == pytest.approx(0.5, abs=0.08)
    assert weights[of_a == 50][:, :50].max() > 1  # within the speaker as well


@pytest.mark.parametrize("coefficient", [0.3, 0.6, 0.9])
def test_blocks_are_as_long_as_an_autoregression_asks_for(coefficient: float):
    rng, found = np.random.default_rng(0), []
    for _ in range(20):
        steps = rng.normal(size=4000)
        for place in range(1, len(steps)):
            steps[place] += coefficient * steps[place - 1]
        found.append(block_length(steps))
    # Patton, Politis and White 2009: (2 G^2 / (4/3 g^2) N)^(1/3) of an AR(1).
    ratio = 2 * coefficient / (1 - coefficient**2)
    best = (1.5 * ratio**2 * 4000) ** (1 / 3)
    assert np.median(found) == pytest.approx(best, rel=0.3)


def test_a_season_is_seen_behind_lags_that_are_nothing():
    rng = np.random.default_rng(1)
    steps = rng.normal(size=3000)
    for place in range(24, len(steps)):
        steps[place] += 0.6 * steps[place - 24]
    assert block_length(steps) > 48
    assert block_length(rng.normal(size=3000)) < 4


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(50),
        np.full(50, 1e-9),
        np.full(50, 1e9),
        [1.0],
        [1.0, 2.0],
        (-1.0) ** np.arange(50),
    ],
    ids=["zeros", "small", "large", "one", "two", "alternating"],
)
def test_what_does_not_last_needs_no_blocks(values):
    assert 1 <= block_length(np.asarray(values)) < 2


def test_units_do_not_matter():
    values = np.random.default_rng(0).normal(size=200).cumsum()
    assert block_length(values) == pytest.approx(block_length(1e9 * values + 7))
    assert block_length(values) == pytest.approx(block_length(1e-30 * values))


def test_few_units_have_the_quantile_of_student():
    for units in (2, 5, 30):
        expected = stats.t.ppf(0.975, units - 1) / stats.norm.ppf(0.975)
        expected *= (units / (units - 1)) ** 0.5
        assert by_samples(units).widening() == pytest.approx(expected, rel=1e-5)
    assert by_samples(10**6).widening() == pytest.approx(1, abs=1e-5)
    assert by_samples(500).widening(3) == by_samples(3).widening()
    # One speaker of nearly all utterances leaves little to judge speakers by.
    uneven = by_speakers(["a"] * 96 + ["b", "c", "d", "e"])
    assert uneven.widening() == by_samples(2).widening()


@pytest.mark.parametrize("values", [[], [1.0, np.nan, 2.0], [np.inf, 0.0]])
def test_what_is_no_number_is_named(values):
    with pytest.raises(ValueError, match="NaN, or infinite"):
        by_blocks(np.asarray(values, float))
