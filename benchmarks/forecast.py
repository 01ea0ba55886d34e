"""Forecasts of real series beside their baselines: a table of docs/results.md.

    python -m benchmarks.forecast --data-dir DIR [--only etth1] [--seeds 0 1 2]

Runs the documented command of tasks/stock.py and prints what its metrics.json says of
the test part. Nothing is tuned here: every run scores its test part once. ETTh1 has the
usual protocol: rows 8,640, 2,880 and 2,880, all seven variables, standardised by train
rows, 2,785 test windows.
"""

import statistics
from pathlib import Path

from benchmarks.task_runs import parser_of_sets, run_task, write_reports

ETTH1 = [
    "--target",
    "all",
    "--horizon",
    "96",
    "--validation-start",
    "2017-06-26",
    "--test-start",
    "2017-10-24",
]
PM25 = [
    "--target",
    "pm2.5",
    "--features",
    "TEMP",
    "DEWP",
    "PRES",
    "Iws",
    "--fill",
    "forward",
]
TICKERS = [
    f"stock/{name}.csv"
    for name in ("AAPL", "AMZN", "BA", "COST", "CVX", "DIA", "GOOGL", "MSFT")
]
# Name: (files, further options). No file: the simulator.
SETS = {
    "simulator": ([], []),
    "etth1": (["timeseries/ETTh1_first14400.csv.gz"], ETTH1),
    "etth1_documented": (
        ["timeseries/ETTh1_first14400.csv.gz"],
        [*ETTH1, "--documented"],
    ),
    "tickers": (TICKERS, []),
    "tickers_documented": (TICKERS, ["--documented"]),
    "sp500": (["stock/GSPC.csv"], []),
    "pm25": (["timeseries/beijing_pm25_2010_2013.csv.gz"], PM25),
    "airline": (["timeseries/airline-passengers.csv"], []),
}


def run_once(data_dir: Path, name: str, seed: int) -> dict:
    """One training of a set; its metrics.json."""
    files, options = SETS[name]
    data = ["--data", *(str(data_dir / file) for file in files)] if files else []
    return run_task("stock", [*options, *data], seed)


def shown(name: str, runs: list[dict]) -> str:
    """Some lines of one set, a value a seed."""
    tests = [run["test"] for run in runs]
    keys = ["mse_standardised", "mae_standardised", "mase", "directional_accuracy"]
    keys += ["rmse"] if "rmse" in tests[0]["scores"] else []
    lines = [f"{name}: {tests[0]['n']:,} test windows"]
    best = tests[0]["comparison"]["baseline"]
    for key in keys:
        values = [test["scores"][key]["value"] for test in tests]
        others = tests[0]["baselines"]
        lines.append(
            f"  {key:<21} {statistics.median(values):.4f} ({_seeds(values)})  "
            f"persistence {others['persistence'][key]:.4f}  "
            f"ridge {others['ridge'][key]:.4f}  best is {best} {others[best][key]:.4f}"
        )
    if "best_possible" in tests[0]:
        ratios = [test["best_possible"]["rmse_ratio"] for test in tests]
        lines.append(f"  RMSE / best possible  {_seeds(ratios)}")
    covered = [test["interval"]["coverage"] for test in tests]
    skills = [test["comparison"]["skill"]["value"] for test in tests]
    against = [
        test["comparison"]["skill_against"]["persistence"]["value"] for test in tests
    ]
    seconds = [f"{run['seconds']:.0f}" for run in runs]
    lines += [
        f"  coverage of 80 %      {_seeds(covered)}",
        f"  skill                 {_seeds(skills)}; to persistence {_seeds(against)}",
        f"  verdict               {', '.join(test['verdict'] for test in tests)}",
        f"  seconds               {', '.join(seconds)}",
    ]
    return "\n".join(lines)


def _seeds(values: list[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)


def main() -> None:
    arguments = parser_of_sets(__doc__, SETS).parse_args()
    if not arguments.data_dir.is_dir():
        print(f"forecast: no data in {arguments.data_dir}; the simulator alone")
        arguments.only = [name for name in arguments.only if not SETS[name][0]]
    reports = {}
    for name in arguments.only:
        runs = [run_once(arguments.data_dir, name, s) for s in arguments.seeds]
        reports[name] = runs
        print(shown(name, runs), flush=True)
        write_reports(arguments.json, reports)


if __name__ == "__main__":
    main()
