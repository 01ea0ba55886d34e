"""A text that the model writes after each epoch, so that learning can be read.

Knows nothing of models: it is given a function that writes.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

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
        self._log_dir = log_dir

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        text = self._write()
        line = " ".join(text.split())[:SHOWN]
        print(f"  sample: {line}", file=sys.stderr, flush=True)
        if self._log_dir is not None:
            show_text(self._log_dir, "sample", text, epoch)

    def get_state(self) -> dict:
        """Nothing: a sample is a function of the weights."""
        return {}

    def set_state(self, state: dict) -> None:
        """Nothing to go on from."""


def show_text(log_dir: Path, tag: str, text: str, step: int = 0) -> None:
    """Adds a text to TensorBoard's logs, its lines as they are."""
    writer = tf.summary.create_file_writer(str(log_dir / "text"))
    with writer.as_default(step=step):
        # Markdown: indented lines stay as they are.
        tf.summary.text(tag, "\n".join("    " + line for line in text.splitlines()))
    writer.close()
