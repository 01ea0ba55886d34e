"""What is wrong with the first row or with a folder is told without TensorFlow.

Scripts x verbs: importing it takes longer than anybody waits to hear of a slip.
"""

import functools
import importlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fork_server import ROOT, ForkServer
from tests.tasks.scripts import environment, script_of

# Neither TensorFlow nor Keras can be imported here: who tries gets exit code 1.
WITHOUT = """
import runpy, sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SCRIPTS = [path.stem for path in sorted(ROOT.glob("tasks/[!_]*.py"))]


def rows() -> Iterator[tuple[str, str, str, str]]:
    """(script, verb, a table whose first row is bad, how the line begins)."""
    for script in SCRIPTS:
        bad = importlib.import_module(f"tests.tasks.{script}.first_row").BAD
        yield from ((script, verb, *bad[verb]) for verb in bad)


# What model.json of a forecaster has to say for a table to be read as its own was.
FORECASTER = {
    "columns": ["Close"],
    "num_targets": 1,
    "date_column": ["Date"],
    "frequency": "B",
    "form": "returns",
    "horizon": 5,
    "signatures": {"serving_default": {"inputs": {"window": {"dtype": "float32"}}}},
}


@functools.cache
def server() -> ForkServer:
    paths = os.environ | {"PYTHONPATH": str(ROOT)}
    return ForkServer(["keras_seq.cli", "keras_seq.cli_inputs", "pandas"], paths)


def ask(script: str, folder: Path, *argv: str) -> subprocess.CompletedProcess:
    """A script where there is no TensorFlow."""
    command = ["-c", WITHOUT, str(script_of(script)), *argv]
    return server().run(command, cwd=folder, environment=environment())


def refused(script: str, folder: Path, *argv: str) -> str:
    """The one line of an error, and nothing else, with exit code 2."""
    before = sorted(folder.iterdir())
    done = ask(script, folder, *argv)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    *counts, line = done.stderr.splitlines()
    assert line.startswith("error: ") and not [x for x in counts if " row" not in x]
    assert sorted(folder.iterdir()) == before
    return line.removeprefix("error: ")


def write_export(folder: Path, task: str) -> Path:
    """A model's folder with as much of an export as is read before TensorFlow."""
    extra = folder / "model" / "1" / "assets.extra"
    extra.mkdir(parents=True)
    (extra.parent / "saved_model.pb").touch()
    (extra / "model.json").write_text(json.dumps({"task": task} | FORECASTER))
    return folder / "model"


def test_one_who_needs_tensorflow_does_not_find_it(tmp_path: Path):
    done = ask("sentiment", tmp_path)  # trains on the embedded sample
    assert done.returncode == 1 and "halted; None in sys.modules" in done.stderr


@pytest.mark.parametrize(("script", "verb", "table", "line"), [*rows()])
def test_the_first_row(script: str, verb: str, table: str, line: str, tmp_path: Path):
    (tmp_path / "bad.csv").write_text(table)
    given = ["--data", "bad.csv"]
    if verb != "train":
        given += ["--model", str(write_export(tmp_path, script))]
    assert refused(script, tmp_path, verb, *given).startswith(line)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_folder_of_a_run_or_an_export(script: str, tmp_path: Path):
    (tmp_path / "taken").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    for option in ("--run-dir", "--export-dir"):
        for name, line in {
            "taken": f"taken: is a file; give a folder with {option}",
            "taken/below": f"taken: is a file; give a folder with {option}",
            "~nosuchuser/x": "~nosuchuser/x: no such user, or one without a home",
            "x" * 300: "x" * 300 + ": cannot be read: File name too long",
        }.items():
            assert refused(script, tmp_path, "train", option, name).startswith(line)
    line = "full: holds other files, such as 'notes.txt'; give another folder"
    assert refused(script, tmp_path, "train", "--run-dir", "full").startswith(line)


@pytest.mark.parametrize(
    "script", ["sentiment", "tagging", "translation", "text_generation"]
)
def test_the_first_line_of_a_file(script: str, tmp_path: Path):
    (tmp_path / "lines.txt").write_bytes(b"caf\xe9\n")
    given = ["--file", "lines.txt", "--model", str(write_export(tmp_path, script))]
    line = refused(script, tmp_path, "predict", *given)
    assert line.startswith("lines.txt:1: byte 0xe9 (number 4) is not UTF-8 text")


@pytest.mark.parametrize("script", ["speech", "captioning", "stock"])
def test_a_file_that_is_not_there(script: str, tmp_path: Path):
    given = ["nowhere.bin", "--model", str(write_export(tmp_path, script))]
    assert refused(script, tmp_path, "predict", *given).startswith("nowhere.bin: ")
