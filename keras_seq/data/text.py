"""Text to token ids: cleaning, vocabulary and padding.

`clean_text` and the lookup are graph ops, written once: the tokenizer fits with them,
tf.data encodes with them, and the SavedModel answers with them. Nothing here knows of
files, labels or models.

Text is taken as it is encoded: an accent composed with its letter and one that follows
it make different words. Normalise to NFC before (`unicodedata.normalize`) where inputs
mix the two.
"""

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_seq.constants import OOV_ID, OOV_TOKEN, PAD_ID

# RE2 classes. Scripts written without spaces, and symbols such as emoji, are tokens
# character by character: their words cannot be told without a dictionary.
_SINGLE = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{So}]"
)
_WORD = r"\p{L}\p{M}\p{N}"
_STEPS = (
    (r"</?\p{L}[^<>]*>", " "),  # markup such as <br />
    ("[\u2018\u2019\u02bc]", "'"),
    (_SINGLE, r" \0 "),
    (rf"(^|[^{_WORD}])'+", r"\1 "),  # an apostrophe stays inside a word alone
    (rf"'+([^{_WORD}]|$)", r" \1"),
    (rf"[^{_WORD}\p{{So}}']+", " "),
    (r"^ +| +$", ""),
)
_CHUNK = 1024  # texts cleaned in one call: fast, and a bound on memory


def clean_text(texts: tf.Tensor) -> tf.Tensor:
    """Lower-cases, and leaves words of letters, marks and digits, one space apart.

    Markup and punctuation become spaces. Characters of Han, Hiragana, Katakana, Thai,
    Lao, Khmer and Myanmar, and symbols such as emoji, stand as words of their own.
    Bytes that are not UTF-8 become spaces. Graph ops alone.

    Args:
        texts: string (B,), UTF-8.

    Returns:
        string (B,).

    Example:

    >>> cleaned = clean_text(tf.constant(["It's GREAT!<br />10/10", "ÉTÉ 很好。"]))
    >>> [text.decode() for text in cleaned.numpy()]
    ["it's great 10 10", 'été 很 好']
    """
    texts = tf.strings.unicode_transcode(
        texts, "UTF-8", "UTF-8", errors="replace", replacement_char=ord(" ")
    )
    texts = tf.strings.lower(texts, encoding="utf-8")
    for pattern, rewrite in _STEPS:
        texts = tf.strings.regex_replace(texts, pattern, rewrite)
    return texts


