"""Milliseconds of recurrent layers: keras_seq, Keras, Keras with XLA, and PyTorch.

    python -m benchmarks.speed                          # everything, about an hour
    python -m benchmarks.speed --quick                  # one layer, one direction
    python -m benchmarks.speed --cells lstm --shapes 0 1 --json speed.json

A training step is forward, backward and Adam of recurrent layers and Dense(1) on one
batch in memory; inference is the forward pass alone. All sides compute the same sums in
float32 with the same number of threads; turns alternate, so that a machine busy with
other work slows each alike, the second call of each turn counts, and the figures are
medians. Half-padded batches have lengths from T / B to T: Keras gets a mask, PyTorch
packed sequences. Keras, and ours, run as `fit` and `predict` run them; PyTorch runs
eagerly, as its users do, but for `set_flush_denormal`, which TensorFlow always has on:
without it gradients that vanish over 200 steps slow PyTorch up to 20 times.
"""

import argparse
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

THREADS = int(os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(os.cpu_count())))
os.environ.setdefault("TF_NUM_INTEROP_THREADS", str(THREADS))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from benchmarks.speed_table import describe, print_summary, print_turn  # noqa: E402
from keras_seq.layers import GRU, LSTM  # noqa: E402

try:
    import torch
except ImportError:
    torch = None

# Batch, steps, inputs, units.
SHAPES = [
    (32, 60, 5, 50),
    (32, 100, 128, 64),
    (64, 200, 128, 64),
    (16, 400, 80, 256),
    (64, 100, 256, 1024),
]
CELLS = ("lstm", "gru")
OURS, STOCK, XLA, TORCH = "keras_seq", "keras", "keras, jit", "pytorch"
WARM_UP = 2
XLA_MOST_WEIGHTS = 9_000_000  # of recurrent kernels: beyond, memory runs out
PAUSE = 0.02  # seconds before each turn: OpenMP's threads spin on after their work
Calls = dict[str, dict[str, Callable[[], object]]]  # side -> "train" and "infer"


