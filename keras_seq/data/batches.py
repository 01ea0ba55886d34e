"""The one dataset of every task: entered at any batch, shared out by rows.

What stands in a batch is a pure function of epoch and position, so a run can be
repeated, resumed, or divided among machines. Nothing here knows what a batch holds.

Shapes: N samples, B batch.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_seq.keras_internals import variant_tensor

# Batches of like lengths are cut from runs of so many: more pads less, and makes the
# batches of an epoch less random.
BATCHES_A_RUN = 50
AHEAD = 2  # batches made before they are asked for


class EpochDataset(tf.data.Dataset):
    """Batches whose order is known for every epoch beforehand; each pass is an epoch.

    Args:
        batches: (epoch, first) to the batches of that epoch, from the first on: nests
            of arrays whose rows are samples.
        signature: nest of `tf.TensorSpec`, of such a batch.
        num_batches: of every epoch.
        fingerprint: tells other data, or another order of it.
        transform: what becomes of a batch in the graph; None leaves it.

    Attributes:
        num_batches, data_fingerprint: as given.

    Example:

    >>> dataset = EpochDataset(
    ...     lambda epoch, first: (np.array([n]) for n in range(first, 3)),
    ...     tf.TensorSpec([None], tf.int64), 3, "three")
    >>> [int(n[0]) for n in dataset.starting_at(epoch=0, batch=2).take(3)]
    [2, 0, 1]
    """

    def __init__(
        self,
        batches: Callable[[int, int], Iterator[Any]],
        signature: Any,
        num_batches: int,
        fingerprint: str,
        transform: Callable[..., Any] | None = None,
    ) -> None:
        self.num_batches, self.data_fingerprint = num_batches, fingerprint
        self._batches, self._signature = batches, signature
        self._transform = transform
        passes = itertools.count()
        self._dataset = self._made(lambda: batches(next(passes), 0), num_batches)
        super().__init__(variant_tensor(self._dataset))

    @property
    def element_spec(self) -> Any:
        return self._dataset.element_spec

    def _inputs(self) -> list[tf.data.Dataset]:
        return [self._dataset]

    def starting_at(self, epoch: int, batch: int = 0) -> tf.data.Dataset:
        """A dataset without an end that begins with a batch of an epoch."""

        def run() -> Iterator[Any]:
            yield from self._batches(epoch, batch)
            for following in itertools.count(epoch + 1):
                yield from self._batches(following, 0)

        return self._made(run)

    def sharded(self, num_shards: int, index: int) -> "EpochDataset":
        """Every `num_shards`-th row of each batch: one machine's share of it."""

        def rows(epoch: int, first: int) -> Iterator[Any]:
            for batch in self._batches(epoch, first):
                yield tf.nest.map_structure(lambda x: x[index::num_shards], batch)

        return EpochDataset(
            rows,
            self._signature,
            self.num_batches,
            self.data_fingerprint,
            self._transform,
        )

    def _made(self, run: Callable, count: int | None = None) -> tf.data.Dataset:
        dataset = tf.data.Dataset.from_generator(run, output_signature=self._signature)
        if count is not None:
            known = tf.data.experimental.assert_cardinality(count)
            dataset = dataset.apply(known)
        if self._transform is not None:
            dataset = dataset.map(self._transform, num_parallel_calls=1)
        return prefetched(dataset)


def prefetched(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset, made two batches ahead of who reads it.

    tf.data's own choice of such numbers is off: its thread sleeps for up to a minute
    between two looks at them, and who lets go of an iterator waits until it wakes.

    Example:

    >>> list(prefetched(tf.data.Dataset.range(3)).as_numpy_iterator())
    [np.int64(0), np.int64(1), np.int64(2)]
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.prefetch(AHEAD).with_options(options)


def plan_batches(
    lengths: np.ndarray, batch_size: int, *, seed: int | None = None, epoch: int = 0
) -> list[np.ndarray]:
    """Puts samples of like length into batches; each sample stands in exactly one.

    Samples are shuffled, cut into runs, sorted by length within a run and cut into
    batches, which are shuffled: padding is small and the order still random.

    Args:
        lengths: int (N,), number of tokens of each sample.
        batch_size: B; one batch of the last run may be smaller.
        seed: of the shuffling; None keeps all samples in the order of their lengths.
        epoch: each has an order of its own.

    Returns:
        ceil(N / B) arrays of sample numbers.

    Example:

    >>> plan_batches(np.array([9, 2, 8, 1]), 2)
    [array([3, 1]), array([2, 0])]
    """
    if seed is None:
        order = np.argsort(lengths, kind="stable")
        return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    rng = np.random.default_rng((seed, epoch))
    order, batches = rng.permutation(len(lengths)), []
    for start in range(0, len(order), batch_size * BATCHES_A_RUN):
        run = order[start : start + batch_size * BATCHES_A_RUN]
        run = run[np.argsort(lengths[run], kind="stable")]
        batches += [run[i : i + batch_size] for i in range(0, len(run), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def plan_token_batches(
    lengths: np.ndarray, batch_tokens: int, *, seed: int | None = None, epoch: int = 0
) -> list[np.ndarray]:
    """Batches of about as many tokens each, of samples that are alike in every length.

    A batch is as large as its padded arrays allow. Samples are sorted by their last
    length, then by the one before; those of equal lengths change places each epoch, and
    so do the batches, but where the batches are cut depends on the lengths alone: every
    epoch has as many.

    Args:
        lengths: int (N, K), tokens of each sample in each of K arrays.
        batch_tokens: most tokens of a batch, padding included, in all arrays together;
            a longer sample is a batch of its own.
        seed: of the shuffling; None keeps all samples in the order of their lengths.
        epoch: each has an order of its own.

    Example:

    >>> lengths = np.array([[2, 2], [9, 9], [2, 3], [2, 2]])
    >>> plan_token_batches(lengths, 12)
    [array([0, 3]), array([2]), array([1])]
    """
    rng = np.random.default_rng((seed or 0, epoch))
    first = np.arange(len(lengths))
    if seed is not None:
        first = rng.permutation(len(lengths))
    order = first[np.lexsort(lengths[first].T)]
    batches, start, widest = [], 0, np.zeros(lengths.shape[1], np.int64)
    for end, sizes in enumerate(lengths[order]):
        wider = np.maximum(widest, sizes)
        if end > start and (end + 1 - start) * wider.sum() > batch_tokens:
            batches.append(order[start:end])
            start, wider = end, sizes
        widest = wider
    batches.append(order[start:])
    if seed is None:
        return batches
    return [batches[number] for number in rng.permutation(len(batches))]
