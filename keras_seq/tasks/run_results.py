"""What a run has reached after its training, so that a resumed one does nothing twice.

The version that a run has exported bears the run's id, and is published last of all,
whole or not at all: where it stands, the run is finished, and else its scores are taken
once more.
"""

import json
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.serving.folder import versions_in
from keras_seq.serving.saved_model import EXTRA, MODEL_JSON, export
from keras_seq.training.run_folder import CONFIG, RUN_ID, read_facts

METRICS = "metrics.json"


def finished_run(
    run_dir: Path, export_dir: Path
) -> tuple[dict[str, Any], Path] | None:
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


def export_once(
    run_dir: Path, module: tf.Module, export_dir: Path, **options: Any
) -> Path:
    """`export`, unless a version of this run stands there already.

    Args:
        run_dir: the run's folder.
        module: as `export` takes it.
        export_dir: the same.
        **options: the same; the metadata gets the run's id.

    Returns:
        The version's folder.
    """
    version = published_version(run_dir, export_dir)
    if version is not None:
        return version
    run = run_id(run_dir)
    if run is not None:
        options["metadata"] = {**options["metadata"], RUN_ID: run}
    return export(module, export_dir, **options)


def run_id(run_dir: Path) -> str | None:
    """What tells a run from all others; None for a folder that no task has begun."""
    if not (run_dir / CONFIG).exists():
        return None
    found = read_facts(run_dir, CONFIG).get(RUN_ID)
    return found if isinstance(found, str) else None


def _facts(version: Path) -> dict[str, Any]:
    try:
        facts = json.loads((version / EXTRA / MODEL_JSON).read_text("utf-8"))
    except (OSError, ValueError):  # somebody else's, or damaged
        return {}
    return facts if isinstance(facts, dict) else {}


def _is_of(version: Path, report: dict[str, Any]) -> bool:
    """The version's own copy of the scores says whether the file is whole."""
    own = _facts(version).get("metrics")
    return isinstance(own, dict) and own.get("scores") == report.get("scores")
