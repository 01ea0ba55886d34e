"""Rows of an array and texts about each of them to tf.data: encoded once, batched.

A row may be a picture's features, or anything else that is written about.

Shapes: N rows, B batch, T steps of a text.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_seq.data.batches import EpochDataset, plan_batches
from keras_seq.text.batches import digest_of
from keras_seq.text.pair_batches import EncodedTexts
from keras_seq.text.reversible import ReversibleTokenizer


def make_row_dataset(
    rows: np.ndarray,
    texts: Sequence[Sequence[str]],
    coder: ReversibleTokenizer,
    *,
    batch_size: int = 64,
    shuffle: bool = False,
    seed: int = 0,
) -> EpochDataset:
    """Batches of ((rows, text so far), text that follows); a row once for each text.

    Args:
        rows: (N, ...), of any number type; batches have float32.
        texts: one or more of each row; read once, here.
        coder: fitted on the train part.
        batch_size: texts of a batch, of like lengths.
        shuffle: a new order each epoch, fixed by `seed`; else by length.
        seed: of the shuffling.

    Returns:
        Dataset of (float32 (B, ...), int32 (B, T)), and int32 (B, T), padded with 0;
        what is read of a text begins with 0.

    Example:

    >>> from keras_seq.text.coders import Bytes
    >>> dataset = make_row_dataset(np.eye(2), [["a", "b"], ["c"]], Bytes())
    >>> (row, so_far), following = next(iter(dataset))
    >>> row.shape.as_list(), so_far.numpy().tolist(), following.numpy().tolist()
    ([3, 2], [[0, 99], [0, 100], [0, 101]], [[99, 1], [100, 1], [101, 1]])
    """
    encoded = EncodedTexts([text for some in texts for text in some], coder)
    row_of = np.repeat(np.arange(len(rows)), [len(some) for some in texts])
    order = seed if shuffle else None

    def plan(epoch: int) -> list[np.ndarray]:
        return plan_batches(encoded.lengths, batch_size, seed=order, epoch=epoch)

    def batches(epoch: int, first: int) -> Iterator[tuple]:
        for numbers in plan(epoch)[first:]:
            following = encoded.padded(numbers)
            so_far = np.pad(following[:, :-1], [(0, 0), (1, 0)])
            yield (rows[row_of[numbers]].astype(np.float32), so_far), following

    row = tf.TensorSpec([None, *rows.shape[1:]], tf.float32)
    ids = tf.TensorSpec([None, None], tf.int32)
    content = rows, row_of, encoded.ids, encoded.lengths
    digest = digest_of((batch_size, order, rows.shape), *content)
    return EpochDataset(batches, ((row, ids), ids), len(plan(0)), digest)
