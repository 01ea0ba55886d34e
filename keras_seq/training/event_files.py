"""TensorBoard's event files, which a resumed run cuts back to its last checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_seq.errors import UserError


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

    def at(self, step: int) -> Any:
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
