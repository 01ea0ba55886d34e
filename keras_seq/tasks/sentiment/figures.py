"""What TensorBoard shows of a finished classifier."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_seq.evaluation.figures import confusion_matrix_figure
from keras_seq.evaluation.scores import format_report
from keras_seq.tasks.sentiment.scores import Scored, worst_mistakes
from keras_seq.training.tensorboard import EventWriter


def show_classifier(
    run_dir: Path,
    scored: Scored,
    label_names: Sequence[str],
) -> None:
    """Adds what stands at the end of a classifier's run to its TensorBoard logs.

    Scores and those of the baselines as scalars, the report and the worst mistakes as
    text, the confusion matrix as an image.

    Args:
        run_dir: the run's folder.
        scored: the test part's scores.
        label_names: C names.
    """
    answers = scored.probabilities.argmax(axis=1)
    image = confusion_matrix_figure(scored.labels, answers, label_names)
    texts = {
        "report": format_report(scored.report),
        "worst_mistakes": worst_mistakes(scored, label_names) or "none",
    }
    scores = {name: score["value"] for name, score in scored.report["scores"].items()}
    named = {"network": scores, **scored.report["baselines"]}
    writer = EventWriter.anew(run_dir / "tensorboard" / "report", ".v2")
    with writer.at(step=0):
        for tag, text in texts.items():
            # Markdown: indented lines stay as they are.
            tf.summary.text(tag, "\n".join("    " + li for li in text.splitlines()))
        tf.summary.image("confusion_matrix", image[np.newaxis])
        for who, values in named.items():
            for score, value in values.items():
                # TensorBoard groups tags by what stands before the slash.
                tf.summary.scalar(f"test_{score}/{who}".replace(" ", "_"), value)
    writer.close()
