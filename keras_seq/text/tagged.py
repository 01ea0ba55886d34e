"""Tagged sentences to tf.data: each distinct word is encoded once, then looked up.

Shapes: B batch, T words, L characters, K features, M distinct words.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from keras_seq.constants import OOV_ID, OOV_TOKEN
from keras_seq.data.batches import EpochDataset, plan_batches
from keras_seq.data.copies import counted
from keras_seq.log import log
from keras_seq.ranges import check_settings
from keras_seq.text.batches import digest_of
from keras_seq.text.sentences import Sentence, check_tags, name_of_file
from keras_seq.text.words import (
    BUCKETS,
    NUM_CHARACTERS,
    NUM_FEATURES,
    affix_ids,
    character_ids,
    normal_form,
)

NO_TAG = -1  # at padding
PIECE = 250  # words; memory of a batch grows with its longest sentence
_CHUNK = 100_000  # words


class WordEncoder(tf.Module):
    """Words as `build_tagging_model` reads them, in graph ops.

    Args:
        words: the vocabulary, as `normal_form` writes them; ids count from 2.
        word_length: L characters that are read of a word; None reads none.
        with_features: hashed affixes and shape, too.

    Attributes:
        words: the vocabulary, a tuple.

    Example:

    >>> encoder = WordEncoder.fit([["The", "cat"], ["the", "dog"]], word_length=3)
    >>> ids, characters, features = encoder.encode(tf.constant(["THE", "ox"]))
    >>> ids.numpy().tolist(), characters.shape, features.shape, encoder.vocab_size
    ([2, 1], TensorShape([2, 3]), TensorShape([2, 8]), 3)
    """

    def __init__(
        self,
        words: Sequence[str],
        word_length: int | None = None,
        with_features: bool = True,
    ) -> None:
        super().__init__(name="word_encoder")
        self.words = tuple(words)
        self.word_length, self.with_features = word_length, with_features
        # A table may not be empty; no normal form has capitals.
        ids = tf.range(OOV_ID, OOV_ID + 1 + len(words), dtype=tf.int32)
        keys = tf.constant([OOV_TOKEN, *words], tf.string)
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(keys, ids), OOV_ID
        )

    @classmethod
    def fit(
        cls,
        sentences: Iterable[Sequence[str]],
        word_length: int | None = None,
        with_features: bool = True,
        min_count: int = 2,
    ) -> "WordEncoder":
        """Keeps the words that occur `min_count` times or more; rare ones are unknown.

        Args:
            sentences: words of the train part's sentences.
            word_length, with_features: as the class has them.
            min_count: a model must meet unknown words in training, too.
        """
        written = Counter(word for words in sentences for word in words)
        counts: Counter[str] = Counter()
        for spellings in _chunks(list(written)):
            forms = normal_form(tf.constant(spellings, tf.string)).numpy().tolist()
            for form, spelling in zip(forms, spellings):
                counts[form.decode()] += written[spelling]
        words = [word for word, n in counts.most_common() if n >= min_count]
        return cls(words, word_length, with_features)

    @property
    def vocab_size(self) -> int:
        """V, with padding and the unknown word."""
        return OOV_ID + 1 + len(self.words)

    @property
    def sizes(self) -> dict[str, int]:
        """What `build_tagging_model` is to expect of characters and features."""
        sizes: dict[str, int] = {}
        if self.word_length:
            sizes["word_length"] = self.word_length
            sizes["num_characters"] = NUM_CHARACTERS
        if self.with_features:
            sizes["num_features"] = NUM_FEATURES
            sizes["feature_ids"] = NUM_FEATURES * BUCKETS
        return sizes

    def encode(self, words: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """What a model reads of words.

        Args:
            words: string (N,).

        Returns:
            int32 (N,) ids; (N, L) characters and (N, K) features, where asked for.
        """
        arrays = [self.table.lookup(normal_form(words))]
        if self.word_length:
            arrays.append(character_ids(words, self.word_length))
        if self.with_features:
            arrays.append(affix_ids(words))
        return tuple(arrays)

    def to_json(self) -> str:
        """All that the encoder is, as JSON text."""
        facts = {"word_length": self.word_length, "with_features": self.with_features}
        return json.dumps(facts | {"words": self.words}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "WordEncoder":
        """The encoder that `to_json` wrote."""
        return cls(**json.loads(text))


class EncodedSentences:
    """Sentences as numbers of their distinct words, and each of those encoded once.

    Raises:
        UserError: A tag is not among `tag_names`; the line says where.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        encoder: WordEncoder,
        tag_names: Sequence[str],
    ) -> None:
        check_tags(sentences, tag_names)
        number_of_tag = {name: number for number, name in enumerate(tag_names)}
        number_of: dict[str, int] = {}
        self.rows: list[tuple[np.ndarray, np.ndarray]] = []
        for sentence in sentences:
            numbers = [number_of.setdefault(w, len(number_of)) for w in sentence.words]
            tags = np.array([number_of_tag[tag] for tag in sentence.tags], np.int32)
            words = 1 + np.array(numbers, np.int32)
            self.rows += [
                (words[at : at + PIECE], tags[at : at + PIECE])
                for at in range(0, len(words), PIECE)
            ]
        parts = [
            [array.numpy() for array in encoder.encode(tf.constant(some, tf.string))]
            for some in _chunks(list(number_of))
        ]
        self.encoded = [
            np.concatenate([np.zeros_like(arrays[0][:1]), *arrays])  # 0 is padding
            for arrays in zip(*parts)
        ]
        self.lengths = np.array([len(words) for words, _ in self.rows], np.int32)
        _log_pieces(sentences)

    def batch(self, numbers: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """What the model reads of some sentences, and their tags int32 (B, T)."""
        shape = len(numbers), int(self.lengths[numbers].max())
        words, tags = np.zeros(shape, np.int32), np.full(shape, NO_TAG, np.int32)
        for row, number in enumerate(numbers):
            own_words, own_tags = self.rows[number]
            words[row, : len(own_words)] = own_words
            tags[row, : len(own_tags)] = own_tags
        return tuple(array[words] for array in self.encoded), tags

    def fingerprint(self, *order: object) -> str:
        """SHA-256 of all that is read, and of what decides on its order."""
        rows = (part for row in self.rows for part in row)
        return digest_of(order, *self.encoded, *rows)


def make_tagged_dataset(
    sentences: Sequence[Sentence] | EncodedSentences,
    encoder: WordEncoder,
    tag_names: Sequence[str],
    *,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int = 0,
) -> EpochDataset:
    """Batches of (what the model reads, tags), of sentences of like length.

    A sentence of more than 250 words is read in pieces, and one line says how many are.

    Args:
        sentences: read once, here.
        encoder: fitted on the train part.
        tag_names: C names; a tag's number is its position.
        batch_size: B.
        shuffle: a new order each epoch, fixed by `seed`; else by length.
        seed: of the shuffling.

    Returns:
        Dataset of int32 (B, T), with (B, T, L) and (B, T, K) where the encoder makes
        them; and int32 (B, T), -1 at padding.

    Raises:
        UserError: A tag is not among `tag_names`, or there is no sentence.
    """
    check_settings(batch_size=batch_size)
    if not isinstance(sentences, EncodedSentences):
        sentences = EncodedSentences(sentences, encoder, tag_names)
    order = seed if shuffle else None
    specs = [
        tf.TensorSpec([None, None, *array.shape[1:]], tf.int32)
        for array in sentences.encoded
    ]
    alone = len(specs) == 1

    def batches(epoch: int, first: int) -> Iterator[tuple]:
        plan = plan_batches(sentences.lengths, batch_size, seed=order, epoch=epoch)
        for numbers in plan[first:]:
            read, tags = sentences.batch(numbers)
            yield read[0] if alone else read, tags

    return EpochDataset(
        batches,
        (specs[0] if alone else tuple(specs), tf.TensorSpec([None, None], tf.int32)),
        -(-len(sentences.rows) // batch_size),
        sentences.fingerprint(batch_size, order),
    )


def _log_pieces(sentences: Sequence[Sentence]) -> None:
    long = [each for each in sentences if len(each.words) > PIECE]
    if long:
        log.info(
            f"{name_of_file(long)}: {counted(len(long), len(sentences), 'sentences')} "
            f"have more than {PIECE} words and are trained on in pieces of so many, "
            f"the first at {long[0].place()}; scores and answers read them whole"
        )


def _chunks(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """At least one, so that empty arrays have their shapes."""
    for start in range(0, max(1, len(words)), _CHUNK):
        yield words[start : start + _CHUNK]
