"""Batches of arrays and of PyDatasets, in an order of its own for every epoch.

The order is a function of seed and epoch, so that a run resumes anywhere with the same
bits.

Shapes: N samples, B batch.
"""

import hashlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_seq.data.batches import EpochDataset
from keras_seq.training.arrays import as_arrays

BATCH_SIZE = 32  # Keras' own


class Parts(NamedTuple):
    """Arrays of N rows each; None where there is none."""

    x: Any
    y: Any = None
    sample_weight: Any = None


class Batching(NamedTuple):
    """How batches are cut from arrays.

    Attributes:
        size: B; None is 32.
        validation_size: B of validation; None is `size`.
        shuffle: anew each epoch.
        seed: of the order.
        fingerprints: whether to hash the arrays, which reads them all.
    """

    size: int | None = None
    validation_size: int | None = None
    shuffle: bool = True
    seed: int = 0
    fingerprints: bool = False


def array_batches(parts: Parts, batching: Batching) -> EpochDataset:
    """Batches of arrays, in an order of its own for every epoch.

    Returns:
        Batches of (x[, y[, sample_weight]]).

    Example:

    >>> data = array_batches(Parts(np.arange(5)), Batching(2, shuffle=False))
    >>> [x.numpy().tolist() for (x,) in data]
    [[0, 1], [2, 3], [4]]
    """
    given = _packed(parts)
    rows, size = len(tf.nest.flatten(given)[0]), batching.size or BATCH_SIZE

    def batches(epoch: int, first: int) -> Iterator[Any]:
        order = None
        if batching.shuffle:
            order = np.random.default_rng((batching.seed, epoch)).permutation(rows)
        for start in range(first * size, rows, size):
            rows_of = slice(start, start + size)
            chosen = rows_of if order is None else order[rows_of]
            yield tf.nest.map_structure(lambda array: array[chosen], given)

    signature = tf.nest.map_structure(lambda array: _spec([array]), given)
    number, settings = math.ceil(rows / size), [size, *batching[2:4]]
    fingerprint = _fingerprint(given, settings) if batching.fingerprints else ""
    return EpochDataset(batches, signature, number, fingerprint)


def _packed(parts: Parts) -> tuple:
    last = 3 if parts.sample_weight is not None else 2 if parts.y is not None else 1
    return tuple(parts)[:last]


def _fingerprint(given: Any, settings: list) -> str:
    found = hashlib.blake2b(repr(settings).encode(), digest_size=16)
    for array in tf.nest.flatten(given):
        found.update(repr((array.shape, str(array.dtype))).encode())
        if array.dtype == object:
            found.update(repr(array.tolist()).encode())
        else:
            found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _spec(arrays: list[np.ndarray]) -> tf.TensorSpec:
    """A batch of any size; lengths that differ between batches are left open."""
    ranks = {array.ndim for array in arrays}
    if len(ranks) > 1:
        raise ValueError(f"batches of x have arrays of {sorted(ranks)} dimensions")
    shape = [
        sizes[0] if len(set(sizes)) == 1 else None
        for sizes in zip(*(array.shape[1:] for array in arrays))
    ]
    kind = arrays[0].dtype
    return tf.TensorSpec([None, *shape], tf.string if kind == object else kind)


def pydataset_batches(
    dataset: keras.utils.PyDataset, batching: Batching
) -> EpochDataset:
    """The batches of a PyDataset; shuffled, they come in another order each epoch.

    `on_epoch_begin` and `on_epoch_end` are called in their turn, those of epochs that a
    resumed run has behind it included. Its workers are not used: tf.data makes batches
    ahead.

    Raises:
        ValueError: It has no end, or no batches.
    """
    count = dataset.num_batches
    if not count:
        found = "no end" if count is None else "no batches"
        raise ValueError(
            f"{type(dataset).__name__} has {found}; expected a number of "
            "batches from __len__ or num_batches"
        )
    looked_at = [_batch(dataset, n) for n in sorted({0, count // 2, count - 1})]
    signature = tf.nest.map_structure(lambda *parts: _spec(list(parts)), *looked_at)
    ended = 0

    def batches(epoch: int, first: int) -> Iterator[Any]:
        nonlocal ended
        while ended < epoch:
            dataset.on_epoch_end()
            ended += 1
        dataset.on_epoch_begin()
        order = np.arange(count)
        if batching.shuffle:
            order = np.random.default_rng((batching.seed, epoch)).permutation(count)
        for number in order[first:]:
            yield _batch(dataset, int(number))
        dataset.on_epoch_end()
        ended = epoch + 1

    identity = [type(dataset).__qualname__, count, str(signature), *batching[2:4]]
    return EpochDataset(batches, signature, count, repr(identity))


def _batch(dataset: keras.utils.PyDataset, number: int) -> tuple:
    given = keras.utils.unpack_x_y_sample_weight(dataset[number])
    parts = Parts(
        *(as_arrays(f"{n} of batch {number}", v) for n, v in zip(Parts._fields, given))
    )
    return _packed(parts)
