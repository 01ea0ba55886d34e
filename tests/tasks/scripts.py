"""Task scripts as modules and as commands, and small inputs for them."""

import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from keras_seq import cli
from keras_seq.audio.waveforms import wav_bytes
from keras_seq.images.sample_drawings import load_sample_drawings
from keras_seq.series.simulator import simulate_prices
from keras_seq.text.sample_sentences import load_sample_sentences
from tests.fork_server import with_keras

ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Of a process that finds keras_seq, with the cache of the tests."""
    return os.environ | {"PYTHONPATH": str(ROOT)}


def script_of(name: str) -> Path:
    return ROOT / "tasks" / f"{name}.py"


def load_script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{name}_task", script_of(name))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_script(
    name: str, folder: Path, *arguments: str, text: str = ""
) -> subprocess.CompletedProcess:
    """A script run in `folder`, with `text` typed into it, in a fresh process."""
    return subprocess.run(
        [sys.executable, str(script_of(name)), *arguments],
        cwd=folder,
        env=environment(),
        input=text,
        capture_output=True,
        text=True,
    )


def ask_script(
    name: str, folder: Path, *arguments: str, text: str = ""
) -> subprocess.CompletedProcess:
    """`run_script`, in a process that finds TensorFlow imported."""
    command = [script_of(name), *arguments]
    return with_keras().run(command, input=text, cwd=folder, environment=environment())


def call_script(
    task: ModuleType, folder: Path, *arguments: str
) -> subprocess.CompletedProcess:
    """`run_script`, in this process, where TensorFlow and keras_seq are imported."""
    verbs = {"train": task.train, "evaluate": task.evaluate, "predict": task.predict}
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as stop,
    ):
        cli.run("", **verbs, argv=arguments)
    answer = stop.value.code, out.getvalue(), err.getvalue()
    return subprocess.CompletedProcess(list(arguments), *answer)


def refuse(task: ModuleType, data: str, message: str, remark: str = "") -> None:
    """Holds `train` to one line of what is wrong with its data, and status 2.

    Args:
        task: the script.
        data: name of the file.
        message: what the line says.
        remark: of lines before it that are none of an error.
    """
    done = call_script(task, Path.cwd(), "train", "--data", data)
    assert done.returncode == 2 and done.stdout == ""
    # How many rows were read is logged once, whatever comes of it.
    counted = re.compile(r".*: [0-9,]+ (row|sentence|pair)s?")
    lines = [
        line
        for line in done.stderr.splitlines()
        if not (remark and remark in line) and not counted.fullmatch(line)
    ]
    assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0]


def write_prices(path: Path, seed: int = 0, rows: int = 500) -> Path:
    """A Yahoo-style file of simulated prices."""
    one = simulate_prices(seed, num_series=1, num_rows=rows).table.series[0]
    lines = ["Date,Open,High,Low,Close,Adj Close,Volume"]
    for day, (close,) in zip(one.dates.astype("datetime64[D]"), one.values):
        lines.append(
            f"{day},{close:.4f},{close * 1.01:.4f},{close * 0.99:.4f},{close:.4f},"
            f"{close:.4f},{1000 + int(close * 7) % 90}"
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def write_words(folder: Path, seed: int, each: int) -> None:
    """A folder of labels: two tones and a hiss, of different speakers' pitch."""
    rng = np.random.default_rng(seed)
    time = np.arange(2400) / 8000
    for number in range(each):
        pitch = rng.uniform(0.9, 1.1)
        up, down = (
            np.sin(2 * np.pi * pitch * f(time))
            for f in (lambda t: 400 * t + 900 * t**2, lambda t: 1400 * t - 900 * t**2)
        )
        sounds = {"up": up, "down": down, "hiss": rng.normal(0, 0.3, len(time))}
        for label, sound in sounds.items():
            path = folder / label / f"{seed}_{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            noisy = 0.3 * sound + rng.normal(0, 0.01, len(time))
            path.write_bytes(wav_bytes((noisy * 32767).astype("int16"), 8000))


def write_sentences(path: Path, seed: int, count: int) -> None:
    """CoNLL columns of generated sentences."""
    blocks = (
        "".join(f"{word} {tag}\n" for word, tag in zip(each.words, each.tags))
        for each in load_sample_sentences(seed, count)
    )
    path.write_text("\n".join(blocks))


def write_drawings(folder: Path, name: str, count: int, seed: int = 0) -> None:
    """Drawings in a folder, and the table of their captions beside it."""
    (folder / name).mkdir(parents=True)
    lines = ["image,caption"]
    for number, each in enumerate(load_sample_drawings(seed, 10 * count)["test"]):
        (folder / name / f"{number}.png").write_bytes(each.read())
        lines += [f"{number}.png,{caption}" for caption in each.captions]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
