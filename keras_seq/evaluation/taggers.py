"""Cheap taggers that a network must beat: a table with back-off, and a perceptron.

They see words and tags of the train part, and nothing of networks.

Shapes: T words, C tags, F features of a word.
"""

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from keras_seq.evaluation.fitted import SURROGATES, packed, unpacked

Tagged = Iterable[tuple[Sequence[str], Sequence[str]]]

BITS = 18  # of hashed features
MOST_UPDATES = 1_500_000  # words in all epochs of the perceptron together
EPOCHS = 6


@lru_cache(100_000)
def shape_of(word: str) -> str:
    """Runs of letters as X, x or Xx, of digits as 0.

    Example:

    >>> shape_of("McX-12"), shape_of("ABC"), shape_of("abc")
    ('Xx-0', 'X', 'x')
    """
    shape = re.sub(r"\d+", "0", word)
    return re.sub(r"[^\W\d_]+", lambda run: _case(run[0]), shape)


def _case(letters: str) -> str:
    if letters.islower():
        return "x"
    return "X" if letters.isupper() and len(letters) > 1 else "Xx"


class BackoffTagger:
    """The most frequent tag of a word, else of its shape with its longest known suffix.

    Example:

    >>> tagger = BackoffTagger().fit([(["a", "dog"], ["DET", "NOUN"])])
    >>> tagger.tag(["a", "frog"])
    ['DET', 'NOUN']
    """

    name = "most_frequent"

    def fit(self, sentences: Tagged) -> "BackoffTagger":
        """Counts the tags of words, shapes and suffixes."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for words, tags in sentences:
            for word, tag in zip(words, tags):
                for key in _keys(word):
                    counts[key][tag] += 1
        # Of equal counts the first in the alphabet, in whatever order they came.
        self.table_ = {
            key: min(tags, key=lambda tag: (-tags[tag], tag))
            for key, tags in counts.items()
        }
        return self

    def tag(self, words: Sequence[str]) -> list[str]:
        """A tag for every word."""
        table = self.table_
        return [next(table[key] for key in _keys(w) if key in table) for w in words]

    def has_word(self, word: str) -> bool:
        """Whether the word stood in what it was fitted on."""
        return f"w\t{word}" in self.table_

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that the tagger is."""
        return {"keys": packed(self.table_), "tags": packed(self.table_.values())}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "BackoffTagger":
        """The tagger that `to_arrays` wrote."""
        tagger = cls()
        keys, tags = unpacked(arrays["keys"]), unpacked(arrays["tags"])
        tagger.table_ = dict(zip(keys, tags, strict=True))
        return tagger


def _keys(word: str) -> list[str]:
    """From the word itself to nothing at all."""
    shape, lower = shape_of(word), word.lower()
    suffixes = [
        f"s\t{shape}\t{lower[-size:]}" for size in range(min(4, len(word)), 0, -1)
    ]
    return [f"w\t{word}", f"l\t{lower}", *suffixes, f"s\t{shape}", ""]


