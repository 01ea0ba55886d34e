"""Samples to tf.data: encoded once, shuffled anew each epoch, batched by length.

Which samples stand in which batch is a pure function of lengths, seed and epoch, so a
run can be repeated, or entered at any batch. Nothing here knows of files or models.

Shapes: N samples, B batch, T time steps.
"""

import hashlib
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_seq.constants import PAD_ID
from keras_seq.data.batches import EpochDataset, plan_batches
from keras_seq.data.store import MappedFile, Samples, SampleStore, release, stored
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.ranges import check_settings
from keras_seq.text.cleaning import clean_text
from keras_seq.text.interface import TextTokenizer, encode_texts

Targets = Callable[[SampleStore], np.ndarray]  # one row a sample
ENCODE_ROWS = 1024
CHUNK_TEXTS = 256
RELEASE_BATCHES = 256  # after so many, what was read of the file leaves the memory


class CutTexts:
    """Passes texts through, and counts those with more tokens than are read.

    Args:
        max_len: tokens that are read of a text, its first ones; None reads all.

    Attributes:
        num_texts: texts so far.
        num_cut: those that are longer.

    Example:

    >>> cut = CutTexts(max_len=2)
    >>> list(cut.counted(["good", "a very good film"]))
    ['good', 'a very good film']
    >>> cut.num_cut, cut.num_texts
    (1, 2)
    """

    def __init__(self, max_len: int | None) -> None:
        self.max_len = max_len
        self.num_texts = self.num_cut = 0

    def counted(self, texts: Iterable[str]) -> Iterator[str]:
        """Yields the texts as they are."""
        texts = iter(texts)
        most = math.inf if self.max_len is None else self.max_len
        while chunk := list(itertools.islice(texts, CHUNK_TEXTS)):
            self.num_texts += len(chunk)
            # A token has a character at least.
            long = [t.encode("utf-8", "replace") for t in chunk if len(t) > most]
            if long:
                words = tf.strings.split(clean_text(tf.constant(long)), sep=" ")
                self.add(words.row_lengths())
            yield from chunk

    def add(self, lengths: tf.Tensor) -> None:
        """Counts the longer ones of some lengths, which are counted as texts elsewhere.

        Args:
            lengths: int (N,), tokens of each text.
        """
        if self.max_len is not None:
            self.num_cut += int(tf.math.count_nonzero(lengths > self.max_len))

    def log_count(self, name: str, trained: bool = False) -> None:
        """One line on stderr, where there is something to say.

        Args:
            name: of the data.
            trained: an option of the training at hand changes it.
        """
        if not self.num_cut:
            return
        more = "; --max-len reads more" if trained else ""
        log.info(
            f"{name}: {self.num_cut:,} of {self.num_texts:,} texts are longer than "
            f"{self.max_len:,} tokens; what comes behind is not read{more}",
        )


