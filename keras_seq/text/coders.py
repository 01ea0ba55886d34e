"""Text to token ids and back, without loss of order or case: for language models.

Characters, words, bytes, and subwords (`subwords.py`). Encoding and decoding are graph
ops, written once: training reads with them, and the SavedModel answers with them.
Nothing here knows of files or models.

Id 0 is no token: it pads, and it is what a model reads before a text starts. Id 1 is
every token that is not kept.

Shapes: B batch, T tokens, V vocabulary.
"""

import json
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from keras_seq.constants import OOV_ID

FIRST_ID = OOV_ID + 1
UNKNOWN = "\ufffd"


class TextCoder(tf.Module):
    """What all coders share; each kind says how a text falls into tokens.

    Args:
        tokens: bytes of each token, from id 2 on.
        unknown_seen: the training text held unknown tokens, so that a model has learnt
            what they mean; else prompts leave them out.

    Attributes:
        tokens: bytes of each id, V in all.
        kind: the name that `coder_from_json` knows.
    """

    kind = ""
    unknown = UNKNOWN

    def __init__(self, tokens: Sequence[bytes], unknown_seen: bool = False) -> None:
        super().__init__(name=self.kind)
        self.tokens = (b"", self.unknown.encode(), *tokens)
        self.unknown_seen = unknown_seen

    @property
    def vocab_size(self) -> int:
        """V, number of ids, 0 and 1 included."""
        return len(self.tokens)

    @property
    def names(self) -> list[str]:
        """What people see of each id, V strings.

        Example:

        >>> Characters.fit(["\\n"]).names
        ['(start)', '(unknown)', '\\\\n']
        """
        texts = (t.decode("utf-8", "backslashreplace") for t in self.tokens[FIRST_ID:])
        shown = (repr(t)[1:-1] if not t.isprintable() else t for t in texts)
        return ["(start)", "(unknown)", *(t if t.strip() else "(space)" for t in shown)]

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Turns texts into ids; graph ops.

        Args:
            texts: string (B,), UTF-8; bytes that are no text read as U+FFFD.

        Returns:
            ragged int32 (B, None).
        """
        raise NotImplementedError

    def piece(self, token_ids: tf.Tensor) -> tf.Tensor:
        """The bytes of each token, which may be a part of a character alone.

        Args:
            token_ids: int32, any shape.

        Returns:
            string of that shape; joined in order they are the text.
        """
        return tf.gather(tf.constant(list(self.tokens)), token_ids)

    def decode(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Turns ids into texts; graph ops. The answer is UTF-8, whatever the ids are.

        Args:
            token_ids: int32 (B, T), padded with 0.

        Returns:
            string (B,).
        """
        return self.tidy(tf.strings.reduce_join(self.piece(token_ids), axis=-1))

    def tidy(self, texts: tf.Tensor) -> tf.Tensor:
        """Joined pieces, or a prompt with them, as text that people read."""
        return valid_text(texts, errors="ignore")

    def ids_of(self, text: str) -> np.ndarray:
        """int32 (T,), the ids of one text.

        Example:

        >>> Bytes().ids_of("ab").tolist()
        [99, 100]
        """
        encoded = self.encode(tf.constant([text.encode("utf-8", "replace")]))
        return encoded.flat_values.numpy()

    def text_of(self, token_ids: Sequence[int]) -> str:
        """The text of one row of ids.

        Example:

        >>> Bytes().text_of([99, 100])
        'ab'
        """
        row = tf.constant(np.asarray(token_ids, np.int32)[None])
        return self.decode(row)[0].numpy().decode("utf-8")

    def to_json(self) -> str:
        """All that the coder is, as JSON text; `coder_from_json` reads it."""
        return json.dumps({"kind": self.kind, **self._facts()}, ensure_ascii=False)

    def _facts(self) -> dict:
        return {
            "tokens": [token.decode("utf-8") for token in self.tokens[FIRST_ID:]],
            "unknown_seen": self.unknown_seen,
        }

    @classmethod
    def from_facts(cls, facts: dict) -> "TextCoder":
        """The coder that `to_json` wrote."""
        tokens = [token.encode("utf-8") for token in facts["tokens"]]
        return cls(tokens, facts["unknown_seen"])


class Bytes(TextCoder):
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


class _Vocabulary(TextCoder):
    """A coder that looks its tokens up; what it does not hold is unknown."""

    def __init__(self, tokens: Sequence[bytes], unknown_seen: bool = False) -> None:
        super().__init__(tokens, unknown_seen)
        keys = self._keys(list(tokens) or [b"\0"])
        ids = tf.range(FIRST_ID, FIRST_ID + len(keys), dtype=tf.int32)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(tf.constant(keys), ids), OOV_ID
        )

    @staticmethod
    def _keys(tokens: list[bytes]) -> list[bytes]:
        return tokens

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

    def __init__(self, tokens: Sequence[bytes], unknown_seen: bool = False) -> None:
        super().__init__(tokens, unknown_seen)
        spaced = [t if t in (b"", b"\n") else b" " + t for t in self.tokens]
        self._spaced = tuple(spaced)

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        texts = tf.strings.regex_replace(valid_text(texts), r"\n", " \n ")
        texts = tf.strings.regex_replace(texts, r"[\t\f\r]", " ")
        words = tf.strings.split(texts, sep=" ")
        return tf.ragged.boolean_mask(words, tf.not_equal(words, ""))

    def piece(self, token_ids: tf.Tensor) -> tf.Tensor:
        return tf.gather(tf.constant(list(self._spaced)), token_ids)

    def tidy(self, texts: tf.Tensor) -> tf.Tensor:
        return tf.strings.regex_replace(valid_text(texts, "ignore"), r"(^|\n) ", r"\1")


def coder_from_json(text: str) -> TextCoder:
    """The coder that `to_json` wrote, of whatever kind.

    Example:

    >>> coder_from_json(Characters.fit(["ab"]).to_json()).ids_of("b").tolist()
    [3]
    """
    from keras_seq.text.subwords import Subwords

    facts = json.loads(text)
    for kind in (Characters, Words, Bytes, Subwords):
        if kind.kind == facts["kind"]:
            return kind.from_facts(facts)
    raise ValueError(f"no coder of kind {facts['kind']!r}")


def valid_text(texts: tf.Tensor, errors: str = "replace") -> tf.Tensor:
    """Bytes that are no UTF-8 become U+FFFD, or are left out."""
    return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors=errors)


def byte_ids(texts: tf.Tensor) -> tf.RaggedTensor:
    """The bytes of strings as ids: string (B,) to ragged int32 (B, None)."""
    split = tf.strings.bytes_split(texts)
    values = tf.reshape(tf.io.decode_raw(split.flat_values, tf.uint8), [-1])
    return split.with_flat_values(tf.cast(values, tf.int32) + FIRST_ID)
