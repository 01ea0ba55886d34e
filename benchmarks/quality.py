"""Scores on real data beside the baseline: the table of the README, one command.

    python benchmarks/quality.py --data-dir DIR [--only imdb] [--seeds 0 1 2]

Runs the documented command of each task in a process of its own, one after another, on
the files that DIR holds, and prints the median and all seeds. Nothing is tuned here:
every run scores its test file once, at its end.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "tasks" / "sentiment.py"
# Name: (train file, validation file, test file, further options).
ZH = "sentiment_zh"
SETS = {
    "imdb": (
        "sentiment_en/imdb_train.jsonl.gz", None, "sentiment_en/imdb_test_a.jsonl.gz",
        ["--max-seconds", "900"],
    ),
    "imdb_103_seconds": (
        "sentiment_en/imdb_train.jsonl.gz", None, "sentiment_en/imdb_test_a.jsonl.gz",
        ["--max-seconds", "103"],
    ),
    "imdb_documented": (
        "sentiment_en/imdb_train.jsonl.gz", None, "sentiment_en/imdb_test_a.jsonl.gz",
        ["--documented", "--max-seconds", "900"],
    ),
    "hotels": tuple(f"{ZH}/chnsenticorp_htl_{part}.jsonl.gz"
                    for part in ("train", "dev", "test")) + ([],),
    "waimai": tuple(f"{ZH}/waimai_10k_{part}.jsonl.gz"
                    for part in ("train", "dev", "test")) + ([],),
}  # fmt: skip


def run_once(data_dir: Path, name: str, seed: int) -> dict:
    """One training by the documented command; its metrics.json."""
    *files, options = SETS[name]
    command = [sys.executable, str(SCRIPT), "train", "--seed", str(seed), *options]
    for option, file in zip(("--data", "--validation-data", "--test-data"), files):
        if file:
            command += [option, str(data_dir / file)]
    with tempfile.TemporaryDirectory() as folder:
        command += ["--run-dir", f"{folder}/run", "--export-dir", f"{folder}/model"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, stdout=sys.stderr, env=environment)
        return json.loads(Path(folder, "run", "metrics.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("KERAS_SEQ_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data-dir", type=Path, default=Path(shared))
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--json", type=Path, help="file for all reports")
    arguments = parser.parse_args()
    if not arguments.data_dir.is_dir():
        print(f"quality: skipped, there is no data in {arguments.data_dir}")
        return
    reports = {}
    for name in arguments.only:
        runs = [run_once(arguments.data_dir, name, s) for s in arguments.seeds]
        reports[name] = runs
        scores = [run["test"]["scores"]["accuracy"]["value"] for run in runs]
        seconds = [f"{run['seconds']:.0f}" for run in runs]
        verdicts = [run["test"]["verdict"] for run in runs]
        baseline = runs[0]["test"]["baselines"]["tfidf_logistic"]["accuracy"]
        print(
            f"{name:18} test accuracy: median {statistics.median(scores):.4f}, "
            f"seeds {', '.join(f'{score:.4f}' for score in scores)}; "
            f"tfidf_logistic {baseline:.4f}; "
            f"seconds {', '.join(seconds)}; "
            f"{', '.join(verdicts)}",
            flush=True,
        )
        if arguments.json:
            arguments.json.write_text(json.dumps(reports, indent=2))


if __name__ == "__main__":
    main()
