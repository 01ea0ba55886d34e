"""Tokenizers of language models: characters, words, bytes; and any kind from its JSON.

Shapes: B batch.
"""

import json
from collections.abc import Iterable, Sequence

import tensorflow as tf

from keras_seq.constants import OOV_ID
from keras_seq.text.reversible import (
    FIRST_ID,
    ReversibleTokenizer,
    byte_ids,
    valid_text,
)
from keras_seq.text.subwords import Subwords


class Bytes(ReversibleTokenizer):
    """Each byte of UTF-8 is a token: any language, nothing unknown, nothing to fit.

    Example:

    >>> coder = Bytes()
    >>> coder.vocab_size, coder.text_of(coder.ids_of("好"))
    (258, '好')
    """

    kind = "bytes"

    def __init__(self) -> None:
        super().__init__([bytes([value]) for value in range(256)])

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        return byte_ids(valid_text(texts))

    def _facts(self) -> dict:
        return {}

    @classmethod
    def from_facts(cls, facts: dict) -> "Bytes":
        return cls()


class _Vocabulary(ReversibleTokenizer):
    """A coder that looks its tokens up; what it does not hold is unknown."""

    def __init__(self, tokens: Sequence[bytes], unknown_seen: bool = False) -> None:
        super().__init__(tokens, unknown_seen)
        keys = list(tokens) or [b"\0"]  # a table may not be empty
        ids = tf.range(FIRST_ID, FIRST_ID + len(keys), dtype=tf.int32)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(keys), ids), OOV_ID
        )

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        """Texts as tokens: string (B,) to ragged string (B, None)."""
        raise NotImplementedError

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        words = self.split(texts)
        return words.with_flat_values(self.table.lookup(words.flat_values))

    @classmethod
    def fit(
        cls, texts: Iterable[str], max_tokens: int | None = None, min_count: int = 1
    ) -> "_Vocabulary":
        """Keeps the most frequent tokens of the texts.

        Args:
            texts: the train part alone; read once.
            max_tokens: most tokens to keep, ids 0 and 1 not counted; None keeps all.
            min_count: tokens that occur less often are unknown.

        Returns:
            The coder.

        Example:

        >>> Characters.fit(["abba c"], max_tokens=2).tokens[2:]
        (b'a', b'b')
        """
        counts: dict[bytes, int] = {}
        for text in texts:
            encoded = tf.constant([text.encode("utf-8", "replace")])
            words, _, totals = tf.unique_with_counts(cls.split(encoded).flat_values)
            for word, total in zip(words.numpy().tolist(), totals.numpy().tolist()):
                counts[word] = counts.get(word, 0) + total
        known = {w: n for w, n in counts.items() if w != cls.unknown.encode()}
        # Ties in the order of the bytes: the same text in other blocks fits the same.
        words = sorted(known, key=lambda word: (-counts[word], word))[:max_tokens]
        kept = [word for word in words if counts[word] >= min_count]
        return cls(kept, unknown_seen=len(kept) < len(counts))


class Characters(_Vocabulary):
    """Each Unicode character is a token.

    Example:

    >>> coder = Characters.fit(["to be"])
    >>> coder.text_of(coder.ids_of("obet?"))
    'obet\ufffd'
    """

    kind = "characters"

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        return tf.strings.unicode_split(texts, "UTF-8")


class Words(_Vocabulary):
    """What stands between spaces is a token, and so is the end of a line.

    Punctuation sticks to its word: for text that is tokenised already, as the Penn
    Treebank is. Spaces are not kept; `<unk>` in a text is the unknown word.

    Example:

    >>> coder = Words.fit(["to be or\\n not to be"])
    >>> coder.text_of(coder.ids_of("not\\n  to be"))
    'not\\nto be'
    """

    kind = "words"
    unknown = "<unk>"

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        texts = tf.strings.regex_replace(valid_text(texts), r"\n", " \n ")
        texts = tf.strings.regex_replace(texts, r"[\t\f\r]", " ")
        words = tf.strings.split(texts, sep=" ")
        return tf.ragged.boolean_mask(words, tf.not_equal(words, ""))

    def piece(self, token_ids: tf.Tensor) -> tf.Tensor:
        spaced = [t if t in (b"", b"\n") else b" " + t for t in self.tokens]
        return tf.gather(tf.constant(spaced), token_ids)

    def tidy(self, texts: tf.Tensor) -> tf.Tensor:
        return tf.strings.regex_replace(valid_text(texts, "ignore"), r"(^|\n) ", r"\1")


def coder_from_json(text: str) -> ReversibleTokenizer:
    """The coder that `to_json` wrote, of whatever kind.

    Example:

    >>> coder_from_json(Characters.fit(["ab"]).to_json()).ids_of("b").tolist()
    [3]
    """
    facts = json.loads(text)
    for kind in (Characters, Words, Bytes, Subwords):
        if kind.kind == facts["kind"]:
            return kind.from_facts(facts)
    raise ValueError(f"no coder of kind {facts['kind']!r}")
