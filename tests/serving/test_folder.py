"""A version is whole or absent: killed anywhere, or exported twice at once."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.serving import folder as export_folder
from keras_seq.serving.saved_model import load_exported

# One import of TensorFlow for many exports: each runs in a fork of this process. The
# proof is stubbed (tests/test_export.py has it) by a sleep as long as other steps.
DRIVER = """
import os, signal, sys, time
import tensorflow as tf
from keras_seq.serving import proof as export_proof
from keras_seq.serving.saved_model import export

def ask(version, inputs):
    time.sleep(0.1)
    return {"text": inputs["prompt"]}

def start(folder):
    child = os.fork()
    if child:
        return child
    try:
        export_proof.ask_fresh_process = ask
        specs = [tf.TensorSpec([None], tf.string, name="prompt"),
                 tf.TensorSpec([], tf.float32, name="temperature"),
                 tf.TensorSpec([2], tf.int32, name="seed")]
        module = tf.Module()
        module.weights = tf.Variable(tf.zeros([1000, 500]))
        def serve(prompt, temperature, seed):
            noise = tf.random.stateless_uniform([], seed) * temperature
            noise += tf.reduce_sum(module.weights)
            return {"text": tf.where(noise > 2.0, "", prompt)}
        for _ in range(int(sys.argv[2])):
            export(module, folder, signatures={"serving_default": (serve, specs)},
                   examples={"prompt": ["a\\0", "b"], "temperature": 1, "seed": [1, 2]},
                   expected={"text": ["a\\0", "b"]}, metadata={"task": "copy"})
    except BaseException as error:
        print(repr(error), flush=True)
        os._exit(1)
    os._exit(0)

def wait(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


def drive(root: Path, folder: Path, exports: int, script: str) -> None:
    """Run DRIVER and then `script`."""
    process = subprocess.run(
        [sys.executable, "-c", DRIVER + script, str(folder), str(exports)],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=root,
    )
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.slow
def test_killed_at_any_instant_leaves_no_broken_version(root: Path, tmp_path: Path):
    folder = tmp_path / "copy"
    script = """
begin = time.monotonic()
assert wait(start(sys.argv[1])) == 0
whole = time.monotonic() - begin
for step in range(12):
    child = start(sys.argv[1])
    time.sleep(whole * (step + 0.5) / 11)
    os.kill(child, signal.SIGKILL)
    assert wait(child) in (-signal.SIGKILL, 0)
"""
    drive(root, folder, 1, script)
    left = sorted(path.name for path in folder.iterdir())
    hidden = [name for name in left if name.startswith(export_folder.HIDDEN)]
    versions = [name for name in left if name.isdigit()]
    assert len(hidden) >= 3  # or the kills came too early or too late to tell
    assert sorted(hidden + versions) == left
    for name in versions:
        loaded = load_exported(folder / name)
        assert loaded.metadata["proof"]["samples"] == 2
        answers = loaded.signature()(
            prompt=tf.constant(["x"]),
            temperature=tf.constant(1.0),
            seed=tf.constant([0, 1]),
        )
        assert answers["text"].numpy().tolist() == [b"x"]


@pytest.mark.slow
def test_exports_at_once_get_distinct_versions(root: Path, tmp_path: Path):
    folder = tmp_path / "copy"
    script = """
children = [start(sys.argv[1]) for _ in range(4)]
assert [wait(child) for child in children] == [0] * 4
"""
    drive(root, folder, 3, script)
    left = {path.name for path in folder.iterdir()}
    assert left == {str(number) for number in range(1, 13)}


def written(folder: Path) -> Path:
    version = folder / ".exporting-x" / "version"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"graph")
    return version


def test_the_number_is_one_above_the_highest(tmp_path: Path):
    for name in ("2", "10", "notes", "\u0664", "1.5"):
        (tmp_path / name).mkdir()
    (tmp_path / "11").write_text("a server would look here too")
    assert export_folder.publish(written(tmp_path), tmp_path) == tmp_path / "12"
    assert (tmp_path / "12" / "saved_model.pb").read_bytes() == b"graph"
    assert list(export_folder.versions_in(tmp_path)) == [2, 10, 11, 12]


def test_a_number_that_was_taken_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = tmp_path / "1"
    other.mkdir()
    (other / "saved_model.pb").write_bytes(b"other")
    seen = [{}, {1: other}]  # the first look came before the other export
    monkeypatch.setattr(export_folder, "versions_in", lambda _: seen.pop(0))
    assert export_folder.publish(written(tmp_path), tmp_path) == tmp_path / "2"
    assert (other / "saved_model.pb").read_bytes() == b"other"


def test_only_what_was_abandoned_for_a_day_is_swept(tmp_path: Path):
    old, young = tmp_path / ".exporting-old", tmp_path / ".exporting-young"
    for folder, hours in ((old, 25), (young, 23)):
        folder.mkdir()
        (folder / "part").write_text("x")
        then = time.time() - hours * 3600
        os.utime(folder, (then, then))
    (tmp_path / ".keep").mkdir()
    os.utime(tmp_path / ".keep", (0, 0))
    with export_folder.hidden_folder(tmp_path) as hidden:
        names = {path.name for path in tmp_path.iterdir()}
        assert names == {".exporting-young", ".keep", hidden.name}
    assert not hidden.exists()


def test_a_folder_that_cannot_be_made_is_a_user_error(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="file/m: cannot be written.*--export-dir"):
        with export_folder.hidden_folder(tmp_path / "file" / "m"):
            pytest.fail("there is no such folder")


def exported(version: Path, seconds: int) -> Path:
    """A version, exported at a time."""
    version.mkdir(parents=True)
    graph = version / "saved_model.pb"
    graph.write_bytes(b"")
    os.utime(graph, (seconds, seconds))
    return version


def test_the_newest_model_of_a_task_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    own = exported(tmp_path / "3", 10)
    assert export_folder.newest_version(tmp_path) == own
    assert capsys.readouterr().err == ""  # one model alone: nothing to choose from
    exported(tmp_path / "AAPL" / "1", 40)
    last = exported(tmp_path / "AAPL" / "2", 30)
    exported(tmp_path / "MSFT" / "9", 20)
    exported(tmp_path / ".exporting-x" / "1", 99)
    assert export_folder.newest_version(tmp_path) == last
    said = f"{last}: the newest of 3 models in {tmp_path}; --model names another\n"
    assert capsys.readouterr().err == said
    assert export_folder.newest_version(tmp_path / "MSFT") == tmp_path / "MSFT" / "9"


def test_a_folder_without_versions_has_none(tmp_path: Path):
    (tmp_path / "data-2024").mkdir()
    assert export_folder.newest_version(tmp_path) is None
