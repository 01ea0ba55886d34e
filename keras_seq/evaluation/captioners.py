"""Captioners without a network: one caption for all, and those of like pictures.

All are fitted on the train part and answer features with a caption. They know arrays
and texts: nothing of networks or files.

Shapes: N pictures, M captions, F features, G n-grams.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from keras_seq.evaluation.cider import LONGEST, ngrams_of
from keras_seq.evaluation.fitted import packed, unpacked

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NEIGHBOURS = (3, 5, 10, 20, 40, 80)  # of which one is chosen on train
AGREEING = 0.28  # share of the others' captions that have to agree: 125 of 450


class _FromTrain:
    """What every such captioner keeps: features and captions of train."""

    name = ""
    note = ""

    def fit(
        self, features: np.ndarray, captions: Sequence[Sequence[str]]
    ) -> "_FromTrain":
        """Keeps the train part.

        Args:
            features: float (N, F), a vector a picture.
            captions: of each picture, one or more.
        """
        self._features = _unit(features)
        self._sizes = np.array([len(texts) for texts in captions])
        self._captions = [text for texts in captions for text in texts]
        self._ends = np.cumsum(self._sizes)
        self._grams = _tfidf(captions)
        return self

    def describe(self, features: np.ndarray) -> list[str]:
        """A caption for each picture: float (N, F) to N texts."""
        raise NotImplementedError

    def _of(self, pictures: Iterable[int]) -> np.ndarray:
        """Numbers of the captions of some pictures."""
        rows = [
            np.arange(self._ends[p] - self._sizes[p], self._ends[p]) for p in pictures
        ]
        return np.concatenate(rows)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that `describe` needs, as arrays of plain types."""
        return {
            "features": self._features.astype(np.float32),
            "sizes": self._sizes,
            "captions": packed(" ".join(text.split()) for text in self._captions),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "_FromTrain":
        """What `to_arrays` gave."""
        every = iter(unpacked(arrays["captions"]))
        captions = [list(islice(every, size)) for size in arrays["sizes"].tolist()]
        return cls().fit(arrays["features"], captions)


class ConstantCaption(_FromTrain):
    """The caption of train that is most like all others, for every picture.

    Example:

    >>> texts = [["a dog runs"], ["the dog runs"], ["a dog runs fast"]]
    >>> ConstantCaption().fit(np.eye(3), texts).describe(np.eye(3)[:2])
    ['a dog runs', 'a dog runs']
    """

    name = "constant"

    def describe(self, features: np.ndarray) -> list[str]:
        sums = np.asarray(self._grams.sum(axis=0)).ravel()
        itself = np.asarray(self._grams.multiply(self._grams).sum(axis=1)).ravel()
        likeness = self._grams @ sums - itself
        return [self._captions[int(likeness.argmax())]] * len(features)


class NearestNeighbour(_FromTrain):
    """The first caption of the train picture whose features are most alike.

    Example:

    >>> nearest = NearestNeighbour().fit(np.eye(2), [["a dog"], ["a cat", "cats"]])
    >>> nearest.describe(np.array([[0.2, 0.9]]))
    ['a cat']
    """

    name = "nearest_neighbour"

    def describe(self, features: np.ndarray) -> list[str]:
        nearest = (_unit(features) @ self._features.T).argmax(axis=1)
        return [self._captions[self._of([p])[0]] for p in nearest]


class ConsensusNeighbours(_FromTrain):
    """Of the captions of like pictures, the one that most of the others agree with.

    Devlin et al. 2015, "Exploring Nearest Neighbor Approaches for Image Captioning",
    arXiv:1505.04467, with CIDEr as what two captions have in common. How many
    neighbours are asked is chosen on train, each picture left out in its turn.

    Example:

    >>> texts = [["a dog runs"], ["a dog runs home"], ["grass"], ["two red cars"]]
    >>> features = np.array([[1, 0.1], [1, 0.2], [1, 0.3], [0, 1]])
    >>> consensus = ConsensusNeighbours().fit(features, texts)
    >>> consensus.describe(np.array([[1.0, 0.0]]))
    ['a dog runs']
    """

    name = "consensus_neighbours"

    def fit(
        self, features: np.ndarray, captions: Sequence[Sequence[str]]
    ) -> "ConsensusNeighbours":
        super().fit(features, captions)
        asked = np.linspace(0, len(captions) - 1, min(len(captions), 1000)).astype(int)
        alike = self._features[asked] @ self._features.T
        alike[np.arange(len(asked)), asked] = -np.inf  # itself
        counts = [k for k in NEIGHBOURS if k < len(captions)] or [1]
        agreed = {k: self._agreement(asked, alike, k) for k in counts}
        self.neighbours = max(agreed, key=agreed.__getitem__)
        self.note = f"{self.neighbours} neighbours"
        return self

    def _agreement(self, asked: np.ndarray, alike: np.ndarray, count: int) -> float:
        """How like their own captions those of the neighbours are, on the whole."""
        chosen = self._chosen(alike, count)
        own = [
            float((self._grams[self._of([p])] @ self._grams[c].T).mean())
            for p, c in zip(asked, chosen)
        ]
        return float(np.mean(own))

    def describe(self, features: np.ndarray) -> list[str]:
        alike = _unit(features) @ self._features.T
        return [self._captions[n] for n in self._chosen(alike, self.neighbours)]

    def _chosen(self, alike: np.ndarray, count: int) -> list[int]:
        """The number of a caption for each row of likenesses (N, train)."""
        count, found = min(count, alike.shape[1]), []
        for row in alike:
            candidates = self._of(np.argsort(-row, kind="stable")[:count])
            grams = self._grams[candidates]
            common = (grams @ grams.T).toarray()
            np.fill_diagonal(common, -1.0)  # nobody's caption agrees with itself
            most = max(1, round(AGREEING * len(candidates)))
            best = np.sort(common, axis=1)[:, -most:].mean(axis=1)
            found.append(int(candidates[int(best.argmax())]))
        return found


def _unit(features: np.ndarray) -> np.ndarray:
    """Rows of length 1, so that their products are cosines."""
    features = np.asarray(features, np.float64)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def _tfidf(captions: Sequence[Sequence[str]]) -> "csr_matrix":
    """float (M, G): products of two rows are CIDEr of two captions, 0 to 1."""
    from scipy.sparse import csr_matrix

    ids: dict[tuple[str, ...], int] = {}
    pictures: list[int] = []  # that an n-gram is said of
    rows, columns, counts = [], [], []
    number = 0
    for texts in captions:
        said: set[int] = set()
        for text in texts:
            for part in ngrams_of(text):
                for gram, count in part.items():
                    key = ids.setdefault(gram, len(ids))
                    if key == len(pictures):
                        pictures.append(0)
                    said.add(key)
                    rows.append(number)
                    columns.append(key)
                    counts.append(float(count))
            number += 1
        for key in said:
            pictures[key] += 1
    sizes = np.array([len(gram) for gram in ids], int)
    weights = np.log(len(captions) / np.maximum(pictures, 1)) + 1e-9
    own, its = np.array(rows, int), np.array(columns, int)
    values = np.array(counts) * weights[its] if len(its) else np.zeros(0)
    # Each length of n-grams has its own norm, and an equal share.
    place = own * (LONGEST + 1) + sizes[its] if len(its) else own
    squares = np.bincount(place, values**2, number * (LONGEST + 1) + LONGEST + 1)
    values /= np.sqrt(np.maximum(squares[place] * LONGEST, 1e-12))
    return csr_matrix((values, (own, its)), (number, max(1, len(ids))))
