"""The kernels are compiled and loaded, or there is a reason in one line."""

import os
import stat
from pathlib import Path

import pytest
import tensorflow as tf

from keras_seq.layers import native_build, native_cache

COMPILER = """#!/bin/sh
[ "$1" = --version ] && echo fake 1.0 && exit
while [ "$1" != -o ]; do shift; done
{then}
"""


class Loader:
    """Stands for `tf.load_op_library`; fails for folders that are refused."""

    def __init__(self) -> None:
        self.loaded: list[Path] = []
        self.refused = ""

    def __call__(self, path: str) -> str:
        assert native_cache.is_whole(Path(path))
        if self.refused and self.refused in path:
            raise tf.errors.NotFoundError(None, None, f"{path}: cannot be mapped\nmore")
        self.loaded.append(Path(path))
        return "operations"


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loader:
    loader = Loader()
    monkeypatch.setattr(tf, "load_op_library", loader)
    for name in ("cache", "temporary"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("KERAS_SEQ_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.delenv("KERAS_SEQ_NATIVE", raising=False)
    compile_with(monkeypatch, tmp_path, "echo library > $2")
    return loader


def compile_with(monkeypatch: pytest.MonkeyPatch, folder: Path, then: str) -> None:
    compiler = folder / "fake-compiler"
    compiler.write_text(COMPILER.format(then=then))
    compiler.chmod(0o700)
    monkeypatch.setenv("CXX", str(compiler))


def answer() -> tuple[object, str]:
    return native_build.library.__wrapped__()


def test_it_is_compiled_once_and_a_cut_one_once_more(loader: Loader, tmp_path: Path):
    assert answer() == answer() == ("operations", "C++ kernels, fake-compiler")
    assert loader.loaded[0] == loader.loaded[1]
    path = loader.loaded[0]
    assert path.parent == tmp_path / "cache" / "native"
    built = path.stat().st_ino
    path.write_bytes(path.read_bytes()[:3])
    assert answer()[0] == "operations"
    assert path.stat().st_ino != built and path.read_text() == "library\n"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_cannot_be_used_or_run_from_leads_to_the_temporary_folder(
    loader: Loader, tmp_path: Path
):
    temporary = tmp_path / "temporary" / f"keras_seq-{os.getuid()}"
    loader.refused = str(tmp_path / "cache")  # as a disk mounted noexec
    assert answer()[0] == "operations"
    (tmp_path / "cache" / "native").rename(tmp_path / "away")
    (tmp_path / "cache" / "native").symlink_to(tmp_path / "away")
    assert answer()[0] == "operations"
    assert {path.parent for path in loader.loaded} == {temporary}


def test_without_any_folder_there_is_a_reason_in_one_line(
    loader: Loader, tmp_path: Path
):
    for name in ("cache", "temporary"):
        (tmp_path / name).rmdir()
        (tmp_path / name).write_text("a file")
    module, reason = answer()
    assert module is None and "\n" not in reason
    assert reason.startswith("C++ kernels: ") and "temporary" in reason


FAILURES = [
    ("echo 'no space left' >&2; exit 1", "failed: no space left"),
    (r"printf '\377\376' >&2; exit 1", "failed: \ufffd\ufffd"),
    ("exit 3", "failed: no message"),
    ("true", "No such file"),  # says it is fine, and writes nothing
]


@pytest.mark.parametrize(("then", "line"), FAILURES)
def test_a_compiler_that_fails_is_a_reason(
    then: str, line: str, loader: Loader, tmp_path: Path, monkeypatch
):
    compile_with(monkeypatch, tmp_path, then)
    module, reason = answer()
    assert module is None and line in reason and "\n" not in reason
    assert loader.loaded == []
