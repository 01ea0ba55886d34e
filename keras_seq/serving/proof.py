"""The proof of an export: a fresh process that has TensorFlow and nothing of ours.

Run as a script, this file *is* that process: it refuses to import keras_seq, loads
the SavedModel and answers. Imported, it gives the two ends of the conversation and
the comparison. It is independent of tasks, and imports nothing of keras_seq.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

TIME_LIMIT = 600  # seconds: a proof that hangs must not hold a training run for ever
HIDDEN_GPU = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


class _RefuseKerasSeq:
    """A meta-path finder under which `import keras_seq` fails wherever it lies."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == "keras_seq":
            raise ImportError("the proof must do without keras_seq")


def encode_tensors(tensors: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Make tensors fit for JSON: each a TensorProto in base64, so no bit is lost.

    Example:

    >>> decode_tensors(encode_tensors({"wav": np.array([b"RIFF\\x00"], object)}))
    {'wav': array([b'RIFF\\x00'], dtype=object)}
    """
    import tensorflow as tf

    return {
        name: base64.b64encode(tf.make_tensor_proto(value).SerializeToString()).decode(
            "ascii"
        )
        for name, value in tensors.items()
    }


def decode_tensors(texts: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Undo `encode_tensors`; strings come back as an object array of bytes.

    Example:

    >>> decode_tensors(encode_tensors({"window": np.array([[1.5, 2.0]])}))
    {'window': array([[1.5, 2. ]])}
    """
    import tensorflow as tf
    from tensorflow.core.framework import tensor_pb2

    return {
        name: tf.make_ndarray(tensor_pb2.TensorProto.FromString(base64.b64decode(text)))
        for name, text in texts.items()
    }


def run_isolated(script: list[str], request: str) -> subprocess.CompletedProcess:
    """Run a script by `python -I`, with a request as its standard input."""
    return subprocess.run(
        [sys.executable, "-I", *script],
        input=request,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=TIME_LIMIT,
        env=os.environ | HIDDEN_GPU,
    )


def ask_fresh_process(
    version: Path, inputs: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Ask the signatures of a SavedModel in a process that never saw keras_seq.

    The process is `python -I` (no working directory, PYTHONPATH or user packages on
    its path) and sees no GPU: it proves that the export serves on any CPU.

    Args:
        version: folder of the SavedModel.
        inputs: name to array, one batch, as `serving_default` takes it; what another
            signature takes is called `signature/name`.

    Returns:
        Output name, called likewise, to array; strings as an object array of bytes.

    Raises:
        RuntimeError: the process failed; the message is the last line it wrote.
    """
    request = json.dumps(encode_tensors(inputs))
    try:
        process = run_isolated([os.path.abspath(__file__), str(version)], request)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no answer within {TIME_LIMIT} seconds") from None
    if process.returncode:
        lines = process.stderr.strip().splitlines() or [f"exit {process.returncode}"]
        raise RuntimeError(lines[-1])
    return decode_tensors(json.loads(process.stdout.splitlines()[-1]))


def compare_answers(
    answers: Mapping[str, np.ndarray],
    expected: Mapping[str, np.ndarray],
    tolerance: float,
    absolute: np.ndarray | float | None = None,
) -> tuple[float, tuple[int, str] | None]:
    """Compare what the SavedModel answered with what Python expects.

    Names, shapes and dtypes must be the same; strings, integers and truth values equal;
    floats may differ by `absolute + tolerance * abs(expected)`; NaN equals nothing,
    itself included.

    Args:
        answers: output name to array (B, ...) or scalar.
        expected: the same names.
        tolerance: 0 or more.
        absolute: 0 or more, one number or one for each place of the last axis; default
            `tolerance`.

    Returns:
        The largest absolute difference of any float, and the first sample that
        differs with a sentence about it (-1: the whole output), or None.

    Example:

    >>> compare_answers({"p": np.array([1, 0.75])}, {"p": np.array([1, 0.5])}, 1e-5)
    (0.25, (1, "'p' is 0.75 in the SavedModel and 0.5 in Python"))
    """
    largest, first = 0.0, None
    absolute = tolerance if absolute is None else absolute
    if set(answers) != set(expected):
        sentence = f"it answers with {sorted(answers)}, not {sorted(expected)}"
        return largest, (-1, sentence)
    for name, answer in answers.items():
        target = expected[name]
        if answer.shape != target.shape:
            sentence = f"{name!r} has shape {answer.shape}, not {target.shape}"
            return largest, (-1, sentence)
        if _kind(answer) != _kind(target):
            sentence = f"{name!r} is {_kind(answer)}, not {_kind(target)}"
            return largest, (-1, sentence)
        # bfloat16 is no np.floating.
        if _kind(answer) != "string" and answer.dtype.kind not in "biu":
            answer, target = answer.astype(np.float64), target.astype(np.float64)
            wrong = ~np.isclose(answer, target, rtol=tolerance, atol=absolute)
            finite = np.isfinite(answer) & np.isfinite(target)
            gap = np.abs(answer[finite] - target[finite]).max(initial=0.0)
            largest = max(largest, float(gap))
        else:
            wrong = np.asarray(answer != target)
        if not wrong.any():
            continue
        place = tuple(int(index) for index in np.argwhere(wrong)[0])
        sample = place[0] if place else -1
        if first is None or sample < first[0]:
            found, wanted = answer[place], target[place]
            first = sample, (
                f"{name!r} is {shown(found)} in the SavedModel and "
                f"{shown(wanted)} in Python"
            )
    return largest, first


def _kind(array: np.ndarray) -> str:
    """The dtype's name; strings are the same thing in NumPy's three ways."""
    return "string" if array.dtype.kind in "OSU" else array.dtype.name


def shown(value: object) -> str:
    """Put one value into a message: `0.9` for `np.float64(0.9)`; long ones cut.

    Returns:
        80 characters at most, on one line.

    Example:

    >>> shown("好".encode()), shown(np.float32(0.5))
    ("'好'", '0.5')
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    text = repr(value.item() if isinstance(value, np.generic) else value)
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "..."


def main(version: str) -> None:
    """Answer the request on stdin with one line on stdout, without keras_seq."""
    sys.meta_path.insert(0, _RefuseKerasSeq())
    import tensorflow as tf

    inputs = decode_tensors(json.loads(sys.stdin.read()))
    loaded = tf.saved_model.load(version)
    asked: dict[str, dict[str, tf.Tensor]] = {"": {}}
    answers: dict[str, tf.Tensor] = {}
    for name, value in inputs.items():
        signature, _, own_name = name.rpartition("/")
        asked.setdefault(signature, {})[own_name] = tf.constant(value)
    for signature, own in asked.items():
        serve = loaded.signatures[signature or "serving_default"]
        prefix = signature and signature + "/"
        answers |= {prefix + name: value for name, value in serve(**own).items()}
    if any(name.partition(".")[0] == "keras_seq" for name in sys.modules):
        raise SystemExit("keras_seq was imported by the proof: it proves nothing")
    arrays = {name: answer.numpy() for name, answer in answers.items()}
    print(json.dumps(encode_tensors(arrays)))


if __name__ == "__main__":
    main(sys.argv[1])
