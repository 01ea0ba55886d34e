"""Speech on real data, and how fast the exported model hears.

    python -m benchmarks.speech --only speed [--model saved_models/speech]
    python -m benchmarks.speech --only digits census --data-dir DIR [--seeds 0 1 2]

`speed`: seconds of work for a second of sound, on one core, one recording at a time,
in process and warmed up; without --model a small training on generated speech comes
first, of the same architecture. The others run the documented command of the task in a
process of its own and print its test scores: `digits` is FSDD's official split,
`digits_by_speaker` leaves each speaker out once, `census` is AN4. Nothing is tuned
here: every run scores its test part once, at its end.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.task_runs import ROOT, parser_of_sets, run_task, write_reports

SCRIPT = str(ROOT / "tasks" / "speech.py")
DIGITS = ["--data", "speech_fsdd/manifest.csv"]
CENSUS = [
    "--data",
    "speech_an4/train.csv",
    "--validation-data",
    "speech_an4/dev.csv",
    "--test-data",
    "speech_an4/test.csv",
]
SPEAKERS = ("george", "jackson", "nicolas", "theo", "yweweler")
# Name: (options of the documented command, score shown).
SETS = {
    "digits": (DIGITS, "accuracy"),
    "digits_by_speaker": ([*DIGITS, "--max-seconds", "150"], "accuracy"),
    "census": ([*CENSUS, "--max-seconds", "2700"], "wer"),
    "census_documented": (
        [*CENSUS, "--max-seconds", "2700", "--documented"],
        "wer",
    ),
}
SECONDS, REPEATS = (1, 3, 10), 7


def run_once(options: list[str], data_dir: Path, seed: int) -> dict:
    """One training of a set; its metrics.json."""
    files = [str(data_dir / o) if o.startswith("speech_") else o for o in options]
    return run_task("speech", files, seed)


def show(name: str, score: str, runs: list[dict]) -> None:
    """One line: the score of every run, the strongest baseline, and the seconds."""
    found = [run["test"]["scores"][score] for run in runs]
    values = [each["value"] for each in found]
    ranges = ", ".join(
        f"{e['value']:.4f} ({e['low']:.3f} to {e['high']:.3f})" for e in found
    )
    beside = runs[0]["test"]["baselines"]
    others = ", ".join(f"{who} {scores[score]:.4f}" for who, scores in beside.items())
    line = f"{name:24} {score}: median {statistics.median(values):.4f}; {ranges}"
    searched = [run["test"].get("beam_search") for run in runs]
    if all(searched):
        with_words = [each["scores"]["wer"]["value"] for each in searched]
        line += f"; with n-grams {', '.join(f'{value:.4f}' for value in with_words)}"
    alone = [run["test"].get("network_alone") for run in runs]
    if all(alone):
        without = [f"{each['scores'][score]['value']:.4f}" for each in alone]
        line += f"; network alone {', '.join(without)}"
    seconds = ", ".join(f"{run['seconds']:.0f}" for run in runs)
    print(f"{line}; {others}; seconds {seconds}", flush=True)


def measure_speed(model: Path | None) -> None:
    """Prints the real-time factor of an exported model on one core."""
    with tempfile.TemporaryDirectory() as folder:
        if model is None:
            model = Path(folder, "model")
            options = ["--epochs", "1", "--limit", "60", "--run-dir", f"{folder}/run"]
            subprocess.run(
                [sys.executable, SCRIPT, "train", *options, "--export-dir", str(model)],
                check=True,
                capture_output=True,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
            )
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        import tensorflow as tf

        from keras_seq.audio.waveforms import wav_bytes
        from keras_seq.serving.saved_model import load_exported

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        exported = load_exported(model)
        rate = exported.metadata["feature_extractor"]["sample_rate"]
        for seconds in SECONDS:
            noise = np.random.default_rng(0).normal(0, 3000, rate * seconds)
            wav = tf.constant([wav_bytes(noise.astype(np.int16), rate)])
            found = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                exported.signature()(wav=wav)["transcript"].numpy()
                found.append((time.perf_counter() - start) / seconds)
            print(
                f"{seconds:2} s at {rate} Hz, one core: real-time factor "
                f"{statistics.median(found[2:]):.4f}",
                flush=True,
            )


def main() -> None:
    parser = parser_of_sets(__doc__, ["speed", *SETS])
    parser.set_defaults(only=["speed"], seeds=[0])
    parser.add_argument("--max-seconds", type=float, help="instead of the documented")
    parser.add_argument("--model", type=Path, help="an export, for `speed`")
    arguments = parser.parse_args()
    reports = {}
    for name in arguments.only:
        if name == "speed":
            measure_speed(arguments.model)
            continue
        if not arguments.data_dir.is_dir():
            print(f"speech: skipped, there is no data in {arguments.data_dir}")
            return
        options, score = SETS[name]
        if arguments.max_seconds:
            options = [*options, "--max-seconds", str(arguments.max_seconds)]
        if name != "digits_by_speaker":
            runs = [run_once(options, arguments.data_dir, s) for s in arguments.seeds]
            show(name, score, runs)
            reports[name] = runs
            write_reports(arguments.json, reports)
            continue
        means = []
        for speaker in SPEAKERS:
            left_out = [*options, "--test-speaker", speaker]
            runs = [run_once(left_out, arguments.data_dir, s) for s in arguments.seeds]
            show(f"digits without {speaker}", score, runs)
            reports[f"digits without {speaker}"] = runs
            write_reports(arguments.json, reports)
            means.append([run["test"]["scores"][score]["value"] for run in runs])
        mean = np.mean(means, axis=0)
        print(f"{name:24} mean of five speakers: {', '.join(f'{m:.4f}' for m in mean)}")


if __name__ == "__main__":
    main()
