"""Translators without a network: the source itself, a memory, words with a model.

All are fitted on the train part and answer a sentence with a sentence. They know plain
texts: nothing of networks or files.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from keras_seq.evaluation.fitted import packed, unpacked
from keras_seq.evaluation.tfidf_terms import tfidf_vectorizer
from keras_seq.text.kneser_ney import KneserNey

MOST_PAIRS = 100_000
TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+|[^\w\s]")
NO_SPACE = re.compile(r" (?=[.,!?;:%)\]])|(?<=[(\[]) ")
START, UNKNOWN, FIRST = 1, 2, 3  # ids; 0 is none of the tokens
PASSES, CANDIDATES, BEAM = 6, 6, 8
LEAST = 1e-6  # probabilities below are not kept
LANGUAGE_WEIGHT, WORD_BONUS = 0.6, 1.0


class CopyBaseline:
    """The source as it is: what names, numbers and like languages give for nothing.

    Example:

    >>> CopyBaseline().fit([], []).translate(["ein Hund"])
    ['ein Hund']
    """

    name = "copy"
    note = ""

    def fit(self, sources: Sequence[str], targets: Sequence[str]) -> "CopyBaseline":
        """Nothing to learn."""
        return self

    def translate(self, sources: Sequence[str]) -> list[str]:
        """N sentences to N translations."""
        return list(sources)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """An array, so that a file remembers that it was there."""
        return {"none": np.zeros(1)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "CopyBaseline":
        """What `to_arrays` gave."""
        return cls()


class TranslationMemory:
    """The target of the train source that is most alike by TF-IDF of word pairs.

    Example:

    >>> memory = TranslationMemory().fit(["ein Hund", "zwei Katzen"], ["a dog", "cats"])
    >>> memory.translate(["ein alter Hund"])
    ['a dog']
    """

    name = "translation_memory"
    note = ""

    def fit(
        self, sources: Sequence[str], targets: Sequence[str]
    ) -> "TranslationMemory":
        """Keeps the train part, or the first hundred thousand pairs of it."""
        if len(sources) > MOST_PAIRS:
            self.note = f"of {len(sources):,} pairs it has the first {MOST_PAIRS:,}"
        self._sources = list(sources[:MOST_PAIRS])
        self._targets = list(targets[:MOST_PAIRS])
        unspaced = len(TOKEN.findall(self._sources[0])) > 3 * len(
            self._sources[0].split()
        )
        self._vectorizer = tfidf_vectorizer(unspaced)
        self._known = self._vectorizer.fit_transform(self._sources).T.tocsr()
        return self

    def translate(self, sources: Sequence[str]) -> list[str]:
        """N sentences to N translations."""
        found = []
        for start in range(0, len(sources), 256):
            alike = self._vectorizer.transform(sources[start : start + 256])
            nearest = (alike @ self._known).toarray().argmax(axis=1)
            found += [self._targets[number] for number in nearest]
        return found

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that `translate` needs, as arrays of plain types."""
        kept = {"sources": self._sources, "targets": self._targets, "note": [self.note]}
        return {
            name: packed(text.replace("\n", " ") for text in texts)
            for name, texts in kept.items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "TranslationMemory":
        """What `to_arrays` gave."""
        memory = cls().fit(unpacked(arrays["sources"]), unpacked(arrays["targets"]))
        (memory.note,) = unpacked(arrays["note"])
        return memory


class WordTranslator:
    """IBM Model 1 (Brown et al. 1993) with a trigram model, decoded from left to right.

    Each word of the source becomes one of its likeliest words, or none; a beam takes
    those whose order the language model likes. Words change, their order does not.

    Example:

    >>> words = WordTranslator().fit(
    ...     ["ein Hund", "ein Haus", "das Haus"] * 3,
    ...     ["a dog", "a house", "the house"] * 3)
    >>> words.translate(["das Haus", "ein Hund"])
    ['the house', 'a dog']
    """

    name = "ibm_model_1"
    note = ""

    def fit(self, sources: Sequence[str], targets: Sequence[str]) -> "WordTranslator":
        """Counts words that stand in pairs, and the targets' trigrams."""
        if len(sources) > MOST_PAIRS:
            self.note = f"fitted on the first {MOST_PAIRS:,} of {len(sources):,} pairs"
        own, other = (
            [TOKEN.findall(text) for text in side[:MOST_PAIRS]]
            for side in (sources, targets)
        )
        self._source_ids, self._words = _ids_of(own), list(_ids_of(other))
        target_ids = {word: number for number, word in enumerate(self._words, FIRST)}
        rows = [
            (
                [self._source_ids[word] for word in source],
                [0, *(target_ids[word] for word in target)],
            )
            for source, target in zip(own, other)
        ]
        self._options = _best_of(*_model_1(rows))
        written = [[START, START, *target[1:]] for _, target in rows]
        stream = np.concatenate([*written, [START]]).astype(np.int64)
        self._language = KneserNey(3, FIRST + len(self._words)).fit(stream)
        return self

    def translate(self, sources: Sequence[str]) -> list[str]:
        """N sentences to N translations."""
        return [self._translate(TOKEN.findall(text)) for text in sources]

    def _translate(self, words: Sequence[str]) -> str:
        # Score, last two ids, words so far.
        beam: list[tuple[float, tuple[int, int], tuple[str, ...]]]
        beam = [(0.0, (START, START), ())]
        for word in words:
            options = self._options.get(self._source_ids.get(word, 0))
            if options is None:  # an unknown word stays
                options = [(UNKNOWN, 0.0)]
            grown = [
                (score + np.log(p) if p else score, last, chosen, number)
                for score, last, chosen in beam
                for number, p in options
            ]
            trigrams = np.array([[*last, number] for _, last, _, number in grown])
            likely = self._language.log_probabilities(trigrams.ravel())[2::3]
            after: dict[tuple, tuple] = {}
            for (score, last, chosen, number), language in zip(grown, likely):
                if number:  # 0 leaves the word out
                    score += LANGUAGE_WEIGHT * language + WORD_BONUS
                    shown = word if number == UNKNOWN else self._words[number - FIRST]
                    chosen, last = (*chosen, shown), (last[1], number)
                if chosen not in after or after[chosen][0] < score:
                    after[chosen] = (score, last, chosen)
            beam = sorted(after.values(), key=lambda path: -path[0])[:BEAM]
        return NO_SPACE.sub("", " ".join(beam[0][2]))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that `translate` needs, as arrays of plain types."""
        rows = [
            (source, number, p)
            for source, options in self._options.items()
            for number, p in options
        ]
        table = np.array(rows or [(0, 0, 0.0)], np.float64)
        language = self._language.to_arrays()
        return {
            "source_words": packed(self._source_ids),
            "target_words": packed(self._words),
            "note": packed([self.note]),
            "table": table,
        } | {f"language_{name}": values for name, values in language.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "WordTranslator":
        """What `to_arrays` gave."""
        translator, start = cls(), "language_"
        words = unpacked(arrays["source_words"])
        translator._source_ids = {word: n for n, word in enumerate(words, FIRST)}
        translator._words = unpacked(arrays["target_words"])
        (translator.note,) = unpacked(arrays["note"])
        options: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for source, number, p in arrays["table"].tolist():
            options[int(source)].append((int(number), p))
        translator._options = dict(options)
        language = [name for name in arrays if name.startswith(start)]
        translator._language = KneserNey.from_arrays(
            {name.removeprefix(start): arrays[name] for name in language}
        )
        return translator


def _ids_of(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    words = dict.fromkeys(word for row in rows for word in row)
    return {word: number for number, word in enumerate(words, FIRST)}


def _model_1(
    rows: Sequence[tuple[list[int], list[int]]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expectation maximisation of p(target word | source word).

    Args:
        rows: ids of sources and targets; the first of a target, 0, stands for nothing.

    Returns:
        Source ids, target ids and probabilities, (M,) each.
    """
    # A source word makes one target word or nothing: each source word has its links.
    sources = np.concatenate([np.repeat(s, len(t)) for s, t in rows]).astype(np.int64)
    targets = np.concatenate([np.tile(t, len(s)) for s, t in rows]).astype(np.int64)
    sizes = np.concatenate([np.full(len(t), len(s)) for s, t in rows])
    # Each target word of a pair is explained by the source words together.
    place = np.concatenate([np.tile(np.arange(len(t)), len(s)) for s, t in rows])
    first = np.cumsum([0, *(len(t) for _, t in rows)])[:-1]
    each = np.repeat(first, [len(s) * len(t) for s, t in rows]) + place
    width = int(targets.max()) + 1
    keys, link = np.unique(sources * width + targets, return_inverse=True)
    own, other = keys // width, keys % width
    table = np.full(len(keys), 1.0)
    for _ in range(PASSES):
        weights = table[link]
        total = np.bincount(each, weights, len(sizes))
        counts = np.bincount(link, weights / total[each], len(keys))
        table = counts / np.bincount(own, counts)[own]
    return own, other, table


def _best_of(
    sources: np.ndarray, targets: np.ndarray, table: np.ndarray
) -> dict[int, list[tuple[int, float]]]:
    """The likeliest few target ids of each source id, and nothing as one of them."""
    order = np.lexsort((-table, sources))
    found: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for source, target, p in zip(
        sources[order].tolist(), targets[order].tolist(), table[order].tolist()
    ):
        if p > LEAST and (len(found[source]) < CANDIDATES or target == 0):
            found[source].append((target, p))
    return dict(found)
