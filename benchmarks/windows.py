"""Seconds to deliver all windows of a series, beside Keras' own function for it.

    python benchmarks/windows.py                     # 20,000 windows of 60 x 5

Both deliver the same windows with their targets, in order or shuffled, in batches of
the same size; that they are the same is checked first. Keras is given float32 too. The
runs alternate, so that a machine busy with other work slows both; medians are shown.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_seq.series.window_batches import make_window_dataset
from keras_seq.series.windows import WindowPlan


def make_plan(count: int, steps: int, columns: int) -> WindowPlan:
    """`count` windows of random rows, each with the next value of the first column."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(count + steps, columns)).astype("float32")
    return WindowPlan(values, np.array([steps]), np.array([count]), steps, 1, 1)


def keras_dataset(plan: WindowPlan, batch_size: int, shuffle: bool) -> tf.data.Dataset:
    """The same windows by `timeseries_dataset_from_array`."""
    return keras.utils.timeseries_dataset_from_array(
        plan.values[:-1],
        plan.values[plan.lookback :, :1],
        plan.lookback,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=0,
    )


def check_same(ours: tf.data.Dataset, theirs: tf.data.Dataset) -> None:
    """Raises unless both deliver the same windows and targets in the same order."""
    for (window, target), (other, wanted) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(window, other)
        np.testing.assert_array_equal(target[:, 0], wanted)


def deliver(dataset: tf.data.Dataset) -> int:
    return sum(int(window.shape[0]) for window, _ in dataset)


def measure(contest: dict[str, Callable[[], object]], runs: int) -> dict[str, list]:
    """Seconds of each run of each, turn by turn after one run to warm up."""
    seconds = {name: [] for name in contest}
    for turn in range(runs + 1):
        for name, call in contest.items():
            start = time.perf_counter()
            call()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--windows", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--columns", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--runs", type=int, default=7, help="of which the median is")
    options = parser.parse_args()
    plan = make_plan(options.windows, options.steps, options.columns)
    size = options.batch_size
    check_same(
        make_window_dataset(plan, batch_size=size), keras_dataset(plan, size, False)
    )
    print(f"{options.windows:,} windows of {options.steps} x {options.columns}")
    for shuffle in (False, True):
        ours = make_window_dataset(plan, batch_size=size, shuffle=shuffle)
        theirs = keras_dataset(plan, size, shuffle)
        contest = {
            "make_window_dataset": lambda: deliver(ours),
            "timeseries_dataset_from_array": lambda: deliver(theirs),
        }
        seconds = measure(contest, options.runs)
        middle = {name: statistics.median(runs) for name, runs in seconds.items()}
        first, second = middle.values()
        print("shuffled" if shuffle else "in order")
        for name, runs in seconds.items():
            shown = f"{middle[name]:.3f} s ({min(runs):.3f} to {max(runs):.3f})"
            print(f"  {name:<30} {shown}")
        print(f"  {second / first:.1f} times as fast")


if __name__ == "__main__":
    main()
