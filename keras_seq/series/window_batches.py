"""Windows as tf.data: numbers, then batches, then one gather a batch.

A window is read out of the rows when its batch is made, so memory holds the rows once,
however many windows overlap on them. The order of an epoch is a function of seed and
epoch alone. Nothing here knows of files or models.

Shapes: B batch, T steps of a window, F columns, K targets, H horizon.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from keras_seq.data.prefetch import prefetched
from keras_seq.errors import UserError
from keras_seq.ranges import check_settings
from keras_seq.series.windows import WindowPlan

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
        Dataset of (B, T, F), (B, H, K) of the plan's dtype; its cardinality is known.
        It has what `fit` resumes by: `starting_at(epoch, batch)`, a dataset without an
        end that begins there, and `data_fingerprint`.

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
    check_settings(batch_size=batch_size)
    total, passes = plan.num_windows, itertools.count()
    if not total:
        raise UserError("there is no window to make batches of")
    gather = _gather(plan, scale_targets)

    def batches(epoch: int, first: int = 0) -> Iterator[np.ndarray]:
        order = np.random.default_rng((seed, epoch)).permutation(total)
        for start in range(first * batch_size, total, batch_size):
            yield order[start : start + batch_size]

    def starting_at(epoch: int, batch: int = 0) -> tf.data.Dataset:
        def run() -> Iterator[np.ndarray]:
            yield from batches(epoch, batch)
            for following in itertools.count(epoch + 1):
                yield from batches(following)

        if shuffle:
            return _gathered(_numbers(run), gather)
        every = tf.data.Dataset.range(total).batch(batch_size)
        return _gathered(every.skip(batch).concatenate(every.repeat()), gather)

    if shuffle:
        numbers = _numbers(lambda: batches(next(passes)))
        count = -(-total // batch_size)
        numbers = numbers.apply(tf.data.experimental.assert_cardinality(count))
    else:
        numbers = tf.data.Dataset.range(total).batch(batch_size)
    dataset = _gathered(numbers, gather)
    dataset.starting_at = starting_at
    dataset.data_fingerprint = _fingerprint(plan, batch_size, seed if shuffle else None)
    return dataset


def _numbers(batches: Callable[[], Iterator[np.ndarray]]) -> tf.data.Dataset:
    signature = tf.TensorSpec([None], tf.int64)
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def _gathered(numbers: tf.data.Dataset, gather: Callable) -> tf.data.Dataset:
    return prefetched(numbers.map(gather, num_parallel_calls=1))


def _fingerprint(plan: WindowPlan, *order: object) -> str:
    """SHA-256 of the rows and windows, and of what decides on their order."""
    digest = hashlib.sha256(repr((order, *plan[3:])).encode())
    for array in plan[:3]:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _gather(plan: WindowPlan, scale_targets: Scale | None) -> Callable:
    """Numbers int64 (B,) -> (window, targets)."""
    values = tf.constant(plan.values)
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
