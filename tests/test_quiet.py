"""TensorFlow's start-up remarks: silent when it works, shown when it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_seq import quiet

# A stand-in that writes where TensorFlow's C++ does, below Python's own stderr.
PACKAGE = """
import os
os.write(2, b"remark of the import\\n")
"""
SEARCH = """
import functools
class config:
    @functools.cache
    def list_physical_devices():
        os.write(2, b"remark of the search\\n")
"""
FIND = "tensorflow.config.list_physical_devices(); print"
USE = """
import sys
import keras_seq
import tensorflow
print("mine", file=sys.stderr)
"""
# As the kernel of a notebook is found.
NOTEBOOK = """
import sys, types
kernel = types.SimpleNamespace(kernel="ipykernel")
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: kernel)
import keras_seq as ks
model = ks.build_lstm_model(9, 2, 2, num_classes=2)
loss = "sparse_categorical_crossentropy"
ks.fit(model, [[1, 2, 3]] * 40, [1] * 40, epochs=2, loss=loss)
"""


def use(
    *folders: Path, code: str = USE, level: str | None = None
) -> subprocess.CompletedProcess:
    paths = [*folders, Path(quiet.__file__).parents[1]]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    env.pop(quiet.LOG_LEVEL, None)
    env |= {quiet.LOG_LEVEL: level} if level else {}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def stand_in(folder: Path, source: str) -> Path:
    (folder / "tensorflow").mkdir()
    (folder / "tensorflow" / "__init__.py").write_text(source)
    return folder


def test_only_what_python_writes_afterwards_is_seen(tmp_path: Path):
    assert use(stand_in(tmp_path, PACKAGE)).stderr == "mine\n"


def test_at_the_shell_devices_are_found_in_silence(tmp_path: Path):
    searching = PACKAGE + SEARCH
    code = "from keras_seq.quiet import quiet_tensorflow; quiet_tensorflow(True)" + USE
    assert use(stand_in(tmp_path, searching), code=code).stderr == "mine\n"
    assert "search" in use(tmp_path, code=USE.replace("print", FIND)).stderr


def test_remarks_that_are_asked_for_are_shown(tmp_path: Path):
    done = use(stand_in(tmp_path, PACKAGE), level="0")
    assert done.stderr == "remark of the import\nmine\n"


def test_a_process_without_an_error_output_goes_on(tmp_path: Path):
    code = "import os; os.close(2)" + USE.replace("sys.stderr", "sys.stdout")
    done = use(stand_in(tmp_path, ""), code=code)
    assert (done.returncode, done.stdout) == (0, "mine\n")


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


def test_a_notebook_shows_a_bar_and_no_ground_of_errors():
    done = use(code=NOTEBOOK)
    assert (done.returncode, done.stderr) == (0, "")
    assert "building the model" in done.stdout
    assert "Epoch 2/2" in done.stdout and "2/2" in done.stdout
