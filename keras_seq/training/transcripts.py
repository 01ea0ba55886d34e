"""Callbacks of a CTC model in training: its error rate, and blank collapse.

Knows alphabets and logits; neither audio nor a particular model.

Shapes: B batch, T frames, C classes, U symbols.
"""

from typing import Any

import keras
import tensorflow as tf

from keras_seq.decoding.ctc import best_path
from keras_seq.log import log

SILENT = 0.999  # share of blank frames at which a model writes nothing


@keras.saving.register_keras_serializable("keras_seq")
class SymbolErrorRate(keras.metrics.Metric):
    """Wrong symbols of the greedy transcripts, as a share of those that were spoken.

    Of characters it is CER, of whole-word labels WER. Edits of all samples are added
    up before they are divided.

    Args:
        name: of the metric.

    Example:

    >>> rate = SymbolErrorRate()
    >>> logits = tf.one_hot([[1, 0, 2, 2]], 3) * 9
    >>> rate.update_state(tf.constant([[4, 1, 1]]), logits)
    >>> float(rate.result())
    0.5
    """

    def __init__(self, name: str = "cer", **settings: Any) -> None:
        super().__init__(name=name, **settings)
        self.wrong = self.add_weight(name="wrong", initializer="zeros")
        self.spoken = self.add_weight(name="spoken", initializer="zeros")

    def update_state(
        self, targets: tf.Tensor, logits: tf.Tensor, sample_weight: Any = None
    ) -> None:
        """Adds a batch: int32 (B, 1 + U) of `ctc_targets`, float (B, T, C)."""
        del sample_weight
        targets = tf.cast(targets, tf.int32)
        ids, written, _ = best_path(logits, targets[:, 0])
        hypothesis = tf.ragged.boolean_mask(ids, written)
        truth = targets[:, 1:]
        truth = tf.ragged.boolean_mask(truth, truth != 0)
        edits = tf.edit_distance(
            hypothesis.to_sparse(), truth.to_sparse(), normalize=False
        )
        self.wrong.assign_add(tf.reduce_sum(edits))
        spoken = tf.cast(tf.size(truth.flat_values), tf.float32)
        self.spoken.assign_add(spoken)

    def result(self) -> tf.Tensor:
        """The share so far."""
        return self.wrong / tf.maximum(self.spoken, 1.0)


class BlankAlarm(keras.callbacks.Callback):
    """Warns when a model has written nothing but blanks for some epochs.

    CTC's easiest first step is to write nothing, and some runs never leave it.

    Args:
        dataset: its first batch is asked.
        patience: epochs in a row.
    """

    def __init__(self, dataset: tf.data.Dataset, patience: int = 5) -> None:
        super().__init__()
        if patience < 1:
            raise ValueError(f"patience is {patience}; expected 1 or more")
        self.patience, self.epochs_silent = patience, 0
        ((self._inputs, self._targets),) = dataset.take(1)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        answer = self.model(self._inputs, training=False)
        self.epochs_silent += 1
        if blank_share(answer, self._targets[:, 0]) < SILENT:
            self.epochs_silent = 0
        if self.epochs_silent == self.patience:
            log.warning(
                f"the model has written only blanks for {self.patience} epochs: train "
                "longer, lower the learning rate or the dropout, or check that the "
                "transcripts belong to the recordings"
            )

    def get_state(self) -> dict[str, int]:
        """What a resumed run must know."""
        return {"epochs_silent": self.epochs_silent}

    def set_state(self, state: dict[str, int]) -> None:
        """Goes on where `get_state` was asked."""
        self.epochs_silent = state["epochs_silent"]


def blank_share(logits: tf.Tensor, frames: tf.Tensor) -> float:
    """The share of real frames whose likeliest class is the blank.

    Args:
        logits: float (B, T, C).
        frames: int32 (B,), real frames of each.

    Example:

    >>> blank_share(tf.one_hot([[0, 0, 1, 1]], 2), tf.constant([3])).__round__(3)
    0.667
    """
    real = tf.sequence_mask(frames, tf.shape(logits)[1])
    blank = real & (tf.argmax(logits, axis=-1) == 0)
    return float(tf.reduce_sum(tf.cast(blank, tf.float32))) / max(
        1.0, float(tf.reduce_sum(tf.cast(real, tf.float32)))
    )
