"""Text to token ids: vocabulary, lookup and padding.

Cleaning and lookup are graph ops, written once: the tokenizer fits with them, tf.data
encodes with them, and the SavedModel answers with them. `cleaning` says what a token
is. Nothing here knows of files, labels or models.
"""

import itertools
import json
from collections.abc import Iterable, Sequence
from types import SimpleNamespace

import keras
import numpy as np
import tensorflow as tf

from keras_seq.constants import OOV_ID, OOV_TOKEN, PAD_ID
from keras_seq.text.cleaning import chunks_of, clean_text


class Tokenizer(tf.Module):
    """Numbers words by how often they occur in the texts it was fitted on.

    Id 0 is padding and id 1 every word not kept; on plain English the ids equal those
    of the classic Keras Tokenizer after the same cleaning. Other than there, any script
    works, a text without a word becomes one `oov_token` instead of an empty row, and
    the encoding runs inside a SavedModel.

    Args:
        num_words: ids below it are kept, as in the classic Tokenizer; None keeps all.
        oov_token: the name that id 1 has in `word_index` and in decoded texts.

    Raises:
        ValueError: `num_words` leaves no room for a word, or `oov_token` is no name.

    Example:

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["Good film, good cast.", "A bad film"])
    >>> tokenizer.word_index
    {'<OOV>': 1, 'good': 2, 'film': 3, 'cast': 4, 'a': 5, 'bad': 6}
    >>> tokenizer.texts_to_sequences(["A good play!", "..."])
    [[5, 2, 1], [1]]
    """

    def __init__(
        self, num_words: int | None = None, oov_token: str = OOV_TOKEN
    ) -> None:
        super().__init__(name="tokenizer")
        if num_words is not None and num_words <= OOV_ID + 1:
            raise ValueError(
                f"num_words is {num_words}; expected more than {OOV_ID + 1}: ids "
                f"{PAD_ID} and {OOV_ID} are padding and {oov_token!r}"
            )
        if not isinstance(oov_token, str) or not oov_token:
            raise ValueError(
                f"oov_token is {oov_token!r}; expected a name such as {OOV_TOKEN!r}"
            )
        self.num_words = num_words
        self.oov_token = oov_token
        self._set_counts({})

    def fit_on_texts(self, texts: Iterable[str] | Iterable[bytes]) -> None:
        """Counts the words of more texts and numbers all words anew.

        Texts are read once, some at a time; memory grows with the vocabulary alone.
        What was traced or exported before keeps the old ids.

        Args:
            texts: any iterable of strings, or of their UTF-8 bytes.

        Raises:
            ValueError: `texts` is one string, or holds what is no string.
        """
        counts = {word.encode(): n for word, n in self._vocabulary.counts.items()}
        for chunk in chunks_of(texts):
            # Rows do not matter here; `tf.strings.split` would take time to keep them.
            tokens = tf.raw_ops.StringSplitV2(input=clean_text(chunk), sep=" ").values
            words, _, totals = tf.unique_with_counts(tokens)
            for word, total in zip(words.numpy().tolist(), totals.numpy().tolist()):
                counts[word] = counts.get(word, 0) + total
        counts.pop(b"", None)  # an empty text, split
        self._set_counts({word.decode(): count for word, count in counts.items()})

    def encode(self, texts: tf.Tensor, max_len: int | None = None) -> tf.RaggedTensor:
        """Turns texts into ids; graph ops, for tf.data and for signatures.

        The module that is exported must hold this tokenizer, or its `table`, so that
        the SavedModel keeps the words.

        Args:
            texts: string (B,).
            max_len: longer texts keep their first `max_len` tokens; None keeps all.

        Returns:
            ragged int32 (B, None); every row has one id at least.

        Raises:
            ValueError: `max_len` is below 1.
        """
        _check_length(max_len)
        # Split at a space, an empty text is one word, "", always unknown: a row without
        # a step is one that cuDNN rejects.
        words = tf.strings.split(clean_text(texts), sep=" ")
        if max_len is not None:
            words = words[:, :max_len]
        return words.with_flat_values(self.table.lookup(words.flat_values))

    def texts_to_sequences(self, texts: Iterable[str]) -> list[list[int]]:
        """Ids of each text.

        Args:
            texts: any iterable of strings.

        Returns:
            One list of ids a text, none of them empty.
        """
        encoded = (self.encode(chunk) for chunk in chunks_of(texts))
        return [row for ragged in encoded for row in ragged.to_list()]

    def sequences_to_texts(self, sequences: Iterable[Sequence[int]]) -> list[str]:
        """Words of each row of ids, joined by spaces; padding is left out.

        Args:
            sequences: rows of ids, padded or not.

        Returns:
            One string a row.

        Example:

        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["good film"])
        >>> tokenizer.sequences_to_texts([[2, 3, 99, 0, 0]])
        ['good film <OOV>']
        """
        words = dict(enumerate(self._kept_words, start=OOV_ID))
        return [
            " ".join(
                words.get(int(token_id), self.oov_token)
                for token_id in row
                if token_id != PAD_ID
            )
            for row in sequences
        ]

    def decode(self, token_ids: tf.Tensor) -> tf.Tensor:
        """`sequences_to_texts` in graph ops.

        Args:
            token_ids: int32 (B, T), padded with 0.

        Returns:
            string (B,).

        Example:

        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["good film"])
        >>> tokenizer.decode([[2, 3, 99, 0, 0]]).numpy().tolist()
        [b'good film <OOV>']
        """
        token_ids = tf.where(tf.less(token_ids, self.vocab_size), token_ids, OOV_ID)
        words = tf.gather(tf.constant(["", *self._kept_words]), token_ids)  # (B, T)
        return tf.strings.strip(tf.strings.reduce_join(words, -1, separator=" "))

    @property
    def word_index(self) -> dict[str, int]:
        """Id of each word, `oov_token` first; `num_words` does not shorten it."""
        return dict(zip(self._vocabulary.words, itertools.count(OOV_ID)))

    @property
    def word_counts(self) -> dict[str, int]:
        """How often each word occurred, in the order of first occurrence."""
        return dict(self._vocabulary.counts)

    @property
    def vocab_size(self) -> int:
        """V, number of ids that `encode` can give, padding included."""
        return OOV_ID + len(self._kept_words)

    def to_json(self) -> str:
        """All that the tokenizer is, as JSON text.

        Example:

        >>> tokenizer = Tokenizer(num_words=100)
        >>> tokenizer.fit_on_texts(["très bon"])
        >>> Tokenizer.from_json(tokenizer.to_json()).word_index
        {'<OOV>': 1, 'très': 2, 'bon': 3}
        """
        facts = {
            "num_words": self.num_words,
            "oov_token": self.oov_token,
            "word_counts": self._vocabulary.counts,
        }
        return json.dumps(facts, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Tokenizer":
        """The tokenizer that `to_json` wrote."""
        facts = json.loads(text)
        tokenizer = cls(facts["num_words"], facts["oov_token"])
        tokenizer._set_counts(facts["word_counts"])
        return tokenizer

    @property
    def _kept_words(self) -> list[str]:
        """Words that have an id below `num_words`, from OOV_ID on."""
        end = None if self.num_words is None else self.num_words - OOV_ID
        return self._vocabulary.words[:end]

    def _set_counts(self, counts: dict[str, int]) -> None:
        # Sorting is stable, so ties keep the order of first occurrence. A word spelled
        # like the OOV token shares its id.
        words = sorted(counts, key=counts.__getitem__, reverse=True)
        words = [self.oov_token, *(word for word in words if word != self.oov_token)]
        # A plain object: dicts and lists of its own tf.Module would wrap and track.
        self._vocabulary = SimpleNamespace(counts=counts, words=words)
        words = self._kept_words
        ids = tf.range(OOV_ID, OOV_ID + len(words), dtype=tf.int32)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(words), ids), OOV_ID
        )


