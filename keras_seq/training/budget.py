"""A learning rate that ends with the time there is. It is independent of models."""

import math
import time
from collections.abc import Callable

import keras

from keras_seq.training.schedules import checked_rate


class Clock:
    """Seconds of training, those `before` an interruption included."""

    def __init__(
        self, before: float = 0.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._before, self._start, self._now = before, now(), now

    def seconds(self) -> float:
        return self._before + self._now() - self._start


class BudgetedRate(keras.callbacks.Callback):
    """Half a cosine over the epochs, or over the seconds where they run out first.

    Without this, a run that its time limit stops has never seen a small rate, which is
    where most of the last errors go. With no time limit the rate is a function of the
    epoch alone.

    Args:
        learning_rate: where the cosine starts, after the warm-up.
        epochs: most epochs of the run.
        max_seconds: time limit of the run; None leaves it to the epochs.
        warmup: epochs with a rising rate.
        clock: seconds, for tests.

    Raises:
        ValueError: `learning_rate` is not above 0; `epochs` or `warmup` is below 1; or
            `max_seconds` is negative or NaN.

    Example:

    >>> rate = BudgetedRate(1.0, 4, warmup=1)
    >>> [round(rate.at(epoch), 2) for epoch in range(4)]
    [0.96, 0.69, 0.31, 0.04]
    """

    def __init__(
        self,
        learning_rate: float,
        epochs: int,
        max_seconds: float | None = None,
        warmup: int = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        if epochs < 1 or warmup < 1:
            raise ValueError(
                f"epochs is {epochs} and warmup {warmup}; expected 1 or more of both"
            )
        if max_seconds is not None and not max_seconds >= 0:
            raise ValueError(f"max_seconds is {max_seconds}; expected 0 or more")
        checked_rate(learning_rate)
        self.learning_rate, self.epochs, self.warmup = learning_rate, epochs, warmup
        self.max_seconds, self._clock = max_seconds, clock
        self._before = 0.0
        self._running: Clock | None = None  # from the first epoch on

    def seconds(self) -> float:
        """Since the first epoch, that of resumed parts included."""
        if self._running is None:
            self._running = Clock(self._before, self._clock)
        return self._running.seconds()

    def at(self, epoch: int) -> float:
        """The rate of an epoch that begins now."""
        done = (min(epoch, self.epochs - 1) + 0.5) / self.epochs
        if self.max_seconds:
            # The middle of an epoch as long as those so far, which it mostly is.
            passed = self.seconds() / self.max_seconds * (1 + 0.5 / max(epoch, 1))
            done = max(done, min(passed, 1 - 0.5 / self.epochs))
        rise = min(1.0, (epoch + 1) / self.warmup)
        return self.learning_rate * rise * (1 + math.cos(math.pi * done)) / 2

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.model.optimizer.learning_rate = self.at(epoch)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)

    def get_state(self) -> dict[str, float]:
        """What a resumed run must know."""
        return {"seconds": self.seconds()}

    def set_state(self, state: dict[str, float]) -> None:
        """Goes on where `get_state` was asked."""
        self._before, self._running = state["seconds"], None
