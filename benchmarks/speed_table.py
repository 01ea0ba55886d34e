"""Prints what `benchmarks/speed.py` measured: a line a setting, and geometric means.

python -m benchmarks.speed_table speed.json      # a table of docs/results.md
"""

import itertools
import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
OURS = "keras_seq"
NAMES = (OURS, "keras", "keras, jit", "pytorch")


def print_turn(row: Row) -> None:
    """One setting: milliseconds, ratios to ours, and the fraction of the GEMM peak."""
    times = row["milliseconds"]
    cells = [f"{name} {times[name]:.4g}" for name in NAMES if name in times]
    ratios = [f"{r:.2f}x {name}" for name, r in ratios_of(row).items()]
    used = row["gflop"] / times[OURS] * 1000 / row["peak"]
    print(
        f"{describe(row):<46} {row['kind']}: {', '.join(cells)} ms | "
        f"{', '.join(ratios)} | {used:.0%} of GEMM peak",
        flush=True,
    )


def describe(row: Row) -> str:
    """As "lstm (32, 60, 5, 50) 2 layers, both ways, half padded".

    Example:

    >>> row = {"cell": "gru", "shape": [2, 3, 4, 5], "layers": 1, "directions": 1}
    >>> describe(row | {"half_padded": False})
    'gru (2, 3, 4, 5) 1 layer, one way'
    """
    words = [f"{row['layers']} layer" + "s" * (row["layers"] > 1)]
    words.append("both ways" if row["directions"] == 2 else "one way")
    words += ["half padded"] * row["half_padded"]
    return f"{row['cell']} {tuple(row['shape'])} {', '.join(words)}"


def ratios_of(row: Row, of: str = "milliseconds") -> dict[str, float]:
    """How many times as long as ours each other side took, by "processor" time too.

    Example:

    >>> ratios_of({"milliseconds": {"keras_seq": 2.0, "keras": 5.0}})
    {'keras': 2.5}
    """
    times = row[of]
    others = [name for name in NAMES if name in times and name != OURS]
    return {name: times[name] / times[OURS] for name in others}


def geometric_mean(values: Iterable[float]) -> float:
    """Of ratios, so that twice as fast and half as fast make one.

    Example:

    >>> geometric_mean([2.0, 0.5])
    1.0
    """
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def print_summary(rows: list[Row]) -> None:
    """Geometric mean and smallest ratio, by kind, side, and full or padded batches."""
    for kind, name in itertools.product(("train", "infer"), NAMES[1:]):
        for batches in ("all", "full", "half padded"):
            found = [
                row
                for row in rows
                if row["kind"] == kind
                and name in row["milliseconds"]
                and (batches == "all" or row["half_padded"] == (batches != "full"))
            ]
            if not found:
                continue
            mean, work = (
                geometric_mean(ratios_of(row, of)[name] for row in found)
                for of in ("milliseconds", "processor")
            )
            least, where = min((ratios_of(row)[name], describe(row)) for row in found)
            print(
                f"{kind}, {len(found)} settings ({batches}): {name} takes {mean:.2f}x "
                f"as long as ours (geometric mean; {work:.2f}x the processor time); "
                f"least {least:.2f}x at {where}"
            )


def print_markdown(rows: list[Row]) -> None:
    """Ratios by cell and shape, means over the other settings."""
    print("| (batch, steps, inputs, units) | training: Keras | PyTorch | ", end="")
    print("inference: Keras | PyTorch |\n|---|---|---|---|---|")
    found = {(row["cell"], tuple(row["shape"])) for row in rows}
    for cell, shape in sorted(found, key=lambda each: (each[0], each[1][::-1])):
        cells = [f"{cell.upper()} {shape}"]
        for kind, name in itertools.product(("train", "infer"), ("keras", "pytorch")):
            ratios = [
                ratios_of(row)[name]
                for row in rows
                if (row["cell"], tuple(row["shape"])) == (cell, shape)
                and row["kind"] == kind
            ]
            mean = geometric_mean(ratios)
            cells.append(f"{mean:.1f} ({min(ratios):.1f} to {max(ratios):.1f})")
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    print_markdown(json.loads(Path(sys.argv[1]).read_text()))
