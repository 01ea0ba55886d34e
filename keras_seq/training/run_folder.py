"""The folder of one run: its settings, its scores, and what TensorBoard shows of them.

Knows nothing of tasks: settings and reports are plain dicts, pictures are arrays.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.evaluation.classifier import Scored, worst_mistakes
from keras_seq.evaluation.figures import confusion_matrix_figure, learning_curves_figure
from keras_seq.evaluation.scores import format_report
from keras_seq.export_folder import plain, write_json


def make_run_dir(stem: str, run_dir: str | Path | None = None) -> Path:
    """Makes an empty folder for a run.

    Args:
        stem: the task's name.
        run_dir: None takes `runs/<stem>/<date>-<time>`, with a number behind it when
            two runs start in the same second.

    Returns:
        The folder.

    Raises:
        UserError: It holds something already, or cannot be made.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_run_dir("sentiment", folder + "/first").name
    'first'
    """
    try:
        if run_dir is not None:
            run_dir = Path(run_dir)
            run_dir.mkdir(parents=True, exist_ok=True)
            if any(run_dir.iterdir()):
                raise UserError(f"{run_dir}: holds a run already; give another folder")
            return run_dir
        base, number = Path("runs", stem, time.strftime("%Y%m%d-%H%M%S")), 1
        while True:
            path = base if number == 1 else base.with_name(f"{base.name}-{number}")
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                return path
    except OSError as error:
        raise UserError(
            f"{error.filename}: cannot be made ({error.strerror}); give another "
            "folder with --run-dir"
        ) from error


def write_facts(run_dir: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Writes `config.json` or `metrics.json`: strict JSON, whole or not at all."""
    aside = run_dir / f".{name}.tmp"
    write_json(aside, plain(dict(facts), name))
    aside.replace(run_dir / name)


def show_classifier(
    run_dir: Path,
    history: Mapping[str, Sequence[float]],
    scored: Scored,
    label_names: Sequence[str],
) -> None:
    """Adds what stands at the end of a classifier's run to its TensorBoard logs.

    Scores and those of the baselines as scalars, the report and the worst mistakes as
    text, the confusion matrix and the learning curves as images.

    Args:
        run_dir: the run's folder.
        history: as Keras keeps it.
        scored: the test part's scores.
        label_names: C names.
    """
    answers = scored.probabilities.argmax(axis=1)
    images = {
        "confusion_matrix": confusion_matrix_figure(
            scored.labels, answers, label_names
        ),
        "learning_curves": learning_curves_figure(history),
    }
    texts = {
        "report": format_report(scored.report),
        "worst_mistakes": worst_mistakes(scored, label_names) or "none",
    }
    scores = {name: score["value"] for name, score in scored.report["scores"].items()}
    named = {"network": scores, **scored.report["baselines"]}
    writer = tf.summary.create_file_writer(str(run_dir / "tensorboard" / "report"))
    with writer.as_default(step=0):
        for tag, text in texts.items():
            # Markdown: indented lines stay as they are.
            tf.summary.text(tag, "\n".join("    " + li for li in text.splitlines()))
        for tag, image in images.items():
            tf.summary.image(tag, image[np.newaxis])
        for who, values in named.items():
            for score, value in values.items():
                # TensorBoard groups tags by what stands before the slash.
                tf.summary.scalar(f"test_{score}/{who}".replace(" ", "_"), value)
    writer.close()
