"""Which sample belongs to which part: a digest of its text decides, and nothing else.

The digests of one label, in order, are a seeded shuffle of its texts. The lowest go to
the test part, the next to validation, the rest to train:

    label a   |test|valid.|train ................|   cut where the rows come closest
    label b   |test|valid.|train ......|             to the share asked for
    shared    |test|valid.|train ..|                 texts that stand under two labels

What the rounding of one label leaves over is carried to the next, so that many rare
labels still fill a part. Three rules keep a text whole: rows of one text have one
digest and so one part; texts under several labels are cut as a group of their own,
whatever the label of the row; a text with more rows than a part should have stays in
train. A label keeps at least one text in train.

This module knows samples only: no files, no columns.
"""

import bisect
import hashlib
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from keras_seq.data.copies import copy_key
from keras_seq.errors import UserError

Samples = Iterable[tuple[str, str]]

_PARTS = ("test", "validation", "train")
_END = 1 << 64  # one above the highest digest


def name_of(samples: Samples) -> str:
    """What to call samples in a message: a table's file, a split's part.

    Example:

    >>> name_of([("a film", "good")])
    'samples'
    """
    told = type(samples).__str__ is not object.__str__
    return str(samples) if told and not isinstance(samples, list | tuple) else "samples"


class Digest:
    """A text's 64-bit digest, the same for all copies of it, keyed by a seed.

    Example:

    >>> Digest(0)("A film.") == Digest(0)("a  FILM ") != Digest(1)("A film")
    True
    """

    def __init__(self, seed: int) -> None:
        self._keyed = hashlib.blake2b(digest_size=8, key=str(seed).encode())

    def __call__(self, text: str) -> int:
        hashed = self._keyed.copy()
        hashed.update(copy_key(text).encode("utf-8", "replace"))
        return int.from_bytes(hashed.digest(), "little")


@dataclass(frozen=True)
class Summary:
    """What one pass over samples tells.

    Attributes:
        rows: Number of samples.
        label_counts: Samples of each label, labels in order.
        fingerprint: SHA-256 over texts and labels in their order, as hex digits.
        digests_of: uint64 digests of the texts of each label, in their order.
    """

    rows: int
    label_counts: dict[str, int]
    fingerprint: str
    digests_of: dict[str, np.ndarray]

    @property
    def digests(self) -> np.ndarray:
        """One digest a sample, label after label: uint64 (rows,)."""
        return np.concatenate(list(self.digests_of.values()))

    @property
    def num_shared(self) -> int:
        """Distinct texts that stand under two labels or more."""
        return len(_groups(self.digests_of)[1])


def scan(samples: Samples, *, seed: int = 0, min_classes: int = 1) -> Summary:
    """Counts, labels, fingerprint and digests of samples, in one streaming pass.

    Two texts have the same digest when they are copies (`copies.py`). Memory is 8 bytes
    a sample.

    Args:
        samples: Samples.
        seed: Key of the digests, as for `split_samples`.
        min_classes: 2 refuses samples that all have the same label.

    Returns:
        A `Summary`.

    Raises:
        UserError: No samples, or fewer than `min_classes` labels.

    Example:

    >>> scan([("A film", "good"), ("a  FILM", "bad")]).label_counts
    {'bad': 1, 'good': 1}
    """
    digest = Digest(seed)
    found: dict[str, array] = {}
    content = hashlib.sha256()
    for text, label in samples:
        found.setdefault(label, array("Q")).append(digest(text))
        content.update(f"{len(text)},{len(label)}:{text}{label}".encode())
    place = name_of(samples)
    if not found:
        raise UserError(f"{place}: no rows, so there is nothing to learn from")
    if len(found) < min_classes:
        only = ", ".join(repr(label) for label in sorted(found))
        what = f"every row has the label {only}; a classifier needs two or more labels"
        raise UserError(f"{place}: {what}")
    digests_of = {label: np.frombuffer(found[label], "u8") for label in sorted(found)}
    counts = {label: len(digests) for label, digests in digests_of.items()}
    return Summary(sum(counts.values()), counts, content.hexdigest(), digests_of)


@dataclass
class SplitPlan:
    """Where the digests are cut, and how many rows fall into each part.

    Attributes:
        seed: Key of the digests.
        rows: Rows of each part.
        ends: (end of test, end of validation) of each label, None for shared texts.
        shared: Digests of texts that stand under two labels, in order.
        heavy: Digests of texts that stay in train for having too many rows, in order.
    """

    seed: int
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_PARTS, 0))
    ends: dict[str | None, tuple[int, int]] = field(default_factory=dict)
    shared: array = field(default_factory=lambda: array("Q"))
    heavy: array = field(default_factory=lambda: array("Q"))

    def part_of(self, digest: int, label: str) -> str:
        """The part of a sample: "train", "validation" or "test"."""
        if _holds(self.heavy, digest):
            return "train"
        group = None if _holds(self.shared, digest) else label
        # A label that the split has not seen cannot have been cut: it trains nothing.
        end_of_test, end_of_validation = self.ends.get(group, (0, 0))
        if digest < end_of_test:
            return "test"
        return "validation" if digest < end_of_validation else "train"