def padded_rows(ids: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Rows int32 (B, T) of ids that stand end to end, with 0 behind each."""
    steps = np.arange(lengths.max())
    present = steps < lengths[:, np.newaxis]  # (B, T)
    rows = np.full(present.shape, PAD_ID, np.int32)
    rows[present] = ids[(starts[:, np.newaxis] + steps)[present]]
    return rows


def digest_of(order: tuple, *arrays: np.ndarray) -> str:
    """SHA-256 of what decides on the order of batches, and of what they hold."""
    digest = hashlib.sha256(repr(order).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


class EncodedSamples:
    """Token ids and labels of samples, end to end in a file that is mapped, not read.

    Memory does not grow with the ids, and by some 16 bytes with every sample.

    Attributes:
        lengths: int32 (N,), tokens of each sample.
        labels: int32 (N,), positions in `label_names`; or what `Targets` gives.
        cut: counts the texts that were longer than `max_len`, which is said once.

    Raises:
        UserError: A label is not among `label_names`.
        ValueError: The tokenizer gives ids that it must not give.
    """

    def __init__(
        self,
        samples: Samples,
        tokenizer: TextTokenizer,
        label_names: Sequence[str] | Targets,
        max_len: int | None = None,
    ) -> None:
        store, self.cut = stored(samples), CutTexts(max_len)
        if callable(label_names):
            self.labels = label_names(store)
        else:
            self.labels = store.label_ids(label_names)
        lengths, texts = [np.zeros(0, np.int32)], store.encoded_texts()
        kind = np.min_scalar_type(tokenizer.vocab_size - 1)  # half a file or less
        with MappedFile() as file:
            while chunk := list(itertools.islice(texts, ENCODE_ROWS)):
                encoded = encode_texts(tokenizer, tf.constant(chunk, tf.string))
                self.cut.num_texts += len(chunk)
                self.cut.add(encoded.row_lengths())
                encoded = encoded[:, :max_len]
                file.write(encoded.flat_values.numpy().astype(kind))
                lengths.append(encoded.row_lengths().numpy().astype(np.int32))
            self._mapped = file.mapped()
        self._ids = np.frombuffer(self._mapped, kind)
        self.cut.log_count(store.name, trained=True)
        self.lengths = np.concatenate(lengths)
        self._starts = np.cumsum(self.lengths, dtype=np.int64) - self.lengths

    def __len__(self) -> int:
        return len(self.labels)

    def tokens(self, number: int) -> np.ndarray:
        """int32 (T,), the ids of one sample."""
        start = self._starts[number]
        return self._ids[start : start + self.lengths[number]].astype(np.int32)

    def batch(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Padded ids int32 (B, T) and labels (B, ...) of some samples."""
        rows = padded_rows(self._ids, self._starts[numbers], self.lengths[numbers])
        return rows, self.labels[numbers]

    def fingerprint(self, *order: object) -> str:
        """SHA-256 of all ids and labels, and of what decides on their order."""
        digest = digest_of(order, self.lengths, self.labels, self._ids)
        self.release()
        return digest

    def release(self) -> None:
        """Gives back the memory of what was read."""
        release(self._mapped)


def make_text_dataset(
    samples: Samples | EncodedSamples,
    tokenizer: TextTokenizer,
    label_names: Sequence[str] | Targets,
    *,
    batch_size: int = 64,
    max_len: int | None = None,
    shuffle: bool = False,
    seed: int = 0,
) -> EpochDataset:
    """Batches of (token ids, label), padded to the longest text of each batch.

    Args:
        samples: (text, label) pairs, read once; or what is encoded already.
        tokenizer: fitted on the train part; or one of your own, as `TextTokenizer` has
            its methods.
        label_names: C names; a label's number is its position. Or what makes other
            targets of samples: an array of N rows.
        batch_size: B; the last samples make a smaller batch, none is dropped.
        max_len: longer texts keep their first `max_len` tokens.
        shuffle: a new order each epoch, fixed by `seed`; else by length.
        seed: of the shuffling.

    Returns:
        Dataset of int32 (B, T), int32 (B,), or the targets' own shape and type.

    Raises:
        UserError: A label is not among `label_names`, or there is no sample.
        ValueError: The tokenizer gives ids that it must not give.

    Example:

    >>> from keras_seq.text import Tokenizer
    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["good film", "bad"])
    >>> samples = [("good film", "yes"), ("bad", "no")]
    >>> for token_ids, labels in make_text_dataset(samples, tokenizer, ["no", "yes"]):
    ...     print(token_ids.numpy().tolist(), labels.numpy())
    [[4, 0], [2, 3]] [0 1]
    """
    check_settings(batch_size=batch_size)
    if not isinstance(samples, EncodedSamples):
        samples = EncodedSamples(samples, tokenizer, label_names, max_len)
    if not len(samples):
        raise UserError("there is no sample to make batches of")
    order = seed if shuffle else None
    spec = [None, *samples.labels.shape[1:]], samples.labels.dtype

    def batches(epoch: int, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        plan = plan_batches(samples.lengths, batch_size, seed=order, epoch=epoch)
        for count, numbers in enumerate(plan[first:], 1):
            yield samples.batch(numbers)
            if not count % RELEASE_BATCHES:
                samples.release()

    return EpochDataset(
        batches,
        (tf.TensorSpec([None, None], tf.int32), tf.TensorSpec(*spec)),
        -(-len(samples) // batch_size),
        samples.fingerprint(batch_size, order),
    )
