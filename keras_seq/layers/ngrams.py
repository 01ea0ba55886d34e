"""N-grams of token ids as hashed ids, and how much each tells of the classes.

Evidence beside a recurrent layer: which short runs of words stand in a text. Works on
token ids alone, under any Keras backend; it knows nothing of words or models.

Wang and Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic
Classification": log-count ratios of n-grams, here with hashed n-grams.

Shapes: B batch, T time steps, C classes.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from keras import KerasTensor, ops

from keras_seq.constants import PAD_ID

# One odd multiplier a token of a run; a token id below ID_LIMIT times one of them, or a
# sum of remainders, stays below 2**31: the same ids in int32 on every backend.
MULTIPLIERS = ((40503, 62683), (51787, 34693, 58997))
ID_LIMIT = 2**15
TOGETHER = 1 << 17  # token ids that are worked on in one go
Ratios = Sequence[Sequence[float]] | np.ndarray  # float (buckets, C)
MIN_TEXTS = 3  # an n-gram of one or two texts names these, not their class


def ngram_buckets(num_tokens: int) -> int:
    """How many buckets suit a train part: few enough to be quick, many to be apart.

    Runs that share a bucket blur each other; with as many buckets as runs few do. More
    than 2**22 cost more memory than they gain.

    Args:
        num_tokens: tokens of the train part.

    Returns:
        A power of two, from 2**16 to 2**22.

    Example:

    >>> ngram_buckets(100_000) == 2**19, ngram_buckets(10**9) == 2**22
    (True, True)
    """
    runs = num_tokens * (1 + len(MULTIPLIERS))
    return min(2**22, max(2**16, 1 << (runs - 1).bit_length()))


def ngram_ids(token_ids: KerasTensor, num_buckets: int) -> KerasTensor:
    """Hashed ids of the distinct runs of one, two and three tokens.

    A single token keeps its id; longer runs are hashed among the buckets, so two may
    share one. Ids stand in rising order. A run that stands in the text before, or that
    would reach past its end, has id 0: which runs a text holds tells more of its class
    than how often.

    Args:
        token_ids: int32 (B, T), ids below `num_buckets`, 0 after the end of a text.
        num_buckets: number of ids, at most 2**22.

    Returns:
        int32 (B, 3 T).

    Example:

    >>> ids = ops.convert_to_numpy(ngram_ids(np.array([[7, 7, 0]], "int32"), 1000))
    >>> ids.tolist()
    [[0, 0, 0, 0, 0, 0, 7, 0, 26]]
    """
    token_ids = ops.cast(token_ids, "int32")
    shifted = [token_ids]
    for _ in MULTIPLIERS:
        following = ops.pad(shifted[-1][:, 1:], ((0, 0), (0, 1)))
        shifted.append(following)
    runs = [token_ids]
    for multipliers in MULTIPLIERS:
        hashed = sum(
            ops.mod(ops.mod(ids, ID_LIMIT) * multiplier, num_buckets - 1)
            for ids, multiplier in zip(shifted, multipliers)
        )
        hashed = ops.mod(hashed, num_buckets - 1) + 1
        last = shifted[len(multipliers) - 1]
        runs.append(ops.where(ops.equal(last, PAD_ID), PAD_ID, hashed))
    ids = ops.sort(ops.concatenate(runs, axis=1), axis=1)
    before = ops.pad(ids[:, :-1], ((0, 0), (1, 0)))
    return ops.where(ops.equal(ids, before), PAD_ID, ids)


def ngram_log_ratios(
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    num_classes: int,
    num_buckets: int,
) -> np.ndarray:
    """How much more often each n-gram stands in texts of a class than in the others.

    Equation 1 of Wang and Manning 2012, one class against the rest, on the share of
    texts that hold the n-gram, smoothed by one.

    Args:
        batches: (token_ids int32 (B, T), labels int32 (B,)), of the train part alone.
        num_classes: C.
        num_buckets: as `ngram_ids` has it.

    Returns:
        float32 (num_buckets, 1) for two classes, that of the second; else
        (num_buckets, C). 0 where fewer than `MIN_TEXTS` texts hold the n-gram.

    Example:

    >>> texts = np.array([[7, 8], [7, 9], [5, 9], [5, 8]] * 2, "int32")
    >>> ratios = ngram_log_ratios([(texts, np.array([1, 1, 0, 0] * 2))], 2, 1000)
    >>> ratios[[5, 7, 8], 0].astype(float).round(2).tolist()
    [-1.61, 1.61, 0.0]
    """
    counts = np.zeros((num_classes, num_buckets), np.int32)
    for labels, texts, ids in _found(batches, num_buckets):
        where = labels[texts].astype(np.int64) * num_buckets + ids
        np.add.at(counts.reshape(-1), where, 1)
    first = 1 if num_classes == 2 else 0
    return _log_ratios(counts[first:], counts.sum(axis=0))


def ngram_label_ratios(
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    num_labels: int,
    num_buckets: int,
) -> np.ndarray:
    """`ngram_log_ratios` of several labels a text: texts that have one against others.

    Args:
        batches: (token_ids int32 (B, T), labels (B, C) of 0 and 1), of the train part
            alone.
        num_labels: C.
        num_buckets: as `ngram_ids` has it.

    Returns:
        float32 (num_buckets, C); 0 where fewer than `MIN_TEXTS` texts hold the n-gram.

    Example:

    >>> texts = np.array([[7, 8], [7, 9], [5, 9], [5, 8]] * 2, "int32")
    >>> labels = np.array([[1, 1], [1, 0], [0, 0], [0, 1]] * 2)
    >>> ratios = ngram_label_ratios([(texts, labels)], 2, 1000)
    >>> ratios[[5, 7, 8]].astype(float).round(2).tolist()
    [[-1.61, 0.0], [1.61, 0.0], [0.0, 1.61]]
    """
    counts = np.zeros((num_labels, num_buckets), np.int32)
    seen = np.zeros(num_buckets, np.int32)
    for labels, texts, ids in _found(batches, num_buckets):
        np.add.at(seen, ids, 1)
        for label in range(num_labels):
            np.add.at(counts[label], ids[labels[texts, label] > 0], 1)
    return _log_ratios(counts, seen)


def _log_ratios(counts: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Of texts with each n-gram by class (C, buckets), and in all (buckets,)."""
    num_buckets, total = len(seen), seen.sum()
    holding = counts.sum(axis=1, keepdims=True)
    ratios = np.empty((num_buckets, len(counts)), np.float32)
    # Some at a time: all of them in float64 would fill the memory.
    for start in range(0, num_buckets, TOGETHER):
        some = slice(start, start + TOGETHER)
        own, others = counts[:, some], seen[some] - counts[:, some]
        found = np.log((own + 1) / (holding + num_buckets))
        found -= np.log((others + 1) / (total - holding + num_buckets))
        found[:, seen[some] < MIN_TEXTS] = 0
        ratios[some] = found.T
    return ratios


