"""What a tokenizer of one's own has to have: three methods, checked where it is used.

Nothing here knows a tokenizer by name; `Tokenizer`, `Words`, `Characters`, `Bytes` and
`Subwords` are such, and so may be what wraps another library's.

Shapes: B texts, T tokens, V vocabulary.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import tensorflow as tf

from keras_seq.constants import PAD_ID

Rows: TypeAlias = tf.RaggedTensor | Sequence[Sequence[int]]


@runtime_checkable
class TextTokenizer(Protocol):
    """Texts to ids and ids to texts; `make_text_dataset`, `encode_corpus` and
    `load_embeddings` take any object that has it.

    Example:

    >>> class Letters:
    ...     vocab_size = 28  # 0 is padding, 1 whatever is no letter
    ...     def encode(self, texts):
    ...         lower = (text.lower() for text in texts.numpy())
    ...         return [[max(1, byte - 95) for byte in text] for text in lower]
    ...     def decode(self, token_ids):
    ...         return ["".join(chr(95 + i) for i in row if i > 1) for row in token_ids]
    >>> isinstance(Letters(), TextTokenizer)
    True
    >>> encode_texts(Letters(), tf.constant(["ab", "C?"])).to_list()
    [[2, 3], [4, 1]]
    """

    @property
    def vocab_size(self) -> int:
        """V, number of ids; id 0 is padding and no token."""

    def encode(self, texts: tf.Tensor) -> Rows:
        """Ids of texts.

        Args:
            texts: string (B,), UTF-8; `texts.numpy()` has them as bytes.

        Returns:
            B rows of ids from 1 to V - 1, none of them empty: a ragged int32 tensor, or
            lists. Written in graph ops, it can stand in a SavedModel, too.
        """

    def decode(self, token_ids: np.ndarray) -> Sequence[str] | tf.Tensor:
        """Texts of ids, with which `load_embeddings` finds the word of each.

        Args:
            token_ids: int32 (B, T), padded with 0.

        Returns:
            B strings.
        """


def encode_texts(
    tokenizer: TextTokenizer, texts: tf.Tensor, may_be_empty: bool = False
) -> tf.RaggedTensor:
    """What a tokenizer makes of texts, as training can read it.

    Args:
        tokenizer: whose `encode` is asked.
        texts: string (B,).
        may_be_empty: a text may have no id.

    Returns:
        ragged int32 (B, None).

    Raises:
        ValueError: It gave other ids, or another number of rows, than were agreed on.
    """
    rows = tokenizer.encode(texts)
    name, count = type(tokenizer).__name__, int(tf.size(texts))
    if not isinstance(rows, tf.RaggedTensor):
        rows = _as_ragged(rows)
    if not rows.dtype.is_integer:
        kind = rows.dtype.name
        raise ValueError(f"{name}.encode gave numbers of {kind}; expected whole ones")
    rows = tf.cast(rows, tf.int32)
    if rows.nrows() != count:
        raise ValueError(f"{name}.encode gave {rows.nrows()} rows for {count} texts")
    if count and not may_be_empty and not int(tf.reduce_min(rows.row_lengths())):
        text = texts.numpy()[int(tf.argmin(rows.row_lengths()))]
        raise ValueError(
            f"{name}.encode gave no id for {text!r}; expected one at least, such as "
            "that of an unknown word"
        )
    ids, size = rows.flat_values.numpy(), tokenizer.vocab_size
    wrong = ids[(ids <= PAD_ID) | (ids >= size)]
    if len(wrong):
        raise ValueError(
            f"{name}.encode gave the id {wrong[0]}; expected ids from 1 to "
            f"{size - 1}, as vocab_size is {size} and 0 is padding"
        )
    return rows


def token_texts(tokenizer: TextTokenizer) -> list[str]:
    """The text of each id, V strings, that of padding empty.

    Raises:
        ValueError: `decode` gave another number of them.
    """
    ids = np.arange(tokenizer.vocab_size, dtype=np.int32)[:, np.newaxis]  # (V, 1)
    texts = tokenizer.decode(ids)
    if isinstance(texts, tf.Tensor):
        texts = texts.numpy()
    if len(texts) != len(ids):
        name = type(tokenizer).__name__
        raise ValueError(f"{name}.decode gave {len(texts)} texts for {len(ids)} rows")
    named = [t.decode("utf-8") if isinstance(t, bytes) else str(t) for t in texts]
    return ["", *named[1:]]


def _as_ragged(rows: Sequence[Sequence[int]]) -> tf.RaggedTensor:
    # An empty list alone would be of floats.
    flat = [np.asarray(row, None if len(row) else np.int64) for row in rows]
    values = np.concatenate([np.zeros(0, np.int64), *flat])
    return tf.RaggedTensor.from_row_lengths(values, [len(row) for row in flat])
