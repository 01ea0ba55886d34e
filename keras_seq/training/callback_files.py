"""Files that Keras' callbacks write row by row, which a resumed run must go on with.

What was written after the last checkpoint is written again, so it is cut off; and a
log that Keras would begin anew is gone on with. Independent of other callbacks: what
a user's own writes is its own business, in `get_state` and `set_state`.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.keras_internals import flush_events
from keras_seq.training.event_files import EventWriter

EVENT_FOLDERS = ("train", "validation")


def kept_files(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """What `rewind_files` needs to know of a callback's files; mostly nothing."""
    if isinstance(callback, keras.callbacks.CSVLogger):
        # As a whole: a row an epoch is little, and nothing on the disk can spoil it.
        return {"csv": np.frombuffer(_read(callback.filename), np.uint8)}
    if isinstance(callback, keras.callbacks.TensorBoard):
        flush_events(callback)
        return {"events": [each.get_state() for each in _event_writers(callback)]}
    return {}


def rewind_files(callback: keras.callbacks.Callback, kept: Mapping[str, Any]) -> None:
    """Makes a callback's files what they were.

    Args:
        callback: not called yet, since Keras' own begin to write early.
        kept: of `kept_files`.

    Raises:
        UserError: The file cannot be written.
    """
    if "csv" in kept:
        try:
            with tf.io.gfile.GFile(callback.filename, "wb") as file:
                file.write(kept["csv"].tobytes())
        except (OSError, tf.errors.OpError) as error:
            raise UserError(
                f"{callback.filename}: CSVLogger's file cannot be written "
                f"({str(error).splitlines()[0]}); make it writable, then resume"
            ) from error
    for writer, sizes in zip(_event_writers(callback), kept.get("events", ())):
        writer.set_state(sizes)


@contextlib.contextmanager
def appending(callbacks: Iterable[keras.callbacks.Callback]) -> Iterator[None]:
    """Within this block a `CSVLogger` that begins goes on with what its file holds."""
    kind = keras.callbacks.CSVLogger
    loggers = [each for each in callbacks if isinstance(each, kind)]
    asked = [each.append for each in loggers]
    for each in loggers:
        each.append = True
    try:
        yield
    finally:
        for each, append in zip(loggers, asked):
            each.append = append


def _read(path: str) -> bytes:
    if not tf.io.gfile.exists(path):
        return b""
    with tf.io.gfile.GFile(path, "rb") as file:
        return file.read()


def _event_writers(callback: keras.callbacks.Callback) -> list[EventWriter]:
    folder = Path(getattr(callback, "log_dir", ""))
    return [EventWriter(folder / name) for name in EVENT_FOLDERS]
