"""Raw text or words to tags and entities, as one graph: what the SavedModel holds.

Shapes: B batch, N words of all rows, T words of a row, C tags, E entities.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.decoding.spans import tag_spans
from keras_seq.decoding.viterbi import UNREACHED, viterbi_decode, viterbi_n_best
from keras_seq.layers.crf import CRF, FORBIDDEN, crf_log_partition, crf_marginals
from keras_seq.serving.by_length import answers_in_order
from keras_seq.serving.checks import checked_shapes
from keras_seq.serving.graph import answered
from keras_seq.text.tagged import WordEncoder
from keras_seq.text.words import flat_words, padded_rows, rows_of_words, split_words

PROVEN_PATHS = 3
Signature = Callable[..., Mapping[str, tf.Tensor]]


class Tagger(tf.Module):
    """Text or words in; tags, their probabilities and entities out.

    Args:
        model: from `build_tagging_model`, with logits or with potentials.
        encoder: as the model was trained with.
        tag_names: C names, in the model's order.

    Example:

    >>> from keras_seq.models.tagging import build_tagging_model
    >>> encoder = WordEncoder(["good"], with_features=False)
    >>> model = build_tagging_model(encoder.vocab_size, 1, 4, 4)
    >>> tagger = Tagger(model, encoder, ["X"])
    >>> answer = tagger(tf.constant(["Good!", ""]))
    >>> answer["words"].numpy().tolist(), answer["tags"].numpy().tolist()
    ([[b'Good', b'!'], [b'', b'']], [[b'X', b'X'], [b'', b'']])
    """

    def __init__(
        self, model: keras.Model, encoder: WordEncoder, tag_names: Sequence[str]
    ) -> None:
        super().__init__()
        self.model = model
        self.table = encoder.table  # held here, so that a SavedModel keeps it
        self._encode, self._tag_names = encoder.encode, list(tag_names)
        # Independent tags are those of a CRF that has learned nothing.
        self._independent = CRF(len(tag_names))
        self._independent.build((None, None, len(tag_names)))
        self._traced = {
            name: tf.function(call, input_signature=specs)
            for name, (call, specs) in self.signatures().items()
        }

    def __call__(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Splits texts into words and tags them.

        Args:
            text: string (B,), UTF-8.

        Returns:
            words, tags string (B, T), "" behind each row; probability float32 (B, T),
            that of the tag; entity_start and entity_end int32 (B, E), the place of its
            first character and the one behind its last in code points, -1 where there
            is none; entity_type string (B, E). T and E are 1 at least.
        """
        (text,) = checked_shapes({"text": (text, ["B"])}, "B texts")
        words, begins, ends = split_words(text)
        return self._answer(words, begins.to_tensor(), ends.to_tensor())

    def tag_words(
        self, words: tf.Tensor, row_lengths: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Tags sentences that are words already.

        Args:
            words: string (N,), of all sentences.
            row_lengths: int32 (B,), words of each; their sum is N.

        Returns:
            As `__call__`; places of entities are counted in words.
        """
        rows = self._rows(words, row_lengths)
        longest = tf.maximum(tf.reduce_max(row_lengths), 0)
        places = tf.zeros_like(row_lengths)[:, None] + tf.range(longest)[None]
        return self._answer(rows, places, places + 1)

    def n_best(
        self, words: tf.Tensor, row_lengths: tf.Tensor, count: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The most probable tags of whole sentences, the best first.

        Args:
            words, row_lengths: as `tag_words` takes them.
            count: int32 (), N.

        Returns:
            tags string (B, N, T), "" behind each row and where a sentence has fewer
            than N paths that its scheme allows; log_probability float32 (B, N), of all
            tags together, -1e30 where there is no path.
        """
        rows = self._rows(words, row_lengths)
        least = tf.debugging.assert_positive(count, "count is below 1")
        with tf.control_dependencies([] if least is None else [least]):
            count = tf.identity(count)
        scores, present = self._scores(rows)
        if scores.shape.rank == 3:
            scores = self._independent(scores, mask=present)
        paths, sums = viterbi_n_best(scores, count)
        exists = sums > sums[:, :1] + FORBIDDEN / 2
        names = tf.gather(tf.constant(self._tag_names), paths)
        shown = exists[:, :, None] & present[:, None]
        sums -= crf_log_partition(scores)[:, None]
        return {
            "tags": tf.where(shown, names, ""),
            "log_probability": tf.where(exists, sums, UNREACHED),
        }

    def _rows(self, words: tf.Tensor, row_lengths: tf.Tensor) -> tf.RaggedTensor:
        shapes = {"words": (words, ["N"]), "row_lengths": (row_lengths, ["B"])}
        return rows_of_words(*checked_shapes(shapes, "N words in B sentences"))

    def _scores(self, words: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Logits or potentials, and which steps are words: bool (B, T)."""
        steps = tf.maximum(tf.reduce_max(words.row_lengths()), 1)  # an LSTM needs one
        read = [
            padded_rows(words, array, steps)
            for array in self._encode(words.flat_values)
        ]
        scores = self.model(read if len(read) > 1 else read[0], training=False)
        present = tf.sequence_mask(words.row_lengths(), steps)
        return tf.cast(scores, tf.float32), present

    def _answer(
        self, words: tf.RaggedTensor, begins: tf.Tensor, ends: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        scores, present = self._scores(words)
        lengths, steps = tf.cast(words.row_lengths(), tf.int32), tf.shape(present)[1]
        if scores.shape.rank == 4:
            best, _ = viterbi_decode(scores)
            probabilities = crf_marginals(scores)
        else:
            best = tf.argmax(scores, axis=-1, output_type=tf.int32)
            probabilities = tf.nn.softmax(scores)
        probability = tf.gather(probabilities, best, batch_dims=2)
        first, last, kind = tag_spans(best, lengths, self._tag_names)
        most = tf.maximum(tf.reduce_max(first.row_lengths()), 1)  # E
        pad = [[0, 0], [0, steps - tf.shape(begins)[1]]]
        begins, ends = tf.pad(begins, pad), tf.pad(ends, pad)
        start = tf.gather(begins, padded_rows(first, first.values, most), batch_dims=1)
        end = tf.gather(ends, padded_rows(last, last.values, most), batch_dims=1)
        is_entity = tf.sequence_mask(first.row_lengths(), most)
        return {
            "words": padded_rows(words, words.flat_values, steps),
            "tags": tf.where(
                present, tf.gather(tf.constant(self._tag_names), best), ""
            ),
            "probability": tf.where(present, probability, 0.0),
            "entity_start": tf.where(is_entity, start, -1),
            "entity_end": tf.where(is_entity, end, -1),
            "entity_type": padded_rows(kind, kind.values, most),
        }

    def signatures(self) -> dict[str, tuple]:
        """`serving_default(text)`, `words` and `n_best`, for `export`."""
        text = tf.TensorSpec([None], tf.string, name="text")
        words = tf.TensorSpec([None], tf.string, name="words")
        lengths = tf.TensorSpec([None], tf.int32, name="row_lengths")
        count = tf.TensorSpec([], tf.int32, name="count")
        return {
            "serving_default": (self.__call__, [text]),
            "words": (self.tag_words, [words, lengths]),
            "n_best": (self.n_best, [words, lengths, count]),
        }

    def tag(self, sentences: Iterable[Sequence[str]]) -> Iterator[dict[str, Any]]:
        """`answer_words` with this model, as one traced graph."""
        return answer_words(self._traced["words"], sentences)

    def answer(self, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
        """`answer_texts` with this model, as one traced graph."""
        return answer_texts(self._traced["serving_default"], texts)

    def expected(
        self, sentences: Sequence[Sequence[str]], texts: Sequence[str]
    ) -> dict:
        """Inputs and Python's answers of the signatures, for an export's proof."""
        count = {"count": tf.constant(PROVEN_PATHS)}
        return answered(
            [self.model],
            {
                "serving_default": (
                    self.__call__,
                    {"text": tf.constant(_bytes(texts))},
                ),
                "words": (self.tag_words, flat_words(sentences)),
                "n_best": (self.n_best, flat_words(sentences) | count),
            },
        )


def answer_texts(
    signature: Signature, texts: Iterable[str]
) -> Iterator[dict[str, Any]]:
    """Answers of a text signature to any number of texts, one by one, in order.

    Args:
        signature: `load_exported(path).signature()`.
        texts: raw texts.

    Yields:
        words and tags, lists of str; probability, a list of float; entities, a list of
        {"start", "end", "type"}.
    """

    def ask(some: Sequence[str]) -> Mapping[str, tf.Tensor]:
        return signature(text=tf.constant(_bytes(some)))

    return answers_in_order(ask, texts, _plain)


def answer_words(
    signature: Signature, sentences: Iterable[Sequence[str]]
) -> Iterator[dict[str, Any]]:
    """The same of the signature `words`, to sentences that are split already."""
    return answers_in_order(
        lambda some: signature(**flat_words(some)), sentences, _plain
    )


def best_paths(
    signature: Signature, sentences: Iterable[Sequence[str]], count: int
) -> Iterator[list[dict[str, Any]]]:
    """The most probable tags of whole sentences, by the signature `n_best`.

    Yields:
        {"tags", "log_probability"} of up to `count` paths, the best first.
    """
    ask = partial(signature, count=tf.constant(count))
    return answers_in_order(lambda some: ask(**flat_words(some)), sentences, _paths)


def with_best_paths(
    signature: Signature, answers: Iterable[dict[str, Any]], count: int
) -> Iterator[dict[str, Any]]:
    """Answers with "n_best", the best paths through their words."""
    asked, shown = itertools.tee(answers)
    paths = best_paths(signature, (answer["words"] for answer in asked), count)
    for answer, best in zip(shown, paths):
        yield answer | {"n_best": best}


def _plain(row: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """One row without its padding: every word has a tag."""
    size = sum(tag != b"" for tag in row["tags"])
    names = ("entity_start", "entity_end", "entity_type")
    entities = zip(*(row[name].tolist() for name in names))
    return {
        "words": [word.decode("utf-8", "replace") for word in row["words"][:size]],
        "tags": [tag.decode() for tag in row["tags"][:size]],
        "probability": row["probability"][:size].tolist(),
        "entities": [
            {"start": start, "end": end, "type": kind.decode()}
            for start, end, kind in entities
            if start >= 0
        ],
    }


def _paths(row: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    return [
        {"tags": [tag.decode() for tag in tags if tag], "log_probability": float(score)}
        for tags, score in zip(row["tags"], row["log_probability"])
        if score > UNREACHED / 2
    ]


def _bytes(texts: Sequence[str]) -> list[bytes]:
    return [text.encode("utf-8", "replace") for text in texts]
