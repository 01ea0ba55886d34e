"""Files that callbacks write row by row, which a resumed run must go on with.

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

EVENT_FOLDERS = ("train", "validation")


class EventWriter:
    """Event files in one folder, which can go back to what they were at some step.

    Args:
        log_dir: folder; None writes nothing.
        suffix: of its files' names; others in the folder are left alone.
    """

    def __init__(self, log_dir: str | Path | None, suffix: str = ".v2") -> None:
        self.log_dir = None if log_dir is None else Path(log_dir)
        self._suffix = suffix
        self._writer: tf.summary.SummaryWriter | None = None

    def scalar(self, tag: str, value: float, step: int, about: str = "") -> None:
        """One point of a curve; `about` is what a click on its "i" says."""
        if self.log_dir is not None:
            with self.at(step):
                tf.summary.scalar(tag, value, description=about or None)

    def at(self, step: int) -> contextlib.AbstractContextManager[object]:
        """Within this `with` block `tf.summary` writes here, at this step."""
        if self._writer is None:
            try:
                self._writer = tf.summary.create_file_writer(
                    str(self.log_dir), filename_suffix=self._suffix
                )
            except tf.errors.OpError as error:
                raise self._unwritable(error) from error
        return self._writer.as_default(step=step)

    def get_state(self) -> dict[str, int]:
        """Size of each event file, once all that was written is in it."""
        if self._writer is not None:
            try:
                self._writer.flush()
            except tf.errors.OpError as error:
                raise self._unwritable(error) from error
        return {path.name: path.stat().st_size for path in self._files()}

    def set_state(self, sizes: Mapping[str, int]) -> None:
        """Cuts off what was written since."""
        self.close()
        for path in self._files():
            if path.name not in sizes:
                path.unlink()
            elif path.stat().st_size > sizes[path.name]:
                with open(path, "r+b") as file:
                    file.truncate(sizes[path.name])

    def close(self) -> None:
        """Ends the file; the next value begins another."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def _files(self) -> list[Path]:
        if self.log_dir is None:
            return []
        return sorted(self.log_dir.glob(f"events.*{self._suffix}"))

    def _unwritable(self, error: Exception) -> UserError:
        return UserError(
            f"{self.log_dir}: TensorBoard's file cannot be written ({error}); make "
            "room, then resume"
        )


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
