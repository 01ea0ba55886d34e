"""Baselines of forecasts against scikit-learn, statsmodels and numbers by hand."""

import numpy as np
import pytest

from keras_seq.evaluation.conformal import calibrate
from keras_seq.tasks.stock.baselines import (
    Theta,
    drift,
    seasonal_naive,
    solve_ridge,
)

RNG = np.random.default_rng(0)


def test_seasonal_naive_repeats_the_last_season():
    window = np.arange(10.0)[None, :, None]
    assert seasonal_naive(window, 5, 4)[0, :, 0].tolist() == [6, 7, 8, 9, 6]


def test_drift_of_a_line_goes_on():
    window = 3 + 2 * np.arange(6.0)[None, :, None]
    assert drift(window, 3)[0, :, 0].tolist() == [15, 17, 19]
    assert drift(window[:, :1], 2)[0, :, 0].tolist() == [3, 3]


def test_ridge_is_scikit_learns():
    from sklearn.linear_model import Ridge

    x, true = RNG.normal(3, 2, (300, 5)), RNG.normal(size=(5, 2))
    y = x @ true + RNG.normal(0, 0.5, (300, 2)) + 4
    batches = [(x[i : i + 64], y[i : i + 64]) for i in range(0, 300, 64)]
    weights, bias, penalty = solve_ridge(batches, batches[:1], [0.1])
    # Ours is in mean squares of an input; theirs in sums.
    unit = np.var(x, axis=0).mean() * len(x)
    other = Ridge(alpha=penalty * unit).fit(x, y)
    assert weights == pytest.approx(other.coef_.T, abs=1e-6)
    assert bias == pytest.approx(other.intercept_, abs=1e-6)


def test_the_penalty_is_chosen_on_validation():
    x = RNG.normal(size=(40, 30))
    y = x[:, :1] + RNG.normal(0, 3.0, (40, 1))
    held_out = RNG.normal(size=(400, 30))
    *_, penalty = solve_ridge([(x, y)], [(held_out, held_out[:, :1])])
    assert penalty >= 0.1  # a few noisy rows: a strong penalty is right
    *_, penalty = solve_ridge([(x, x[:, :1])], [(held_out, held_out[:, :1])])
    assert penalty < 1e-4


@pytest.mark.parametrize("season", [1, 12])
def test_theta_is_statsmodels(season: int):
    pytest.importorskip("statsmodels")
    from statsmodels.tsa.forecasting.theta import ThetaModel

    time = np.arange(144)
    values = 50 + 0.3 * time + np.cumsum(RNG.normal(0, 1, 144))
    season_of = 5 * np.sin(2 * np.pi * time / 12) * (season > 1)
    phases = np.arange(160) % season
    theta = Theta(values + season_of, 120, phases, season)
    found = theta.forecast(np.array([119]), 12)[0]
    plain = values[:120] + season_of[:120]
    seasonal = np.array([plain[phases[:120] == p].mean() for p in range(season)])
    seasonal = seasonal - seasonal.mean()
    fitted = ThetaModel(plain - seasonal[phases[:120]], deseasonalize=False).fit()
    wanted = np.asarray(fitted.forecast(12)) + seasonal[phases[120:132]]
    assert found == pytest.approx(wanted, rel=2e-3)


def test_a_calibrated_interval_holds_what_it_should_on_fresh_rows():
    for wrong in (0.5, 1.0, 3.0):  # an interval too narrow, right, too wide
        targets = RNG.normal(size=(4000, 2, 1))
        ends = 1.28 * wrong * np.ones_like(targets)
        shifts = calibrate(targets[:2000], -ends[:2000], ends[:2000], 2 * ends[:2000])
        fresh, low, high = targets[2000:], -ends[2000:], ends[2000:]
        low = low - shifts.lower * 2 * ends[2000:]
        high = high + shifts.upper * 2 * ends[2000:]
        inside = np.mean((fresh >= low) & (fresh <= high))
        assert inside == pytest.approx(0.8, abs=0.025)


def test_calibration_leaves_out_what_nobody_observed():
    targets = np.linspace(-1, 1, 201)[:, None, None]
    holes = np.concatenate([targets, np.full((50, 1, 1), np.nan)])
    zero = np.zeros_like(holes)
    with_holes = calibrate(holes, zero, zero, zero + 1)
    without = calibrate(targets, zero[:201], zero[:201], zero[:201] + 1)
    assert with_holes.lower == pytest.approx(without.lower)
    with pytest.raises(ValueError, match="coverage is 80; expected a share"):
        calibrate(targets, zero, zero, zero, coverage=80)
