"""What tokenizers share that keep order, case and spaces: ids back to the same text.

Encoding and decoding are graph ops, written once: training reads with them, and the
SavedModel answers with them.

Id 0 is no token: it pads, and it is what a model reads before a text starts. Id 1 is
every token that is not kept.

Shapes: B batch, T tokens, V vocabulary.
"""

import json
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_seq.constants import OOV_ID

FIRST_ID = OOV_ID + 1
UNKNOWN = "\ufffd"


class ReversibleTokenizer(tf.Module):
    """Base of the tokenizers; each kind says how a text falls into tokens.

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

        >>> from keras_seq.text.coders import Characters
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

    def shown(self, token_ids: tf.Tensor) -> tf.Tensor:
        """The same as text that people read: a part of a character is U+FFFD."""
        pieces = self.piece(token_ids)
        return tf.reshape(valid_text(tf.reshape(pieces, [-1])), tf.shape(pieces))

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

        >>> from keras_seq.text.coders import Bytes
        >>> Bytes().ids_of("ab").tolist()
        [99, 100]
        """
        encoded = self.encode(tf.constant([text.encode("utf-8", "replace")]))
        return encoded.flat_values.numpy()

    def text_of(self, token_ids: Sequence[int]) -> str:
        """The text of one row of ids.

        Example:

        >>> from keras_seq.text.coders import Bytes
        >>> Bytes().text_of([99, 100])
        'ab'
        """
        row = tf.constant(np.asarray(token_ids, np.int32)[None])
        return self.decode(row)[0].numpy().decode("utf-8")

    def to_json(self) -> str:
        """All that the tokenizer is, as JSON text; `coder_from_json` reads it."""
        return json.dumps({"kind": self.kind, **self._facts()}, ensure_ascii=False)

    def _facts(self) -> dict:
        return {
            "tokens": [token.decode("utf-8") for token in self.tokens[FIRST_ID:]],
            "unknown_seen": self.unknown_seen,
        }

    @classmethod
    def from_facts(cls, facts: dict) -> "ReversibleTokenizer":
        """The tokenizer that `to_json` wrote."""
        tokens = [token.encode("utf-8") for token in facts["tokens"]]
        return cls(tokens, facts["unknown_seen"])


def valid_text(texts: tf.Tensor, errors: str = "replace") -> tf.Tensor:
    """Bytes that are no UTF-8 become U+FFFD, or are left out."""
    return tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors=errors)


def byte_ids(texts: tf.Tensor) -> tf.RaggedTensor:
    """The bytes of strings as ids: string (B,) to ragged int32 (B, None)."""
    split = tf.strings.bytes_split(texts)
    values = tf.reshape(tf.io.decode_raw(split.flat_values, tf.uint8), [-1])
    return split.with_flat_values(tf.cast(values, tf.int32) + FIRST_ID)
