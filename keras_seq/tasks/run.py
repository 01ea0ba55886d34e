"""The ending of every task, written once: scores, metrics.json, figures, export, proof.

It knows no task: a task hands over a server (raw in, readable out), a function that
scores a part, and one that draws what is worth a look.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import keras

from keras_seq.evaluation.figures import learning_curves_figure
from keras_seq.evaluation.scores import format_report
from keras_seq.serving.graph import Signature
from keras_seq.serving.saved_model import export
from keras_seq.training.report_board import ReportBoard
from keras_seq.training.run_folder import write_facts

METRICS = "metrics.json"
Report = dict[str, Any]


class Server(Protocol):
    """A `tf.Module` that turns raw input into readable answers, as one graph."""

    def signatures(self) -> Mapping[str, Signature]:
        """Name to function and input specification; `serving_default` among them."""

    def expected(self, examples: Any) -> Mapping[str, Any]:
        """What Python answers to a batch of examples."""


class Finished(NamedTuple):
    """What a run left.

    Attributes:
        report: of the test part.
        version: the exported version's folder.
    """

    report: Report
    version: Path


def finish_run(
    task: str,
    *,
    models: Sequence[keras.Model],
    server: Server,
    score: Callable[[str], Report],
    draw: Callable[[ReportBoard, Report], None],
    examples: Mapping[str, Any],
    metadata: Mapping[str, Any],
    history: keras.callbacks.History,
    run_dir: Path,
    export_dir: Path,
    further: Mapping[str, Any] | None = None,
    extra_files: Mapping[str, Callable[[Path], None]] | None = None,
    tolerance: float = 1e-5,
    describe: Callable[[Report], str] = format_report,
) -> Finished:
    """Scores both held-out parts, writes them down, shows them, exports and proves.

    Args:
        task: its name.
        models: what the server answers with; the first one is kept as `model.keras`.
        server: raw input to readable answers.
        score: "validation" or "test" to a report; "test" is asked for last.
        draw: puts figures of the test report onto a board.
        examples: raw inputs of `serving_default`, held out from training.
        metadata: facts of the task for `model.json`.
        history: of `fit`, with `seconds`.
        run_dir: takes model.keras, metrics.json, figures and TensorBoard's report.
        export_dir: takes the SavedModel's version.
        further: facts that metrics.json holds beside the reports.
        extra_files: written into the export, such as fitted baselines.
        tolerance: of the proof.
        describe: a report as text.

    Returns:
        The report on the test part, and the version's folder.

    Raises:
        ExportError: The SavedModel does not answer as Python does.
    """
    models[0].save(run_dir / "model.keras")
    reports = {part: score(part) for part in ("validation", "test")}
    facts = {"task": task, **reports, **(further or {}), "seconds": history.seconds}
    write_facts(run_dir, METRICS, facts)
    report = reports["test"]
    with ReportBoard(run_dir) as board:
        board.text("report", describe(report))
        board.scores(report)
        if any(len(values) for values in history.history.values()):
            board.image("learning_curves", learning_curves_figure(history.history))
        draw(board, report)
    version = export(
        server,
        export_dir,
        models=models,
        signatures=server.signatures(),
        examples=examples,
        expected=server.expected(examples),
        metadata={"task": task, **metadata, "metrics": report},
        extra_files=extra_files,
        tolerance=tolerance,
    )
    return Finished(report, version)
