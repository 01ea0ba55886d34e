"""How much of one running text also stands in another.

Two measures, of which the larger counts: windows of letters, which find a text that was
cut or wrapped elsewhere, and lines, which find one whose lines were shuffled. Both are
blind to punctuation, case and white space. Of the text in question a sample of hashes
is kept, a million at most; the other is streamed past it.

Shapes: N letters, M hashes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
# Distinct hashes in order, their weights, and of how many one is kept.
Sample = tuple[np.ndarray, np.ndarray, int]
Corpus = Iterable[str]
COMPARED = {"train": ("validation", "test"), "validation": ("test",)}


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


def copied_shares(
    parts: Mapping[str, Corpus], given: Mapping[str, Corpus]
) -> dict[tuple[str, str], float]:
    """The shares of validation and test, from 0 to 1, that also stand elsewhere.

    Args:
        parts: "train", "validation" and "test".
        given: those that the user brought, "train" before it was cut: a part of its own
            is compared with all of the train text.

    Returns:
        By (part, where it also stands).

    Example:

    >>> lines = [f"Line {n * n} of a long and winding road.\\n" for n in range(99)]
    >>> parts = {"train": lines[:75], "validation": lines[50:80], "test": lines[50:]}
    >>> copied_shares(parts, {})["test", "train"] > 0.4
    True
    """
    shares = {(part, other): 0.0 for other in COMPARED for part in COMPARED[other]}
    for cut in (window_hashes, line_hashes):
        samples = {part: _sampled(cut(parts[part])) for part in COMPARED["train"]}
        for other, compared in COMPARED.items():
            own = [part for part in compared if part in given and other in given]
            cuts = [part for part in compared if part not in own]
            for source, names in ((given, own), (parts, cuts)):
                if names:
                    found = _shares([samples[n] for n in names], cut(source[other]))
                    for name, share in zip(names, found):
                        shares[name, other] = max(shares[name, other], share)
    return shares


def _shares(samples: Sequence[Sample], other: Hashed) -> list[float]:
    """Of the weight of each sample, the share that a text has, too; in one pass."""
    found = [np.zeros(len(hashes), bool) for hashes, *_ in samples]
    for some, _ in other:
        some = np.sort(some)  # neighbours are looked for near each other: far faster
        for (hashes, _, every), marks in zip(samples, found):
            if len(hashes):
                chosen = some[_chosen(some, every)]
                at = np.searchsorted(hashes, chosen).clip(max=len(hashes) - 1)
                marks[at[hashes[at] == chosen]] = True
    return [
        float(weights[marks].sum() / weights.sum()) if len(weights) else 0.0
        for (_, weights, _), marks in zip(samples, found)
    ]


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
    if not path.exists():
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


def _sampled(hashed: Hashed, most: int = KEPT) -> Sample:
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
    for (part, other), share in copied_shares(parts, given).items():
        if share > NATURAL:
            log_copies(
                name_of(parts[part]),
                part,
                f"{percent(share)} of the text",
                share,
                other,
                refuse=other == "train" and part in given,
            )
