"""Byte-pair subwords: trained by the `tokenizers` package, run as graph ops.

A text falls into pieces (words with the space before them, numbers, runs of signs, line
ends); the bytes of a piece are its first tokens, and the pair of neighbours that the
trainer merged earliest is merged, again and again. Bytes come first, so no text is
unknown. The graph needs core TensorFlow alone and gives the trainer's ids.

Shapes: B batch, P pieces, L tokens of a piece, V vocabulary.
"""

import json
from collections.abc import Iterable, Sequence

import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.text.cleaning import chunks_of
from keras_seq.text.reversible import (
    FIRST_ID,
    ReversibleTokenizer,
    byte_ids,
    valid_text,
)

# A line end is always a piece of its own, so that a text may be cut behind it and
# encodes the same. Longer pieces are cut again, which bounds the loop below.
PIECE = r"\n| ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{M}\p{N}]+|[^\S\n]+"
LONGEST_PIECE = r"(?s).{16}"  # characters
NO_TOKEN = -1  # behind the end of a piece
_SEPARATOR = b"\xff"  # no byte of any UTF-8 text


class Subwords(ReversibleTokenizer):
    """Byte-pair encoding (Sennrich et al. 2016, arXiv:1508.07909), over bytes.

    Args:
        merges: pairs of tokens in the order in which they are merged.

    Example:

    >>> coder = Subwords([(b"t", b"h"), (b"th", b"e")])
    >>> [coder.tokens[token_id] for token_id in coder.ids_of("the theme")]
    [b'the', b' ', b'the', b'm', b'e']
    """

    kind = "subwords"

    def __init__(self, merges: Sequence[tuple[bytes, bytes]]) -> None:
        tokens = [bytes([value]) for value in range(256)]
        ids = {token: number for number, token in enumerate(tokens, FIRST_ID)}
        pairs, merged = [], []
        for left, right in merges:
            # Two pairs may make the same token, which then has one id.
            if left + right not in ids:
                ids[left + right] = FIRST_ID + len(tokens)
                tokens.append(left + right)
            pairs.append((ids[left], ids[right]))
            merged.append(ids[left + right])
        super().__init__(tokens)
        self._merges, self._merged = tuple(merges), tuple(merged)
        keys = [left * self.vocab_size + right for left, right in pairs] or [-1]
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                tf.constant(keys, tf.int64), tf.range(len(keys), dtype=tf.int32)
            ),
            len(keys),
        )

    def encode(self, texts: tf.Tensor) -> tf.RaggedTensor:
        pieces = split_pieces(texts)  # (B, None)
        unique, numbers = tf.unique(pieces.flat_values)
        tokens = self._merge(byte_ids(unique).to_tensor(NO_TOKEN))  # (P, L)
        tokens = tf.RaggedTensor.from_tensor(tokens, padding=NO_TOKEN)
        each = tf.gather(tokens, numbers)  # tokens of every piece in the texts
        rows = tf.RaggedTensor.from_row_splits(each, pieces.row_splits)
        return rows.merge_dims(1, 2)

    def _merge(self, tokens: tf.Tensor) -> tf.Tensor:
        """Merges until nothing is left to merge: int32 (P, L) to (P, L)."""
        none = tf.constant(max(1, len(self._merges)))
        merged = tf.constant([*self._merged, NO_TOKEN, NO_TOKEN])
        steps = tf.shape(tokens)[1]

        def ranks_of(tokens: tf.Tensor) -> tf.Tensor:
            left, right = tokens[:, :-1], tokens[:, 1:]
            keys = tf.cast(left, tf.int64) * self.vocab_size + tf.cast(right, tf.int64)
            # The tokens of a piece stand first, so what follows an end is an end.
            return tf.where(right == NO_TOKEN, none, self.table.lookup(keys))

        def one_merge(tokens: tf.Tensor, ranks: tf.Tensor) -> tuple:
            place = tf.argmin(ranks, axis=1, output_type=tf.int32)[:, None]  # (P, 1)
            rank = tf.gather(ranks, place, batch_dims=1)
            found = rank < none
            numbers = tf.range(steps)[None]
            taken = numbers + tf.cast(found & (numbers > place), tf.int32)
            padded = tf.pad(tokens, [[0, 0], [0, 1]], constant_values=NO_TOKEN)
            shifted = tf.gather(padded, taken, batch_dims=1)
            tokens = tf.where(
                found & (numbers == place), tf.gather(merged, rank), shifted
            )
            return tokens, ranks_of(tokens)

        def merge_all() -> tf.Tensor:
            return tf.while_loop(
                lambda _, ranks: tf.reduce_any(ranks < none),
                one_merge,
                (tokens, ranks_of(tokens)),
                shape_invariants=(tf.TensorShape([None, None]),) * 2,
            )[0]

        return tf.cond(steps > 1, merge_all, lambda: tokens)

    def _facts(self) -> dict:
        # Latin-1 has a character for each byte.
        pairs = [[t.decode("latin-1") for t in pair] for pair in self._merges]
        return {"merges": pairs}

    @classmethod
    def from_facts(cls, facts: dict) -> "Subwords":
        return cls([tuple(t.encode("latin-1") for t in p) for p in facts["merges"]])

    @classmethod
    def fit(cls, texts: Iterable[str], vocab_size: int) -> "Subwords":
        """Trains on texts with the `tokenizers` package, which only this needs.

        Args:
            texts: the train part alone; read once.
            vocab_size: V, 258 at least: ids 0 and 1, and the bytes.

        Returns:
            The coder.

        Raises:
            UserError: The package is not installed.
            ValueError: `vocab_size` leaves no room for the bytes.
        """
        return cls(_merges_of(train_tokenizer(texts, vocab_size)))


