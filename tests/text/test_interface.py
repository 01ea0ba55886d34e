"""A tokenizer of one's own: what is taken from it, and what is refused."""

import re

import numpy as np
import pytest
import tensorflow as tf

import keras_seq as ks
from keras_seq.text import (
    Bytes,
    Characters,
    TextTokenizer,
    Tokenizer,
    Words,
    load_embeddings,
    make_stream_dataset,
)
from keras_seq.text.interface import encode_texts, token_texts

LABELS = ["bad", "good"]
SAMPLES = [("a fine-grained film", "good"), ("a dull, dull film", "bad")] * 40


class Stems:
    """Plain Python: words without their endings, as a stemmer of another library."""

    def __init__(self, words: list[str]) -> None:
        self.words = ["", "?", *words]

    @property
    def vocab_size(self) -> int:
        return len(self.words)

    def encode(self, texts: tf.Tensor) -> list[list[int]]:
        found = (re.findall("[a-z]+", t.decode().lower()) for t in texts.numpy())
        return [[self._id(word[:4]) for word in row] or [1] for row in found]

    def _id(self, word: str) -> int:
        return self.words.index(word) if word in self.words else 1

    def decode(self, token_ids: np.ndarray) -> list[str]:
        return [" ".join(self.words[i] for i in row if i) for row in token_ids]


@pytest.fixture
def stems() -> Stems:
    return Stems(["a", "fine", "film", "dull"])


def test_our_tokenizers_have_the_methods(stems: Stems):
    for each in (Tokenizer(), Words([]), Characters([]), Bytes(), stems):
        assert isinstance(each, TextTokenizer)
    assert not isinstance(object(), TextTokenizer)


def test_a_tokenizer_of_ones_own_trains_a_model(stems: Stems, tmp_path):
    """Through public names alone, from texts to what a model answers."""
    path = tmp_path / "vectors.txt"
    path.write_text("fine 1 0 0 1\ndull -1 0 0 1\nfilm 0 1 0 0\n")
    ks.set_seed(0)
    train = ks.make_text_dataset(SAMPLES, stems, LABELS, batch_size=8, shuffle=True)
    model = ks.build_lstm_model(
        stems.vocab_size,
        4,
        8,
        num_classes=2,
        num_layers=1,
        embeddings=ks.text.load_embeddings(path, stems),
    )
    history = ks.fit(model, train, epochs=6, loss="sparse_categorical_crossentropy")
    assert history.history["accuracy"][-1] == 1
    ids = stems.encode(tf.constant(["A FINELY made film"]))
    assert model.predict(np.array(ids), verbose=0)[0].argmax() == 1


def test_a_tokenizer_of_ones_own_reads_a_corpus(stems: Stems):
    ids = ks.text.encode_corpus(stems, ["a fine ", "film"])
    assert ids.tolist() == [2, 3, 4]
    (inputs, _), targets = next(iter(make_stream_dataset(ids, batch_size=1, steps=3)))
    assert targets.numpy().tolist() == [[2, 3, 4]]


def test_rows_may_be_ragged_lists_or_arrays(stems: Stems):
    texts = tf.constant(["a film", "dull"])

    class Arrays(Stems):
        def encode(self, texts):
            return [np.array(row) for row in super().encode(texts)]

    class Ragged(Stems):
        def encode(self, texts):
            return tf.ragged.constant(super().encode(texts), dtype=tf.int64)

    for kind in (Stems, Arrays, Ragged):
        rows = encode_texts(kind(stems.words[2:]), texts)
        assert rows.to_list() == [[2, 4], [5]] and rows.dtype == tf.int32


WRONG = [
    (lambda texts: [[1]], "gave 1 rows for 2 texts"),
    (lambda texts: [[1], []], "gave no id for b'b'; expected one at least"),
    (lambda texts: [[0], [1]], "gave the id 0; expected ids from 1 to 5"),
    (lambda texts: [[1], [6]], "gave the id 6; expected ids from 1 to 5"),
    (lambda texts: [[1], [-1]], "gave the id -1"),
    (lambda texts: [[1], [2.5]], "gave numbers of float64; expected whole ones"),
]


@pytest.mark.parametrize(("encode", "line"), WRONG)
def test_wrong_ids_are_refused(encode, line: str, stems: Stems):
    stems.encode = encode
    with pytest.raises(ValueError, match=f"Stems.encode {line}"):
        encode_texts(stems, tf.constant(["a", "b"]))


def test_texts_of_ids_are_words_or_bytes(stems: Stems, tmp_path):
    assert token_texts(stems) == ["", "?", "a", "fine", "film", "dull"]
    stems.decode = lambda token_ids: ["film"]
    with pytest.raises(ValueError, match="Stems.decode gave 1 texts for 6 rows"):
        load_embeddings(tmp_path / "a.txt", stems)