class Tokenizer:
    """Numbers the words of a text by how often they occur in the texts it was fitted on.

    Id 0 is padding and id 1 every word not kept; on plain English the ids equal those
    of the classic Keras Tokenizer after the same cleaning. Other than there, any script
    works, a text without a word becomes one `oov_token` instead of an empty row, and
    the encoding runs inside a SavedModel.

    Args:
        num_words: ids below it are kept, as in the classic Tokenizer; None keeps all.
        oov_token: the name that id 1 has in `word_index` and in decoded texts.

    Raises:
        ValueError: `num_words` leaves no room for a word.

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
        if num_words is not None and num_words <= OOV_ID + 1:
            raise ValueError(
                f"num_words is {num_words}; expected more than {OOV_ID + 1}: ids "
                f"{PAD_ID} and {OOV_ID} are padding and {oov_token!r}"
            )
        self.num_words = num_words
        self.oov_token = oov_token
        self._counts: Counter[str] = Counter()
        self._renumber()

    def fit_on_texts(self, texts: Iterable[str]) -> None:
        """Counts the words of more texts and numbers all words anew.

        Texts are read once, some at a time; memory grows with the vocabulary alone.

        Args:
            texts: any iterable of strings.

        Raises:
            ValueError: `texts` is one string, not many.
        """
        if isinstance(texts, str):
            raise ValueError("texts is one string; expected an iterable of strings")
        counts: Counter[bytes] = Counter()
        for chunk in _chunks(texts):
            for text in clean_text(_as_tensor(chunk)).numpy():
                counts.update(text.split())
        self._counts.update(
            {word.decode("utf-8"): count for word, count in counts.items()}
        )
        self._renumber()

    def encode(self, texts: tf.Tensor, max_len: int | None = None) -> tf.RaggedTensor:
        """Turns texts into ids; graph ops, for tf.data and for signatures.

        A function that is exported must hold `table` on its module, so that the
        SavedModel keeps it.

        Args:
            texts: string (B,).
            max_len: longer texts keep their first `max_len` tokens; None keeps all.

        Returns:
            ragged int32 (B, None); every row has one id at least.
        """
        words = clean_text(texts)
        # cuDNN rejects a row without a step, so an empty text is one unknown word.
        words = tf.where(words == "", self.oov_token, words)
        words = tf.strings.split(words, sep=" ")
        if max_len is not None:
            words = words[:, :max_len]
        ids = self.table.lookup(words.flat_values)
        return words.with_flat_values(tf.cast(ids, tf.int32))

    def texts_to_sequences(self, texts: Iterable[str]) -> list[list[int]]:
        """Ids of each text.

        Args:
            texts: any iterable of strings.

        Returns:
            One list of ids a text, none of them empty.
        """
        chunks = (self.encode(_as_tensor(chunk)) for chunk in _chunks(texts))
        return [row for ragged in chunks for row in ragged.to_list()]

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
        return [
            " ".join(
                self._words.get(int(token_id), self.oov_token)
                for token_id in row
                if token_id != PAD_ID
            )
            for row in sequences
        ]

    @property
    def word_counts(self) -> dict[str, int]:
        """How often each word occurred, in the order of first occurrence."""
        return dict(self._counts)

    @property
    def vocab_size(self) -> int:
        """V, number of ids that `encode` can give, padding included."""
        size = len(self.word_index) + 1
        return size if self.num_words is None else min(size, self.num_words)

    def to_json(self) -> str:
        """All that the tokenizer is, as JSON text.

        Example:

        >>> tokenizer = Tokenizer(num_words=100)
        >>> tokenizer.fit_on_texts(["très bon"])
        >>> Tokenizer.from_json(tokenizer.to_json()).word_index
        {'<OOV>': 1, 'très': 2, 'bon': 3}
        """
        return json.dumps(
            {
                "num_words": self.num_words,
                "oov_token": self.oov_token,
                "word_counts": self._counts,
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> "Tokenizer":
        """The tokenizer that `to_json` wrote."""
        facts = json.loads(text)
        tokenizer = cls(facts["num_words"], facts["oov_token"])
        tokenizer._counts.update(facts["word_counts"])
        tokenizer._renumber()
        return tokenizer

    def _renumber(self) -> None:
        """Ids by falling count; sorting is stable, so ties keep their first order."""
        by_count = sorted(self._counts, key=self._counts.__getitem__, reverse=True)
        numbered = enumerate([self.oov_token, *by_count], start=OOV_ID)
        self.word_index = {word: token_id for token_id, word in numbered}
        words = by_count[: self.vocab_size - OOV_ID - 1]
        self._words = dict(enumerate(words, start=OOV_ID + 1))
        keys = tf.constant([self.oov_token, *words], tf.string)
        values = tf.range(OOV_ID, OOV_ID + 1 + len(words), dtype=tf.int64)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, values), default_value=OOV_ID
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

    Example:

    >>> pad_sequences([[5, 2], [7, 8, 9, 4]], max_len=3)
    array([[5, 2, 0],
           [7, 8, 9]], dtype=int32)
    """
    return keras.utils.pad_sequences(
        list(sequences), max_len, padding="post", truncating="post", value=PAD_ID
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
    texts = list(texts)
    tokenizer = Tokenizer(num_words=max_words)
    tokenizer.fit_on_texts(texts)
    return pad_sequences(tokenizer.texts_to_sequences(texts), max_len), tokenizer


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    texts = iter(texts)
    while chunk := list(itertools.islice(texts, _CHUNK)):
        yield chunk


def _as_tensor(texts: list[str]) -> tf.Tensor:
    """string (B,); a lone surrogate, which UTF-8 cannot hold, becomes "?"."""
    return tf.constant([text.encode("utf-8", "replace") for text in texts], tf.string)
