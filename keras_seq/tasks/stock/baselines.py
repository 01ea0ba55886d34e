"""Cheap forecasts that a network must beat to be worth its time.

Each sees what the network sees: the window, and for what is fitted the train rows.

Shapes: B windows, T steps of a window, K targets, H horizon, N inputs, R rows.
"""

from collections.abc import Iterable, Sequence

import numpy as np

# Strengths of the penalty to choose from, on validation windows; times the mean square
# of the inputs, so that they mean the same for any number of windows.
PENALTIES = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)

NOTHING = 1e-9  # of the range of a series: rounding


def persistence(windows: np.ndarray, horizon: int) -> np.ndarray:
    """The last value, again and again: for prices, yesterday's.

    Args:
        windows: float (B, T, K).
        horizon: H.

    Returns:
        float (B, H, K).

    Example:

    >>> persistence(np.array([[[1.0], [3.0]]]), 2)[0, :, 0].tolist()
    [3.0, 3.0]
    """
    return np.repeat(windows[:, -1:], horizon, axis=1)


def drift(windows: np.ndarray, horizon: int) -> np.ndarray:
    """The line through the first and the last value, drawn on.

    Example:

    >>> drift(np.array([[[1.0], [2.0], [3.0]]]), 2)[0, :, 0].tolist()
    [4.0, 5.0]
    """
    steps = max(1, windows.shape[1] - 1)
    slope = (windows[:, -1:] - windows[:, :1]) / steps  # (B, 1, K)
    return windows[:, -1:] + slope * np.arange(1, horizon + 1)[:, None]


def seasonal_naive(windows: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """The value one season before; further seasons repeat it.

    Args:
        windows: float (B, T, K), T at least `season`.
        horizon: H.
        season: rows of a season.

    Example:

    >>> seasonal_naive(np.array([[[9.0], [1.0], [2.0]]]), 3, season=2)[0, :, 0].tolist()
    [1.0, 2.0, 1.0]
    """
    steps = windows.shape[1] - season + np.arange(horizon) % season
    return windows[:, steps]


def solve_ridge(
    train: Iterable[tuple[np.ndarray, np.ndarray]],
    validation: Iterable[tuple[np.ndarray, np.ndarray]],
    penalties: Sequence[float] = PENALTIES,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Ridge regression out of batches; its penalty is the best on validation.

    Sums of products alone are kept, so memory does not grow with the windows.

    Args:
        train: batches of inputs float (B, N) and targets (B, H).
        validation: the same, of the validation part.
        penalties: to choose from.

    Returns:
        weights float64 (N, H), bias float64 (H,), the penalty chosen.

    Example:

    >>> x = np.arange(8.0)[:, None]
    >>> weights, bias, _ = solve_ridge([(x, 2 * x + 1)], [(x, 2 * x + 1)], [1e-9])
    >>> round(weights.item(), 3), round(bias.item(), 3)
    (2.0, 1.0)
    """
    xx, xy, x_sum, y_sum, count, _ = _moments(train)
    x_mean, y_mean = x_sum / count, y_sum / count
    xx = xx / count - np.outer(x_mean, x_mean)
    xy = xy / count - np.outer(x_mean, y_mean)
    check = _moments(validation)
    # The penalty is against the mean square of an input.
    unit = max(np.trace(xx) / len(xx), 0.0) or 1.0
    solved = []
    for penalty in penalties:
        weights = np.linalg.solve(xx + penalty * unit * np.eye(len(xx)), xy)
        bias = y_mean - x_mean @ weights
        solved.append((_mean_square(check, weights, bias), weights, bias, penalty))
    _, weights, bias, penalty = min(solved, key=lambda one: one[0])
    return weights, bias, penalty


def _moments(batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> list:
    """Sums of products by rows, of rows, and of y's squares; and their count."""
    total: list = []
    for x, y in batches:
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        sums = [x.T @ x, x.T @ y, x.sum(0), y.sum(0), len(x), np.square(y).sum()]
        total = [a + b for a, b in zip(total, sums)] if total else sums
    return total


def _mean_square(moments: list, weights: np.ndarray, bias: np.ndarray) -> float:
    """Mean square of x @ weights + bias - y, out of the sums."""
    xx, xy, x_sum, y_sum, count, yy = moments
    square = np.sum(weights * (xx @ weights)) - 2 * np.sum(weights * xy) + yy
    square += 2 * bias @ (x_sum @ weights) - 2 * bias @ y_sum + count * bias @ bias
    return square / (count * len(bias))


class Theta:
    """The Theta method (Assimakopoulos and Nikolopoulos 2000), rolled over all rows.

    The season's means are taken off, exponential smoothing and half of the trend are
    drawn on, the season is put back. Means, smoothing and trend are those of train
    rows, by statsmodels; the smoothed level then follows every row it is asked from.

    Args:
        values: float (R,), all rows of a series.
        num_train: rows to fit on.
        phases: int (R + H,), step of the season of each row.
        season: rows of a season, 1 for none.

    Raises:
        ImportError: statsmodels is not installed.
    """

    def __init__(
        self, values: np.ndarray, num_train: int, phases: np.ndarray, season: int
    ) -> None:
        import pandas as pd

        train, self._phases = values[:num_train], phases
        means = [train[phases[:num_train] == phase] for phase in range(season)]
        means = [part.mean() if len(part) else train.mean() for part in means]
        self._seasonal = np.array(means) - np.mean(means)
        plain = values - self._seasonal[phases[: len(values)]]
        self._alpha, self._trend = _fit_theta(plain[:num_train], np.ptp(train))
        smoothed = pd.Series(plain).ewm(alpha=self._alpha, adjust=False)
        self._levels = smoothed.mean().to_numpy()

    def forecast(self, last_rows: np.ndarray, horizon: int) -> np.ndarray:
        """float64 (B, H): what follows each of the rows int (B,)."""
        ahead, rows, alpha = np.arange(1, horizon + 1), last_rows[:, None], self._alpha
        steps = ahead - 1 + (1 - (1 - alpha) ** (rows + 1)) / alpha
        seasonal = self._seasonal[self._phases[rows + ahead]]
        return self._levels[rows] + self._trend / 2 * steps + seasonal


def _fit_theta(values: np.ndarray, size: float) -> tuple[float, float]:
    """Smoothing weight, and slope of the line through the values.

    They are fitted as parts of `size`, so that tiny and huge values are alike; what is
    nothing beside it is followed as it comes.
    """
    import warnings

    from statsmodels.tsa.holtwinters import SimpleExpSmoothing

    if not np.ptp(values) > NOTHING * size:
        return 1.0, 0.0
    values = (values - values.mean()) / size
    slope = np.polynomial.polynomial.polyfit(np.arange(len(values)), values, 1)[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = SimpleExpSmoothing(values, initialization_method="estimated").fit()
    alpha = np.nan_to_num(fitted.params["smoothing_level"], nan=1.0)
    return float(np.clip(alpha, 1e-3, 1.0)), float(slope * size)
