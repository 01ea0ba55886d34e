"""N-gram language models: what counting reaches, beside a network's perplexity.

Kneser-Ney in the interpolated, modified form of Chen and Goodman 1998, "An empirical
study of smoothing techniques for language modeling", section 3: three discounts an
order, estimated from counts of counts. Arrays alone; nothing here knows of text.

    p_k(w | h) = (c(h w) - D(c(h w))) / c(h .) + g(h) p_{k-1}(w | h without its first)

where c counts occurrences for the longest order, and for the others different tokens
before; g(h) hands on what the discounts took; p_0 is 1 over the vocabulary.

An n-gram is known by a 64-bit hash of its tokens: among ten million, two share one with
a chance of 3 in a million.

Shapes: N tokens, V vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from keras_seq.constants import PAD_ID

_ODD = np.uint64(0x9E3779B97F4A7C15)


class _Order(NamedTuple):
    """Counts of one order, keys sorted.

    Attributes:
        grams: uint64 (G,), hashes of the n-grams.
        counts: int64 (G,), their counts.
        contexts: uint64 (C,), hashes of what stands before the last token.
        totals: int64 (C,), sums of counts.
        backoff: float64 (C,), probability handed on to the shorter order.
        discounts: float64 (4,), taken from counts of 0, 1, 2, and 3 or more.
    """

    grams: np.ndarray
    counts: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    backoff: np.ndarray
    discounts: np.ndarray


class KneserNey:
    """Interpolated modified Kneser-Ney over token ids.

    Args:
        order: length of the longest n-grams; 1 leaves their frequencies alone.
        vocab_size: V, number of ids; id 0 is none of the tokens.

    Attributes:
        note: what of the train part was not counted, or "".

    Example:

    >>> model = KneserNey(order=2, vocab_size=5).fit([2, 3, 2, 3, 2, 4])
    >>> followers = ([2, word] for word in (1, 2, 3, 4))
    >>> probabilities = np.exp([model.log_probabilities(t)[1] for t in followers])
    >>> bool(probabilities[2] > probabilities[3] > probabilities[1])
    True
    >>> round(float(probabilities.sum()), 9)
    1.0
    """

    def __init__(self, order: int, vocab_size: int) -> None:
        if order < 1 or vocab_size < 2:
            raise ValueError(
                f"order is {order}, vocab_size {vocab_size}; expected 1 and 2 or more"
            )
        self.order, self.vocab_size = order, vocab_size
        self._orders: list[_Order] = []
        self.note = ""

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"kneser_ney_{self.order}" if self.order > 1 else "unigram"

    def fit(
        self,
        token_ids: Sequence[int] | np.ndarray,
        discounts: Sequence[float] | None = None,
    ) -> "KneserNey":
        """Counts a text.

        Args:
            token_ids: int (N,), the train part alone.
            discounts: what to take from counts of 1, 2, and 3 or more at every order;
                None estimates them, and takes a half where counts are too few for it.

        Returns:
            Itself.
        """
        hashes = ngram_hashes(np.asarray(token_ids), self.order)
        self._orders = []
        longer = None
        for size in range(self.order, 0, -1):
            # Longest: every occurrence. Shorter: one for each different longer n-gram.
            places = np.arange(len(hashes[0])) if longer is None else longer
            grams, first, counts = np.unique(
                hashes[size][places], return_index=True, return_counts=True
            )
            longer = places[first]
            # What stands before the last token, hashed.
            before = (hashes[size] - hashes[1])[longer]
            contexts, place = np.unique(before, return_inverse=True)
            totals = np.bincount(place, counts, len(contexts)).astype(np.int64)
            taken = np.array([0.0, *(discounts or _discounts(counts))])
            lost = np.bincount(place, taken[np.minimum(counts, 3)], len(contexts))
            order = _Order(grams, counts, contexts, totals, lost / totals, taken)
            self._orders.insert(0, order)
        return self

    def log_probabilities(self, token_ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """How likely each token of a text is after those before it.

        Args:
            token_ids: int (N,).

        Returns:
            float64 (N,), natural logarithms.
        """
        hashes = ngram_hashes(np.asarray(token_ids), self.order)
        likely = np.full(len(hashes[0]), 1 / (self.vocab_size - 1))
        for size, order in enumerate(self._orders, 1):
            counts = _find(order.grams, order.counts, hashes[size], 0)
            before = hashes[size] - hashes[1]
            totals = _find(order.contexts, order.totals, before, 0)
            backoff = _find(order.contexts, order.backoff, before, 1.0)
            taken = counts - order.discounts[np.minimum(counts, 3)]
            likely = taken / np.maximum(totals, 1) + backoff * likely
        return np.log(likely)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that was counted, as arrays."""
        arrays = {
            "sizes": np.array([self.order, self.vocab_size]),
            "note": np.frombuffer(self.note.encode(), np.uint8),
        }
        for number, order in enumerate(self._orders):
            for name, values in order._asdict().items():
                if values.dtype == np.int64 and values.max(initial=0) < 2**31:
                    values = values.astype(np.int32)
                arrays[f"{number}_{name}"] = values
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "KneserNey":
        """What `to_arrays` gave."""
        model = cls(*(int(size) for size in arrays["sizes"]))
        model.note = bytes(arrays["note"]).decode() if "note" in arrays else ""
        model._orders = [
            _Order(*(arrays[f"{number}_{name}"] for name in _Order._fields))
            for number in range(model.order)
        ]
        return model


def ngram_hashes(token_ids: np.ndarray, longest: int) -> list[np.ndarray]:
    """For each size up to `longest`, the hash of the n-gram that ends at each token.

    Before the text stand starts, id 0, so every token has a history.

    Args:
        token_ids: int (N,).
        longest: n.

    Returns:
        n + 1 arrays uint64 (N,), those of size 0 first.
    """
    each = token_ids.astype(np.uint64) + np.uint64(1)
    with np.errstate(over="ignore"):
        # splitmix64 (Steele et al. 2014): near ids get far hashes.
        each = each * _ODD
        each = (each ^ (each >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        each = (each ^ (each >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        each ^= each >> np.uint64(31)
        start = np.uint64(PAD_ID + 1) * _ODD
        hashes: list[np.ndarray] = [np.zeros(len(each), np.uint64)]
        for size in range(1, longest + 1):
            shifted = np.concatenate([np.full(size - 1, start), each])[: len(each)]
            hashes.append(hashes[-1] + shifted * _ODD ** np.uint64(size))
    return hashes


def _discounts(counts: np.ndarray) -> list[float]:
    """Chen and Goodman's estimate for counts of 1, 2, and 3 or more."""
    seen = [np.count_nonzero(counts == count) for count in range(5)]
    if not all(seen[1:]):
        return [0.5, 0.5, 0.5]
    share = seen[1] / (seen[1] + 2 * seen[2])
    found = [n - (n + 1) * share * seen[n + 1] / seen[n] for n in (1, 2, 3)]
    return [min(max(0.05, value), n - 0.05) for n, value in enumerate(found, 1)]


def _find(
    keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, default: float
) -> np.ndarray:
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], default)
