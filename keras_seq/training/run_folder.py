"""The folder of one run: its settings and its scores.

Knows nothing of tasks: settings and reports are plain dicts.
"""

import contextlib
import json
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_seq.data.data_name import data_name
from keras_seq.data.in_memory import Data, described
from keras_seq.data.places import user_path
from keras_seq.errors import UserError
from keras_seq.files import plain, write_json
from keras_seq.ranges import check_settings
from keras_seq.training.devices import get_strategy
from keras_seq.training.run_places import (
    CONFIG,
    LOCK,
    check_export_dir,
    check_run_dir,
    default_export_dir,
    release_lock,
    take_lock,
)
from keras_seq.training.settings import check_same

SAMPLE = "sample"  # what data are called that the task brings along
# Where a run's results go, and whether it goes on, are not what the run is.
NOT_THE_RUN = ("run_dir", "export_dir", "resume")
# What stands in the folder of a run that trained nothing.
BEFORE_TRAINING = {CONFIG, LOCK, "plan.json"}
# Folders of runs that this process began, their parents first; was each made for it?
_begun: dict[Path, bool] = {}
# Files are the same wherever they lie, as long as they hold the same.
DATA_PATHS = ("data", "validation_data", "test_data", "embeddings", "images")
ANEW = "put it back, or train anew in another folder"
RUN_ID, FINGERPRINT = "run_id", "data_fingerprint"


def begin_run(
    stem: str,
    settings: Mapping[str, Any],
    fingerprint: str | Mapping[str, str] | None = None,
) -> Path:
    """The folder of a run that starts, or that goes on with the settings it had.

    Args:
        stem: the task's name.
        settings: all arguments of the task, `run_dir` and `resume` among them.
        fingerprint: of the content of each part of the data, so that a resumed run
            neither learns from others nor is scored on others; a single one is of the
            train part.

    Returns:
        The folder, kept from other processes until this one ends.

    Raises:
        UserError: It holds a run and `resume` is off; the run was started with other
            settings or data, or its config.json is damaged; another process has it; a
            number is out of its range; or a device is not there.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     settings = {"seed": 0, "run_dir": folder, "resume": True}
    ...     begin_run("sentiment", settings) == begin_run("sentiment", settings)
    True
    """
    check_settings(**settings)  # what is wrong leaves no folder
    get_strategy(settings.get("strategy", "auto"))
    data = settings.get("data")
    check_export_dir(default_export_dir(stem, data, settings.get("export_dir")))
    resume = settings["resume"]
    named = SAMPLE if data is None and "data" in settings else data
    run_dir = make_run_dir(stem, settings["run_dir"], resume=resume, data=named)
    take_lock(run_dir)
    facts = {name: settings[name] for name in settings if name not in NOT_THE_RUN}
    facts |= {name: described(facts[name]) for name in DATA_PATHS if name in facts}
    if fingerprint is not None and not isinstance(fingerprint, str):
        fingerprint = dict(fingerprint)
    facts = plain(facts | {FINGERPRINT: fingerprint}, CONFIG)
    if (run_dir / CONFIG).exists():
        check_same(*_comparable(read_facts(run_dir, CONFIG), facts), run_dir)
    else:
        write_facts(run_dir, CONFIG, facts | {RUN_ID: uuid.uuid4().hex})
    return run_dir


