"""Metrics of a CRF inside `fit`: they decode the potentials of each batch.

Shapes: B batch, T words, C tags.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_seq.decoding.spans import tag_spans
from keras_seq.decoding.viterbi import viterbi_decode
from keras_seq.metrics import TagAccuracy


@keras.saving.register_keras_serializable("keras_seq")
class PathAccuracy(TagAccuracy):
    """`metrics.TagAccuracy` of the best paths through a CRF's potentials.

    Example:

    >>> from keras_seq.layers.crf import CRF
    >>> right = PathAccuracy()
    >>> potentials = CRF(2)(tf.constant([[[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]]))
    >>> right.update_state(tf.constant([[1, 0, -1]]), potentials)
    >>> float(right.result())
    0.5
    """

    def answers(self, potentials: tf.Tensor) -> tf.Tensor:
        return viterbi_decode(potentials)[0]


@keras.saving.register_keras_serializable("keras_seq")
class EntityF1(keras.metrics.Metric):
    """F1 of the entities on the best paths through a CRF's potentials.

    Most words are in no entity, so the loss of a batch, and its accuracy, are at their
    best before many entities are found.

    Args:
        tag_names: C names.
        name: of the metric.
        **kwargs: of `keras.metrics.Metric`.

    Example:

    >>> from keras_seq.layers.crf import CRF
    >>> f1 = EntityF1(["O", "B-x", "I-x"])
    >>> tags = tf.constant([[1, 2, 0, 1]])
    >>> f1.update_state(tags, CRF(3)(tf.one_hot([[1, 2, 0, 0]], 3)))
    >>> round(float(f1.result()), 3)   # one of one right, one of two found
    0.667
    """

    def __init__(
        self, tag_names: Sequence[str], name: str = "f1", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.tag_names = list(tag_names)
        self._right = self.add_variable((), "zeros", name="right")
        self._both = self.add_variable((), "zeros", name="answered_and_true")

    def update_state(
        self, tags: tf.Tensor, potentials: tf.Tensor, sample_weight: None = None
    ) -> None:
        tags = tf.cast(tags, tf.int32)
        lengths = tf.reduce_sum(tf.cast(tags >= 0, tf.int32), axis=1)
        answers = self._entities(viterbi_decode(potentials)[0], lengths)
        true = self._entities(tf.maximum(tags, 0), lengths)
        shared = tf.sets.intersection(answers[None], true[None])
        sizes = tf.size(shared.values), tf.size(answers) + tf.size(true)
        for total, size in zip((self._right, self._both), sizes):
            total.assign_add(tf.cast(size, total.dtype))

    def _entities(self, tags: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """One number for each entity, of its row, words and type: int64 (E,)."""
        first, last, kind = tag_spans(tags, lengths, self.tag_names)
        steps = tf.shape(tags, tf.int64)[1]
        kind = tf.strings.to_hash_bucket_fast(kind.flat_values, 1 << 20)
        numbers = tf.cast(first.value_rowids(), tf.int64)
        for part, size in ((first, steps), (last, steps)):
            numbers = numbers * size + tf.cast(part.flat_values, tf.int64)
        return numbers * (1 << 20) + kind

    def result(self) -> tf.Tensor:
        return 2 * self._right / tf.maximum(self._both, 1.0)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"tag_names": self.tag_names}
