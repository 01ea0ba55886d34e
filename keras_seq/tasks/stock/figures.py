"""What of a forecasting run is looked at: figures as PNG, and TensorBoard.

Knows reports and pictures, nothing of models.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_seq.evaluation.figures import learning_curves_figure
from keras_seq.tasks.stock.pictures import (
    error_by_step_figure,
    forecasts_figure,
    skill_by_fold_figure,
)
from keras_seq.tasks.stock.report import format_forecast_report
from keras_seq.training.tensorboard import EventWriter


def show_forecasts(
    run_dir: Path,
    history: Mapping[str, Sequence[float]],
    report: Mapping[str, Any],
    windows: Sequence[Any],
) -> None:
    """Puts the end of a run into `figures/` and its TensorBoard logs.

    Args:
        run_dir: the run's folder.
        history: as Keras keeps it.
        report: of the test part.
        windows: some, to draw.
    """
    images = {
        "forecasts": forecasts_figure(windows),
        "error_by_step": error_by_step_figure(report["by_step"]),
    }
    if any(len(values) for values in history.values()):
        images["learning_curves"] = learning_curves_figure(history)
    scores = {name: score["value"] for name, score in report["scores"].items()}
    named = {"network": scores, **report["baselines"]}
    numbers = {
        f"test_{score}/{who}": value
        for who, values in named.items()
        for score, value in values.items()
    }
    numbers["test_skill/network"] = report["comparison"]["skill"]["value"]
    _show(run_dir, images, numbers, format_forecast_report(report))


def show_backtest(run_dir: Path, folds: Sequence[Mapping[str, Any]]) -> None:
    """Puts the skill of each fold into `figures/` and TensorBoard.

    Args:
        run_dir: the run's folder.
        folds: of `backtest_folds`, one or more.
    """
    lines = [
        f"{fold['start']} to {fold['end']}: skill {fold['skill']['value']:+.3f} "
        f"against {fold['baseline']}"
        for fold in folds
    ]
    images = {"skill_by_fold": skill_by_fold_figure(folds)}
    mean = float(np.mean([fold["skill"]["value"] for fold in folds]))
    _show(run_dir, images, {"backtest_skill/mean": mean}, "\n".join(lines))


def _show(
    run_dir: Path,
    images: Mapping[str, np.ndarray],
    numbers: Mapping[str, float],
    text: str,
) -> None:
    folder = run_dir / "figures"
    folder.mkdir(exist_ok=True)
    writer = EventWriter.anew(run_dir / "tensorboard" / "report", ".v2")
    with writer.at(step=0):
        for tag, image in images.items():
            png = tf.io.encode_png(image).numpy()
            (folder / f"{tag}.png").write_bytes(png)
            tf.summary.image(tag, image[np.newaxis])
        for tag, value in numbers.items():
            tf.summary.scalar(tag, value)
        # Markdown: indented lines stay as they are.
        tf.summary.text("report", "\n".join("    " + li for li in text.splitlines()))
    writer.close()
