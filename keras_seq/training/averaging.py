"""Weights averaged over the steps of a training: quieter than the last ones.

Independent of tasks. Works with `fit`: validation, early stopping and the end of the
training see the averaged weights, training goes on with its own. The averages of an
optimizer with `use_ema` are treated alike.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.keras_internals import weight_averages
from keras_seq.training.train_step import inner_optimizer


class AveragedWeights(keras.callbacks.Callback):
    """The mean of the weights so far, or one that forgets exponentially.

    Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging",
    is the plain mean, as averaged SGD uses it; with `decay` it is the exponential
    moving average (Tarvainen and Valpola 2017, arXiv:1703.01780). That of an optimizer
    with `use_ema` begins at the weights of the first step, and a short training would
    end near them; this one begins as a plain mean.

    Args:
        decay: weight of the past, in (0, 1); None weighs all steps alike.
        start_step: steps before the average starts; weights of early steps are far off.

    Raises:
        ValueError: An argument is out of its range.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> average = AveragedWeights()
    >>> average.set_model(model)
    >>> average.on_train_begin()
    >>> for value in (0.0, 4.0):
    ...     _ = model.layers[0].kernel.assign([[value]])
    ...     average.on_train_batch_end(0)
    >>> average.on_test_begin()
    >>> float(model.layers[0].kernel.numpy()[0, 0])
    2.0
    """

    def __init__(self, decay: float | None = None, start_step: int = 0) -> None:
        super().__init__()
        if decay is not None and not 0 < decay < 1:
            raise ValueError(f"decay is {decay}; expected more than 0, less than 1")
        if start_step < 0:
            raise ValueError(f"start_step is {start_step}; expected 0 or more")
        self.decay, self.start_step = decay, start_step
        self._steps = 0
        self._average: list[tf.Variable] = []
        self._own: list[tf.Variable] = []
        self._swapped = self._validated = False

    def next_step(self, step: int) -> int:
        """Each one counts, however many run in a call."""
        return step + 1

    def on_train_begin(self, logs: dict | None = None) -> None:
        if ema_optimizers(self.model):
            raise ValueError(
                "AveragedWeights and an optimizer with use_ema average the same "
                "weights; use one of them"
            )
        weights = self.model.trainable_variables
        if not self._average:
            self._average = [tf.Variable(w.value, trainable=False) for w in weights]
        self._own = [tf.Variable(w.value, trainable=False) for w in weights]
        self._traced = tf.function(self._move)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._steps += 1
        counted = self._steps - self.start_step
        if counted < 1:
            return
        share = 1 / counted if self.decay is None else 1 - self.decay
        # The first steps of an exponential average are a plain mean: no bias to zero.
        self._traced(tf.constant(max(share, 1 / counted), tf.float32))

    def _move(self, share: tf.Tensor) -> None:
        for mean, weight in zip(self._average, self.model.trainable_variables):
            mean.assign_add(tf.cast(share, mean.dtype) * (weight.value - mean))

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._validated = True
        self._swap_in()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        # Early stopping stands before this callback and has seen the average.
        self._swap_out()

    def on_train_end(self, logs: dict | None = None) -> None:
        # With validation, early stopping has put back the best average already.
        if not self._validated:
            self._swap_in()

    def _swap_in(self) -> None:
        if self._steps > self.start_step and not self._swapped:
            for own, mean, weight in self._each():
                own.assign(weight.value)
                weight.assign(mean)
            self._swapped = True

    def _swap_out(self) -> None:
        if self._swapped:
            for own, _, weight in self._each():
                weight.assign(own)
            self._swapped = False

    def _each(self) -> zip:
        return zip(self._own, self._average, self.model.trainable_variables)

    def get_state(self) -> dict[str, Any]:
        """Steps and averages, for a run that is resumed."""
        return {
            "steps": self._steps,
            "average": [v.numpy() for v in self._average],
            "validated": self._validated,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `get_state` gave."""
        self._steps = int(state["steps"])
        self._validated = bool(state["validated"])
        self._average = [
            tf.Variable(np.asarray(value), trainable=False)
            for value in state["average"]
        ]


class EarlyStopping(keras.callbacks.EarlyStopping):
    """Keras' early stopping, for optimizers with `use_ema`, too.

    Such a training ends with the averages for its weights. So it is they that
    validation scores, and they that are kept and restored; training goes on with its
    own weights. Without `use_ema` it is Keras' own.

    Args:
        *args: as Keras' callback takes them.
        score_averages: False where `keras.callbacks.SwapEMAWeights` does that.
        **kwargs: as Keras' callback takes them.
    """

    def __init__(self, *args: Any, score_averages: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._score_averages = score_averages
        self._own: list[tuple[keras.Variable, tf.Tensor]] = []
        self._validated = False  # in this epoch

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._validated = False

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._validated = True
        if self._score_averages:
            self._swap_in()

    def on_test_end(self, logs: dict | None = None) -> None:
        self.release()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.monitor not in (logs or {}):
            if not self._validated:  # as `validation_freq` has it
                return
            raise ValueError(
                f"monitor is {self.monitor!r}, and an epoch has "
                f"{', '.join(sorted(logs or {}))}; name one of them"
            )
        self._swap_in()
        super().on_epoch_end(epoch, logs)
        self.release()

    def _swap_in(self) -> None:
        pairs = [
            (weight, average)
            for optimizer in ema_optimizers(self.model)
            if int(optimizer.iterations)  # the averages begin with the first step
            for weight, average in weight_averages(optimizer)
        ]
        self._own = [(weight, tf.identity(weight.value)) for weight, _ in pairs]
        for weight, average in pairs:
            weight.assign(average.value)

    def release(self) -> None:
        """Gives the model its own weights back."""
        for weight, own in self._own:
            weight.assign(own)
        self._own = []


def ema_optimizers(model: keras.Model) -> list[keras.optimizers.Optimizer]:
    """The optimizers of a model that keep averages of its weights."""
    inner = inner_optimizer(getattr(model, "optimizer", None))
    parts = getattr(inner, "optimizers", [inner])
    return [each for each in parts if getattr(each, "use_ema", False) and each.built]
