"""What TensorBoard shows of a finished speech run: sounds, transcripts, alignments.

Knows texts, arrays and the run's folder; no model.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_seq.evaluation.figures import learning_curves_figure
from keras_seq.evaluation.scores import format_report
from keras_seq.evaluation.transcripts import error_table
from keras_seq.training.tensorboard import EventWriter

CLIPS_SHOWN = 8
ROWS = 200


class Heard(NamedTuple):
    """A recording and what became of it.

    Attributes:
        samples: int16 (N,).
        reference, hypothesis: what was said and what was written.
        alignment: uint8 (H, W, 4).
    """

    samples: np.ndarray
    reference: str
    hypothesis: str
    alignment: np.ndarray


def show_speech(
    run_dir: Path,
    history: Mapping[str, Sequence[float]],
    report: Mapping[str, Any],
    references: Sequence[str],
    hypotheses: Sequence[str],
    heard: Sequence[Heard],
    sample_rate: int,
) -> None:
    """Adds what stands at the end of a speech run to its TensorBoard logs.

    Args:
        run_dir: the run's folder.
        history: as Keras keeps it.
        report: of the test part.
        references: N transcripts.
        hypotheses: N transcripts.
        heard: some recordings, with sound and alignment.
        sample_rate: of the recordings.
    """
    writer = EventWriter.anew(run_dir / "tensorboard" / "report", ".v2")
    with writer.at(step=0):
        _text("report", format_report(report))
        tf.summary.text("errors", _errors(references, hypotheses))
        tf.summary.text("transcripts", _transcripts(references, hypotheses))
        tf.summary.image("learning_curves", learning_curves_figure(history)[None])
        for number, clip in enumerate(heard):
            sound = (clip.samples.astype(np.float32) / 32768)[None, :, None]
            said = f"**{clip.reference}** heard as **{clip.hypothesis or '(nothing)'}**"
            tf.summary.audio(f"clip_{number}", sound, sample_rate, description=said)
            tf.summary.image(f"alignment_{number}", clip.alignment[None])
            tf.summary.text(f"clip_{number}", said)
        own = {name: score["value"] for name, score in report["scores"].items()}
        for who, values in {"network": own, **report["baselines"]}.items():
            for score, value in values.items():
                tf.summary.scalar(f"test_{score}/{who}", value)
        for speaker, values in report.get("by_speaker", {}).items():
            tf.summary.scalar(f"test_wer_by_speaker/{speaker}", values["wer"])
    writer.close()


def _text(tag: str, text: str) -> None:
    # Markdown: indented lines stay as they are.
    tf.summary.text(tag, "\n".join("    " + line for line in text.splitlines()))


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    cells = (" | ".join(str(cell).replace("|", "\\|") for cell in row) for row in lines)
    return "\n".join(f"| {line} |" for line in cells)


def _errors(references: Sequence[str], hypotheses: Sequence[str]) -> str:
    rows = [
        (spoken or "(nothing)", written or "(nothing)", times)
        for spoken, written, times in error_table(references, hypotheses)
    ]
    return _table(("spoken", "written", "times"), rows) if rows else "none"


def _transcripts(references: Sequence[str], hypotheses: Sequence[str]) -> str:
    """The wrong transcripts first."""
    rows = sorted(zip(references, hypotheses), key=lambda pair: pair[0] == pair[1])
    return _table(("reference", "hypothesis"), rows[:ROWS])
