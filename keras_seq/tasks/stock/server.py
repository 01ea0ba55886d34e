"""Raw rows to forecasts with intervals, as one graph: what a forecasting export holds.

It joins a forecaster and its calibration under the frozen signature, and is independent
of files or training.

Shapes: B batch, T time steps, F columns, H horizon, K targets.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.evaluation.conformal import Calibration
from keras_seq.serving.checks import checked_finite, checked_shapes, checked_values
from keras_seq.serving.graph import Proofs, answered

STILL = 1e-3  # of the deviation in train rows, and no more of the last value
LEAST_STEP = 1e-6  # of the deviation: whatever the window, a width is above zero
LEAST_WIDTH = 0.1  # of a step: quantiles that nearly meet are no unit to count in
AXES = ("window", "row", "column")
UNITS = "as in the data"  # of windows and answers alike


class PriceForecaster(tf.Module):
    """The last rows in, in the units of the file; the next steps out, in the same.

    Args:
        forecaster: raw window (B, T, F) -> raw answers (B, H, K, Q): quantiles, the
            forecast in the middle, or Q = 1.
        calibration: of validation windows, in widths of the interval.
        deviation: float (K,), of each target in train rows: where Q is 1 and a window
            stood still, a thousandth of it is the width.
        baseline: raw window -> raw answers (B, H, K, 1), served beside it as `ridge`.
        columns: F names, the K targets first; served as `describe`.
        num_positive: so many of the first columns hold numbers above zero; the interval
            is then bounded in parts of the last value, else in deviations.

    Example:

    >>> window = keras.Input((3, 1))
    >>> last = keras.ops.reshape(window[:, -1:], (-1, 1, 1, 1))
    >>> steps = keras.ops.concatenate([last - 1, last, last + 1], axis=-1)
    >>> shift = np.full((1, 1), 0.5)
    >>> serve = PriceForecaster(keras.Model(window, steps), Calibration(shift, shift))
    >>> answer = serve(tf.constant([[[5.0], [6.0], [7.0]]]))
    >>> {name: value.numpy().item() for name, value in answer.items()}
    {'forecast': 7.0, 'lower': 5.0, 'upper': 9.0}
    """

    def __init__(
        self,
        forecaster: keras.Model,
        calibration: Calibration,
        deviation: np.ndarray | None = None,
        baseline: keras.Model | None = None,
        columns: Sequence[str] = (),
        num_positive: int = 0,
    ) -> None:
        super().__init__()
        self.forecaster = forecaster
        self.baseline = baseline
        self._shifts = [np.asarray(part, np.float64) for part in calibration[:2]]
        self._farthest = calibration.farthest
        self._deviation = np.asarray(1.0 if deviation is None else deviation, float)
        self._columns, self._num_positive = list(columns), num_positive
        shape = (None, *forecaster.input_shape[1:])
        self._spec = tf.TensorSpec(shape, forecaster.inputs[0].dtype, name="window")

    @property
    def dtype(self) -> tf.DType:
        """Of windows and answers: float32, or float64 where that holds too little."""
        return self._spec.dtype

    def __call__(self, window: tf.Tensor) -> dict[str, tf.Tensor]:
        """Forecasts what follows windows.

        Args:
            window: float (B, T, F), the last T rows, raw.

        Returns:
            forecast, lower, upper: float (B, H), or (B, H, K) for several targets.

        Raises:
            tf.errors.InvalidArgumentError: The window has another shape, or holds NaN,
                infinity, or zero where a price stands.
        """
        window = self._checked(window)
        answers = self.forecaster(window, training=False)
        lower, forecast, upper, width = ends_and_width(answers, window, self._deviation)
        lower, upper = lower - self._shifts[0] * width, upper + self._shifts[1] * width
        if self._farthest is not None:
            relative = self._num_positive > 0
            reach = self._farthest * reach_unit(window, self._deviation, relative)
            lower = tf.maximum(lower, forecast - reach)
            upper = tf.minimum(upper, forecast + reach)
        shifted = {
            "forecast": forecast,
            "lower": tf.minimum(lower, forecast),
            "upper": tf.maximum(upper, forecast),
        }
        return {
            name: _without_one_target(tf.cast(value, self.dtype))
            for name, value in shifted.items()
        }

    def ridge(self, window: tf.Tensor) -> dict[str, tf.Tensor]:
        """What the ridge baseline forecasts: float (B, H) or (B, H, K)."""
        assert self.baseline is not None  # as `signatures` sees to
        answers = self.baseline(self._checked(window), training=False)[..., 0]
        return {"forecast": _without_one_target(answers)}

    def describe(self) -> dict[str, tf.Tensor]:
        """What a window holds: columns and units string (F,) in their order, targets
        string (K,), lookback and horizon int32 ()."""
        horizon, num_targets = self.forecaster.output_shape[1:3]
        return {
            "columns": tf.constant(self._columns),
            "units": tf.constant([UNITS] * len(self._columns)),
            "targets": tf.constant(self._columns[:num_targets]),
            "lookback": tf.constant(self.forecaster.input_shape[1]),
            "horizon": tf.constant(horizon),
        }

    def _checked(self, window: tf.Tensor) -> tf.Tensor:
        """The window, if it is one: its shape, its numbers, its prices."""
        _, lookback, num_columns = self._spec.shape
        names = ", ".join(self._columns)
        meaning = f"B windows of the last {lookback} rows and {num_columns} columns"
        meaning += f" ({names})" if names else ""
        dims = ["B", lookback, num_columns]
        (window,) = checked_shapes({"window": (window, dims)}, meaning)
        where = {"axes": AXES, "columns": self._columns}
        window = checked_finite("window", window, **where)
        if not self._num_positive:
            return window
        is_price = np.arange(num_columns) < self._num_positive
        right = (window > 0) | ~is_price
        return checked_values("window", window, right, "a number above zero", **where)

    def proofs(self, windows: np.ndarray) -> Proofs:
        """What Python answers to one batch, the baseline, too, where there is one."""
        given = {"window": tf.constant(windows)}
        models, asked = [self.forecaster], {"serving_default": (self.__call__, given)}
        if self.baseline is not None:
            models, asked["ridge"] = [*models, self.baseline], (self.ridge, given)
        return answered(models, asked)

    def signatures(self) -> dict[str, tuple]:
        """`serving_default(window)`, and `ridge(window)` where there is a baseline,
        `describe()` where columns have names."""
        found: dict[str, tuple[Callable[..., Any], list[tf.TensorSpec]]]
        found = {"serving_default": (self.__call__, [self._spec])}
        if self.baseline is not None:
            found["ridge"] = (self.ridge, [self._spec])
        if self._columns:
            found["describe"] = (self.describe, [])
        return found


def ends_and_width(
    answers: tf.Tensor, window: tf.Tensor, deviation: np.ndarray
) -> tuple[tf.Tensor, ...]:
    """Lower end, forecast, upper end, width of answers (B, H, K, Q): float64 (B, H, K).

    Quantiles that cross are put in order, so that a width is never negative; nor is it
    much less than a step, or a shift counted in it would throw other windows far out.
    One answer has no ends of its own: its width is the size of the steps in its window,
    so that it grows with price and volatility.
    """
    answers = tf.cast(answers, tf.float64)
    middle = answers.shape[-1] // 2
    forecast = answers[..., middle]
    size = _step_size(window, np.broadcast_to(deviation, forecast.shape[-1:]))
    size += tf.zeros_like(forecast)
    if answers.shape[-1] == 1:
        return forecast, forecast, forecast, size
    lower = tf.minimum(answers[..., 0], forecast)
    upper = tf.maximum(answers[..., -1], forecast)
    return lower, forecast, upper, tf.maximum(upper - lower, LEAST_WIDTH * size)


def reach_unit(window: tf.Tensor, deviation: np.ndarray, relative: bool) -> tf.Tensor:
    """What distances from a forecast are bounded in: float64, (B, 1, K) or (K,)."""
    if not relative:
        return tf.constant(deviation, tf.float64)
    num_targets = len(np.atleast_1d(deviation))
    return tf.abs(tf.cast(window[:, -1:, :num_targets], tf.float64))


def _step_size(window: tf.Tensor, deviation: np.ndarray) -> tf.Tensor:
    """Root of the mean square of a window's steps, above zero: float64 (B, 1, K)."""
    past = tf.cast(window[..., : len(deviation)], tf.float64)
    steps = (past[:, 1:] - past[:, :-1]) / deviation
    square = tf.reduce_sum(tf.square(steps), 1, keepdims=True)
    square /= max(1, past.shape[1] - 1)
    # A share that costs little moves little, whatever dear ones do.
    least = STILL * tf.minimum(tf.abs(past[:, -1:]) / deviation, 1.0)
    return tf.sqrt(square + tf.square(tf.maximum(least, LEAST_STEP))) * deviation


def _without_one_target(values: tf.Tensor) -> tf.Tensor:
    return values[..., 0] if values.shape[-1] == 1 else values