def _comparable(
    then: dict[str, Any], now: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings and content of the data, where both are what tells runs apart."""
    left_out = {RUN_ID, FINGERPRINT}
    if then.get(FINGERPRINT) is not None and then[FINGERPRINT] == now[FINGERPRINT]:
        left_out |= {*DATA_PATHS}
    one, other = (
        {name: value for name, value in facts.items() if name not in left_out}
        | _contents(facts.get(FINGERPRINT))
        for facts in (then, now)
    )
    return one, other


def _contents(fingerprint: Any) -> dict[str, Any]:
    parts = fingerprint if isinstance(fingerprint, dict) else {"train": fingerprint}
    return {f"content of the {part} data": value for part, value in parts.items()}


def make_run_dir(
    stem: str,
    run_dir: str | Path | None = None,
    resume: bool = False,
    data: Data = None,
) -> Path:
    """Makes an empty folder for a run.

    Args:
        stem: the task's name.
        run_dir: None takes `runs/<stem>/<data>-<date>-<time>`, with a number behind it
            when two runs start in the same second.
        resume: the folder may hold a run; None takes the newest of the task.
        data: that give the folder their name; None gives none.

    Returns:
        The folder.

    Raises:
        UserError: It holds something already, or cannot be made; or there is no run to
            resume.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_run_dir("sentiment", folder + "/first").name
    'first'
    """
    if resume and run_dir is None:
        runs = sorted(path for path in Path("runs", stem).glob("*") if path.is_dir())
        if not runs:
            raise UserError(f"runs/{stem}: holds no run to resume; give --run-dir")
        return max(runs, key=lambda path: path.stat().st_mtime)
    try:
        if run_dir is not None:
            run_dir = user_path(run_dir)
            check_run_dir(run_dir, resume)
            _make(run_dir, exist_ok=True)
            return run_dir
        started = time.strftime("%Y%m%d-%H%M%S")
        name = started if data is None else f"{data_name(data)}-{started}"
        base, number = Path("runs", stem, name), 1
        while True:
            path = base if number == 1 else base.with_name(f"{base.name}-{number}")
            try:
                _make(path)
            except FileExistsError:
                number += 1
            else:
                return path
    except OSError as error:
        raise UserError(
            f"{error.filename}: cannot be made ({error.strerror}); give another "
            "folder with --run-dir"
        ) from error


def _make(path: Path, exist_ok: bool = False) -> None:
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=exist_ok)
    if not missing and not any(path.iterdir()):
        _begun[path.absolute()] = False
    _begun.update({folder.absolute(): True for folder in reversed(missing)})


def discard_untrained() -> None:
    """Removes what this process left of runs that trained nothing.

    Called where a run failed: one that stopped before its first step has nothing to go
    on with, and `--resume` would take it for the newest run.
    """
    while _begun:
        folder, is_made = _begun.popitem()
        with contextlib.suppress(OSError):
            left = list(folder.iterdir())
            if {path.name for path in left} <= BEFORE_TRAINING:
                release_lock(folder)
                for path in left:
                    path.unlink()
                if is_made:
                    folder.rmdir()


def hparams_of(run_dir: Path, hparams: Mapping[str, Any]) -> dict[str, Any]:
    """What runs are compared by: their data, by name, and what made the model.

    Example:

    >>> hparams_of(Path("nowhere"), {"units": 8, "export_dir": "models"})
    {'units': 8}
    """
    kept = {k: v for k, v in hparams.items() if k not in (*NOT_THE_RUN, *DATA_PATHS)}
    if not (run_dir / CONFIG).exists():
        return kept
    return {"data": shown_name(read_facts(run_dir, CONFIG).get("data"))} | kept


def shown_name(data: Data) -> str:
    """What the data of a run are called, those that a task brings along included."""
    return SAMPLE if data is None else data_name(data)


def write_facts(run_dir: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Writes `config.json` or `metrics.json`: strict JSON, whole or not at all."""
    write_json(run_dir / name, plain(dict(facts), name))


def read_facts(run_dir: Path, name: str) -> dict[str, Any]:
    """Reads what `write_facts` wrote.

    Raises:
        UserError: The file is missing or damaged.

    Example:

    >>> read_facts(Path("nowhere"), "config.json")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: nowhere/config.json: cannot be read (No such file or \
directory); give the folder of a run
    """
    path = run_dir / name
    try:
        facts = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); give the folder of a run"
        ) from error
    except (ValueError, RecursionError) as error:
        reason = str(error) or "too deep"
        raise UserError(f"{path}: damaged, no JSON ({reason}); {ANEW}") from error
    if not isinstance(facts, dict):
        kind = type(facts).__name__
        raise UserError(
            f"{path}: damaged, holds a {kind} where settings by name are expected; "
            + ANEW
        )
    return facts
