"""The proof sees each difference, and the process that proves has nothing of ours."""

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.serving import proof as export_proof

FRESH = export_proof.run_isolated  # as it is before any test


@pytest.fixture(autouse=True)
def fresh_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_proof, "run_isolated", FRESH)


def compare(answer: Any, expected: Any) -> tuple:
    return export_proof.compare_answers(
        {"out": np.asarray(answer)}, {"out": np.asarray(expected)}, 1e-5
    )


@pytest.mark.parametrize(
    ("answer", "expected", "largest"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([0.25, np.inf], [0.25, np.inf], 0.0),
        (np.float32([20_000.0]), np.float32([20_000.125]), 0.125),  # raw prices
        (0.5, 0.5, 0.0),
        ([[1, 2]], [[1, 2]], 0.0),
        (np.array([b"a", b"\x00"], object), np.array([b"a", b"\x00"], object), 0.0),
    ],
)
def test_equal_answers_pass(answer: Any, expected: Any, largest: float):
    assert compare(answer, expected) == (largest, None)


@pytest.mark.parametrize(
    ("answer", "expected", "sample", "sentence"),
    [
        ([1.0, 2.1, 9.0], [1.0, 2.0, 3.0], 1, "2.1 in the SavedModel and 2.0 in Pyt"),
        ([1.0, np.nan], [1.0, np.nan], 1, "nan in the SavedModel"),
        ([[1, 2], [3, 4]], [[1, 2], [3, 5]], 1, "4 in the SavedModel and 5 in Python"),
        ([[1.0]], [1.0], -1, r"shape \(1, 1\), not \(1,\)"),
        (2.0, 3.0, -1, "2.0 in the SavedModel and 3.0"),
        (
            np.array([b"a", b"\xe5\xa5\xbd"], object),
            np.array([b"a", b"b"], object),
            1,
            "'\u597d' in the SavedModel and 'b' in Python",
        ),
    ],
)
def test_a_difference_is_placed(answer: Any, expected: Any, sample: int, sentence: str):
    _, (found, message) = compare(answer, expected)
    assert found == sample
    assert re.search(sentence, message)


TEXT = np.array([b"good", b"bad"], object)
RIGHT = {
    "label": TEXT,
    "probability": np.float32([0.9, 0.8]),
    "tokens": np.int32([3, 4]),
}
# (what the SavedModel answers instead, what the sentence says)
WRONG = [
    ({"label": TEXT[::-1]}, "sample 0 .* 'label' is 'bad' .* 'good'"),
    ({"label": np.array([b"good", b"bad "], object)}, "sample 1 .* 'bad '"),
    ({"probability": np.float32([0.9, 0.81])}, "sample 1 .* 0.81.* and 0.8"),
    ({"probability": np.float32([np.nan, 0.8])}, "sample 0 .* nan"),
    ({"probability": np.float32([0.9, np.inf])}, "sample 1 .* inf"),
    ({"probability": np.float32([[0.9, 0.8]])}, r"sample -1 .* shape \(1, 2\), not"),
    ({"probability": np.float64([0.9, 0.8])}, "sample -1 .* is float64, not float32"),
    ({"tokens": np.int64([3, 4])}, "sample -1 .* is int64, not int32"),
    ({"tokens": np.float32([3, 4])}, "sample -1 .* is float32, not int32"),
    ({"tokens": np.int32([3, 5])}, "sample 1 .* 5 .* 4"),
    ({"label": np.int32([0, 1])}, "sample -1 .* is int32, not string"),
    ({"tokens": None}, r"sample -1 .* \['label', 'probability'\], not .*'tokens'"),
    ({"more": TEXT}, "sample -1 .* 'more', .* not "),
]


@pytest.mark.parametrize(("instead", "line"), WRONG)
def test_numbers_are_compared_beside_the_text(instead: dict, line: str):
    answers = {n: v for n, v in (RIGHT | instead).items() if v is not None}
    assert export_proof.compare_answers(RIGHT, RIGHT, 1e-5) == (0.0, None)
    _, (sample, sentence) = export_proof.compare_answers(answers, RIGHT, 1e-5)
    assert re.match(line, f"sample {sample} : {sentence}")


def test_strings_are_the_same_in_numpys_three_ways():
    made = {"label": np.array([b"good", b"bad"])}
    assert export_proof.compare_answers(made, {"label": TEXT}, 0.0)[1] is None


def test_further_signatures_are_asked_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    spec = tf.TensorSpec([None], tf.float32, name="x")
    signatures = {
        name: tf.function(lambda x, k=k: {"y": k * x}, input_signature=[spec])
        for name, k in (("serving_default", 2.0), ("score", 3.0))
    }
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=signatures)
    asked = {"x": np.float32([1]), "score/x": np.float32([5])}
    request = json.dumps(export_proof.encode_tensors(asked))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "stdin", io.StringIO(request))
    kept = {n: m for n, m in sys.modules.items() if n.split(".")[0] == "keras_seq"}
    for name in kept:
        monkeypatch.delitem(sys.modules, name)
    export_proof.main(str(tmp_path))
    answers = export_proof.decode_tensors(json.loads(capsys.readouterr().out))
    found = {name: value.tolist() for name, value in answers.items()}
    assert found == {"y": [2.0], "score/y": [15.0]}


