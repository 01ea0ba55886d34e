"""Task scripts as modules and as commands, and small inputs for them."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

from keras_seq.data.simulator import simulate_prices
from keras_seq.data.waveforms import wav_bytes

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


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
    """A script run in `folder`, with `text` typed into it."""
    return subprocess.run(
        [sys.executable, str(script_of(name)), *arguments],
        cwd=folder, env=ENVIRONMENT, input=text, capture_output=True, text=True,
    )  # fmt: skip


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
        up, down = (np.sin(2 * np.pi * pitch * f(time)) for f in (
            lambda t: 400 * t + 900 * t**2, lambda t: 1400 * t - 900 * t**2))
        sounds = {"up": up, "down": down, "hiss": rng.normal(0, 0.3, len(time))}
        for label, sound in sounds.items():
            path = folder / label / f"{seed}_{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            noisy = 0.3 * sound + rng.normal(0, 0.01, len(time))
            path.write_bytes(wav_bytes((noisy * 32767).astype("int16"), 8000))
