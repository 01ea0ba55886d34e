"""Scores on real data beside the baseline: a table of docs/results.md, one command.

    python -m benchmarks.quality --data-dir DIR [--only imdb] [--seeds 0 1 2]

Runs the documented command of each task in a process of its own, one after another, on
the files that DIR holds, and prints the median and all seeds. Nothing is tuned here:
every run scores its test file once, at its end.
"""

import statistics
from pathlib import Path

from benchmarks.task_runs import parser_of_sets, run_task, write_reports

# Name: (train file, validation file, test file, further options).
ZH = "sentiment_zh"
SETS = {
    "imdb": (
        "sentiment_en/imdb_train.jsonl.gz",
        None,
        "sentiment_en/imdb_test_a.jsonl.gz",
        ["--max-seconds", "900"],
    ),
    "imdb_103_seconds": (
        "sentiment_en/imdb_train.jsonl.gz",
        None,
        "sentiment_en/imdb_test_a.jsonl.gz",
        ["--max-seconds", "103"],
    ),
    "imdb_documented": (
        "sentiment_en/imdb_train.jsonl.gz",
        None,
        "sentiment_en/imdb_test_a.jsonl.gz",
        ["--documented", "--max-seconds", "900"],
    ),
    "hotels": tuple(
        f"{ZH}/chnsenticorp_htl_{part}.jsonl.gz" for part in ("train", "dev", "test")
    )
    + ([],),
    "waimai": tuple(
        f"{ZH}/waimai_10k_{part}.jsonl.gz" for part in ("train", "dev", "test")
    )
    + ([],),
}


def run_once(data_dir: Path, name: str, seed: int) -> dict:
    """One training of a set; its metrics.json."""
    *files, options = SETS[name]
    options = list(options)
    for option, file in zip(("--data", "--validation-data", "--test-data"), files):
        options += [option, str(data_dir / file)] if file else []
    return run_task("sentiment", options, seed)


def main() -> None:
    arguments = parser_of_sets(__doc__, SETS).parse_args()
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
        write_reports(arguments.json, reports)


if __name__ == "__main__":
    main()
