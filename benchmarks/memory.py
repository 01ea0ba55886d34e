"""Peak memory of reading, scanning and splitting a file, as the file grows tenfold.

    python benchmarks/memory.py                  # CSV of 40 and of 400 MB
    python benchmarks/memory.py --kind parquet   # or jsonl, csv.gz, ...

Every file is read in a process of its own, which iterates over all three parts as an
epoch of training does. The texts lie in a temporary file; the 40 bytes a row beside
them are in the figure.
"""

import argparse
import csv
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from keras_seq.text.sample_reviews import load_sample_reviews

READ = """
import resource, sys
from keras_seq.data.sources import read_table, split_samples
rows = 0
if len(sys.argv) > 1:
    for part in split_samples(read_table(sys.argv[1])).values():
        rows += sum(1 for _ in part)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(rows, peak // (1 if sys.platform == "linux" else 1024))
"""


def rows_of(megabytes: int) -> Iterator[tuple[int, str, str]]:
    """(number, review, label) until so many megabytes of text are reached."""
    reviews, size, number = load_sample_reviews(), 0, 0
    while size < megabytes * 1_000_000:
        start = number * 7 % (len(reviews) - 20)
        text = " ".join(text for text, _ in reviews[start : start + 15])
        yield number, f"{text}\n{number}", reviews[start][1]
        number += 1
        size += len(text) + 20


def write(path: Path, megabytes: int) -> None:
    """Writes a file of about this size (before packing)."""
    kind = path.name.split(".")[1]
    if kind == "parquet":
        write_parquet(path, megabytes)
        return
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        if kind == "jsonl":
            for number, text, label in rows_of(megabytes):
                row = {"id": number, "text": text, "label": label}
                file.write(json.dumps(row) + "\n")
        else:
            table = csv.writer(file, delimiter="\t" if kind == "tsv" else ",")
            table.writerow(["id", "text", "label"])
            table.writerows(rows_of(megabytes))


def write_parquet(path: Path, megabytes: int) -> None:
    """Writes row groups of 10,000 rows, as writers of streams do."""
    import pyarrow
    import pyarrow.parquet

    types = {"id": pyarrow.int64(), "text": pyarrow.string(), "label": pyarrow.string()}
    schema = pyarrow.schema(list(types.items()))
    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        rows = []
        for number, text, label in rows_of(megabytes):
            rows.append({"id": number, "text": text, "label": label})
            if len(rows) == 10_000:
                writer.write_table(pyarrow.Table.from_pylist(rows, schema))
                rows = []
        writer.write_table(pyarrow.Table.from_pylist(rows, schema))


def measure(*arguments: str) -> tuple[int, float, float]:
    """(rows, peak memory in MB, seconds) of a fresh process."""
    start = time.perf_counter()
    command = [sys.executable, "-c", READ, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows, kilobytes = map(int, done.stdout.split())
    return rows, kilobytes / 1024, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kind", default="csv", help="csv, tsv, jsonl, parquet; .gz")
    parser.add_argument("--megabytes", type=int, nargs="+", default=[40, 400])
    options = parser.parse_args()
    print(f"{'file':>12} {'rows':>9} {'peak MB':>8} {'seconds':>8}")
    print(f"{'(imports)':>12} {0:>9} {measure()[1]:>8.1f}")
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in options.megabytes:
            path = Path(folder) / f"reviews.{options.kind}"
            write(path, megabytes)
            rows, peak, seconds = measure(str(path))
            name = f"{megabytes} MB"
            print(f"{name:>12} {rows:>9,} {peak:>8.1f} {seconds:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
