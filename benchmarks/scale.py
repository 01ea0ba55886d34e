"""Seconds and peak memory of the sentiment task, phase by phase, as a table grows.

    python -m benchmarks.scale                            # 10,000 to 1,000,000 rows
    python -m benchmarks.scale --rows 100000 --seconds 5  # two minutes

Rows are generated: reviews of one or two sentences with four words of a long-tailed
vocabulary behind them, some 110 bytes each. Every size is trained in a process of its
own, at most --seconds long, on the CPU. What no phase is named for, such as imports and
figures, is `other`; `cpu` is the processor's time of all of it, `peak` that of resident
memory, in which mapped pages count.
"""

import argparse
import csv
import json
import random
import resource
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_seq.text.sample_reviews import load_sample_reviews

SIZES = (10_000, 100_000, 1_000_000)
# What is timed, where it is called: module and name there.
PHASES = {
    "reading": [("tasks.sentiment", "stored")],
    "splitting": [("keras_seq.tasks.sentiment.data", "split_samples")],
    "vocabulary": [("keras_seq.text.tokenizer", "Tokenizer.fit_on_texts")],
    "encoding": [("keras_seq.text.batches", "EncodedSamples.__init__")],
    "n-grams": [("keras_seq.tasks.sentiment.one_label", "ngram_log_ratios")],
    "training": [("keras_seq.training.trainer", "fit")],
    "baselines": [("keras_seq.tasks.sentiment.ending", "fit_baselines")],
    "scoring": [
        ("keras_seq.tasks.sentiment.ending", "ask_all"),
        ("keras_seq.tasks.sentiment.ending", "score_classifier"),
    ],
    "export": [("keras_seq.tasks.run", "export")],
}
COLUMNS = [*PHASES, "other", "total", "cpu"]


def write_rows(path: Path, rows: int) -> None:
    """A CSV of so many reviews, the same for the same number."""
    rng, reviews = random.Random(5), load_sample_reviews(1, 20_000)
    words = [
        "".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 9)))
        for _ in range(60_000)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "text", "label"])
        for number in range(rows):
            text, label = rng.choice(reviews)
            behind = " ".join(words[int(60_000 * rng.random() ** 3)] for _ in range(4))
            table.writerow([number, f"{text} {behind}", label])


class Stopwatch:
    """Seconds of each phase, and the peak of memory behind it."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.peaks: dict[str, float] = {}

    def attach(self) -> None:
        """Puts itself around the functions of all phases."""
        import importlib

        for phase, places in PHASES.items():
            for module, name in places:
                *owners, name = name.split(".")
                owner: Any = importlib.import_module(module)
                for attribute in owners:
                    owner = getattr(owner, attribute)
                setattr(owner, name, self._timed(phase, getattr(owner, name)))

    def _timed(self, phase: str, function: Callable) -> Callable:
        def call(*args: object, **kwargs: object) -> object:
            start, inside = time.perf_counter(), sum(self.seconds.values())
            try:
                return function(*args, **kwargs)
            finally:
                # What a phase within this one took is that one's.
                inside = sum(self.seconds.values()) - inside
                self.seconds[phase] += time.perf_counter() - start - inside
                self.peaks[phase] = peak_megabytes()

        return call


def peak_megabytes() -> float:
    """The most resident memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2 ** (10 if sys.platform == "linux" else 20)


def train(path: str, seconds: float) -> None:
    """Trains on a file and prints what it took, as JSON: one process."""
    start = time.perf_counter()
    watch = Stopwatch()
    watch.attach()
    from tasks import sentiment

    with tempfile.TemporaryDirectory() as folder:
        sentiment.train(
            data=path,
            max_seconds=seconds,
            strategy="cpu",
            run_dir=Path(folder, "run"),
            export_dir=Path(folder, "export"),
        )
    total, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    facts = watch.seconds | {"other": total - sum(watch.seconds.values())}
    facts |= {"total": total, "cpu": used.ru_utime + used.ru_stime}
    print(json.dumps([facts, watch.peaks, peak_megabytes()]))


def measure(path: Path, seconds: float) -> tuple[dict, dict, float]:
    """What `train` prints, of a fresh process."""
    command = [sys.executable, "-m", "benchmarks.scale"]
    command += ["--train", str(path), "--seconds", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return tuple(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--seconds", type=float, default=60, help="of training")
    parser.add_argument("--peaks", action="store_true", help="after each phase, too")
    parser.add_argument("--train", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train(options.train, options.seconds)
        return
    print(f"{'rows':>9}", *(f"{name:>10}" for name in COLUMNS), f"{'peak MB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for rows in options.rows:
            path = Path(folder, "reviews.csv")
            write_rows(path, rows)
            facts, peaks, peak = measure(path, options.seconds)
            columns = (f"{facts[name]:>10.1f}" for name in COLUMNS)
            print(f"{rows:>9,}", *columns, f"{peak:>8,.0f}", flush=True)
            if options.peaks:
                columns = (f"{peaks.get(name, 0):>10,.0f}" for name in COLUMNS)
                print(f"{'peak':>9}", *columns, flush=True)


if __name__ == "__main__":
    main()
