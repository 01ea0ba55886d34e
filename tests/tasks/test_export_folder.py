"""A folder that no export can be written to is refused by every script, untrained."""

import contextlib
import io
from pathlib import Path

import pytest

from keras_seq import cli
from tests.tasks.scripts import load_script

SCRIPTS = ["sentiment", "speech", "stock", "tagging", "text_generation", "translation"]
LIMITED = {"text_generation": "20000"}
OPTIONS = [
    ("--export-dir", "taken", "taken: is a file; give a folder with --export-dir"),
    ("--export-dir", "taken/below", "taken: is a file; give a folder with"),
    ("--run-dir", "taken", "taken: is a file; give a folder with --run-dir"),
    ("--run-dir", "~nosuchuser/run", "~nosuchuser/run: no such user"),
]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_folder_that_is_a_file_is_told_before_training(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("taken").write_text("mine")
    task = load_script(name)
    verbs = {"train": task.train, "evaluate": task.evaluate, "predict": task.predict}
    for option, folder, line in OPTIONS:
        argv = ["train", "--limit", LIMITED.get(name, "200"), option, folder]
        out, err = io.StringIO(), io.StringIO()
        with pytest.raises(SystemExit) as stop:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                cli.run("", **verbs, argv=argv)
        assert stop.value.code == 2 and out.getvalue() == ""
        last = err.getvalue().splitlines()[-1]
        assert last.startswith(f"error: {line}"), err.getvalue()
        assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert Path("taken").read_text() == "mine"
