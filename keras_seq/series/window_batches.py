"""Windows as tf.data: numbers, then batches, then one gather a batch.

A window is read out of the rows when its batch is made, so memory holds the rows once,
however many windows overlap on them. The order of an epoch is a function of seed and
epoch alone.

Shapes: B batch, T steps of a window, F columns, K targets, H horizon.
"""

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from keras_seq.data.batches import EpochDataset
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
) -> EpochDataset:
    """Batches of (window, targets), raw or scaled; every window once an epoch.

    Args:
        plan: which windows, of which rows.
        batch_size: B; the last batch may be smaller, none is dropped.
        shuffle: a new order each epoch, fixed by `seed`; else by series, then time.
        seed: of the shuffling.
        scale_targets: [window, targets] -> what to learn; None gives raw targets.

    Returns:
        Dataset of (B, T, F), (B, H, K) of the plan's dtype.

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
    total = plan.num_windows
    if not total:
        raise UserError("there is no window to make batches of")

    def batches(epoch: int, first: int) -> Iterator[np.ndarray]:
        order = np.arange(total)
        if shuffle:
            order = np.random.default_rng((seed, epoch)).permutation(total)
        for start in range(first * batch_size, total, batch_size):
            yield order[start : start + batch_size]

    return EpochDataset(
        batches,
        tf.TensorSpec([None], tf.int64),
        -(-total // batch_size),
        _fingerprint(plan, batch_size, seed if shuffle else None),
        _gather(plan, scale_targets),
    )


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
