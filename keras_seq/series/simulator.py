"""Made-up prices whose best possible forecast is known: the embedded sample.

The logarithm of a price is a trend, two seasons and a random walk whose steps have
GARCH(1,1) volatility (Bollerslev 1986). Nobody can know the next steps of the walk, so
no forecast beats that of who knows the rest; how near a model comes to it is the score.

Shapes: S series, N rows, B windows, H horizon.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_seq.series.calendar import Frequency
from keras_seq.series.table import Series, SeriesTable

FIRST_DATE = np.datetime64("2010-01-04")  # a Monday
TREND = 0.0003  # of the logarithm, a step
WEEK = np.array([0.0, 0.012, -0.008, 0.006, -0.010])  # by weekday
FORTNIGHT = 0.02  # height of a sine of ten steps
# Variance of a step: OMEGA + ALPHA e^2 + BETA of the variance before; on average it is
# 0.01^2.
OMEGA, ALPHA, BETA = 5e-6, 0.10, 0.85
START = 100.0
AHEAD = 300  # steps past the last row that the best forecasts can reach


class SimulatedPrices(NamedTuple):
    """A sample and what only its maker knows.

    Attributes:
        table: S series with the one column Close, on weekdays.
        logs: float64 (S, N), logarithms of the prices.
        expected: float64 (S, N + 300), trend and seasons, past the last row as well.
        variance: float64 (S, N), of the step after each row, as known at that row.
    """

    table: SeriesTable
    logs: np.ndarray
    expected: np.ndarray
    variance: np.ndarray

    def best_forecasts(
        self, series: np.ndarray, last_rows: np.ndarray, horizon: int
    ) -> np.ndarray:
        """The mean of each coming price, given all that is known at a row.

        The mean of a log-normal price stands half its variance above the median; the
        variance of later steps is that of GARCH.

        Args:
            series: int (B,).
            last_rows: int (B,), the rows that are forecast from.
            horizon: H.

        Returns:
            float64 (B, H).
        """
        ahead = np.arange(1, horizon + 1)
        known = self.expected[series, last_rows][:, None]
        drift = self.expected[series[:, None], last_rows[:, None] + ahead] - known
        usual = OMEGA / (1 - ALPHA - BETA)
        excess = self.variance[series, last_rows][:, None] - usual
        steps = usual + excess * (ALPHA + BETA) ** (ahead - 1)
        logs = self.logs[series, last_rows][:, None] + drift
        return np.exp(logs + np.cumsum(steps, axis=1) / 2)


def simulate_prices(
    seed: int = 0, num_series: int = 32, num_rows: int = 2500
) -> SimulatedPrices:
    """Makes the embedded sample: by default 32 series of ten years.

    So many, as the share of targets that an interval holds is known to a point only
    with some thousand windows that do not overlap.

    Args:
        seed: other numbers give other prices.
        num_series: S.
        num_rows: N.

    Example:

    >>> prices = simulate_prices(num_series=2, num_rows=50)
    >>> prices.table.columns, len(prices.table.series), str(prices.table.frequency)
    (['Close'], 2, 'B')
    >>> prices.best_forecasts(np.array([0]), np.array([49]), 3).shape
    (1, 3)
    """
    rng = np.random.default_rng((20_260_101, seed))
    time = np.arange(num_rows + AHEAD)
    phase = rng.uniform(0, 10, (num_series, 1))
    expected = TREND * time + WEEK[time % 5]
    expected = expected + FORTNIGHT * np.sin(2 * np.pi * (time + phase) / 10)
    shocks = rng.standard_normal((num_series, num_rows))
    walk, variance = np.zeros((2, num_series, num_rows))
    now = np.full(num_series, OMEGA / (1 - ALPHA - BETA))
    for row in range(num_rows):
        step = np.sqrt(now) * shocks[:, row]
        walk[:, row] = step if row == 0 else walk[:, row - 1] + step
        now = OMEGA + ALPHA * step**2 + BETA * now
        variance[:, row] = now
    logs = np.log(START) + expected[:, :num_rows] + walk
    days = np.busday_offset(FIRST_DATE, np.arange(num_rows)).astype("datetime64[s]")
    observed, lines = np.ones((num_rows, 1), bool), np.arange(num_rows) + 2
    names = [f"sample_{number}" for number in range(1, num_series + 1)]
    series = [
        Series(name, Path(f"{name}.csv"), days, prices[:, None], observed, lines)
        for name, prices in zip(names, np.exp(logs))
    ]
    table = SeriesTable(series, ["Close"], 1, 0, True, ["Date"], Frequency("B"))
    return SimulatedPrices(table, logs, expected, variance)
