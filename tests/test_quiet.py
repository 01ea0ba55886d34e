"""TensorFlow's start-up remarks: silent when it works, shown when it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_seq import quiet

# A stand-in that writes where TensorFlow's C++ does, below Python's own stderr.
PACKAGE = """
import functools, os
os.write(2, b"remark of the import\\n")
class config:
    @functools.cache
    def list_physical_devices():
        os.write(2, b"remark of the first search\\n")
"""
USE = """
import sys
from keras_seq.quiet import quiet_tensorflow
quiet_tensorflow()
import tensorflow
tensorflow.config.list_physical_devices()
print("mine", file=sys.stderr)
"""


def use(*folders: Path, code: str = USE) -> subprocess.CompletedProcess:
    paths = [*folders, Path(quiet.__file__).parents[1]]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def stand_in(folder: Path, source: str) -> Path:
    (folder / "tensorflow").mkdir()
    (folder / "tensorflow" / "__init__.py").write_text(source)
    return folder


def test_only_what_python_writes_afterwards_is_seen(tmp_path: Path):
    assert use(stand_in(tmp_path, PACKAGE)).stderr == "mine\n"


def test_the_remarks_of_an_import_that_fails_are_shown(tmp_path: Path):
    failing = PACKAGE + "raise ImportError('no library')\n"
    done = use(stand_in(tmp_path, failing))
    assert done.stderr.startswith("remark of the import\n")
    assert done.stderr.endswith("ImportError: no library\n")
    assert done.returncode == 1


@pytest.mark.parametrize("first", ["tensorflow", "keras"])
def test_tensorflow_itself_starts_in_silence(first: str):
    code = USE.replace("import tensorflow", f"import {first}, tensorflow")
    done = use(code=code + "tensorflow.constant(1) + 1")
    assert (done.returncode, done.stderr) == (0, "mine\n")