def test_the_first_sample_of_all_outputs_is_named():
    answers = {"a": np.array([0, 0, 1]), "b": np.array([0, 1, 0])}
    zeros = {"a": np.zeros(3, int), "b": np.zeros(3, int)}
    _, (sample, message) = export_proof.compare_answers(answers, zeros, 0.0)
    assert (sample, message.split()[0]) == (1, "'b'")


def test_no_bit_is_lost_on_the_way():
    tensors = {
        "wav": np.array([b"RIFF\x00\xff", b""], object),
        "scalar": np.asarray(0.1, np.float32),
        "seed": np.array([2**62, -1]),
    }
    sent = json.loads(json.dumps(export_proof.encode_tensors(tensors)))
    for name, back in export_proof.decode_tensors(sent).items():
        assert (back.dtype, back.shape) == (tensors[name].dtype, tensors[name].shape)
        assert back.tolist() == tensors[name].tolist()


def test_keras_seq_cannot_be_imported_in_the_proof(root: Path):
    code = (
        "import runpy, sys; sys.path.insert(0, sys.argv[1])\n"
        "proof = runpy.run_path(sys.argv[1] + '/keras_seq/serving/proof.py')\n"
        "assert 'keras_seq' not in sys.modules\n"
        "sys.meta_path.insert(0, proof['_RefuseKerasSeq']())\n"
        "import keras_seq.constants\n"
    )
    command = [sys.executable, "-I", "-c", code, str(root)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 1
    assert process.stderr.strip().endswith("the proof must do without keras_seq")


def test_a_process_that_has_keras_seq_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spec = tf.TensorSpec([None], tf.float32, name="x")
    double = tf.function(lambda x: {"y": 2 * x}, input_signature=[spec])
    signatures = {"serving_default": double.get_concrete_function()}
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=signatures)
    request = json.dumps(export_proof.encode_tensors({"x": np.float32([1])}))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "stdin", io.StringIO(request))
    with pytest.raises(SystemExit, match="it proves nothing"):
        export_proof.main(str(tmp_path))


def test_a_fresh_process_answers_as_a_forked_one(
    tmp_path: Path, forked_proofs: Callable
):
    spec = tf.TensorSpec([None], tf.float32, name="x")
    double = tf.function(lambda x: {"y": 2 * x}, input_signature=[spec])
    signatures = {"serving_default": double.get_concrete_function()}
    tf.saved_model.save(tf.Module(), str(tmp_path), signatures=signatures)
    command = [export_proof.__file__, str(tmp_path)]
    request = json.dumps(export_proof.encode_tensors({"x": np.float32([1, 2])}))
    fresh, forked = FRESH(command, request), forked_proofs(command, request)
    assert fresh.returncode == forked.returncode == 0, fresh.stderr + forked.stderr
    assert fresh.stdout == forked.stdout
    assert forked_proofs(command, "no request").returncode == 1


class FakeProcess:
    """Stands for subprocess.run: keeps the call, gives back what it was told to."""

    def __init__(self, returncode: int = 0, stdout: str = "", stderr: str = ""):
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr

    def __call__(self, command: list[str], **options: Any) -> "FakeProcess":
        self.command, self.options = command, options
        return self


def test_the_process_is_isolated_and_sees_no_gpu(monkeypatch: pytest.MonkeyPatch):
    answers = {"y": np.float32([2.0])}
    line = json.dumps(export_proof.encode_tensors(answers))
    fake = FakeProcess(stdout=f"a library's greeting\n{line}\n")
    monkeypatch.setattr(subprocess, "run", fake)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    found = export_proof.ask_fresh_process(Path("v"), {"x": np.float32([1.0])})
    assert found["y"].tolist() == [2.0]
    assert fake.command[:2] == [sys.executable, "-I"]
    assert fake.options["env"]["CUDA_VISIBLE_DEVICES"] == ""
    assert fake.options["timeout"] == export_proof.TIME_LIMIT


def test_a_process_that_fails_says_why(monkeypatch: pytest.MonkeyPatch):
    fake = FakeProcess(1, stderr="Traceback ...\nNotFoundError: no kernel for Op\n")
    monkeypatch.setattr(subprocess, "run", fake)
    with pytest.raises(RuntimeError, match="^NotFoundError: no kernel for Op$"):
        export_proof.ask_fresh_process(Path("v"), {})
    monkeypatch.setattr(subprocess, "run", FakeProcess(-9))
    with pytest.raises(RuntimeError, match="^exit -9$"):
        export_proof.ask_fresh_process(Path("v"), {})


def test_a_process_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch):
    def hang(command: list[str], timeout: float, **options: Any) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(RuntimeError, match="no answer within 600 seconds"):
        export_proof.ask_fresh_process(Path("v"), {})


def test_floats_may_differ_by_a_part_of_their_own_unit():
    """Near 0, sums of large parts are no more exact than the parts."""
    python = {"lower": np.array([[-0.7364, 0.5]], "float32")}
    served = {"lower": np.array([[-0.7366, 0.5]], "float32")}
    assert export_proof.compare_answers(served, python, 1e-5)[1] is not None
    absolute = 1e-5 * np.array([90.0, 1e-3])
    compared = export_proof.compare_answers(served, python, 1e-5, absolute)
    assert compared[1] is None
    served["lower"][0] = [-0.7364, 0.5001]
    compared = export_proof.compare_answers(served, python, 1e-5, absolute)
    assert compared[1] is not None
