"""Raw windows to what a network reads, and its answer back to raw units, in the graph.

Made of Keras' own layers with what was fitted on train rows as their constants, so that
a model which holds them loads anywhere and takes raw rows. Works under any backend; it
knows nothing of networks.

Shapes: B batch, T time steps, F raw columns (K targets, then prices, then others), C
features, H horizon, Q quantiles.
"""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import KerasTensor, layers, ops

# RiskMetrics (J.P. Morgan 1996): weight of the day before, for daily volatility.
DECAY = 0.94
LEAST_VOLATILITY = 0.1  # of that of train: a series that stood still may move again
SMALLEST_PRICE = 1e-30
EXACT = "float32"  # whatever the policy: half precision has no room for raw units


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
    mean: Sequence[float],
    deviation: Sequence[float],
    anchored: bool = True,
) -> Scaling:
    """Standardised columns; targets as differences from the last row of the window.

    Args:
        lookback: T.
        horizon: H.
        num_targets: K.
        mean, deviation: float (F,), of train rows.
        anchored: False leaves targets as they are, standardised alone.

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
    mean, variance = np.asarray(mean, float), np.square(np.asarray(deviation, float))

    def anchor(window: KerasTensor) -> KerasTensor:
        """The last targets, standardised: (B, 1, K); zeros where there is none."""
        last = target_scale(window[:, -1:, :num_targets])
        return last if anchored else ops.zeros_like(last)

    target_scale = layers.Normalization(
        mean=mean[:num_targets], variance=variance[:num_targets], dtype=EXACT,
        name="target_scale",
    )  # fmt: skip
    window = keras.Input((lookback, len(mean)), name="window")
    scale = layers.Normalization(
        dtype=EXACT, mean=mean, variance=variance, name="train_scale"
    )
    x = scale(window)
    features = ops.concatenate(
        [x[..., :num_targets] - anchor(window), x[..., num_targets:]], axis=-1
    )
    future = keras.Input((horizon, num_targets), name="future")
    answers = keras.Input((horizon, num_targets, None), name="answers")
    back = layers.Normalization(
        axis=2, invert=True, dtype=EXACT, name="target_scale_back",
        mean=mean[:num_targets], variance=variance[:num_targets],
    )  # fmt: skip
    return Scaling(
        keras.Model(window, features, name="encode"),
        keras.Model(
            [window, future], target_scale(future) - anchor(window), name="to_scaled"
        ),
        keras.Model(
            [window, answers], back(answers + anchor(window)[..., None]), name="to_raw"
        ),
    )


def returns_scaling(
    lookback: int,
    horizon: int,
    num_targets: int,
    *,
    volatility: Sequence[float],
    num_prices: int = 0,
    mean: Sequence[float] = (),
    deviation: Sequence[float] = (),
    logs: Sequence[bool] = (),
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
    volatility = np.asarray(volatility, "float32")  # float64 would carry over
    if not np.all(volatility > 0):
        raise ValueError(
            f"volatility is {volatility}; expected positive numbers: returns are "
            "those of positive prices that move"
        )
    num_logs = num_targets + num_prices

    def last_and_size(window: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """Last log prices (B, 1, K), and the size of their steps (B, 1, K)."""
        prices = _logs(window[..., :num_targets])
        return prices[:, -1:], _step_size(prices, volatility)

    window = keras.Input((lookback, num_logs + len(mean)), name="window")
    last, size = last_and_size(window)
    prices = _logs(window[..., :num_logs])
    features = [(prices[..., :num_targets] - last) / size]
    if num_prices:
        features.append((prices[..., num_targets:] - last[..., :1]) / size[..., :1])
    for column, log in enumerate(logs):
        x = window[..., num_logs + column : num_logs + column + 1]
        x = ops.log1p(ops.maximum(x, 0.0)) if log else x
        x = layers.Normalization(
            mean=[mean[column]], variance=[deviation[column] ** 2], dtype=EXACT,
            name=f"train_scale_{column + 1}",
        )(x)  # fmt: skip
        # Volumes drift over the years: what counts is more or less than lately.
        features.append(x - ops.mean(x, axis=1, keepdims=True))
    level = ops.mean(ops.log(size / volatility), axis=-1, keepdims=True)  # (B, 1, 1)
    features.append(ops.repeat(level, lookback, axis=1))
    future = keras.Input((horizon, num_targets), name="future")
    answers = keras.Input((horizon, num_targets, None), name="answers")
    last_price = window[:, -1:, :num_targets, None]
    price = last_price * ops.exp(answers * size[..., None])
    return Scaling(
        keras.Model(window, ops.concatenate(features, axis=-1), name="encode"),
        keras.Model([window, future], (_logs(future) - last) / size, name="to_scaled"),
        keras.Model([window, answers], price, name="to_raw"),
    )


def _logs(prices: KerasTensor) -> KerasTensor:
    return ops.log(ops.maximum(prices, SMALLEST_PRICE))


def _step_size(logs: KerasTensor, volatility: np.ndarray) -> KerasTensor:
    """Root of the weighted mean square of steps, never far below that of train."""
    steps = logs[:, 1:] - logs[:, :-1]  # (B, T - 1, K)
    count = steps.shape[1]
    floor = np.square(LEAST_VOLATILITY * volatility).reshape(1, 1, -1)
    floor = floor.astype("float32")
    if not count:
        return ops.zeros_like(logs) + volatility.reshape(1, 1, -1)
    weights = DECAY ** np.arange(count)[::-1]
    weights = (weights / weights.sum()).reshape(1, -1, 1).astype("float32")
    return ops.sqrt(ops.sum(ops.square(steps) * weights, 1, keepdims=True) + floor)
