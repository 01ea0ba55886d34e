"""The ending of every task, written once: scores, figures, page, export, proof.

It depends on no task. A run that is resumed after its end does nothing twice: the
version that it exported bears the run's id, and is published last of all, whole or not
at all. Where it stands the run is finished, and else its scores are taken once more.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.evaluation.figures import learning_curves_figure
from keras_seq.evaluation.table import format_report
from keras_seq.log import stage
from keras_seq.serving.exported import DEFAULT
from keras_seq.serving.folder import versions_in
from keras_seq.serving.graph import Signature
from keras_seq.serving.saved_model import EXTRA, MODEL_JSON, Proof, export
from keras_seq.tasks.page import write_page
from keras_seq.tasks.result import Answer, Report, Run
from keras_seq.training.model_file import portable
from keras_seq.training.report_board import ReportBoard
from keras_seq.training.run_folder import (
    CONFIG,
    RUN_ID,
    default_export_dir,
    read_facts,
    write_facts,
)

METRICS = "metrics.json"


@dataclass(kw_only=True)
class Ending:
    """What a task hands over once its model is trained and scored.

    Attributes:
        models: what answers; the first one is kept as `model.keras`.
        server: a module that holds them, and turns raw input into readable answers.
        signatures: of the server, as `export` takes them.
        proofs: raw inputs of `serving_default`, held out from training, and of further
            signatures, and what Python answers.
        reports: of "validation" and "test".
        metadata: facts of the task for `model.json`.
        draw: puts what is worth a look onto a board, beside report and curves.
        further: facts for metrics.json beside the reports.
        run_files: name to text, kept in the run's folder and in the export.
        extra_files: name to what writes it into the export.
        tolerance: of the proof, relative.
        absolute: of the proof, in the answers' own units; default `tolerance`.
    """

    models: Sequence[keras.Model]
    server: tf.Module
    signatures: Mapping[str, Signature]
    proofs: Mapping[str, Proof]
    reports: Mapping[str, Report]
    metadata: Mapping[str, Any]
    draw: Callable[[ReportBoard], None]
    further: Mapping[str, Any] = field(default_factory=dict)
    run_files: Mapping[str, str] = field(default_factory=dict)
    extra_files: Mapping[str, Callable[[Path], object]] = field(default_factory=dict)
    tolerance: float = 1e-5
    absolute: np.ndarray | float | None = None


def finish_run(
    task: str,
    score: Callable[[], Ending],
    history: keras.callbacks.History,
    *,
    model: keras.Model,
    answer: Answer,
    describe: Callable[[Report], str] = format_report,
    run_dir: Path,
    export_dir: Path | None = None,
) -> Run:
    """Writes a trained model's scores down, shows them, exports and proves it.

    Args:
        task: its name.
        score: a task's `score_run`; not called where the run is finished already.
        history: of `fit`, with `seconds`.
        model: that was trained.
        answer: the task's `predict`.
        describe: a report as text.
        run_dir: takes model.keras, metrics.json, report.html, figures and TensorBoard's
            report.
        export_dir: takes the SavedModel's version; default by the name of the data.

    Raises:
        ExportError: The SavedModel does not answer as Python does.
    """
    has_facts = (run_dir / CONFIG).exists()
    data = read_facts(run_dir, CONFIG).get("data") if has_facts else None
    export_dir = default_export_dir(task, data, export_dir)
    if (done := finished_run(run_dir, export_dir)) is None:
        done = _end_run(task, score(), history, describe, run_dir, export_dir)
    report, version = done
    return Run(
        task=task,
        report=report,
        history=history.history,
        seconds=history.seconds,
        model=model,
        run_dir=run_dir,
        export_path=version,
        answer=answer,
        describe=describe,
    )


def _end_run(
    task: str,
    ending: Ending,
    history: keras.callbacks.History,
    describe: Callable[[Report], str],
    run_dir: Path,
    export_dir: Path,
) -> tuple[Report, Path]:
    report = ending.reports["test"]
    portable(ending.models[0]).save(run_dir / "model.keras")
    for name, text in ending.run_files.items():
        _write_text(text, run_dir / name)
    facts = {"task": task, **ending.reports, **ending.further}
    write_facts(run_dir, METRICS, facts | {"seconds": history.seconds})
    with stage("figures"), ReportBoard(run_dir) as board:
        board.report(report, describe(report))
        if any(len(values) for values in history.history.values()):
            # TensorBoard has them from the training.
            board.figure("learning_curves", learning_curves_figure(history.history))
        ending.draw(board)
    trained = {"seconds": round(history.seconds, 1), "epochs": len(history.epoch)}
    trained["weights"] = ending.models[0].count_params()
    write_page(run_dir, task, ending.reports, board.sections, trained)
    return report, _export_once(task, ending, run_dir, export_dir)


def finished_run(run_dir: Path, export_dir: Path) -> tuple[Report, Path] | None:
    """What a run that is finished has to show.

    Args:
        run_dir: the run's folder.
        export_dir: where its version would stand.

    Returns:
        The report on the test part and the version's folder; None where there is still
        something to do.
    """
    version = published_version(run_dir, export_dir)
    try:
        metrics = read_facts(run_dir, METRICS)
    except UserError:  # not there, or damaged: it is written anew
        return None
    report = metrics.get("test")
    if version is None or not isinstance(report, dict) or not _is_of(version, report):
        return None
    return report, version


def published_version(run_dir: Path, export_dir: Path) -> Path | None:
    """The newest version that a run has exported to a folder, if any."""
    run = run_id(run_dir)
    if run is None or not Path(export_dir).is_dir():
        return None
    for version in reversed(versions_in(Path(export_dir)).values()):
        if _facts(version).get(RUN_ID) == run and (version / "saved_model.pb").exists():
            return version
    return None


def run_id(run_dir: Path) -> str | None:
    """What tells a run from all others; None for a folder that no task has begun."""
    if not (run_dir / CONFIG).exists():
        return None
    found = read_facts(run_dir, CONFIG).get(RUN_ID)
    return found if isinstance(found, str) else None


def _export_once(task: str, ending: Ending, run_dir: Path, export_dir: Path) -> Path:
    if (version := published_version(run_dir, export_dir)) is not None:
        return version
    run = run_id(run_dir)
    facts = {"task": task, **ending.metadata, "metrics": ending.reports["test"]}
    further = dict(ending.proofs)
    examples, expected = further.pop(DEFAULT)
    texts = {name: partial(_write_text, t) for name, t in ending.run_files.items()}
    return export(
        ending.server,
        export_dir,
        models=ending.models,
        signatures=ending.signatures,
        examples=examples,
        expected=expected,
        proofs=further,
        metadata=facts if run is None else facts | {RUN_ID: run},
        extra_files={**texts, **ending.extra_files},
        tolerance=ending.tolerance,
        absolute=ending.absolute,
    )


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, "utf-8", "backslashreplace")


def _facts(version: Path) -> dict[str, Any]:
    try:
        facts = json.loads((version / EXTRA / MODEL_JSON).read_text("utf-8"))
    except (OSError, ValueError):  # somebody else's, or damaged
        return {}
    return facts if isinstance(facts, dict) else {}


def _is_of(version: Path, report: Report) -> bool:
    """The version's own copy of the scores says whether the file is whole."""
    own = _facts(version).get("metrics")
    return isinstance(own, dict) and own.get("scores") == report.get("scores")
