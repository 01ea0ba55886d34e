"""Folders that a run cannot have are refused before it trains."""

from pathlib import Path

import pytest

from keras_seq.errors import UserError
from keras_seq.training.run_folder import begin_run


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
