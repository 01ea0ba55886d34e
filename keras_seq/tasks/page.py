"""report.html: what a run has left, on one page that can be sent to somebody.

It needs no task: reports, sections of a board and the run's own config.json go in.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_seq.evaluation.report_page import report_page
from keras_seq.files import plain, written_aside
from keras_seq.invocation import command
from keras_seq.serving.facts import versions
from keras_seq.tasks.result import Report
from keras_seq.training.run_folder import (
    CONFIG,
    FINGERPRINT,
    RUN_ID,
    read_facts,
    shown_name,
)

REPORT = "report.html"


def write_page(
    run_dir: Path,
    task: str,
    reports: Mapping[str, Report],
    sections: Sequence[str],
    training: Mapping[str, Any],
) -> Path:
    """Writes the page of a run, whole or not at all.

    Args:
        run_dir: the run's folder; its config.json is shown where it has one.
        task: its name.
        reports: by part, "test" among them.
        sections: HTML of what a board has shown.
        training: facts such as its seconds.

    Returns:
        The file.
    """
    config = read_facts(run_dir, CONFIG) if (run_dir / CONFIG).exists() else {}
    parts = config.pop(FINGERPRINT, None)
    run = config.pop(RUN_ID, None)
    facts: dict[str, Mapping[str, Any]] = {"Training": training}
    facts["Settings"] = config
    if parts is not None:
        given = parts if isinstance(parts, dict) else {"train": parts}
        facts["Data, by the SHA-256 of its content"] = given
    facts["Versions"] = versions() | ({} if run is None else {"run": run})
    page = report_page(
        f"{task.replace('_', ' ')}: {shown_name(config.get('data'))}",
        plain(dict(reports), REPORT),
        sections=sections,
        facts={title: values for title, values in facts.items() if values},
        command=command(),
    )
    path = run_dir / REPORT
    with written_aside(path) as aside:
        aside.write_text(page, "utf-8", "backslashreplace")
    return path
