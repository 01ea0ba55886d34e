"""Sentences of words as tensors: all words one after the other, and how many a row has.

So a signature takes rows of unlike lengths. Shapes: B batch, N words of all rows, T.
"""

import itertools
from collections.abc import Sequence

import tensorflow as tf


def flat_words(sentences: Sequence[Sequence[str]]) -> dict[str, tf.Tensor]:
    """Sentences as a signature takes them.

    Returns:
        words string (N,), UTF-8; row_lengths int32 (B,).

    Example:

    >>> {name: each.numpy().tolist() for name, each in flat_words([["a"], []]).items()}
    {'words': [b'a'], 'row_lengths': [1, 0]}
    """
    words = [word.encode("utf-8", "replace") for word in itertools.chain(*sentences)]
    counts = [len(row) for row in sentences]
    return {
        "words": tf.constant(words, tf.string, shape=[len(words)]),
        "row_lengths": tf.constant(counts, tf.int32, shape=[len(counts)]),
    }


def rows_of_words(words: tf.Tensor, row_lengths: tf.Tensor) -> tf.RaggedTensor:
    """The rows of `flat_words`: ragged string (B, None).

    Raises:
        InvalidArgumentError: The two do not fit.

    Example:

    >>> rows_of_words(tf.constant(["a", "b"]), tf.constant([0, 2])).to_list()
    [[], [b'a', b'b']]
    """
    fits = tf.debugging.assert_equal(
        tf.reduce_sum(row_lengths),
        tf.size(words),
        "row_lengths do not add up to the words",
    )
    counts = tf.debugging.assert_non_negative(row_lengths)
    with tf.control_dependencies([op for op in (fits, counts) if op is not None]):
        return tf.RaggedTensor.from_row_lengths(words, row_lengths, validate=False)


def padded_rows(
    rows: tf.RaggedTensor, values: tf.Tensor, steps: tf.Tensor
) -> tf.Tensor:
    """What each word of rows has, (N, ...), as rows (B, T, ...) with "" or 0 behind.

    Example:

    >>> rows = tf.ragged.constant([["a"], ["b", "c"]])
    >>> padded_rows(rows, tf.constant([1, 2, 3]), 3).numpy().tolist()
    [[1, 0, 0], [2, 3, 0]]
    """
    dense = rows.with_flat_values(values).to_tensor()
    sizes = [(0, 0)] * (len(dense.shape) - 2)
    steps = tf.cast(steps, tf.int32)
    return tf.pad(
        dense,
        [(0, 0), (0, steps - tf.shape(dense)[1]), *sizes],
        constant_values="" if dense.dtype == tf.string else 0,
    )
