"""Raw windows to what a network reads, and its answer back to raw units, in the graph.

Made of Keras' own operations with what was fitted on train rows as their constants, so
that a model which holds them loads anywhere and takes raw rows. What float32 cannot
hold (1e8 and a cent, 1e-40, 1e39) is read, centred and scaled in float64. Works under
any backend; it is independent of networks.

Shapes: B batch, T time steps, F raw columns (K targets, then prices, then others), C
features, H horizon, Q quantiles.
"""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import KerasTensor, ops
from numpy.typing import ArrayLike

# RiskMetrics (J.P. Morgan 1996): weight of the day before, for daily volatility.
DECAY = 0.94
LEAST_VOLATILITY = 0.1  # of that of train: a series that stood still may move again
SMALLEST_PRICE = {"float32": 1e-30, "float64": 1e-300}
# In deviations of train rows: a column that leaps must not overflow in a network.
FARTHEST = 1e6
EXACT = "float32"  # of features, whatever the policy: half precision has no room


class Scaling(NamedTuple):
    """Three models without weights.

    Attributes:
        encode: raw window (B, T, F) -> features (B, T, C), the K targets first.
        to_scaled: raw window and raw targets (B, H, K) -> what to learn (B, H, K).
        to_raw: raw window and answers (B, H, K, Q) -> raw units (B, H, K, Q).
    """

    encode: keras.Model
    to_scaled: keras.Model
    to_raw: keras.Model


def level_scaling(
    lookback: int,
    horizon: int,
    num_targets: int,
    *,
    mean: ArrayLike,
    deviation: ArrayLike,
    anchored: bool = True,
    dtype: str = "float32",
) -> Scaling:
    """Standardised columns; targets as differences from the last row of the window.

    Args:
        lookback: T.
        horizon: H.
        num_targets: K.
        mean, deviation: float (F,), of train rows; a column whose deviation is infinite
            is not read.
        anchored: False leaves targets as they are, standardised alone.
        dtype: of raw units, "float32" or "float64".

    Returns:
        C is F.

    Example:

    >>> scaling = level_scaling(2, 1, 1, mean=[10.0], deviation=[2.0])
    >>> window = np.array([[[10.0], [14.0]]], "float32")
    >>> ops.convert_to_numpy(scaling.encode(window))[0].tolist()
    [[-2.0], [0.0]]
    >>> ops.convert_to_numpy(scaling.to_raw([window, np.ones((1, 1, 1, 1))])).item()
    16.0
    """
    means, units = np.asarray(mean, dtype), np.asarray(deviation, dtype)
    center, unit = means[:num_targets], units[:num_targets]

    def origin(window: KerasTensor) -> KerasTensor | np.ndarray:
        """What a target is the difference from: (B, 1, K) or (K,)."""
        return window[:, -1:, :num_targets] if anchored else center

    window = keras.Input((lookback, len(means)), dtype=dtype, name="window")
    parts = [_scaled(window[..., :num_targets], origin(window), unit)]
    if len(means) > num_targets:
        others = slice(num_targets, None)
        parts.append(_scaled(window[..., others], means[others], units[others]))
    future, answers = _future(horizon, num_targets, dtype)
    base = window[:, -1:, :num_targets, None] if anchored else center[:, None]
    raw = ops.cast(answers, dtype) * unit[:, None] + base
    return Scaling(
        keras.Model(window, _joined(parts), name="encode"),
        keras.Model(
            [window, future], _scaled(future, origin(window), unit), name="to_scaled"
        ),
        keras.Model([window, answers], raw, name="to_raw"),
    )


