"""From tags of words to spans of entities, in the graph.

Shapes: B batch, T words, C tags, E entities.
"""

from collections.abc import Sequence

import tensorflow as tf

from keras_seq.text.tag_schemes import OUTSIDE, split_tag


def tag_spans(
    tags: tf.Tensor, lengths: tf.Tensor, tag_names: Sequence[str]
) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.RaggedTensor]:
    """First and last word, and type, of every entity.

    Tags that break the rules of their scheme are read as CoNLL's own scorer does, so
    these are the entities that `evaluation.entities` counts.

    Args:
        tags: int32 (B, T), positions in `tag_names`.
        lengths: int32 (B,), words of each row.
        tag_names: C names; those that belong to no scheme make no entity.

    Returns:
        int32 and int32 (B, None), words from 0, and string (B, None), all ragged.

    Example:

    >>> first, last, kind = tag_spans(
    ...     tf.constant([[1, 2, 0, 2]]), tf.constant([4]), ["O", "B-x", "I-x"])
    >>> first.to_list(), last.to_list(), kind.to_list()
    ([[0, 3]], [[1, 3]], [[b'x', b'x']])
    """
    parts = [split_tag(name) for name in tag_names]
    kinds = sorted({kind for _, kind in parts})
    place = tf.gather(tf.constant([ord(place) for place, _ in parts]), tags)
    kind = tf.gather(tf.constant([kinds.index(kind) for _, kind in parts]), tags)
    outside = ord(OUTSIDE)
    present = tf.sequence_mask(lengths, tf.shape(tags)[1])
    place = tf.where(present, place, outside)
    before = tf.pad(place, [[0, 0], [1, 0]], constant_values=outside)[:, :-1]
    kind_before = tf.pad(kind, [[0, 0], [1, 0]])[:, :-1]
    starts = _one_of(place, "BS") | _one_of(before, "OES") | (kind != kind_before)
    starts &= place != outside
    after = tf.pad(place, [[0, 0], [0, 1]], constant_values=outside)[:, 1:]
    starts_after = tf.pad(starts, [[0, 0], [0, 1]])[:, 1:]
    ends = (place != outside) & ((after == outside) | starts_after)
    rows = tf.cast(tf.where(starts), tf.int32)  # (E, 2): each start has one end
    last = tf.cast(tf.where(ends), tf.int32)[:, 1]
    found = tf.gather(tf.constant(kinds), tf.gather_nd(kind, rows))
    return tuple(
        tf.RaggedTensor.from_value_rowids(
            values, rows[:, 0], nrows=tf.shape(tags)[0], validate=False
        )
        for values in (rows[:, 1], last, found)
    )


def _one_of(places: tf.Tensor, letters: str) -> tf.Tensor:
    wanted = tf.constant([ord(letter) for letter in letters])
    return tf.reduce_any(places[..., None] == wanted, axis=-1)
