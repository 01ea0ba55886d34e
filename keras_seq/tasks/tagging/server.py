"""Raw text or words to tags and entities, as one graph: what the SavedModel holds.

Shapes: B batch, N words of all rows, T words of a row, C tags, E entities.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.decoding.spans import tag_spans
from keras_seq.decoding.viterbi import viterbi_decode
from keras_seq.layers.crf import crf_marginals
from keras_seq.serving.checks import checked_shapes
from keras_seq.serving.graph import answered
from keras_seq.text.tagged import WordEncoder
from keras_seq.text.words import split_words

ROWS_READ, BATCH_ROWS, BATCH_WORDS = 4096, 64, 16_384
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
        words, row_lengths = checked_shapes(
            {"words": (words, ["N"]), "row_lengths": (row_lengths, ["B"])},
            "N words in B sentences",
        )
        total = tf.reduce_sum(row_lengths)
        fits = tf.debugging.assert_equal(
            total, tf.size(words), "row_lengths do not add up to the words"
        )
        counts = tf.debugging.assert_non_negative(row_lengths)
        with tf.control_dependencies([op for op in (fits, counts) if op is not None]):
            rows = tf.RaggedTensor.from_row_lengths(words, row_lengths, validate=False)
        longest = tf.maximum(tf.reduce_max(row_lengths), 0)
        places = tf.zeros_like(row_lengths)[:, None] + tf.range(longest)[None]
        return self._answer(rows, places, places + 1)

    def _answer(
        self, words: tf.RaggedTensor, begins: tf.Tensor, ends: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        lengths = tf.cast(words.row_lengths(), tf.int32)
        steps = tf.maximum(tf.reduce_max(lengths), 1)  # an LSTM needs one
        read = [
            self._padded(words, array, steps)
            for array in self._encode(words.flat_values)
        ]
        scores = self.model(read if len(read) > 1 else read[0], training=False)
        scores = tf.cast(scores, tf.float32)
        if scores.shape.rank == 4:
            best, _ = viterbi_decode(scores)
            probabilities = crf_marginals(scores)
        else:
            best = tf.argmax(scores, axis=-1, output_type=tf.int32)
            probabilities = tf.nn.softmax(scores)
        present = tf.sequence_mask(lengths, steps)
        probability = tf.gather(probabilities, best, batch_dims=2)
        first, last, kind = tag_spans(best, lengths, self._tag_names)
        most = tf.maximum(tf.reduce_max(first.row_lengths()), 1)  # E
        pad = [[0, 0], [0, steps - tf.shape(begins)[1]]]
        begins, ends = tf.pad(begins, pad), tf.pad(ends, pad)
        start = tf.gather(begins, self._padded(first, first.values, most), batch_dims=1)
        end = tf.gather(ends, self._padded(last, last.values, most), batch_dims=1)
        is_entity = tf.sequence_mask(first.row_lengths(), most)
        return {
            "words": self._padded(words, words.flat_values, steps),
            "tags": tf.where(
                present, tf.gather(tf.constant(self._tag_names), best), ""
            ),
            "probability": tf.where(present, probability, 0.0),
            "entity_start": tf.where(is_entity, start, -1),
            "entity_end": tf.where(is_entity, end, -1),
            "entity_type": self._padded(kind, kind.values, most),
        }

    def _padded(
        self, words: tf.RaggedTensor, values: tf.Tensor, steps: tf.Tensor
    ) -> tf.Tensor:
        dense = words.with_flat_values(values).to_tensor()
        sizes = [(0, 0)] * (len(dense.shape) - 2)
        steps = tf.cast(steps, tf.int32)
        return tf.pad(
            dense,
            [(0, 0), (0, steps - tf.shape(dense)[1]), *sizes],
            constant_values="" if dense.dtype == tf.string else 0,
        )

    def signatures(self) -> dict[str, tuple]:
        """`serving_default(text)` and `words(words, row_lengths)`, for `export`."""
        words = tf.TensorSpec([None], tf.string, name="words")
        counts = tf.TensorSpec([None], tf.int32, name="row_lengths")
        text = tf.TensorSpec([None], tf.string, name="text")
        return {
            "serving_default": (self.__call__, [text]),
            "words": (self.tag_words, [words, counts]),
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
        """Inputs and Python's answers of both signatures, for an export's proof."""
        return answered([self.model], {
            "serving_default": (self.__call__, {"text": tf.constant(_bytes(texts))}),
            "words": (self.tag_words, _ragged(sentences)),
        })  # fmt: skip


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
    return _answers(lambda some: signature(text=tf.constant(_bytes(some))), texts)


def answer_words(
    signature: Signature, sentences: Iterable[Sequence[str]]
) -> Iterator[dict[str, Any]]:
    """The same of the signature `words`, to sentences that are split already."""
    return _answers(lambda some: signature(**_ragged(some)), sentences)


def _answers(
    ask: Callable[[Sequence], Mapping[str, tf.Tensor]], rows: Iterable
) -> Iterator[dict[str, Any]]:
    rows = iter(rows)
    while chunk := list(itertools.islice(rows, ROWS_READ)):
        order = sorted(range(len(chunk)), key=lambda number: len(chunk[number]))
        answers: list[dict[str, Any]] = [{}] * len(chunk)
        while order:
            # Rows of like length, and fewer of long ones: all are padded to the last.
            size = max(1, min(BATCH_ROWS, BATCH_WORDS // (1 + len(chunk[order[0]]))))
            while size > 1 and size * len(chunk[order[:size][-1]]) > BATCH_WORDS:
                size //= 2
            numbers, order = order[:size], order[size:]
            batch = ask([chunk[number] for number in numbers])
            batch = {name: value.numpy() for name, value in batch.items()}
            for row, number in enumerate(numbers):
                answers[number] = _plain({n: v[row] for n, v in batch.items()})
        yield from answers


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


def _bytes(texts: Sequence[str]) -> list[bytes]:
    return [text.encode("utf-8", "replace") for text in texts]


def _ragged(sentences: Sequence[Sequence[str]]) -> dict[str, tf.Tensor]:
    words = _bytes(list(itertools.chain(*sentences)))
    counts = [len(words) for words in sentences]
    return {
        "words": tf.constant(words, tf.string, shape=[len(words)]),
        "row_lengths": tf.constant(counts, tf.int32, shape=[len(counts)]),
    }
