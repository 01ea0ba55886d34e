"""A cache of compiled libraries that is damaged, planted or out of reach."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from keras_seq.layers import native_cache

WHOLE = b"a library of some length"


def build(path: Path) -> None:
    path.write_bytes(WHOLE)


def digest(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def cut(path: Path) -> None:
    path.write_bytes(WHOLE[:7])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def one_bit(path: Path) -> None:
    path.write_bytes(WHOLE[:-1] + b"i")


def longer(path: Path) -> None:
    path.write_bytes(WHOLE + b"\0")


def foreign(path: Path) -> None:
    """Another library, with its own digest, under the name of ours."""
    other = path.with_name("other.so")
    native_cache.library(other, lambda file: file.write_bytes(b"another"))
    other.replace(path)
    digest(other).replace(digest(path))


def no_digest(path: Path) -> None:
    digest(path).unlink()


def empty_digest(path: Path) -> None:
    digest(path).write_bytes(b"")


def binary_digest(path: Path) -> None:
    digest(path).write_bytes(b"\xff" * 64)


def digest_alone(path: Path) -> None:
    path.unlink()


def link(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    path.replace(elsewhere)
    path.symlink_to(elsewhere)


def linked_digest(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    digest(path).replace(elsewhere)
    digest(path).symlink_to(elsewhere)


def dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nothing"))


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def others_may_write(path: Path) -> None:
    path.chmod(0o722)


def group_may_write_digest(path: Path) -> None:
    digest(path).chmod(0o660)


DAMAGES = [
    cut,
    empty,
    one_bit,
    longer,
    foreign,
    no_digest,
    empty_digest,
    binary_digest,
    digest_alone,
    link,
    linked_digest,
    dangling_link,
    pipe,
    others_may_write,
    group_may_write_digest,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_is_damaged_is_built_again(damage: Callable, tmp_path: Path):
    path = tmp_path / "native" / "ours.so"
    native_cache.library(path, build)
    damage(path)
    assert not native_cache.is_whole(path)
    assert native_cache.library(path, build) == path
    assert native_cache.is_whole(path)
    assert path.read_bytes() == WHOLE and not path.is_symlink()
    native_cache.library(path, lambda _: pytest.fail("built again"))


def folder_is_link(folder: Path) -> str:
    folder.parent.mkdir()
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.symlink_to(elsewhere)
    return "of another kind, or a link"


def folder_is_file(folder: Path) -> str:
    folder.parent.mkdir()
    folder.write_text("")
    return "of another kind"


def parent_is_file(folder: Path) -> str:
    folder.parent.write_text("")
    return "exists|Not a directory"


def library_is_folder(folder: Path) -> str:
    (folder / "ours.so" / "full").mkdir(parents=True)
    return "directory"


def lock_is_link(folder: Path) -> str:
    folder.mkdir(parents=True)
    (folder / "lock").symlink_to("ours.so")
    return "symbolic links"


FOLDERS = [
    folder_is_link,
    folder_is_file,
    parent_is_file,
    library_is_folder,
    lock_is_link,
]


@pytest.mark.parametrize("spoil", FOLDERS, ids=lambda spoil: spoil.__name__)
def test_a_folder_that_cannot_be_trusted_is_an_error(spoil: Callable, tmp_path: Path):
    folder = tmp_path / "cache" / "native"
    message = spoil(folder)
    with pytest.raises(OSError, match=message):
        native_cache.library(folder / "ours.so", build)


def test_what_belongs_to_another_user_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = native_cache.library(tmp_path / "native" / "ours.so", build)
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    assert not native_cache.is_whole(path)
    with pytest.raises(native_cache.Unsafe, match="belongs to another user"):
        native_cache.library(path, build)


def test_a_folder_that_others_enter_is_closed(tmp_path: Path):
    folder = tmp_path / "cache" / "native"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    native_cache.library(folder / "ours.so", build)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "ours.so").stat().st_mode & 0o077 == 0


def test_a_build_that_fails_leaves_nothing(tmp_path: Path):
    path = tmp_path / "native" / "ours.so"

    def fail(aside: Path) -> None:
        aside.write_bytes(b"half")
        raise RuntimeError("no space")

    with pytest.raises(RuntimeError, match="no space"):
        native_cache.library(path, fail)
    assert [file.name for file in path.parent.iterdir()] == ["lock"]


HOMES = [
    ({"HOME": "{there}"}, "{there}/.cache/keras_seq/native"),
    ({"HOME": "{there}", "KERAS_SEQ_CACHE": "{there}/x"}, "{there}/x/native"),
    ({"HOME": ""}, "/.cache/keras_seq/native"),
]


@pytest.mark.parametrize(("environment", "expected"), HOMES)
def test_where_libraries_lie(environment, expected, tmp_path, monkeypatch):
    for name in ("HOME", "KERAS_SEQ_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(there=tmp_path))
    found = [str(folder) for folder in native_cache.folders()]
    assert found[0] == expected.format(there=tmp_path)
    assert f"keras_seq-{os.getuid()}" in found[1]


def test_an_account_without_a_home_has_the_temporary_folder(monkeypatch):
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("KERAS_SEQ_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert [folder.name for folder in native_cache.folders()] == [
        f"keras_seq-{os.getuid()}"
    ]


# The cache alone, for a quick start: not the package that it stands in.
WITHOUT_KERAS = """
import sys, types
sys.modules["keras_seq.layers"] = types.ModuleType("keras_seq.layers")
sys.modules["keras_seq.layers"].__path__ = ["keras_seq/layers"]
"""
BUILDER = """
import sys, time
from pathlib import Path
from keras_seq.layers.native_cache import library
def build(path):
    with open(sys.argv[2], "a") as log:
        log.write("built\\n")
    path.write_bytes(b"half")
    time.sleep(0.3)
    path.write_bytes(b"half and half")
print(library(Path(sys.argv[1]), build).read_bytes().decode())
"""


@pytest.mark.parametrize("locks", ["", "import sys; sys.modules['fcntl'] = None"])
def test_processes_at_once_build_it_whole(locks: str, root: Path, tmp_path: Path):
    """With a lock once; on a system without one each may build, and one stands."""
    path, log = tmp_path / "native" / "ours.so", tmp_path / "log"
    script = f"{locks}\n{WITHOUT_KERAS}\n{BUILDER}"
    command = [sys.executable, "-c", script, path, log]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
        for _ in range(3)
    ]
    answers = [process.communicate()[0].strip() for process in started]
    assert answers == ["half and half"] * 3
    assert native_cache.is_whole(path)
    assert log.read_text() == "built\n" or locks
