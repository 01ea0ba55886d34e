"""Counts the texts that are longer than a model reads, and logs it once.

Knows what a token is, neither files nor models.
"""

import itertools
from collections.abc import Iterable, Iterator

import tensorflow as tf

from keras_seq.log import log
from keras_seq.text.cleaning import clean_text

CHUNK_TEXTS = 256


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
        while chunk := list(itertools.islice(texts, CHUNK_TEXTS)):
            self._count(chunk)
            yield from chunk

    def _count(self, texts: list[str]) -> None:
        self.num_texts += len(texts)
        if self.max_len is None:
            return
        # A token has a character at least.
        long = [t.encode("utf-8", "replace") for t in texts if len(t) > self.max_len]
        if long:
            words = tf.strings.split(clean_text(tf.constant(long)), sep=" ")
            self.add(words.row_lengths())

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