def ngram_means(
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    mean: float,
    scale: float,
    num_buckets: int,
) -> np.ndarray:
    """How far from the mean the numbers of texts are that hold an n-gram.

    What log-count ratios are for classes, for a number a text: the mean of its
    standardised values, drawn to 0 as if `MIN_TEXTS` texts more had the mean.

    Args:
        batches: (token_ids int32 (B, T), numbers (B,)), of the train part alone.
        mean: of the train part's numbers.
        scale: their standard deviation.
        num_buckets: as `ngram_ids` has it.

    Returns:
        float32 (num_buckets, 1); 0 where fewer than `MIN_TEXTS` texts hold the n-gram.

    Example:

    >>> texts = np.array([[7, 8], [7, 9], [5, 9]] * 3, "int32")
    >>> means = ngram_means([(texts, np.array([4.0, 4.0, 1.0] * 3))], 3.0, 1.5, 1000)
    >>> means[[5, 7, 8], 0].astype(float).round(2).tolist()
    [-0.67, 0.44, 0.33]
    """
    seen, sums = np.zeros(num_buckets, np.int32), np.zeros(num_buckets)
    for numbers, texts, ids in _found(batches, num_buckets):
        np.add.at(seen, ids, 1)
        np.add.at(sums, ids, (numbers[texts] - mean) / scale)
    found = np.where(seen < MIN_TEXTS, 0, sums / (seen + MIN_TEXTS))
    return found[:, np.newaxis].astype(np.float32)


def _found(
    batches: Iterable[tuple[np.ndarray, np.ndarray]], num_buckets: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Targets of some texts, and of their n-grams the text's number and the id."""
    for token_ids, targets in _merged(batches):
        ids = ops.convert_to_numpy(ngram_ids(token_ids, num_buckets))
        texts, columns = np.nonzero(ids)
        yield targets, texts, ids[texts, columns]


def _merged(
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches put together: a call costs more than a few short texts do."""
    waiting, longest = [], 0
    for token_ids, labels in batches:
        waiting.append((np.asarray(token_ids), np.asarray(labels)))
        longest = max(longest, waiting[-1][0].shape[1])
        if longest * sum(len(y) for _, y in waiting) >= TOGETHER:
            yield _joined(waiting, longest)
            waiting, longest = [], 0
    if waiting:
        yield _joined(waiting, longest)


def _joined(
    batches: list[tuple[np.ndarray, np.ndarray]], longest: int
) -> tuple[np.ndarray, np.ndarray]:
    padded = [
        np.pad(ids, ((0, 0), (0, longest - ids.shape[1])), constant_values=PAD_ID)
        for ids, _ in batches
    ]
    return np.concatenate(padded), np.concatenate([labels for _, labels in batches])
