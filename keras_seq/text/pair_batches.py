"""Sentence pairs to tf.data: encoded once, batched by tokens of both sides.

Shapes: N pairs, B batch, S source steps, T target steps.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_seq.constants import OOV_ID
from keras_seq.data.batches import EpochDataset, plan_token_batches
from keras_seq.data.copies import counted
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.text.batches import digest_of, padded_rows
from keras_seq.text.cleaning import chunks_of
from keras_seq.text.pairs import SentencePair
from keras_seq.text.reversible import ReversibleTokenizer

END_ID = OOV_ID  # byte-pair subwords know every text: the id is free to end one


class EncodedTexts:
    """Texts as ids, each with its end, in one array.

    Attributes:
        lengths: int64 (N,), the end included.
    """

    def __init__(self, texts: Sequence[str], coder: ReversibleTokenizer) -> None:
        ids, lengths = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        for chunk in chunks_of(texts):
            rows = with_end(coder.encode(chunk))
            ids.append(rows.flat_values.numpy())
            lengths.append(rows.row_lengths().numpy())
        self.ids, self.lengths = np.concatenate(ids), np.concatenate(lengths)
        self._starts = np.cumsum(self.lengths) - self.lengths

    def padded(self, numbers: np.ndarray) -> np.ndarray:
        """Some of the texts: int32 (B, T), padded with 0."""
        return padded_rows(self.ids, self._starts[numbers], self.lengths[numbers])


def with_end(rows: tf.RaggedTensor) -> tf.RaggedTensor:
    """Ids of texts, with the end behind each: ragged int32 (B, None)."""
    ends = tf.fill([rows.nrows(), 1], END_ID)
    return tf.concat([rows, tf.RaggedTensor.from_tensor(ends)], axis=1)


def make_pair_dataset(
    pairs: Sequence[SentencePair],
    coder: ReversibleTokenizer,
    *,
    batch_tokens: int = 4096,
    max_len: int = 250,
    shuffle: bool = False,
    seed: int = 0,
) -> EpochDataset:
    """Batches of ((source, target so far), target that follows), of like lengths.

    Pairs with a side of more than `max_len` tokens are left out, and one line says how
    many: memory of a batch grows with its longest pair.

    Args:
        pairs: read once, here.
        coder: fitted on the train part.
        batch_tokens: tokens of a batch, of both sides and with padding.
        max_len: tokens of a side, its end included.
        shuffle: a new order each epoch, fixed by `seed`; else by length.
        seed: of the shuffling.

    Returns:
        Dataset of int32 ((B, S), (B, T)), and int32 (B, T), padded with 0; what is read
        of a target begins with 0.

    Raises:
        UserError: There is no pair that is short enough.
    """
    sources = EncodedTexts([pair.source for pair in pairs], coder)
    targets = EncodedTexts([pair.target for pair in pairs], coder)
    lengths = np.stack([sources.lengths, targets.lengths], axis=1)
    (kept,) = np.nonzero((lengths <= max_len).all(axis=1))
    _log_long(pairs, kept, max_len)
    order = seed if shuffle else None

    def plan(epoch: int) -> list[np.ndarray]:
        batches = plan_token_batches(
            lengths[kept], batch_tokens, seed=order, epoch=epoch
        )
        return [kept[numbers] for numbers in batches]

    def batches(epoch: int, first: int) -> Iterator[tuple]:
        for numbers in plan(epoch)[first:]:
            following = targets.padded(numbers)
            so_far = np.pad(following[:, :-1], [(0, 0), (1, 0)])
            yield (sources.padded(numbers), so_far), following

    ids = tf.TensorSpec([None, None], tf.int32)
    content = sources.ids, sources.lengths, targets.ids, targets.lengths
    digest = digest_of((batch_tokens, max_len, order), *content)
    return EpochDataset(batches, ((ids, ids), ids), len(plan(0)), digest)


def _log_long(pairs: Sequence[SentencePair], kept: np.ndarray, max_len: int) -> None:
    if not len(kept):
        what = f"no pair has at most {max_len} tokens on both sides"
        raise UserError(f"{pairs[0].path}: {what}" if pairs else "there is no pair")
    if len(kept) < len(pairs):
        is_kept = np.isin(np.arange(len(pairs)), kept)
        first = pairs[int(np.argmin(is_kept))]
        said = counted(len(pairs) - len(kept), len(pairs), "pairs")
        log.info(
            f"{first.path}: {said} have more than {max_len} tokens on a side and are "
            f"not trained on, the first at {first.place()}"
        )
