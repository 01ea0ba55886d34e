"""A text that the model writes after each epoch, so that learning can be read.

Independent of models: it is given a function that writes.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from keras_seq.log import log
from keras_seq.training.event_files import EventWriter

SHOWN = 120  # characters on the terminal


class TextSamples(keras.callbacks.Callback):
    """Writes a sample to TensorBoard and one line of it to stderr, each epoch.

    Args:
        write: makes a text with the weights of the moment.
        log_dir: folder of the run's TensorBoard logs; None writes to stderr alone.
    """

    def __init__(self, write: Callable[[], str], log_dir: Path | None = None) -> None:
        super().__init__()
        self._write = write
        self._writer = EventWriter(log_dir, ".text")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        text = self._write()
        line = " ".join(text.split())[:SHOWN]
        log.info(f"  sample: {line}")
        if self._writer.log_dir is not None:
            with self._writer.at(epoch):
                _show("sample", text)
            self._writer.close()  # to be read at once

    def get_state(self) -> dict:
        """How far the file is written: a sample is a function of the weights."""
        return {"files": self._writer.get_state()}

    def set_state(self, state: dict) -> None:
        """Cuts off what is going to be written again."""
        self._writer.set_state(state["files"])


def _show(tag: str, text: str) -> None:
    # Markdown: indented lines stay as they are.
    tf.summary.text(tag, "\n".join("    " + line for line in text.splitlines()))
