"""Token ids as contiguous streams: the batches of truncated back-propagation.

What stands in which batch is a pure function of the ids, seed and epoch. Nothing here
knows of text, files or models.

Shapes: N tokens, B batch, T time steps.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from keras_seq.constants import PAD_ID
from keras_seq.data.batches import EpochDataset
from keras_seq.data.store import MappedFile
from keras_seq.errors import UserError
from keras_seq.ranges import check_settings
from keras_seq.text.batches import digest_of
from keras_seq.text.interface import TextTokenizer, encode_texts

Batch = tuple[tuple[np.ndarray, np.ndarray], np.ndarray]


def encode_corpus(coder: TextTokenizer, corpus: Iterable[str]) -> np.ndarray:
    """Token ids of a corpus, end to end in a file that is mapped, not read.

    A temporary file holds the ids, so that memory does not grow with the text.

    Args:
        coder: as fitted on the train part; or one of your own.
        corpus: blocks of text; each block is encoded on its own.

    Returns:
        int32 (N,).

    Raises:
        UserError: There is no token.

    Example:

    >>> from keras_seq.text.coders import Bytes
    >>> encode_corpus(Bytes(), ["ab", "a"]).tolist()
    [99, 100, 99]
    """
    with MappedFile() as file:
        for block in corpus:
            text = tf.constant([block.encode("utf-8", "replace")])
            file.write(encode_texts(coder, text, may_be_empty=True).flat_values.numpy())
        ids = np.frombuffer(file.mapped(), np.int32)
    if not len(ids):
        raise UserError(f"{corpus}: holds no text")
    return ids


def stream_batches(
    token_ids: np.ndarray,
    batch_size: int,
    steps: int,
    start: int = 0,
    first_batch: int = 0,
) -> Iterator[Batch]:
    """Cuts a text into B streams and each stream into stretches of T steps.

    Row b of a batch goes on where row b of the batch before stopped, so states can be
    carried from one to the next, and gradients reach back T steps:

        text      a b c d e f g h i j k          11 tokens, B = 2, T = 4

                  batch 0      batch 1
        inputs    ^ a b c      d e               ^ is id 0: a start
                  ^ g h i      j k
        targets   a b c d      e f
                  g h i j      k _               _ is id 0: no target
        restarts  1            0
                  1            0

    Every token is a target exactly once. A stream starts without a history: what came
    before it is another stream's end.

    Args:
        token_ids: int32 (N,).
        batch_size: B.
        steps: T; the last batch may have fewer.
        start: tokens to leave out at the beginning.
        first_batch: number of the batch to begin with.

    Yields:
        (inputs int32 (B, T), restarts float32 (B,)), targets int32 (B, T).
    """
    count = len(token_ids) - start
    length = -(-count // batch_size)
    begins = [start + length * row for row in range(batch_size)]
    for first in range(first_batch * steps, length, steps):
        size = min(steps, length - first)
        # One token before the first target, or the start.
        window = np.full((batch_size, size + 1), PAD_ID, np.int32)
        for row, begin in enumerate(begins):
            before = 1 if first == 0 else 0
            low = begin + first - 1 + before
            high = min(begin + first + size, begin + length, len(token_ids))
            if high > low:
                window[row, before : before + high - low] = token_ids[low:high]
        restarts = np.full(batch_size, first == 0, np.float32)
        yield (window[:, :-1], restarts), window[:, 1:]


def make_stream_dataset(
    token_ids: np.ndarray,
    *,
    batch_size: int = 32,
    steps: int = 128,
    shuffle: bool = False,
    seed: int = 0,
    transform: Callable[..., Any] | None = None,
) -> EpochDataset:
    """`stream_batches` as a dataset, one pass over the text an epoch.

    Args:
        token_ids: int32 (N,).
        batch_size: B, number of streams.
        steps: T, how far gradients reach back.
        shuffle: each epoch starts at another of the first T tokens, so that stretches
            are cut at other places; T - 1 tokens are left out of it. Fixed by `seed`.
        seed: of the places.
        transform: what becomes of a batch in the graph; None leaves it.

    Returns:
        Dataset of (int32 (B, T), float32 (B,)), int32 (B, T), before `transform`.

    Raises:
        UserError: The text is too short for B streams.

    Example:

    >>> dataset = make_stream_dataset(np.arange(2, 13), batch_size=2, steps=4)
    >>> for (inputs, restarts), targets in dataset:
    ...     print(inputs.numpy().tolist(), restarts.numpy(), targets.numpy().tolist())
    [[0, 2, 3, 4], [0, 8, 9, 10]] [1. 1.] [[2, 3, 4, 5], [8, 9, 10, 11]]
    [[5, 6], [11, 12]] [0. 0.] [[6, 7], [12, 0]]
    """
    check_settings(batch_size=batch_size, steps=steps)
    left_out = steps - 1 if shuffle else 0
    count = len(token_ids) - left_out
    if count < 2 * batch_size:
        fits = len(token_ids) >= 2 * batch_size  # were it not for the places
        raise UserError(
            f"{len(token_ids)} tokens are too few for {batch_size} streams; bring more "
            f"text, or a smaller {'--steps' if fits else '--batch-size'}"
        )

    def batches(epoch: int, first: int) -> Iterator[Batch]:
        start = 0
        if left_out:
            start = int(np.random.default_rng((seed, epoch)).integers(steps))
        ids = token_ids[: start + count]
        yield from stream_batches(ids, batch_size, steps, start, first)

    rows = tf.TensorSpec([batch_size, None], tf.int32)
    signature = ((rows, tf.TensorSpec([batch_size], tf.float32)), rows)
    number = -(-(-(-count // batch_size)) // steps)
    fingerprint = digest_of((batch_size, steps, shuffle, seed), token_ids)
    return EpochDataset(batches, signature, number, fingerprint, transform)


def make_token_window_dataset(
    token_ids: np.ndarray, *, batch_size: int = 32, steps: int = 64, seed: int = 0
) -> EpochDataset:
    """Windows of T tokens, each with the token that follows it.

    For models that read a window from a fresh start. Windows do not overlap; an epoch
    has N / T of them, in an order of its own.

    Args:
        token_ids: int32 (N,).
        batch_size: B; windows left over make no batch.
        steps: T.
        seed: of the order.

    Returns:
        Dataset of int32 (B, T), int32 (B,).

    Raises:
        UserError: The text is too short for a batch.

    Example:

    >>> dataset = make_token_window_dataset(np.arange(2, 8), batch_size=1, steps=2)
    >>> sorted((x.numpy()[0].tolist(), int(y[0])) for x, y in dataset)
    [([2, 3], 4), ([4, 5], 6)]
    """
    check_settings(batch_size=batch_size, steps=steps)
    count = (len(token_ids) - 1) // steps
    if count < batch_size:
        raise UserError(
            f"{len(token_ids)} tokens are too few for {batch_size} windows of {steps}; "
            "bring more text, or a smaller --batch-size"
        )

    def batches(epoch: int, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        starts = np.random.default_rng((seed, epoch)).permutation(count) * steps
        for batch in range(first, count // batch_size):
            begins = starts[batch * batch_size : (batch + 1) * batch_size]
            places = begins[:, None] + np.arange(steps + 1)  # (B, T + 1)
            window = np.asarray(token_ids[places])
            yield window[:, :-1], window[:, -1]

    signature = (
        tf.TensorSpec([batch_size, steps], tf.int32),
        tf.TensorSpec([batch_size], tf.int32),
    )
    fingerprint = digest_of((batch_size, steps, seed), token_ids)
    return EpochDataset(batches, signature, count // batch_size, fingerprint)
