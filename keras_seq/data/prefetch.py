"""Batches made ahead of who reads them. Knows nothing of what they hold."""

import tensorflow as tf

AHEAD = 2


def prefetched(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset, made two batches ahead of who reads it.

    tf.data's own choice of such numbers is off: its thread sleeps for up to a minute
    between two looks at them, and who lets go of an iterator waits until it wakes.

    Args:
        dataset: any.

    Returns:
        Dataset of the same elements in the same order.

    Example:

    >>> list(prefetched(tf.data.Dataset.range(3)).as_numpy_iterator())
    [np.int64(0), np.int64(1), np.int64(2)]
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(AHEAD).with_options(options)