def returns_scaling(
    lookback: int,
    horizon: int,
    num_targets: int,
    *,
    volatility: ArrayLike,
    num_prices: int = 0,
    mean: ArrayLike = (),
    deviation: ArrayLike = (),
    logs: Sequence[bool] = (),
    dtype: str = "float32",
) -> Scaling:
    """Prices as log returns since the last row, in units of recent volatility.

    The answer r to step h means the price last * exp(r * v), where v is the size of a
    step in this window: the root of an exponentially weighted mean of squared returns.
    So calm and wild years, cheap and dear shares look alike.

    Args:
        lookback: T.
        horizon: H.
        num_targets: K, prices.
        volatility: float (K,), size of a step of log prices in train rows.
        num_prices: columns behind the targets that are prices as well; they are read
            against the last row of the first target.
        mean, deviation: float, of each other column in train rows, or of log(1 + x).
        logs: whether each other column is read as log(1 + x), as volumes are.
        dtype: of raw units, "float32" or "float64".

    Returns:
        C is F + 1: the last feature is the window's volatility against that of train.

    Example:

    >>> scaling = returns_scaling(3, 1, 1, volatility=[0.1])
    >>> window = np.array([[[100.0], [110.0], [100.0]]], "float32")
    >>> features = ops.convert_to_numpy(scaling.encode(window))[0]
    >>> [round(float(x), 2) for x in features[:, 0]]
    [0.0, 0.99, 0.0]
    >>> ops.convert_to_numpy(scaling.to_raw([window, np.zeros((1, 1, 1, 1))])).item()
    100.0
    """
    usual = np.asarray(volatility, dtype)
    if not np.all(usual > 0):
        raise ValueError(
            f"volatility is {usual}; expected positive numbers: returns are those of "
            "positive prices that move"
        )
    num_logs = num_targets + num_prices
    means, units = np.asarray(mean, dtype), np.asarray(deviation, dtype)
    window = keras.Input((lookback, num_logs + len(means)), dtype=dtype, name="window")
    prices = _logs(window[..., :num_logs])
    last = prices[:, -1:, :num_targets]  # (B, 1, K)
    size = _step_size(prices[..., :num_targets], usual)  # (B, 1, K)
    features = [_scaled(prices[..., :num_targets], last, size)]
    if num_prices:
        features.append(
            _scaled(prices[..., num_targets:], last[..., :1], size[..., :1])
        )
    for column, log in enumerate(logs):
        x = window[..., num_logs + column : num_logs + column + 1]
        x = ops.log1p(ops.maximum(x, 0.0)) if log else x
        x = _scaled(x, means[column], units[column])
        # Volumes drift over the years: what counts is more or less than lately.
        features.append(x - ops.mean(x, axis=1, keepdims=True))
    level = ops.mean(ops.log(size / usual), axis=-1, keepdims=True)  # (B, 1, 1)
    features.append(ops.cast(ops.repeat(level, lookback, axis=1), EXACT))
    future, answers = _future(horizon, num_targets, dtype)
    last_price = window[:, -1:, :num_targets, None]
    price = last_price * ops.exp(ops.cast(answers, dtype) * size[..., None])
    return Scaling(
        keras.Model(window, _joined(features), name="encode"),
        keras.Model(
            [window, future], _scaled(_logs(future), last, size), name="to_scaled"
        ),
        keras.Model([window, answers], price, name="to_raw"),
    )


def _future(
    horizon: int, num_targets: int, dtype: str
) -> tuple[KerasTensor, KerasTensor]:
    """Inputs of raw targets (B, H, K), and of answers (B, H, K, Q)."""
    future = keras.Input((horizon, num_targets), dtype=dtype, name="future")
    return future, keras.Input((horizon, num_targets, None), name="answers")


def _joined(features: list[KerasTensor]) -> KerasTensor:
    return features[0] if len(features) == 1 else ops.concatenate(features, axis=-1)


def _scaled(
    x: KerasTensor, origin: KerasTensor | np.ndarray, unit: KerasTensor | np.ndarray
) -> KerasTensor:
    """Differences from an origin in a unit: float32, whatever raw units are."""
    return ops.cast(ops.clip((x - origin) / unit, -FARTHEST, FARTHEST), EXACT)


def _logs(prices: KerasTensor) -> KerasTensor:
    return ops.log(ops.maximum(prices, SMALLEST_PRICE[prices.dtype]))


def _step_size(logs: KerasTensor, volatility: np.ndarray) -> KerasTensor:
    """Root of the weighted mean square of steps, never far below that of train."""
    steps = logs[:, 1:] - logs[:, :-1]  # (B, T - 1, K)
    count = steps.shape[1]
    floor = np.square(LEAST_VOLATILITY * volatility).reshape(1, 1, -1)
    if not count:
        return ops.zeros_like(logs) + volatility.reshape(1, 1, -1)
    weights = DECAY ** np.arange(count)[::-1]
    weights = (weights / weights.sum()).reshape(1, -1, 1).astype(volatility.dtype)
    return ops.sqrt(ops.sum(ops.square(steps) * weights, 1, keepdims=True) + floor)