def split_pieces(texts: tf.Tensor) -> tf.RaggedTensor:
    """Texts as the pieces that are merged: string (B,) to ragged string (B, None).

    Example:

    >>> split_pieces(tf.constant(["In 2024, we"])).to_list()
    [[b'In', b' 2024', b',', b' we']]
    """
    pieces = _cut_behind(valid_text(texts), f"(?:{PIECE})")
    shorter = _cut_behind(pieces.flat_values, LONGEST_PIECE)
    return pieces.with_flat_values(shorter).merge_dims(1, 2)


def _cut_behind(texts: tf.Tensor, pattern: str) -> tf.RaggedTensor:
    """Texts cut behind every match: string (B,) to ragged string (B, None)."""
    marked = tf.strings.regex_replace(texts, pattern, rb"\0" + _SEPARATOR)
    cut = tf.strings.split(marked, sep=_SEPARATOR)
    return tf.ragged.boolean_mask(cut, tf.not_equal(cut, ""))


def train_tokenizer(texts: Iterable[str], vocab_size: int):
    """A `tokenizers.Tokenizer` over pieces in Latin-1, one character a byte."""
    if vocab_size < FIRST_ID + 256:
        raise ValueError(
            f"vocab_size is {vocab_size}; expected {FIRST_ID + 256} or more: two ids "
            "without a token, and 256 bytes"
        )
    try:
        from tokenizers import Tokenizer, models, trainers
    except ImportError as error:
        raise UserError(
            "subwords are trained by the package tokenizers, which is not installed: "
            "pip install 'keras_seq[subwords]', or choose other tokens"
        ) from error
    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        show_progress=False,
        special_tokens=["<pad>", "<unk>"],
        initial_alphabet=[chr(value) for value in range(256)],
    )
    pieces = (split_pieces(chunk).flat_values.numpy() for chunk in chunks_of(texts))
    latin = ([piece.decode("latin-1") for piece in some] for some in pieces)
    tokenizer.train_from_iterator(latin, trainer)
    return tokenizer


def _merges_of(tokenizer) -> list[tuple[bytes, bytes]]:
    pairs = json.loads(tokenizer.to_str())["model"]["merges"]
    split = (p.split(" ") if isinstance(p, str) else p for p in pairs)
    return [(one.encode("latin-1"), two.encode("latin-1")) for one, two in split]
