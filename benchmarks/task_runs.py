"""Trainings by the documented command of a task, for tables of scores on real data.

Each runs in a process of its own, one after the other, and scores its test part once,
at its end. Knows nothing of any task's scores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_task(
    task: str,
    options: Sequence[str],
    seed: int,
    export_dir: Path | None = None,
    run_dir: Path | None = None,
) -> dict:
    """One training; its metrics.json. What it says goes to stderr.

    Args:
        task: Stem of the script, such as "stock".
        options: Of its `train`, without seed and folders.
        seed: Its seed.
        export_dir: Takes the export; None removes it.
        run_dir: Takes the run; None removes it.
    """
    command = [sys.executable, str(ROOT / "tasks" / f"{task}.py"), "train", *options]
    with tempfile.TemporaryDirectory() as folder:
        command += ["--seed", str(seed)]
        export_dir = export_dir or Path(folder, "model")
        run_dir = run_dir or Path(folder, "run")
        command += ["--run-dir", str(run_dir), "--export-dir", str(export_dir)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, stdout=sys.stderr, env=environment)
        return json.loads(Path(run_dir, "metrics.json").read_text())


def parser_of_sets(doc: str, names: Iterable[str]) -> argparse.ArgumentParser:
    """Options that all tables share: where the data lies, which sets, which seeds."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    shared = os.environ.get("KERAS_SEQ_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data-dir", type=Path, default=Path(shared))
    parser.add_argument("--only", nargs="+", choices=names, default=list(names))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--json", type=Path, help="file for all reports")
    return parser


def write_reports(path: Path | None, reports: dict[str, list[dict]]) -> None:
    """All that was reported so far, where a file was asked for."""
    if path:
        path.write_text(json.dumps(reports, indent=2))