def plan_splits(
    digests_of: Mapping[str, np.ndarray], shares: Mapping[str, float], seed: int
) -> SplitPlan:
    """Cuts the digests of every label.

    Args:
        digests_of: uint64 digests of each label's rows, as `Summary` has them.
        shares: Wanted share of the rows for "test" and "validation".
        seed: Key that the digests were made with.

    Returns:
        The plan.
    """
    plan = SplitPlan(seed)
    groups, plan.shared = _groups(digests_of)
    least = min([share for share in shares.values() if share], default=0)
    # A label with no text of its own must still be met in train.
    share_out = all(len(texts) for texts, _ in groups.values())
    carried = dict.fromkeys(shares, 0.0)
    heavy = []
    for label, (texts, counts) in groups.items():
        rows = int(counts.sum())
        light = counts <= max(1.0, least * rows)
        heavy.append(texts[~light])
        most = int(light.sum())
        if label is None:
            most *= share_out
        elif light.all():
            most = max(0, most - 1)
        group = _Group(label, rows, texts[light], counts[light], most)
        _cut(plan, group, shares, carried)
    plan.heavy = _as_array(np.sort(np.concatenate(heavy)))
    return plan


def _groups(
    digests_of: Mapping[str, np.ndarray],
) -> tuple[dict[str | None, tuple[np.ndarray, np.ndarray]], array]:
    """(texts, rows of each text) by label, those of shared texts under None; and them.

    A group's texts are its distinct digests in order.
    """
    groups: dict[str | None, tuple[np.ndarray, np.ndarray]] = {
        label: _count(digests) for label, digests in digests_of.items()
    }
    every = np.concatenate([texts for texts, _ in groups.values()])
    every.sort()
    shared = np.unique(every[1:][every[1:] == every[:-1]])
    if len(shared):
        for label, (texts, counts) in list(groups.items()):
            own = ~np.isin(texts, shared)
            groups[label] = texts[own], counts[own]
        rows = np.concatenate(list(digests_of.values()))
        groups[None] = _count(rows[np.isin(rows, shared)])
    return groups, _as_array(shared)


def _count(digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct digests in order, and how often each stands there."""
    ordered = np.sort(digests)
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    counts = np.diff(first, append=len(ordered)).astype("u4")
    return ordered[first], counts


class _Group(NamedTuple):
    """Texts that are cut together; at most the first `most` of them may leave train."""

    label: str | None
    rows: int
    texts: np.ndarray
    counts: np.ndarray
    most: int


def _cut(
    plan: SplitPlan,
    group: _Group,
    shares: Mapping[str, float],
    carried: dict[str, float],
) -> None:
    """Adds one group to the plan, and its rounding to what is carried on."""
    before = np.zeros(len(group.counts) + 1, "i8")  # rows before each cut
    np.cumsum(group.counts, out=before[1:])
    start, ends = 0, []
    for name in ("test", "validation"):
        cut = start
        if shares.get(name):
            wanted = shares[name] * group.rows + carried[name]
            cuts = before[start : group.most + 1]
            above = int(np.searchsorted(cuts, before[start] + wanted))
            nearest = range(max(0, above - 1), min(above + 1, len(cuts)))
            cut += min(nearest, key=lambda c: abs(cuts[c] - before[start] - wanted))
            # No more than a row: one odd label must not distort the next.
            left = wanted - float(before[cut] - before[start])
            carried[name] = min(1.0, max(-1.0, left))
        plan.rows[name] += int(before[cut] - before[start])
        ends.append(int(group.texts[cut]) if cut < len(group.texts) else _END)
        start = cut
    plan.rows["train"] += group.rows - int(before[start])
    plan.ends[group.label] = ends[0], ends[1]


class Split:
    """One part of samples, picked out of them anew on every pass.

    Args:
        samples: What was split.
        plan: How it was split.
        name: The part: "train", "validation" or "test".
        keep: Share of each label's rows to yield, in [0, 1]; never less than one row.
    """

    def __init__(
        self, samples: Samples, plan: SplitPlan, name: str, keep: float = 1.0
    ) -> None:
        self._samples, self._plan, self._keep, self.name = samples, plan, keep, name

    def __str__(self) -> str:
        return f"{name_of(self._samples)}, {self.name} part"

    def __iter__(self) -> Iterator[tuple[str, str]]:
        digest, plan, due = Digest(self._plan.seed), self._plan, {}
        for text, label in self._samples:
            if plan.part_of(digest(text), label) != self.name:
                continue
            # Every so-many-th row of each label, its first one included.
            due[label] = due.get(label, 1.0 - self._keep) + self._keep
            if due[label] > 1 - 1e-9:
                due[label] -= 1
                yield text, label


def _as_array(digests: np.ndarray) -> array:
    return array("Q", digests.tobytes())


def _holds(ordered: array, digest: int) -> bool:
    index = bisect.bisect_left(ordered, digest)
    return index < len(ordered) and ordered[index] == digest
