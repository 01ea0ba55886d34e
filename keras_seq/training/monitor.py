"""Callbacks that watch a training run. They know nothing of tasks."""


import keras
import numpy as np

from keras_seq.log import log


class TrainingMonitor(keras.callbacks.Callback):
    """Keeps the losses, and warns when validation loss keeps rising.

    Args:
        patience: rises in a row before the warning. Default 5.

    Attributes:
        losses: training loss of each epoch.
        val_losses: validation loss of each epoch that had one.

    Example:

    >>> monitor = TrainingMonitor()
    >>> monitor.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.4})
    >>> monitor.losses, monitor.val_losses
    ([0.5], [0.4])
    """

    def __init__(self, patience: int = 5) -> None:
        super().__init__()
        if patience < 1:
            raise ValueError(f"patience is {patience}; expected 1 or more")
        self.patience = patience
        self.losses: list[float] = []
        self.val_losses: list[float] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        if "loss" in logs:
            self.losses.append(float(logs["loss"]))
        if "val_loss" in logs:
            self.val_losses.append(float(logs["val_loss"]))
        # n rises take n + 1 values.
        recent = self.val_losses[-self.patience - 1 :]
        rising = all(after > before for before, after in zip(recent, recent[1:]))
        if len(recent) == self.patience + 1 and rising:
            log.warning(
                f"validation loss has risen for {self.patience} epochs in a row "
                f"(from {recent[0]:.4g} to {recent[-1]:.4g}): the model overfits"
            )


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
