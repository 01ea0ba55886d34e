"""What watching a run costs: bare `model.fit` beside `fit` with every monitor on.

    python -m benchmarks.monitors [--small]

The tutorial's own sentiment model on random ids; with --small our LSTM(50) on windows
of 60 steps and 5 numbers, where Python's share of a step is the largest. "bare" is
compile and `model.fit`, nothing else; "gradients" adds `GradientMonitor` alone;
"everything" is `fit` with a run folder: checkpoints, gradient norms, TensorBoard with
histograms, graph, projector and figures. The three train at once and take turns of ten
steps, so that a machine that is busy slows all of them alike. Validation, checkpoints
and histograms at the end of an epoch fall into a turn; what a run pays once, at its
start and end, stands apart.

The medians are over the rounds of turns, in wall time and in processor time, of which
the second is less disturbed by others. The ratio is of the sums over all rounds.
"""

import argparse
import statistics
import tempfile
import threading
import time

import keras
import numpy as np
import tensorflow as tf

from keras_seq.layers import LSTM
from keras_seq.models.sentiment import build_sentiment_model
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.trainer import fit

VOCAB_SIZE, STEPS, BATCH, TURN = 10_000, 60, 32, 10
SMALL_STEPS, SMALL_TURN = 600, 100
LOSS = {"loss": "binary_crossentropy", "metrics": ["accuracy"]}
KINDS = ("bare", "gradients", "everything")


class Turns:
    """Lets one thread run at a time, in the order of KINDS, and notes what it takes."""

    def __init__(self) -> None:
        self._alive, self._changed = list(KINDS), threading.Condition()
        self._now = KINDS[0]
        self.taken: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}

    def take(self, kind: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._now == kind)
        self._start = time.perf_counter(), time.process_time()

    def hand_on(self, kind: str, ended: bool = False) -> None:
        wall, work = time.perf_counter(), time.process_time()
        self.taken[kind].append((wall - self._start[0], work - self._start[1]))
        with self._changed:
            place = self._alive.index(kind)
            following = self._alive[(place + 1) % len(self._alive)]
            if ended:
                self._alive.remove(kind)
            self._now = following
            self._changed.notify_all()


class TakesTurns(keras.callbacks.Callback):
    """Hands on after so many steps."""

    def __init__(self, turns: Turns, kind: str, every: int) -> None:
        super().__init__()
        self.turns, self.kind, self.every = turns, kind, every

    def get_state(self) -> dict:  # nothing that a checkpoint should keep
        return {}

    def next_step(self, step: int) -> int:
        return self.every * (step // self.every + 1)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if int(self.model.optimizer.iterations) % self.every == 0:
            self.turns.hand_on(self.kind)
            self.turns.take(self.kind)


def make_data(batches: int) -> tf.data.Dataset:
    """Random reviews of 100 words."""
    ids = np.random.default_rng(0).integers(1, VOCAB_SIZE, (batches * BATCH, 100))
    labels = (ids.sum(axis=1) % 2).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((ids.astype("int32"), labels))
    return data.batch(BATCH)


def make_small_data(batches: int) -> tf.data.Dataset:
    """Random windows of 60 steps."""
    x = np.random.default_rng(0).normal(size=(batches * BATCH, 60, 5))
    labels = (x.sum(axis=(1, 2)) > 0).astype("float32")
    data = tf.data.Dataset.from_tensor_slices((x.astype("float32"), labels))
    return data.batch(BATCH).prefetch(2)


def small_model() -> keras.Model:
    inputs = keras.Input((60, 5))
    answer = keras.layers.Dense(1, activation="sigmoid")(LSTM(50)(inputs))
    return keras.Model(inputs, answer)


def optimizer() -> keras.optimizers.Optimizer:
    """The same of all three: else what an optimizer is faster by would be measured."""
    return keras.optimizers.Adam()


def train(kind: str, turns: Turns, epochs: int, folder: str, small: bool) -> None:
    """One run, from the model to the end of training."""
    turns.take(kind)
    try:
        if small:
            data, validation = make_small_data(SMALL_STEPS), make_small_data(5)
            model, every = small_model(), SMALL_TURN
        else:
            data, validation = make_data(STEPS), make_data(5)
            model, every = build_sentiment_model(VOCAB_SIZE), TURN
        calls = [TakesTurns(turns, kind, every)]
        if kind == "everything":
            fit(
                model,
                data,
                validation_data=validation,
                epochs=epochs,
                patience=epochs,
                run_dir=folder,
                callbacks=calls,
                optimizer=optimizer(),
                clipnorm=None,
                **LOSS,
            )
            return
        if kind == "gradients":
            calls.insert(0, GradientMonitor())
        model.compile(optimizer(), **LOSS)
        model.fit(
            data,
            validation_data=validation,
            epochs=epochs,
            verbose=0,
            shuffle=False,
            callbacks=calls,
        )
    finally:
        turns.hand_on(kind, ended=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=5, help="epochs of a run")
    parser.add_argument("--small", action="store_true", help="a model of LSTM(50)")
    options = parser.parse_args()
    epochs, turns = options.epochs, Turns()
    with tempfile.TemporaryDirectory() as folder:
        threads = [
            threading.Thread(
                target=train,
                args=(kind, turns, epochs, f"{folder}/run", options.small),
            )
            for kind in KINDS
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    sizes = (SMALL_STEPS, SMALL_TURN) if options.small else (STEPS, TURN)
    print("{} epochs of {} steps, in turns of {}".format(epochs, *sizes))
    print(
        f"{'':>12} {'wall s':>8} {'of bare':>8} {'median':>8} "
        f"{'processor s':>12} {'of bare':>8} {'median':>8} {'paid once s':>12}"
    )
    bare = turns.taken["bare"][1:-1]
    for kind, taken in turns.taken.items():
        once, rounds = taken[0][0] + taken[-1][0], taken[1:-1]
        cells = []
        for clock in (0, 1):
            ratios = [mine[clock] / other[clock] for mine, other in zip(rounds, bare)]
            whole = sum(mine[clock] for mine in rounds)
            cells += [whole, whole / sum(other[clock] for other in bare)]
            cells += [statistics.median(ratios)]
        wall, work = cells[:3], cells[3:]
        print(
            f"{kind:>12} {wall[0]:>8.2f} {wall[1]:>8.3f} {wall[2]:>8.3f} "
            f"{work[0]:>12.2f} {work[1]:>8.3f} {work[2]:>8.3f} {once:>12.2f}"
        )


if __name__ == "__main__":
    main()
