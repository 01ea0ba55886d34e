"""Callbacks that record a training run. They are independent of tasks."""

import math

import keras
import numpy as np

from keras_seq.log import log


class TrainingMonitor(keras.callbacks.Callback):
    """Keeps the losses, and warns once a run when validation loss keeps rising.

    A loss that rises while what the run is judged by gets better is no fault: the model
    is only surer than it was, of its few mistakes, too.

    Args:
        patience: rises in a row before the warning. Default 5.
        watched: what the run is judged by, such as "val_accuracy"; where its best value
            is of those epochs, there is no warning.
        mode: "min" or "max": which way `watched` is better.

    Attributes:
        losses: training loss of each epoch.
        val_losses: validation loss of each epoch that had one.

    Example:

    >>> monitor = TrainingMonitor()
    >>> monitor.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.4})
    >>> monitor.losses, monitor.val_losses
    ([0.5], [0.4])
    """

    def __init__(
        self, patience: int = 5, watched: str = "val_loss", mode: str = "min"
    ) -> None:
        super().__init__()
        if patience < 1:
            raise ValueError(f"patience is {patience}; expected 1 or more")
        self.patience, self.watched, self.mode = patience, watched, mode
        self.losses: list[float] = []
        self.val_losses: list[float] = []
        self._watched_values: list[float] = []
        self._warned = False

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._warned = False

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        if "loss" in logs:
            self.losses.append(float(logs["loss"]))
        if "val_loss" not in logs:
            return
        self.val_losses.append(float(logs["val_loss"]))
        if np.ndim(logs.get(self.watched, math.nan)) == 0:
            value = float(logs.get(self.watched, math.nan))
            self._watched_values.append(-value if self.mode == "max" else value)
        # n rises take n + 1 values.
        recent = self.val_losses[-self.patience - 1 :]
        rising = all(after > before for before, after in zip(recent, recent[1:]))
        if self._warned or len(recent) <= self.patience or not rising:
            return
        if not self._gets_better():
            self._warned = True
            log.warning(
                f"epoch {epoch + 1}: validation loss has risen for {self.patience} "
                f"epochs in a row (from {recent[0]:.4g} to {recent[-1]:.4g}): the "
                "model overfits"
            )

    def _gets_better(self) -> bool:
        """Whether the best value so far came while the loss rose."""
        before = self._watched_values[: -self.patience]
        recent = self._watched_values[-self.patience :]
        return bool(before) and min(recent) < min(before)


class Progress(keras.callbacks.Callback):
    """One quiet line an epoch, for where no terminal shows a live bar."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        scores = "  ".join(f"{name} {_short(value)}" for name, value in logs.items())
        log.info(f"epoch {epoch + 1}/{self.params['epochs']}  {scores}")


def _short(value: float | np.ndarray) -> str:
    """Four digits of a number, or of each where a metric has several."""
    if np.ndim(value):
        return "[" + " ".join(f"{each:.4g}" for each in np.ravel(value)) + "]"
    return f"{value:.4g}"
