"""What watching a run costs: bare `model.fit` beside `fit` with every monitor on.

    python benchmarks/monitors.py

The tutorial's own sentiment model on random ids. Bare is compile and fit, nothing else.
"gradients" adds `GradientMonitor` alone; "everything" is `fit` with a run folder:
checkpoints, gradient norms, TensorBoard with histograms, graph, projector and figures.
The three take turns, so that a machine busy with other work slows all of them; the
figures are medians over turns of the ratio to bare in the same turn. Seconds are those
from the first step to the end of training; what a run pays once is shown beside it.
"""

import argparse
import statistics
import tempfile
import time

import keras
import numpy as np
import tensorflow as tf

from keras_seq.models.sentiment import build_sentiment_model
from keras_seq.training.devices import set_seed
from keras_seq.training.fit import fit
from keras_seq.training.gradients import GradientMonitor

VOCAB_SIZE, STEPS, BATCH = 10_000, 80, 32
OPTIONS = {"loss": "binary_crossentropy", "metrics": ["accuracy"]}


class Stopwatch(keras.callbacks.Callback):
    """Seconds from the third step, when all is traced, to the last epoch's end."""

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if batch == 2 and not hasattr(self, "start"):
            self.start = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        # The end of an epoch reaches to here, or to the end of training.
        self.stop = time.perf_counter()

    def on_train_end(self, logs: dict | None = None) -> None:
        self.stop = time.perf_counter()


def make_data(batches: int) -> tf.data.Dataset:
    """Random reviews of 100 words."""
    ids = np.random.default_rng(0).integers(1, VOCAB_SIZE, (batches * BATCH, 100))
    labels = (ids.sum(axis=1) % 2).astype("float32")
    return tf.data.Dataset.from_tensor_slices((ids.astype("int32"), labels)).batch(
        BATCH
    )


def seconds(kind: str, epochs: int, folder: str) -> tuple[float, float]:
    """(of steps and epochs, of what is paid once) of one run."""
    set_seed(0)
    train, validation = make_data(STEPS), make_data(5)
    model = build_sentiment_model(VOCAB_SIZE)
    watch, start = Stopwatch(), time.perf_counter()
    if kind == "everything":
        fit(
            model, train, validation, epochs=epochs, patience=epochs, run_dir=folder,
            callbacks=[watch], **OPTIONS,
        )  # fmt: skip
    else:
        model.compile("adam", **OPTIONS)
        calls = [watch] if kind == "bare" else [GradientMonitor(), watch]
        model.fit(
            train, validation_data=validation, epochs=epochs, verbose=0,
            shuffle=False, callbacks=calls,
        )  # fmt: skip
    whole, running = time.perf_counter() - start, watch.stop - watch.start
    return running, whole - running


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=7, help="runs of each kind")
    parser.add_argument("--epochs", type=int, default=3, help="epochs of a run")
    options = parser.parse_args()
    kinds = ("bare", "gradients", "everything")
    found = {kind: [] for kind in kinds}
    for turn in range(options.turns + 1):  # the first warms up
        for kind in kinds[turn % 3:] + kinds[: turn % 3]:  # fmt: skip
            with tempfile.TemporaryDirectory() as folder:
                one = seconds(kind, options.epochs, f"{folder}/run")
            if turn:
                found[kind].append(one)
    print(f"{options.epochs} epochs of {STEPS} steps, {options.turns} turns")
    print(f"{'':>12} {'seconds':>9} {'of bare':>9} {'paid once':>10}")
    for kind, runs in found.items():
        ratios = [run[0] / bare[0] for run, bare in zip(runs, found["bare"])]
        running, once = (statistics.median(part) for part in zip(*runs))
        ratio = statistics.median(ratios)
        print(f"{kind:>12} {running:>9.2f} {ratio:>9.3f} {once:>10.2f}")


if __name__ == "__main__":
    main()
