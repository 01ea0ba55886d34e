"""A run of each task, killed after its first epoch and resumed, beside a whole one."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from keras_seq.training.model_file import load_model
from tests.tasks.scripts import (
    environment,
    run_script,
    script_of,
    write_drawings,
    write_prices,
    write_words,
)

VERSE = "To be, or not to be: that is the question.\n"


def write_inputs(folder: Path) -> None:
    folder.mkdir()
    write_prices(folder / "AAPL.csv")
    write_words(folder / "words", 0, 20)
    (folder / "verse.txt").write_text(VERSE * 100)
    write_drawings(folder, "shapes", 40)
    moods = ["sad", "loud", "sad;loud", "long"]
    rows = [
        (f"{mood.replace(';', ' ')} film {n}", mood, n)
        for n in range(50)
        for mood in moods
    ]
    for column, place in (("labels", 1), ("number", 2)):
        lines = [f"text,{column}", *(f"{row[0]},{row[place]}" for row in rows)]
        (folder / f"{column}.csv").write_text("\n".join(lines))


LABELS = "--data", "labels.csv", "--label-column", "labels", "--label-separator", ";"
NUMBER = "--data", "number.csv", "--label-column", "number", "--kind", "regression"
FEW_PAIRS = "--limit", "300", "--model-dim", "16", "--num-layers", "1"
DRAWINGS = "--data", "shapes.csv", "--encoder", "none", "--lstm-units", "8"
SMALL = {  # sentiment of one class has a test of its own
    "sentiment several labels": (*LABELS, "--epochs", "4"),
    "sentiment number": (*NUMBER, "--epochs", "4"),
    "stock": ("--data", "AAPL.csv", "--lookback", "20", "--epochs", "4"),
    "speech": ("--data", "words", "--batch-size", "4", "--epochs", "4"),
    "text_generation": (
        "--data",
        "verse.txt",
        "--rnn-units",
        "24",
        "--embedding-dim",
        "8",
        "--batch-size",
        "8",
        "--epochs",
        "4",
    ),
    "tagging": ("--limit", "300", "--epochs", "3"),
    "translation": (*FEW_PAIRS, "--epochs", "3"),
    "captioning": (*DRAWINGS, "--image-size", "16", "--epochs", "4"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_a_killed_run_resumed_ends_as_one_never_killed(name: str, tmp_path: Path):
    task = name.split()[0]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for folder in (killed, whole):
        write_inputs(folder)
    asked = "train", *SMALL[name], "--run-dir", "run"
    process = subprocess.Popen(
        [sys.executable, str(script_of(task)), *asked],
        cwd=killed,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:
        if list(killed.glob("run/checkpoints/state-*")):
            process.kill()
        time.sleep(0.02)
    assert process.returncode == -9 and not (killed / "run" / "metrics.json").exists()
    resumed = run_script(task, killed, *asked, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "run: going on at epoch" in resumed.stderr
    done = run_script(task, whole, *asked)
    assert done.returncode == 0, done.stderr
    found, expected = (
        json.loads((folder / "run" / "metrics.json").read_text())
        for folder in (killed, whole)
    )
    for part in ("validation", "test"):
        assert found[part]["scores"] == expected[part]["scores"]
    one, other = (
        load_model(folder / "run" / "model.keras").get_weights()
        for folder in (killed, whole)
    )
    for resumed_weights, whole_weights in zip(one, other, strict=True):
        np.testing.assert_array_equal(resumed_weights, whole_weights)
