"""Folders that a run cannot have are refused before it trains."""

from pathlib import Path

import pytest

from keras_seq.errors import UserError
from keras_seq.training.run_folder import begin_run, default_export_dir


def begin(run_dir: Path, export_dir: Path, resume: bool = False) -> Path:
    return begin_run(
        "toy", {"run_dir": run_dir, "export_dir": export_dir, "resume": resume}
    )


@pytest.mark.parametrize("below", ["", "deeper", "much/deeper"])
def test_an_export_folder_that_is_a_file(below: str, tmp_path: Path):
    (tmp_path / "models").write_text("mine")
    with pytest.raises(UserError, match="models: is a file; give a folder with --exp"):
        begin(tmp_path / "run", tmp_path / "models" / below)
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def test_only_a_run_is_called_one(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds other files, such as 'notes.txt'; give"):
        begin(tmp_path, tmp_path / "models")
    begin(tmp_path / "run", tmp_path / "models")
    with pytest.raises(UserError, match="holds a run already; resume it"):
        begin(tmp_path / "run", tmp_path / "models")


def test_the_names_of_data_are_those_of_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    settings = {"run_dir": None, "resume": False, "data": "a/AAPL.csv"}
    run = begin_run("stock", settings)
    assert run.parent == Path("runs/stock") and run.name.startswith("AAPL-2")
    sample = begin_run("stock", settings | {"data": None})
    assert sample.name.startswith("sample-2")
    assert default_export_dir("stock", None) == Path("saved_models/stock")
    newest = begin_run("stock", settings | {"data": None, "resume": True})
    assert newest == sample


@pytest.mark.parametrize("option", ["run_dir", "export_dir"])
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("~nosuchuser/x", "~nosuchuser/x: no such user, or one without a home folder"),
        ("x" * 300, "x: cannot be (read|made).*File name too long"),
        ("a\0b", "a.b: cannot be (read|made).*embedded null"),
    ],
)
def test_names_that_no_folder_has(option: str, name: str, line: str, tmp_path: Path):
    where = {"run_dir": tmp_path / "run", "export_dir": tmp_path / "m", option: name}
    with pytest.raises(UserError, match=line) as error:
        begin(**where)
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_home_is_where_a_run_may_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert begin(Path("~/run"), Path("~/models")) == tmp_path / "run"
    assert default_export_dir("toy", "a.csv", "~/m") == tmp_path / "m"


def test_a_name_that_is_no_utf_8(tmp_path: Path):
    run = begin(tmp_path / "caf\udce9", tmp_path / "models\udcff")
    assert run.is_dir() and (run / "config.json").read_text("utf-8")
