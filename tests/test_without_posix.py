"""What Windows lacks is hidden from a process: it imports, trains, exports and answers.

No `fcntl`, `resource` or `pwd`; no forks, links, owners, `/proc` or sets of cores; no
folder that can be opened, no file flushed that was opened to be read; a console and
files in code page 1252; and `keras_seq/scripts` as git writes a link there.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HIDE = """
import builtins, errno, io, os, sys, warnings

class Refuse:
    def find_spec(self, name, *_):
        if name in ("fcntl", "resource", "pwd", "grp"):
            raise ImportError(f"no module {name} here")

sys.meta_path.insert(0, Refuse())
for name in ("fcntl", "resource", "pwd", "grp"):
    sys.modules.pop(name, None)
for name in ("sched_getaffinity", "fork", "forkpty", "symlink", "link", "getuid",
             "O_DIRECTORY", "O_NOFOLLOW", "mkfifo"):
    delattr(os, name)
open_path, open_file, fsync = os.open, io.open, os.fsync
read_only = set()

def open_descriptor(path, flags, mode=0o777, **named):
    if not named and os.path.isdir(path):
        raise PermissionError(errno.EACCES, "is a folder", path)
    descriptor = open_path(path, flags, mode, **named)
    is_read = flags & (os.O_WRONLY | os.O_RDWR) == 0
    (read_only.add if is_read else read_only.discard)(descriptor)
    return descriptor

def flush(descriptor):
    number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
    if number in read_only:
        raise OSError(errno.EBADF, "opened to be read")
    fsync(descriptor)

def open_stream(path, *arguments, **named):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(errno.ENOENT, "no such folder", path)
    return open_file(path, *arguments, **named)

os.open, os.fsync = open_descriptor, flush
builtins.open = io.open = open_stream
# A file that is read in the code page of the machine is an error.
warnings.filterwarnings("error", category=EncodingWarning, module="keras_seq")
"""
USE = """
import importlib, pkgutil
from pathlib import Path
import keras_seq
from keras_seq.__main__ import main

def run(*words):
    try:
        main(words)
    except SystemExit as stopped:
        assert not stopped.code, stopped.code

tiny = ["--documented", "--epochs", "1", "--max-len", "8"]
tiny += ["--run-dir", "runs/k\\u00fchn \\u6587", "--data", "reviews.csv"]
run("sentiment", "train", *tiny)
run("sentiment", "train", *tiny, "--resume")
run("sentiment", "predict", "ein k\\u00fchner Film \\u6587")
run("new", "stock", "\\u6587.py")

for module in pkgutil.walk_packages(keras_seq.__path__, "keras_seq."):
    if module.name != "keras_seq.__main__":
        importlib.import_module(module.name)
from keras_seq.layers import native_cache, recurrent_native
assert recurrent_native.threads() >= 1
own = Path("native", "own.so").absolute()
assert native_cache.is_whole(native_cache.library(own, lambda p: p.write_bytes(b"x")))
"""


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """The package as git lays it on a system without links."""
    no_links = shutil.ignore_patterns("scripts")
    shutil.copytree(root / "keras_seq", tmp_path / "keras_seq", ignore=no_links)
    shutil.copytree(root / "tasks", tmp_path / "tasks")
    (tmp_path / "keras_seq" / "scripts").write_text("../tasks")
    return tmp_path


def test_a_tiny_model_is_trained_exported_and_asked(checkout: Path, tmp_path: Path):
    folder = tmp_path / "work"
    folder.mkdir()
    rows = [
        f"ein kühner Film 文 {n},gut\nein öder Film {n},schlecht" for n in range(20)
    ]
    text = "\n".join(["text,label", *rows, ""])
    (folder / "reviews.csv").write_text(text, encoding="utf-8")
    env = os.environ | {
        "PYTHONPATH": str(checkout),
        "PYTHONIOENCODING": "cp1252",
        "KERAS_SEQ_NATIVE": "0",
    }
    command = [sys.executable, "-X", "warn_default_encoding", "-c", HIDE + USE]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, timeout=600
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-3000:]
    (run,) = (folder / "runs").iterdir()
    assert (run / "metrics.json").exists()
    out = done.stdout.decode("utf-8")
    answers = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert [answer["input"] for answer in answers] == ["ein kühner Film 文"]
    assert (folder / "文.py").exists()
