"""Seconds until the package is imported and each `--help` is shown.

    python -m benchmarks.startup

Each command is started in a process of its own, all in turn, some rounds over; the
median of the wall time is shown. At most half a second is what users are promised.
"""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7


def commands() -> dict[str, list[str]]:
    """Name to arguments of the interpreter."""
    found = {"nothing": ["-c", ""], "import": ["-c", "import keras_seq"]}
    for script in sorted(ROOT.glob("tasks/[!_]*.py")):
        for verb in ("", "train", "evaluate", "predict"):
            words = [*filter(None, [verb]), "--help"]
            found[" ".join([script.stem, *words])] = [str(script), *words]
    return found


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in commands()}
    for _ in range(ROUNDS):
        for name, arguments in commands().items():
            start = time.perf_counter()
            command = [sys.executable, *arguments]
            subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
            seconds[name].append(time.perf_counter() - start)
    for name, each in seconds.items():
        print(f"{name:<32}{median(each):6.3f} s")


if __name__ == "__main__":
    main()
