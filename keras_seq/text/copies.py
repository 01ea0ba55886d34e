"""How much of one running text also stands in another.

Two measures, of which the larger counts: windows of letters, which find a text that was
cut or wrapped elsewhere, and lines, which find one whose lines were shuffled. Both are
blind to punctuation, case and white space. Of the text in question a sample of hashes
is kept, a million at most; the other is streamed past it.

Shapes: N letters, M hashes.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from keras_seq.data.copies import (
    Digest,
    copy_key,
    count_copies,
    log_copies,
    percent,
)
from keras_seq.data.store import name_of
from keras_seq.log import log

WINDOW = 64  # letters, a power of two: phrases that everybody uses are shorter
SHORTEST_LINE = 16  # letters: names and headings repeat in every text
KEPT = 1 << 20
EXPORTED = 1 << 16  # hashes that an export has of its train text
NATURAL = 0.03  # share of a text that repeats of itself

# (hashes uint64 (M,), weights float (M,)), some at a time.
Hashed = Iterator[tuple[np.ndarray, np.ndarray]]
Corpus = Iterable[str]


def window_hashes(corpus: Corpus) -> Hashed:
    """Of every window of 64 letters, across blocks and lines."""
    rest = np.zeros(0, np.uint64)
    for block in corpus:
        letters = copy_key(block).encode("utf-32-le", "surrogatepass")
        codes = np.frombuffer(letters, "<u4").astype(np.uint64)
        codes = np.concatenate([rest, codes])
        rest = codes[-(WINDOW - 1) :]
        if len(codes) >= WINDOW:
            hashes = _rolled(codes)
            yield hashes, np.ones(len(hashes))


def _rolled(codes: np.ndarray) -> np.ndarray:
    """Polynomial hashes modulo 2^64, by doubling the window: uint64 (N - 63,)."""
    hashes, width, base = codes * np.uint64(0x9E3779B97F4A7C15), 1, 0xD1342543DE82EF95
    while width < WINDOW:
        hashes = hashes[:-width] * np.uint64(base) + hashes[width:]
        width, base = 2 * width, base * base % (1 << 64)
    hashes ^= hashes >> np.uint64(32)  # the low bits choose the sample
    return hashes * np.uint64(0xD6E8FEB86659FD93)


def line_hashes(corpus: Corpus) -> Hashed:
    """Of every line with enough letters; a line weighs as much as it has."""
    digest = Digest(0)
    for block in corpus:
        lengths = [(line, len(copy_key(line))) for line in block.splitlines()]
        lines = [(digest(line), n) for line, n in lengths if n >= SHORTEST_LINE]
        if lines:
            hashes, weights = zip(*lines)
            yield np.array(hashes, np.uint64), np.array(weights, float)


def copied_share(text: Corpus, other: Corpus) -> float:
    """The share of a text, from 0 to 1, that also stands in another.

    Args:
        text: blocks; the part that is scored.
        other: blocks; the train text.

    Example:

    >>> lines = [f"Line {n * n} of a long and winding road.\\n" for n in range(99)]
    >>> copied_share(lines[50:], lines[:75]) > 0.4
    True
    """
    return max(_share(cut(text), cut(other)) for cut in (window_hashes, line_hashes))


def _share(hashed: Hashed, other: Hashed) -> float:
    hashes, weights, every = _sampled(hashed)
    if not len(hashes):
        return 0.0
    found = np.zeros(len(hashes), bool)
    for some, _ in other:
        some = some[_chosen(some, every)]
        at = np.searchsorted(hashes, some).clip(max=len(hashes) - 1)
        found[at[hashes[at] == some]] = True
    return float(weights[found].sum() / weights.sum())


def save_windows(path: Path, corpus: Corpus) -> None:
    """Writes a sample of a train text's windows, for `log_trained_text`.

    Args:
        path: file, by habit with the suffix .npz.
        corpus: the train text.
    """
    hashes, _, every = _sampled(window_hashes(corpus), EXPORTED)
    with open(path, "wb") as file:
        np.savez_compressed(file, hashes=hashes, every=every)


def log_trained_text(corpus: Corpus, path: Path) -> None:
    """Says how much of a text has trained the model; refuses nothing.

    Args:
        corpus: what is evaluated.
        path: what `save_windows` wrote; older exports have none.
    """
    if not path.exists() or iter(corpus) is corpus:  # what is read once is not spent
        return
    with np.load(path, allow_pickle=False) as arrays:
        trained, every = arrays["hashes"], int(arrays["every"])
    found = total = 0
    for hashes, _ in window_hashes(corpus):
        hashes = hashes[_chosen(hashes, every)]
        found += count_copies(hashes, trained)
        total += len(hashes)
    if total and found > NATURAL * total:
        line = f"{percent(found / total)} of the text trained this model"
        log.info(f"{name_of(corpus)}: {line}: its score flatters")


def _sampled(hashed: Hashed, most: int = KEPT) -> tuple[np.ndarray, np.ndarray, int]:
    """Distinct hashes in order with their weights, and of how many one is kept."""
    hashes, weights, every = np.zeros(0, np.uint64), np.zeros(0), 1
    for some, heavy in hashed:
        chosen = _chosen(some, every)
        hashes = np.concatenate([hashes, some[chosen]])
        weights = np.concatenate([weights, heavy[chosen]])
        while len(hashes) > most:
            every *= 2
            chosen = _chosen(hashes, every)
            hashes, weights = hashes[chosen], weights[chosen]
    distinct, places = np.unique(hashes, return_inverse=True)
    return distinct, np.bincount(places, weights, len(distinct)), every


def _chosen(hashes: np.ndarray, every: int) -> np.ndarray:
    """The high bits choose, so that what a text holds decides and not where."""
    return (hashes >> np.uint64(32)) % np.uint64(every) == 0


def log_copied_text(parts: Mapping[str, Corpus], given: Mapping[str, Corpus]) -> None:
    """Says how much of validation and test stands elsewhere; refuses too much of it.

    Args:
        parts: "train", "validation" and "test".
        given: "train" before it was cut, and those that the user brought. What was cut
            is never refused: a text that repeats itself cannot be cut otherwise.

    Raises:
        UserError: More than half of a given part stands in train.
    """
    pairs = [("validation", "train"), ("test", "train"), ("test", "validation")]
    for part, other in pairs:
        # A part of its own is compared with all of the train text that was given.
        known = given if part in given and other in given else parts
        share = copied_share(parts[part], known[other])
        if share > NATURAL:
            log_copies(
                name_of(parts[part]),
                part,
                f"{percent(share)} of the text",
                share,
                other,
                refuse=other == "train" and part in given,
            )