def pad_sequences(
    sequences: Iterable[Sequence[int]], max_len: int | None = None
) -> np.ndarray:
    """Rows of ids as one array, zeros after each.

    Post-padding alone: cuDNN's recurrent kernels take no other. A row that is too long
    keeps its first ids.

    Args:
        sequences: rows of ids.
        max_len: T; None takes the longest row.

    Returns:
        int32 (N, T).

    Raises:
        ValueError: `max_len` is below 1.

    Example:

    >>> pad_sequences([[5, 2], [7, 8, 9, 4]], max_len=3)
    array([[5, 2, 0],
           [7, 8, 9]], dtype=int32)
    """
    _check_length(max_len)
    rows = list(sequences)
    if not rows:
        return np.zeros((0, max_len or 0), np.int32)
    return keras.utils.pad_sequences(
        rows, max_len, padding="post", truncating="post", value=PAD_ID
    )


def preprocess_text(
    texts: Iterable[str], max_words: int = 10000, max_len: int = 100
) -> tuple[np.ndarray, Tokenizer]:
    """Texts as an array of ids, with the tokenizer that was fitted on them.

    Args:
        texts: the train part alone: what else is to be scored must not be seen here.
        max_words: ids below it are kept.
        max_len: T; longer texts keep their first tokens.

    Returns:
        int32 (N, max_len), zeros after each text; and the tokenizer.

    Example:

    >>> padded, tokenizer = preprocess_text(["Good film!", "bad"], max_len=3)
    >>> padded.tolist()
    [[2, 3, 0], [4, 0, 0]]
    """
    _check_length(max_len)
    texts = texts if isinstance(texts, str) else list(texts)
    tokenizer = Tokenizer(num_words=max_words)
    tokenizer.fit_on_texts(texts)
    return pad_sequences(tokenizer.texts_to_sequences(texts), max_len), tokenizer


def _check_length(max_len: int | None) -> None:
    if max_len is not None and max_len < 1:
        raise ValueError(f"max_len is {max_len}; expected 1 or more tokens, or None")
