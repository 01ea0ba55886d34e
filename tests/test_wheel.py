"""The built wheel, in an empty folder outside of the checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCES = ["setup.cfg", "pyproject.toml", "README.md", "LICENSE"]
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
Installed = Callable[..., subprocess.CompletedProcess]


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: building leaves folders behind."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        shutil.copy(root / name, folder)
    without = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("keras_seq", "tasks"):
        shutil.copytree(root / name, folder / name, symlinks=True, ignore=without)
    built = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", "dist", "."]
    subprocess.run(built, cwd=folder, check=True, timeout=300)
    (found,) = folder.glob("dist/*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Runs `keras-seq ...` as the wheel has installed it, in a given folder."""
    target = tmp_path_factory.mktemp("site")
    into = [*PIP, "install", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(into, check=True, timeout=300)
    command = shutil.which("keras-seq", path=str(target / "bin"))

    def run(folder: Path, *words: str) -> subprocess.CompletedProcess:
        env = os.environ | {"PYTHONPATH": str(target)}
        return subprocess.run(
            [sys.executable, command, *words],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=600,
        )

    return run


def test_it_holds_all_that_the_source_has(root: Path, wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    expected = {
        path.relative_to(root)
        .as_posix()
        .replace("tasks/", "keras_seq/scripts/", at_top)
        for top, at_top in (("keras_seq", 0), ("tasks", 1))
        for path in (root / top).rglob("*")
        if path.suffix in (".py", ".pyi", ".typed", ".cc", ".h")
    }
    assert {"keras_seq/scripts/stock.py", "keras_seq/layers/native/ops.cc"} < expected
    assert {"keras_seq/py.typed", "keras_seq/layers/__init__.pyi"} < expected
    assert {name for name in names if ".dist-info/" not in name} == expected


def test_the_command_lists_and_copies_tasks(installed: Installed, tmp_path: Path):
    shown = installed(tmp_path, "--help")
    assert shown.returncode == 0, shown.stderr
    assert "\n  sentiment " in shown.stdout and "\n  stock " in shown.stdout
    made = installed(tmp_path, "new", "sentiment", "mine.py")
    assert made.returncode == 0, made.stderr
    asked = installed(tmp_path, "sentiment", "predict", "--help")
    assert asked.stdout.startswith("usage: keras-seq sentiment predict ")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.slow
def test_it_trains_and_answers_in_an_empty_folder(installed: Installed, tmp_path: Path):
    words = [("fine", "good"), ("dull", "bad")]
    rows = [f"a {word} film {n},{label}" for n in range(100) for word, label in words]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows, ""]))
    done = installed(tmp_path, "sentiment", "train", "--data", "reviews.csv")
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    (run,) = (tmp_path / "runs" / "sentiment").iterdir()
    assert (run / "metrics.json").exists()
    answer = installed(tmp_path, "sentiment", "predict", "what a fine film")
    assert '"label": "good"' in answer.stdout, answer.stderr
