"""CIDEr-D: how much a caption says what several people say of a picture.

Vedantam et al. 2015, "CIDEr: Consensus-based Image Description Evaluation",
arXiv:1411.5726. Knows texts alone.

Shapes: N pictures.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

LONGEST = 4  # words of an n-gram
SIGMA = 6.0  # of the penalty for a length that nobody wrote
# A character of a script without spaces, or letters and digits, a word's apostrophe
# included; signs are none.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+(?:['’][^\W_]+)*")
Grams = list[Counter[tuple[str, ...]]]  # counts by length


def words_of(text: str) -> list[str]:
    """Words of a caption, in lower case, without punctuation.

    Example:

    >>> words_of("A dog's ball .")
    ['a', "dog's", 'ball']
    """
    return WORD.findall(text.lower())


def ngrams_of(text: str) -> Grams:
    """Counts of the n-grams of a caption, those of one word first.

    Example:

    >>> ngrams_of("a a dog")[1]
    Counter({('a', 'a'): 1, ('a', 'dog'): 1})
    """
    words = words_of(text)
    return [
        Counter(zip(*(words[start:] for start in range(size))))
        for size in range(1, LONGEST + 1)
    ]


class CiderD:
    """Scores captions against the references of their pictures.

    An n-gram weighs more the fewer pictures it is said of; a caption gains nothing by
    saying one twice, and loses by another length.

    Args:
        references: of N pictures one or more each.

    Example:

    >>> cider = CiderD([["a dog runs"], ["a cat sleeps", "one cat"], ["a red car"]])
    >>> cider.scores(["a dog runs", "a dog runs", ""]).round(3).tolist()
    [7.5, 0.0, 0.0]
    """

    def __init__(self, references: Sequence[Sequence[str]]) -> None:
        grams = [[ngrams_of(text) for text in texts] for texts in references]
        pictures: Counter[tuple[str, ...]] = Counter()
        for texts in grams:
            pictures.update({gram for each in texts for part in each for gram in part})
        self._pictures, self._total = pictures, math.log(max(1, len(grams)))
        self._references = [[self._weighed(each) for each in texts] for texts in grams]

    def scores(self, hypotheses: Sequence[str]) -> np.ndarray:
        """float64 (N,), 0 to 10, of a caption for each picture."""
        pairs = zip(hypotheses, self._references, strict=True)
        return np.array([self._score(text, known) for text, known in pairs], float)

    def _score(self, text: str, references: Sequence["_Weighed"]) -> float:
        own = self._weighed(ngrams_of(text))
        return 10 * sum(own.similarity(other) for other in references) / len(references)

    def _weighed(self, grams: Grams) -> "_Weighed":
        weights = [
            {
                gram: count * (self._total - math.log(max(1, self._pictures[gram])))
                for gram, count in part.items()
            }
            for part in grams
        ]
        return _Weighed(weights, sum(grams[1].values()))


class _Weighed:
    """TF-IDF weights of a caption's n-grams, and its length in pairs of words."""

    def __init__(
        self, weights: list[dict[tuple[str, ...], float]], length: int
    ) -> None:
        self.weights, self.length = weights, length
        self.norms = [math.sqrt(sum(w * w for w in part.values())) for part in weights]

    def similarity(self, other: "_Weighed") -> float:
        """The mean over lengths of clipped cosines, less for other lengths."""
        penalty = math.exp(-((self.length - other.length) ** 2) / (2 * SIGMA**2))
        cosines = 0.0
        for own, its, norm, its_norm in zip(
            self.weights, other.weights, self.norms, other.norms
        ):
            if norm and its_norm:
                common = sum(
                    min(weight, its[gram]) * its[gram]
                    for gram, weight in own.items()
                    if gram in its
                )
                cosines += common / (norm * its_norm)
        return penalty * cosines / LONGEST
