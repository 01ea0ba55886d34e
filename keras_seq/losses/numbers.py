"""Losses of numbers, and of the quantiles of what is to come.

Shapes: B batch, Q quantiles.
"""

from collections.abc import Callable, Sequence

import keras
from keras import KerasTensor, ops


def scaled_squared_error(
    scale: float,
) -> Callable[[KerasTensor, KerasTensor], KerasTensor]:
    """Squared error in units of the targets' own spread.

    Args:
        scale: standard deviation of the train part's targets.

    Returns:
        A loss of targets (B,) or (B, 1) and answers float (B, 1): float (B,).

    Example:

    >>> loss = scaled_squared_error(2.0)
    >>> loss(ops.array([1.0, 5.0]), ops.array([[3.0], [5.0]])).numpy().tolist()
    [1.0, 0.0]
    """

    def loss(targets: KerasTensor, answers: KerasTensor) -> KerasTensor:
        targets = ops.cast(ops.reshape(targets, (-1,)), answers.dtype)
        return ops.square((targets - ops.reshape(answers, (-1,))) / scale)

    return loss


class QuantileLoss(keras.losses.Loss):
    """Pinball loss of several quantiles, summed: twice it is the absolute error at 0.5.

    Koenker and Bassett 1978: its least mean is at the quantiles of what is to come.

    Args:
        quantiles: Q numbers between 0 and 1.

    Example:

    >>> loss = QuantileLoss((0.1, 0.5))
    >>> float(loss(ops.array([1.0]), ops.array([[0.0, 3.0]]))).__round__(3)
    2.2
    """

    def __init__(self, quantiles: Sequence[float], name: str = "quantile_loss") -> None:
        super().__init__(name=name)
        self.quantiles = [float(quantile) for quantile in quantiles]

    # A plain function will not do: Keras takes a last axis of size one off its answers,
    # and one quantile would be compared with every target.
    def call(self, targets: KerasTensor, answers: KerasTensor) -> KerasTensor:
        """Targets float (...) and answers (..., Q): float (...)."""
        targets = ops.cast(ops.expand_dims(targets, -1), answers.dtype)
        error = targets - answers  # (..., Q)
        level = ops.convert_to_tensor(self.quantiles, answers.dtype)
        return 2 * ops.sum(ops.maximum(level * error, (level - 1) * error), axis=-1)

    def get_config(self) -> dict:
        """What makes an equal one."""
        return {"quantiles": self.quantiles, "name": self.name}
