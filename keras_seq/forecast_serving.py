"""Raw rows to forecasts with intervals, as one graph: what a forecasting export holds.

It joins a forecaster and its calibration under the frozen signature, and knows nothing
of files or training.

Shapes: B batch, T time steps, F columns, H horizon, K targets.
"""

import keras
import numpy as np
import tensorflow as tf

from keras_seq.evaluation.conformal import Calibration
from keras_seq.export_graph import answered, without_cudnn

STILL = 1e-3  # of the deviation in train rows


class PriceForecaster(tf.Module):
    """The last rows in, in the units of the file; the next steps out, in the same.

    Args:
        forecaster: raw window (B, T, F) -> raw answers (B, H, K, Q): quantiles, the
            forecast in the middle, or Q = 1.
        calibration: of validation windows, in widths of the interval.
        deviation: float (K,), of each target in train rows: where Q is 1 and a window
            stood still, a thousandth of it is the width.
        baseline: raw window -> raw answers (B, H, K, 1), served beside it as `ridge`.

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
    ) -> None:
        super().__init__()
        self.forecaster = forecaster
        self.baseline = baseline
        self._shifts = [np.asarray(part, np.float32) for part in calibration]
        self._deviation = np.asarray(1.0 if deviation is None else deviation, "float32")
        shape = (None, *forecaster.input_shape[1:])
        self._spec = tf.TensorSpec(shape, tf.float32, name="window")

    def __call__(self, window: tf.Tensor) -> dict[str, tf.Tensor]:
        """Forecasts what follows windows.

        Args:
            window: float32 (B, T, F), the last T rows, raw.

        Returns:
            forecast, lower, upper: float32 (B, H), or (B, H, K) for several targets.
        """
        answers = self.forecaster(window, training=False)
        lower, forecast, upper, width = ends_and_width(
            answers, window, self._deviation
        )
        shifted = {
            "forecast": forecast,
            "lower": tf.minimum(lower - self._shifts[0] * width, forecast),
            "upper": tf.maximum(upper + self._shifts[1] * width, forecast),
        }
        return {name: _without_one_target(value) for name, value in shifted.items()}

    def ridge(self, window: tf.Tensor) -> dict[str, tf.Tensor]:
        """What the ridge baseline forecasts: float32 (B, H) or (B, H, K)."""
        answers = self.baseline(window, training=False)[..., 0]
        return {"forecast": _without_one_target(answers)}

    def expected(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """What Python answers to one batch, for the proof of an export: on the CPU."""
        with without_cudnn([self.forecaster]), tf.device("CPU"):
            return {n: v.numpy() for n, v in self(tf.constant(windows)).items()}

    def proofs(self, windows: np.ndarray) -> dict[str, tuple[dict, dict]]:
        """The same of the baseline's signature, where there is one."""
        if self.baseline is None:
            return {}
        asked = {"ridge": (self.ridge, {"window": tf.constant(windows)})}
        return answered([self.baseline], asked)

    def signatures(self) -> dict[str, tuple]:
        """`serving_default(window)`, and `ridge(window)` where there is a baseline."""
        found = {"serving_default": (self.__call__, [self._spec])}
        if self.baseline is not None:
            found["ridge"] = (self.ridge, [self._spec])
        return found


def ends_and_width(
    answers: tf.Tensor, window: tf.Tensor, deviation: np.ndarray
) -> tuple[tf.Tensor, ...]:
    """Lower end, forecast, upper end and width (B, H, K) of answers (B, H, K, Q).

    Quantiles that cross are put in order, so that a width is never negative. One answer
    has no ends of its own: its width is the size of the steps in its window, so that it
    grows with price and volatility.
    """
    middle = answers.shape[-1] // 2
    forecast = answers[..., middle]
    if answers.shape[-1] == 1:
        past = window[..., : forecast.shape[-1]]
        square = tf.reduce_sum(tf.square(past[:, 1:] - past[:, :-1]), 1, keepdims=True)
        square /= max(1, past.shape[1] - 1)  # (B, 1, K)
        least = tf.cast(STILL * deviation, square.dtype)
        size = tf.sqrt(square + tf.square(least))
        return forecast, forecast, forecast, tf.ones_like(forecast) * size
    lower = tf.minimum(answers[..., 0], forecast)
    upper = tf.maximum(answers[..., -1], forecast)
    smallest = 1e-6 * tf.abs(forecast) + 1e-12
    return lower, forecast, upper, tf.maximum(upper - lower, smallest)


def _without_one_target(values: tf.Tensor) -> tf.Tensor:
    return values[..., 0] if values.shape[-1] == 1 else values
