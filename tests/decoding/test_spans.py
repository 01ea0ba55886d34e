"""Entities in the graph are those that the scores count."""

import numpy as np
import tensorflow as tf

from keras_seq.decoding.spans import tag_spans
from keras_seq.text.tag_schemes import entities_of

NAMES = ["O", *(f"{letter}-{kind}" for letter in "BIES" for kind in ("x", "new-y"))]


def test_spans_of_any_tags_are_those_of_python():
    rng = np.random.default_rng(1)
    tags = rng.integers(0, len(NAMES), (200, 9)).astype("int32")
    lengths = rng.integers(0, 10, 200).astype("int32")
    found = [each.to_list() for each in tag_spans(tags, lengths, NAMES)]
    for row, length, first, last, kind in zip(tags, lengths, *found):
        expected = entities_of([NAMES[n] for n in row[:length]])
        ours = [(a, b + 1, k.decode()) for a, b, k in zip(first, last, kind)]
        assert ours == expected


def test_plain_tags_and_no_rows_have_no_entity():
    for tags in (tf.constant([[0, 1]]), tf.zeros((0, 3), tf.int32)):
        lengths = tf.fill([len(tags)], 2)
        first, _, _ = tag_spans(tags, lengths, ["NOUN", "VERB"])
        assert first.flat_values.shape == [0] and first.nrows() == len(tags)
