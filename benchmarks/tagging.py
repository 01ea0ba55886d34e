"""Tagging on real data: scores, what each part of the recipe is worth, and speed.

    python -m benchmarks.tagging --only parts --epochs 6 [--seeds 0]
    python -m benchmarks.tagging --only ewt wnut --data-dir DIR [--seeds 0 1 2]
    python -m benchmarks.tagging --only speed [--model saved_models/tagging]

`ewt` is UPOS on test_a, `wnut` entities on dev, which nothing was chosen on: a tenth of
train stops the training. `parts` trains on EWT with everything, then with each part
left out, all for the same passes, and scores on the development part, which also stops
the training. `speed` is words a second of the exported model, 64 sentences of EWT at a
time, in process and warmed up; without --model a small training comes first, of the
same architecture.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.task_runs import parser_of_sets, run_task, write_reports

EWT, WNUT = "tagging_ud_ewt/en_ewt-ud-", "tagging_wnut17/wnut17_"
TRAIN, DEV, TEST = (f"{EWT}{part}.conllu.gz" for part in ("train", "dev", "test_a"))
# Name: (train file, validation file, test file, score shown, seconds).
SETS = {
    "ewt": (TRAIN, DEV, TEST, "accuracy", 900),
    "wnut": (f"{WNUT}train.conll.gz", None, f"{WNUT}dev.conll.gz", "f1", 900),
}
EVERYTHING = "everything"
PARTS = {
    EVERYTHING: ["--crf", "on"],
    "without characters": ["--crf", "on", "--characters", "off"],
    "without features": ["--crf", "on", "--features", "off"],
    "without CRF": ["--crf", "off"],
    "words alone": ["--crf", "off", "--characters", "off", "--features", "off"],
}
PARTS_EPOCHS = 6
BATCH, REPEATS = 64, 7
SECTIONS = ("parts", *SETS, "speed")


def files_of(data_dir: Path, files: Sequence[str | None]) -> list[str]:
    """The options that name a train, a validation and a test file."""
    names = ("--data", "--validation-data", "--test-data")
    pairs = ((name, str(data_dir / file)) for name, file in zip(names, files) if file)
    return [word for pair in pairs for word in pair]


def show_scores(name: str, score: str, runs: list[dict]) -> None:
    """The score of every run, of every baseline, and the sentence of the first."""
    values = [run["test"]["scores"][score]["value"] for run in runs]
    first = runs[0]["test"]
    others = ", ".join(f"{k} {v[score]:.4f}" for k, v in first["baselines"].items())
    print(
        f"{name:6} {score}: median {statistics.median(values):.4f}, seeds "
        f"{', '.join(f'{value:.4f}' for value in values)}; {others}; "
        f"seconds {', '.join(str(round(run['seconds'])) for run in runs)}"
    )
    if raw := first.get("from_text"):
        print(f"{'':6} raw texts: words {raw['words']:.4f}, tags {raw['tags']:.4f}")
    for run in runs:
        print(f"{'':6} {run['test']['comparison']['sentence']}", flush=True)


def measure_parts(data_dir: Path, epochs: int, seed: int) -> dict[str, list[dict]]:
    """Prints what each part is worth on the development part, by paired intervals."""
    from keras_seq.evaluation.tags import tag_report
    from keras_seq.serving.saved_model import load_exported
    from keras_seq.tasks.tagging import answer_words
    from keras_seq.text import read_tagged

    sentences = read_tagged(data_dir / DEV)
    train = {word for s in read_tagged(data_dir / TRAIN) for word in s.words}
    known = [[word in train for word in each.words] for each in sentences]
    truth = [list(each.tags) for each in sentences]
    answers, reports = {}, {}
    print(f"EWT dev, {epochs} passes each, seed {seed}")
    for name, options in PARTS.items():
        files = files_of(data_dir, (TRAIN, DEV, DEV))
        options = [*files, *options, "--epochs", str(epochs)]
        with tempfile.TemporaryDirectory() as folder:
            run = run_task("tagging", options, seed, Path(folder, "model"))
            ask = load_exported(Path(folder, "model")).signature("words")
            found = answer_words(ask, [each.words for each in sentences])
            answers[name] = [row["tags"] for row in found]
        # The run's own test part is the same, but for a second opinion on each pair.
        report = tag_report(
            "tagging", truth, answers[EVERYTHING], {name: answers[name]}, is_known=known
        )
        own = report["baselines"][name]
        apart = report["comparison"]["difference"]
        line = f"{name:20} accuracy {own['accuracy']:.4f}"
        line += f", unknown words {own['accuracy_unknown']:.4f}"
        line += f", whole sentences {own['sentences_right']:.4f}"
        if name != EVERYTHING:
            line += f"; everything is better by {apart['value']:+.4f} "
            line += f"({apart['low']:+.4f} to {apart['high']:+.4f})"
        print(f"{line}; seconds {run['seconds']:.0f}", flush=True)
        reports[f"parts, {name}"] = [run | {"against_everything": report["comparison"]}]
    return reports


def measure_speed(data_dir: Path, model: Path | None) -> None:
    """Prints words a second of both signatures of an exported model."""
    from keras_seq.serving.saved_model import load_exported
    from keras_seq.text import read_tagged

    sentences = read_tagged(data_dir / DEV)
    with tempfile.TemporaryDirectory() as folder:
        if model is None:
            model = Path(folder, "model")
            files = files_of(data_dir, (TRAIN, DEV, DEV))
            run_task("tagging", [*files, "--max-seconds", "20"], 0, model)
        exported = load_exported(model)
        show_speed(
            "words",
            [_words(exported.signature("words"), some) for some in _batches(sentences)],
        )
        show_speed(
            "text", [_text(exported.signature(), some) for some in _batches(sentences)]
        )


def _batches(sentences: Sequence) -> list[Sequence]:
    """In the order of the file: long beside short, as they come."""
    return [sentences[at : at + BATCH] for at in range(0, len(sentences), BATCH)]


def _words(signature: Callable, some: Sequence) -> tuple[Callable, int]:
    import tensorflow as tf

    words = tf.constant([word for each in some for word in each.words])
    lengths = tf.constant([len(each.words) for each in some])
    return lambda: signature(words=words, row_lengths=lengths), len(words)


def _text(signature: Callable, some: Sequence) -> tuple[Callable, int]:
    import tensorflow as tf

    text = tf.constant([each.text or " ".join(each.words) for each in some])
    return lambda: signature(text=text), sum(len(each.words) for each in some)


def show_speed(name: str, calls: list[tuple[Callable, int]]) -> None:
    """Words a second of all batches, one after the other; the median of some passes."""
    size, passes = sum(count for _, count in calls), []
    for _ in range(REPEATS):
        start = time.perf_counter()
        for call, _ in calls:
            call()["tags"].numpy()
        passes.append(size / (time.perf_counter() - start))
    print(
        f"speed  {name:6} batches of {BATCH}: {statistics.median(passes[2:]):,.0f} "
        f"words a second (from {min(passes[2:]):,.0f} to {max(passes[2:]):,.0f})",
        flush=True,
    )


def main() -> None:
    parser = parser_of_sets(__doc__, SECTIONS)
    parser.set_defaults(only=["speed"], seeds=[0])
    parser.add_argument("--max-seconds", type=float, help="instead of the documented")
    parser.add_argument("--epochs", type=int, default=PARTS_EPOCHS, help="of `parts`")
    parser.add_argument("--model", type=Path, help="an export, for `speed`")
    asked = parser.parse_args()
    if not asked.data_dir.is_dir():
        print(f"tagging: skipped, there is no data in {asked.data_dir}")
        return
    reports: dict[str, list[dict]] = {}
    for name in asked.only:
        if name == "speed":
            measure_speed(asked.data_dir, asked.model)
            continue
        if name == "parts":
            for seed in asked.seeds:
                found = measure_parts(asked.data_dir, asked.epochs, seed)
                for part, runs in found.items():
                    reports.setdefault(part, []).extend(runs)
        else:
            *files, score, seconds = SETS[name]
            options = files_of(asked.data_dir, files)
            options += ["--max-seconds", str(asked.max_seconds or seconds)]
            reports[name] = [run_task("tagging", options, s) for s in asked.seeds]
            show_scores(name, score, reports[name])
        write_reports(asked.json, reports)


if __name__ == "__main__":
    main()
