"""Milliseconds for one answer of an exported sentiment model, and for a cold start.

    python benchmarks/latency.py [--model saved_models/sentiment]

Without --model a small one is trained on the embedded sample first. In process: median
of single calls on one sentence. Cold: wall time of `tasks/sentiment.py predict`, from
the start of Python to the answer.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tensorflow as tf

from keras_seq.serving.saved_model import load_exported

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = str(ROOT / "tasks" / "sentiment.py")
SENTENCE = "The plot is not dull at all, it is a joy."
CALLS, STARTS, WARM_UP = 500, 5, 50


def milliseconds(model: Path) -> list[float]:
    """Of single calls, in process and warmed up."""
    signature, seconds = load_exported(model).signature(), []
    sentence = tf.constant([SENTENCE])
    for _ in range(WARM_UP + CALLS):
        start = time.perf_counter()
        signature(text=sentence)["label"].numpy()
        seconds.append(time.perf_counter() - start)
    return [1000 * each for each in seconds[WARM_UP:]]


def script(*arguments: str) -> float:
    """Seconds that the task script takes."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        check=True,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path)
    model = parser.parse_args().model
    with tempfile.TemporaryDirectory() as folder:
        if model is None:
            model = Path(folder, "model")
            folders = ("--run-dir", f"{folder}/run", "--export-dir", str(model))
            script("train", "--epochs", "2", *folders)
        calls = milliseconds(model)
        ask = ("predict", SENTENCE, "--model", str(model))
        cold = [script(*ask) for _ in range(STARTS)]
    print(f"one sentence, in process: median {statistics.median(calls):.2f} ms")
    print(f"95 of 100 below {statistics.quantiles(calls, n=20)[-1]:.2f} ms")
    print(f"predict, from a cold start: median {statistics.median(cold):.1f} s")


if __name__ == "__main__":
    main()
