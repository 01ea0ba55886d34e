"""What is looked at after a run: figures as PNG, and the `report` of TensorBoard."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import tensorflow as tf

from keras_seq.training.event_files import EventWriter


class ReportBoard:
    """Writes images, texts, sounds and numbers of a finished run; a context manager.

    Each image is also a file in `figures/`. A run that is resumed after its end reports
    once: what stood there before is gone.

    Args:
        run_dir: the run's folder.
    """

    def __init__(self, run_dir: Path) -> None:
        self.figures = run_dir / "figures"
        self._writer = EventWriter(run_dir / "tensorboard" / "report")
        self._writer.set_state({})

    def __enter__(self) -> "ReportBoard":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def image(self, tag: str, image: np.ndarray) -> None:
        """A picture uint8 (height, width, 4), and `figures/<tag>.png`."""
        self.figures.mkdir(exist_ok=True)
        png = tf.io.encode_png(image).numpy()
        (self.figures / f"{tag}.png").write_bytes(png)
        with self._writer.at(step=0):
            tf.summary.image(tag, image[np.newaxis])

    def text(self, tag: str, text: str) -> None:
        """Lines as they are, in a fixed-width font."""
        # Markdown: indented lines stay as they are.
        self.markdown(tag, "\n".join("    " + line for line in text.splitlines()))

    def markdown(self, tag: str, text: str) -> None:
        """Text that TensorBoard renders."""
        with self._writer.at(step=0):
            tf.summary.text(tag, text)

    def table(self, tag: str, header: Sequence[str], rows: Sequence[Sequence]) -> None:
        """Rows below a header; "none" where there is no row."""
        lines = [header, ["---"] * len(header), *rows]
        cells = (" | ".join(str(c).replace("|", "\\|") for c in row) for row in lines)
        shown = "\n".join(f"| {line} |" for line in cells)
        self.markdown(tag, shown if rows else "none")

    def sound(self, tag: str, samples: np.ndarray, rate: int, about: str) -> None:
        """Samples int16 (N,) to listen to."""
        with self._writer.at(step=0):
            sound = (samples.astype(np.float32) / 32768)[None, :, None]
            tf.summary.audio(tag, sound, rate, description=about)

    def scalars(self, values: Mapping[str, float]) -> None:
        """Numbers by tag; TensorBoard groups them by what stands before a slash."""
        with self._writer.at(step=0):
            for tag, value in values.items():
                tf.summary.scalar(tag.replace(" ", "_"), value)

    def scores(self, report: Mapping[str, Any]) -> None:
        """The scores of a test report beside those of its baselines."""
        own = {name: score["value"] for name, score in report["scores"].items()}
        for who, values in {"network": own, **report["baselines"]}.items():
            self.scalars({f"test_{name}/{who}": values[name] for name in values})