class Setting(NamedTuple):
    cell: str
    shape: tuple[int, int, int, int]
    layers: int
    directions: int
    half_padded: bool

    def lengths(self) -> np.ndarray:
        batch, steps = self.shape[:2]
        if not self.half_padded:
            return np.full(batch, steps)
        return np.maximum(1, (np.arange(batch) + 1) * steps // batch)

    def weights(self) -> int:
        """Of the recurrent kernels."""
        gates = 4 if self.cell == "lstm" else 3
        return self.layers * self.directions * gates * self.shape[-1] ** 2

    def gflop(self, kind: str) -> float:
        """Of the matrix products that no side can leave out."""
        _, _, inputs, units = self.shape
        steps, gates, total = self.lengths().sum(), 4 if self.cell == "lstm" else 3, 0
        for layer in range(self.layers):
            features = inputs if layer == 0 else self.directions * units
            forward = 2 * steps * gates * units * (features + units) * self.directions
            # Nobody needs the gradient of the batch itself.
            spared = 2 * steps * gates * units * features * self.directions
            total += forward if kind == "infer" else 3 * forward - spared * (layer == 0)
        return total / 1e9


def keras_calls(setting: Setting, layer: type, xla: bool, x, y) -> dict[str, Callable]:
    """Keras' own functions of a model, as `fit` and `predict` call them."""
    batch, steps, inputs, units = setting.shape
    keras.utils.set_random_seed(0)
    source = keras.Input((steps, inputs), batch_size=batch)
    mask = keras.Input((steps,), batch_size=batch, dtype="bool")
    h = source
    for number in range(setting.layers):
        recurrent = layer(units, return_sequences=number < setting.layers - 1)
        if setting.directions == 2:
            recurrent = keras.layers.Bidirectional(recurrent)
        h = recurrent(h, mask=mask if setting.half_padded else None)
    sources = [source, mask] if setting.half_padded else source
    model = keras.Model(sources, keras.layers.Dense(1)(h))
    model.compile("adam", "mse", jit_compile=xla)
    present = tf.constant(np.arange(steps) < setting.lengths()[:, None])
    x = (tf.constant(x), present) if setting.half_padded else tf.constant(x)
    training = iter(tf.data.Dataset.from_tensors((x, tf.constant(y))).repeat())
    model.make_train_function()
    model.make_predict_function()
    return {
        "train": lambda: float(model.train_function(training)["loss"]),
        "infer": lambda: model.predict_function([(x,)]).numpy(),
    }


def torch_calls(setting: Setting, x, y) -> dict[str, Callable]:
    _, _, inputs, units = setting.shape
    torch.manual_seed(0)
    torch.set_num_threads(THREADS)
    torch.set_flush_denormal(True)
    kind = getattr(torch.nn, setting.cell.upper())
    both = setting.directions == 2
    net = kind(inputs, units, setting.layers, batch_first=True, bidirectional=both)
    head = torch.nn.Linear(setting.directions * units, 1)
    optimizer = torch.optim.Adam([*net.parameters(), *head.parameters()])
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    lengths = torch.from_numpy(setting.lengths())

    def answer() -> "torch.Tensor":
        batch = x
        if setting.half_padded:
            batch = torch.nn.utils.rnn.pack_padded_sequence(
                x, lengths, batch_first=True, enforce_sorted=False
            )
        _, state = net(batch)
        # (layers x directions, B, U); an LSTM has its cells behind it.
        h = state[0] if isinstance(state, tuple) else state
        last = torch.cat([h[-2], h[-1]], 1) if both else h[-1]
        return head(last)  # (B, 1)

    def train() -> float:
        optimizer.zero_grad(set_to_none=True)
        answered = answer()
        if answered.shape != y.shape:  # PyTorch would broadcast, and only warn
            raise ValueError(f"{tuple(answered.shape)} against {tuple(y.shape)}")
        loss = torch.nn.functional.mse_loss(answered, y)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    def infer() -> np.ndarray:
        with torch.inference_mode():
            return answer().numpy()

    return {"train": train, "infer": infer}


def sides(setting: Setting, names: list[str]) -> Calls:
    """The calls of each side on one and the same batch."""
    rng = np.random.default_rng(0)
    batch, steps, inputs, _ = setting.shape
    x = rng.normal(size=(batch, steps, inputs)).astype("float32")
    x *= (np.arange(steps) < setting.lengths()[:, None])[:, :, None]
    y = rng.normal(size=(batch, 1)).astype("float32")
    fast, slow = (
        (LSTM, keras.layers.LSTM) if setting.cell == "lstm" else (GRU, keras.layers.GRU)
    )
    made: Calls = {}
    for name in names:
        if name == XLA and setting.weights() > XLA_MOST_WEIGHTS:
            print("keras, jit: left out of the next; XLA asks for 16 GiB there")
        elif name == TORCH:
            made[name] = torch_calls(setting, x, y)
        else:
            layer = fast if name == OURS else slow
            made[name] = keras_calls(setting, layer, name == XLA, x, y)
    return made


def measure(calls: Calls, kind: str, turns: int, seconds: float) -> dict[str, dict]:
    """Medians of each side, turn by turn, for about so many seconds.

    Returns:
        "milliseconds" of wall time, and "processor", of all threads, which other work
        on the machine hardly lengthens; each by side.
    """
    for call in calls.values():
        for _ in range(WARM_UP):
            call[kind]()
    taken = {name: [] for name in calls}
    start = time.perf_counter()
    for turn in itertools.count(1):
        for name, call in calls.items():
            time.sleep(PAUSE)
            call[kind]()  # caches warm and threads awake, as within an epoch
            begun, worked = time.perf_counter(), time.process_time()
            call[kind]()
            ended = time.perf_counter() - begun, time.process_time() - worked
            taken[name].append(ended)
        late = time.perf_counter() > start + seconds
        if turn >= turns and (late or turn >= 5 * turns):
            break
    return {
        which: {
            name: 1000 * statistics.median(each[number] for each in turns_of)
            for name, turns_of in taken.items()
        }
        for number, which in enumerate(("milliseconds", "processor"))
    }


def gemm_peak() -> float:
    """GFLOP/s of the best of ten large matrix products."""
    a = tf.random.normal((2048, 2048))
    best = float("inf")
    for _ in range(12):
        start = time.perf_counter()
        tf.matmul(a, a).numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * 2048**3 / best / 1e9


def settings(options: argparse.Namespace) -> list[Setting]:
    layers, ways = ((1,), (1,)) if options.quick else ((1, 2), (1, 2))
    return [
        Setting(cell, SHAPES[number], *rest)
        for cell in options.cells
        for number in options.shapes
        for rest in itertools.product(layers, ways, (False, True))
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one layer, one direction")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    parser.add_argument("--shapes", nargs="+", type=int, default=range(len(SHAPES)))
    parser.add_argument("--turns", type=int, default=5, help="of each side, at least")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each figure")
    parser.add_argument("--json", type=Path, help="for the figures; adds what it lacks")
    options = parser.parse_args()
    gpu = bool(tf.config.list_logical_devices("GPU"))
    if gpu:  # cuDNN and XLA exclude each other
        print("GPU: keras_seq and Keras run on it, PyTorch and XLA are left out")
        names = [OURS, STOCK]
    else:
        print("no GPU: that section is skipped")
        names = [OURS, STOCK, XLA, *([TORCH] if torch else [])]
    if torch is None:
        print("PyTorch is not installed: no figures of it")
    print(f"{THREADS} threads, load {os.getloadavg()[0]:.1f} before the start")
    print(f"keras_seq: {LSTM(1).loop}, loop of the LSTM")
    rows = json.loads(options.json.read_text()) if _exists(options.json) else []
    measured = {describe(row) for row in rows}
    for setting in settings(options):
        if describe(setting._asdict()) in measured:
            continue
        calls, peak = sides(setting, names), gemm_peak()
        for kind in ("train", "infer"):
            times = measure(calls, kind, options.turns, options.seconds)
            row = {**setting._asdict(), "kind": kind, **times}
            row |= {"gflop": setting.gflop(kind), "peak": peak, "threads": THREADS}
            row |= {"load": os.getloadavg()[0]}
            rows.append(row)
            print_turn(row)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1))
        keras.backend.clear_session()
    print_summary(rows)


def _exists(path: Path | None) -> bool:
    return path is not None and path.exists()


if __name__ == "__main__":
    main()