class PerceptronTagger:
    """An averaged perceptron, greedy from left to right (Collins 2002).

    Features are the word, its affixes and shape, its neighbours and the two tags
    before; they are hashed, so that the weights are one array.

    Args:
        seed: of the order of the sentences.
        epochs: most passes; fewer over much data.
    """

    name = "perceptron"

    def __init__(self, seed: int = 0, epochs: int = EPOCHS) -> None:
        self.seed, self.epochs = seed, epochs

    def fit(self, sentences: Tagged) -> "PerceptronTagger":
        """Learns from sentences, as often as there is time for."""
        pairs = [(list(words), list(tags)) for words, tags in sentences]
        self.tag_names_ = sorted({tag for _, tags in pairs for tag in tags})
        number_of = {name: number for number, name in enumerate(self.tag_names_)}
        rows = [
            (_features(words), [number_of[tag] for tag in tags])
            for words, tags in pairs
        ]
        shape = 1 << BITS, len(self.tag_names_)
        self.weights_ = np.zeros(shape, np.float32)
        total, step = np.zeros(shape, np.float32), 1
        rng = np.random.default_rng(self.seed)
        size = sum(len(tags) for _, tags in rows)
        for _ in range(max(1, min(self.epochs, MOST_UPDATES // max(1, size)))):
            for number in rng.permutation(len(rows)):
                features, numbers = rows[number]
                step = self._learn(features, numbers, total, step)
        self.weights_ -= total / step
        return self

    def _learn(
        self, features: np.ndarray, tags: list[int], total: np.ndarray, step: int
    ) -> int:
        """One sentence; `total` adds up each change times the step it came at."""
        before = second = len(self.tag_names_)
        for fixed, tag in zip(features, tags):
            ids = _with_tags(fixed, before, second)
            guess = int(self.weights_[ids].sum(axis=0).argmax())
            if guess != tag:
                for changed, amount in ((tag, 1.0), (guess, -1.0)):
                    np.add.at(self.weights_[:, changed], ids, amount)
                    np.add.at(total[:, changed], ids, amount * step)
            before, second = guess, before
            step += 1
        return step

    def tag(self, words: Sequence[str]) -> list[str]:
        """A tag for every word."""
        before = second = len(self.tag_names_)
        found = []
        for fixed in _features(words):
            ids = _with_tags(fixed, before, second)
            before, second = int(self.weights_[ids].sum(axis=0).argmax()), before
            found.append(self.tag_names_[before])
        return found

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that the tagger is."""
        used = np.flatnonzero(self.weights_.any(axis=1))
        return {
            "used": used,
            "weights": self.weights_[used],
            "names": packed(self.tag_names_),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "PerceptronTagger":
        """The tagger that `to_arrays` wrote."""
        tagger = cls()
        tagger.tag_names_ = unpacked(arrays["names"])
        tagger.weights_ = np.zeros((1 << BITS, len(tagger.tag_names_)), np.float32)
        tagger.weights_[arrays["used"]] = arrays["weights"]
        return tagger


@lru_cache(100_000)
def _own(word: str) -> tuple[int, ...]:
    """Hashes of a word, of its suffixes, prefixes and shape."""
    lower = re.sub(r"\d", "0", word.lower())
    suffixes = (lower[-size:] for size in (1, 2, 3, 4))
    parts = [lower, *suffixes, lower[:1], lower[:3], shape_of(word), word]
    return tuple(zlib.crc32(part.encode("utf-8", SURROGATES)) for part in parts)


# What is seen of the words at a distance: which of `_own`'s hashes.
_SEEN = {0: range(9), -1: (0, 3, 7), 1: (0, 3, 7), -2: (0,), 2: (0,)}


def _features(words: Sequence[str]) -> np.ndarray:
    """Hashed features that no tag is part of: int64 (T, F), the first is the word's."""
    edge = _own("")
    own = np.array([edge, edge, *map(_own, words), edge, edge], np.uint64)  # (T + 4, 9)
    columns, slot = [], 1
    for distance, seen in _SEEN.items():
        for part in seen:
            values = own[2 + distance : 2 + distance + len(words), part]
            columns.append(_mixed(values, slot))
            slot += 1
    return np.stack(columns, axis=1).astype(np.int64)


def _mixed(values: np.ndarray, slot: int) -> np.ndarray:
    mixed = (values + np.uint64(slot)) * np.uint64(0x9E3779B97F4A7C15 + 2 * slot)
    return mixed >> np.uint64(64 - BITS)


def _with_tags(fixed: np.ndarray, before: int, second: int) -> np.ndarray:
    """All features of a word, those of the two tags before it among them."""
    mask = (1 << BITS) - 1
    word = int(fixed[0])
    tags = (
        (before + 1) * 40_503,
        (before * 1_009 + second + 1) * 69_069 + 7,
        word * 31 + (before + 1) * 7_919,
    )
    return np.append(fixed, [tag & mask for tag in tags])
