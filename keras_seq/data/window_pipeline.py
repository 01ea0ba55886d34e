"""Windows as tf.data: numbers, then batches, then one gather a batch.

A window is read out of the rows when its batch is made, so memory holds the rows once,
however many windows overlap on them. The order of an epoch is a function of seed and
epoch alone. Nothing here knows of files or models.

Shapes: B batch, T steps of a window, F columns, K targets, H horizon.
"""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from keras_seq.data.windows import WindowPlan
from keras_seq.errors import UserError

Scale = Callable[[list[tf.Tensor]], tf.Tensor]


def make_window_dataset(
    plan: WindowPlan,
    *,
    batch_size: int = 128,
    shuffle: bool = False,
    seed: int = 0,
    scale_targets: Scale | None = None,
) -> tf.data.Dataset:
    """Batches of (window, targets), raw or scaled; every window once an epoch.

    Args:
        plan: which windows, of which rows.
        batch_size: B; the last batch may be smaller, none is dropped.
        shuffle: a new order each epoch, fixed by `seed`; else by series, then time.
        seed: of the shuffling.
        scale_targets: [window, targets] -> what to learn; None gives raw targets.

    Returns:
        Dataset of float32 (B, T, F), float32 (B, H, K); its cardinality is known.

    Raises:
        UserError: There is no window.

    Example:

    >>> plan = WindowPlan(np.arange(6, dtype="float32")[:, None], np.array([2]),
    ...                   np.array([3]), lookback=2, horizon=2, num_targets=1)
    >>> for window, targets in make_window_dataset(plan, batch_size=2):
    ...     print(window.numpy()[..., 0].tolist(), targets.numpy()[..., 0].tolist())
    [[0.0, 1.0], [1.0, 2.0]] [[2.0, 3.0], [3.0, 4.0]]
    [[2.0, 3.0]] [[4.0, 5.0]]
    """
    total = len(plan)
    if not total:
        raise UserError("there is no window to make batches of")
    if shuffle:
        numbers = _shuffled(total, batch_size, seed)
    else:
        numbers = tf.data.Dataset.range(total).batch(batch_size)
    gather = _gather(plan, scale_targets)
    return numbers.map(gather, num_parallel_calls=1).prefetch(tf.data.AUTOTUNE)


def _shuffled(total: int, batch_size: int, seed: int) -> tf.data.Dataset:
    """Numbers of windows in batches; each epoch an order of its own."""
    epochs = itertools.count()

    def batches() -> Iterator[np.ndarray]:
        order = np.random.default_rng((seed, next(epochs))).permutation(total)
        for start in range(0, total, batch_size):
            yield order[start : start + batch_size]

    numbers = tf.data.Dataset.from_generator(
        batches, output_signature=tf.TensorSpec([None], tf.int64)
    )
    count = -(-total // batch_size)
    return numbers.apply(tf.data.experimental.assert_cardinality(count))


def _gather(plan: WindowPlan, scale_targets: Scale | None) -> Callable:
    """Numbers int64 (B,) -> (window, targets)."""
    values = tf.constant(plan.values, tf.float32)
    ends = tf.constant(np.cumsum(plan.counts), tf.int64)
    # A window's first target row is its number plus what is constant in its series.
    shift = tf.constant(plan.firsts - (np.cumsum(plan.counts) - plan.counts), tf.int64)
    past = tf.range(-plan.lookback, 0, dtype=tf.int64)
    ahead = tf.range(plan.horizon, dtype=tf.int64)

    def gather(numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        series = tf.searchsorted(ends, numbers, side="right")
        first = (numbers + tf.gather(shift, series))[:, None]
        window = tf.gather(values, first + past)  # (B, T, F)
        targets = tf.gather(values, first + ahead)[..., : plan.num_targets]
        # tf.gather of a matrix by a matrix leaves the sizes open.
        window.set_shape([None, plan.lookback, plan.values.shape[1]])
        targets.set_shape([None, plan.horizon, plan.num_targets])
        if scale_targets is not None:
            targets = scale_targets([window, targets])
        return window, targets

    return gather
