"""What is looked at after a run: figures as PNG, TensorBoard, sections of a page."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_seq.audio.waveforms import wav_bytes
from keras_seq.evaluation.report_page import (
    image_section,
    sound_section,
    table_section,
    text_section,
)
from keras_seq.training.event_files import EventWriter

WIDTH = 88  # characters of a line that TensorBoard's page shows whole


class ReportBoard:
    """Writes images, texts, sounds and numbers of a finished run; a context manager.

    Each image is also a file in `figures/`. A run that is resumed after its end reports
    once: what stood there before is gone.

    Attributes:
        sections: HTML of what was shown, in its order, for the run's page.
    """

    def __init__(self, run_dir: Path) -> None:
        self.figures = run_dir / "figures"
        self.sections: list[str] = []
        # In the folder of the curves, so that TensorBoard lists the run once.
        self._writer = EventWriter(run_dir / "tensorboard", ".report")
        self._writer.set_state({})

    def __enter__(self) -> "ReportBoard":
        return self

    def __exit__(self, *error: object) -> None:
        self._writer.close()

    def figure(self, tag: str, image: np.ndarray) -> None:
        """A picture uint8 (height, width, 4) as `figures/<tag>.png` alone."""
        self.figures.mkdir(exist_ok=True)
        png = tf.io.encode_png(image).numpy()
        (self.figures / f"{tag}.png").write_bytes(png)
        self.sections.append(image_section(tag, png))

    def image(self, tag: str, image: np.ndarray) -> None:
        """The same, on TensorBoard, too."""
        self.figure(tag, image)
        with self._writer.at(step=0):
            tf.summary.image(tag, image[np.newaxis])

    def text(self, tag: str, text: str) -> None:
        """Lines as they are, in a fixed-width font."""
        self.sections.append(text_section(tag, text))
        self.markdown(tag, _verbatim(text))

    def markdown(self, tag: str, text: str) -> None:
        """Text that TensorBoard renders; it does not stand on the run's page."""
        with self._writer.at(step=0):
            tf.summary.text(tag, text)

    def table(self, tag: str, header: Sequence[str], rows: Sequence[Sequence]) -> None:
        """Rows below a header; "none" where there is no row."""
        self.sections.append(table_section(tag, header, rows))
        lines = [header, ["---"] * len(header), *rows]
        cells = (" | ".join(str(c).replace("|", "\\|") for c in row) for row in lines)
        shown = "\n".join(f"| {line} |" for line in cells)
        self.markdown(tag, shown if rows else "none")

    def sound(self, tag: str, samples: np.ndarray, rate: int, about: str) -> None:
        """Samples int16 (N,) to listen to, with a line of Markdown about them."""
        line = about.replace("**", "")
        self.sections.append(sound_section(tag, wav_bytes(samples, rate), line))
        with self._writer.at(step=0):
            sound = (samples.astype(np.float32) / 32768)[None, :, None]
            tf.summary.audio(tag, sound, rate, description=about)

    def scalars(self, values: Mapping[str, float]) -> None:
        """Numbers by tag; TensorBoard groups them by what stands before a slash."""
        with self._writer.at(step=0):
            for tag, value in values.items():
                tf.summary.scalar(tag.replace(" ", "_"), value)

    def report(self, report: Mapping[str, Any], text: str) -> None:
        """The verdict, the scores beside their baselines, and what compares runs."""
        sentence = report["comparison"]["sentence"]
        lines = [line for line in text.splitlines() if line != sentence]
        verdict = f"**{report['verdict']}**: {sentence}\n\n"
        self.markdown("report", verdict + _verbatim("\n".join(lines)))
        own = {name: score["value"] for name, score in report["scores"].items()}
        for who, values in {"network": own, **report["baselines"]}.items():
            self.scalars({f"test_{name}/{who}": values[name] for name in values})
        metric, best = (report["comparison"][name] for name in ("metric", "baseline"))
        # The same two tags in every task: columns of the HParams tab.
        self.scalars(
            {
                "test/score": own[metric],
                "test/baseline": report["baselines"][best][metric],
            }
        )


def _verbatim(text: str) -> str:
    """Markdown that shows lines as they are; sentences fit the page's width.

    Example:

    >>> print(_verbatim("a  1\\n" + "a sentence " * 9))
        a  1
        a sentence a sentence a sentence a sentence a sentence a sentence a sentence a
        sentence a sentence
    """
    lines: list[str] = []
    for line in text.splitlines():
        is_sentence = len(line) > WIDTH and "  " not in line
        lines += textwrap.wrap(line, WIDTH) if is_sentence else [line]
    # Indented lines stay as they are.
    return "\n".join("    " + line for line in lines)
