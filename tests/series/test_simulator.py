"""The embedded sample: its best possible forecast is the best there is."""

import numpy as np
import pytest

from keras_seq.series.simulator import (
    ALPHA,
    BETA,
    FORTNIGHT,
    OMEGA,
    TREND,
    WEEK,
    simulate_prices,
)

HORIZON = 5


def errors(prices, forecasts: np.ndarray, rows: np.ndarray, series: int) -> np.ndarray:
    values = np.exp(prices.logs[series])
    return forecasts - values[rows[:, None] + np.arange(1, HORIZON + 1)]


@pytest.fixture(scope="module")
def prices():
    return simulate_prices(seed=4, num_series=6, num_rows=2000)


def test_the_sample_is_a_table_of_prices_on_weekdays(prices):
    table = prices.table
    assert (table.is_prices, table.num_targets, table.columns) == (True, 1, ["Close"])
    days = table.series[0].dates.astype("datetime64[D]")
    assert np.is_busday(days).all() and len(days) == 2000
    assert (np.diff(days.astype(int)) <= 3).all()
    assert all((one.values > 0).all() for one in table.series)
    again = simulate_prices(seed=4, num_series=6, num_rows=2000)
    assert np.array_equal(again.logs, prices.logs)
    assert not np.array_equal(simulate_prices(seed=5).logs[0, :9], prices.logs[0, :9])


def test_steps_are_trend_season_and_garch_shocks(prices):
    time = np.arange(prices.expected.shape[1])
    season = prices.expected - TREND * time - WEEK[time % 5]
    # Of all sequences only a sine of ten steps is so large beside its neighbours.
    around, turn = season[:, :-2] + season[:, 2:], 2 * np.cos(np.pi / 5)
    np.testing.assert_allclose(around, turn * season[:, 1:-1], atol=1e-12)
    power = np.square(season[:, :10]).mean(axis=1)
    np.testing.assert_allclose(power, FORTNIGHT**2 / 2)
    walk = prices.logs - np.log(100) - prices.expected[:, :2000]
    steps = np.diff(walk, axis=1, prepend=0)
    usual = OMEGA / (1 - ALPHA - BETA)
    before = np.insert(prices.variance[:, :-1], 0, usual, axis=1)
    after = OMEGA + ALPHA * steps**2 + BETA * before
    np.testing.assert_allclose(prices.variance, after, rtol=1e-6)
    shocks = steps / np.sqrt(before)
    assert abs(shocks.mean()) < 0.03 and shocks.std() == pytest.approx(1, abs=0.03)
    assert abs(np.mean(shocks[:, 1:] * shocks[:, :-1])) < 0.03
    assert np.mean(shocks**4) == pytest.approx(3, abs=0.3)  # as normal ones have it


def test_no_forecast_in_reach_beats_the_best_possible(prices):
    rows = np.arange(60, 1990)
    best, others = [], {"persistence": [], "scaled up": [], "half the change": []}
    for series in range(6):
        forecasts = prices.best_forecasts(np.full(len(rows), series), rows, HORIZON)
        last = np.exp(prices.logs[series, rows])[:, None]
        best.append(errors(prices, forecasts, rows, series))
        for name, changed in (
            ("persistence", np.repeat(last, HORIZON, axis=1)),
            ("scaled up", forecasts * 1.005),
            ("half the change", last + 0.5 * (forecasts - last)),
        ):
            others[name].append(errors(prices, changed, rows, series))
    best = np.concatenate(best)
    assert abs(best.mean(axis=0) / best.std(axis=0)).max() < 0.05  # no bias
    for name, found in others.items():
        ratio = np.sqrt((best**2).mean() / (np.concatenate(found) ** 2).mean())
        assert ratio < {"persistence": 0.7}.get(name, 0.995), name
