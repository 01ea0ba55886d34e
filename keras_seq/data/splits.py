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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np

from keras_seq.data.copies import log_copies_between
from keras_seq.data.store import SampleStore
from keras_seq.errors import UserError

Row = TypeVar("Row")
_TENTH = 0.1
_PARTS = ("test", "validation", "train")
_END = (1 << 64) - 1  # no digest stands above


def digests_by_label(store: SampleStore, seed: int = 0) -> dict[str, np.ndarray]:
    """uint64 digests of the texts of each label, labels in order.

    Raises:
        UserError: There is no sample.

    Example:

    >>> from keras_seq.data.store import stored
    >>> found = digests_by_label(stored([("A film", "good"), ("a  FILM", "bad")]))
    >>> list(found), bool(found["good"] == found["bad"])
    (['bad', 'good'], True)
    """
    if not len(store):
        raise UserError(f"{store}: no rows, so there is nothing to learn from")
    counts = store.label_counts
    order = np.argsort(store.label_ids(list(counts)), kind="stable")
    ends = np.cumsum(list(counts.values()))
    return dict(zip(counts, np.split(store.digests(seed)[order], ends[:-1])))


def count_shared(store: SampleStore) -> int:
    """Distinct texts that stand under two labels or more."""
    return len(_groups(digests_by_label(store))[1])


def check_classes_differ(store: SampleStore) -> None:
    """Refuses samples that teach nothing.

    Raises:
        UserError: There is no sample, or all have the same label.
    """
    labels = list(digests_by_label(store))
    if len(labels) == 1:
        what = f"every row has the label {labels[0]!r}; a classifier needs two or more"
        raise UserError(f"{store}: {what} labels")


@dataclass
class SplitPlan:
    """Where the digests are cut, and how many rows fall into each part.

    Attributes:
        rows: Rows of each part.
        ends: (end of test, end of validation) of each label, None for shared texts.
        shared: uint64 digests of texts that stand under two labels.
        heavy: uint64 digests of texts that stay in train for having too many rows.
    """

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_PARTS, 0))
    ends: dict[str | None, tuple[int, int]] = field(default_factory=dict)
    shared: np.ndarray = field(default_factory=lambda: np.zeros(0, "u8"))
    heavy: np.ndarray = field(default_factory=lambda: np.zeros(0, "u8"))

    def parts_of(
        self, digests: np.ndarray, label_ids: np.ndarray, label_names: list[str]
    ) -> np.ndarray:
        """The part of each sample as a position in test, validation, train: int (N,).

        Args:
            digests: uint64 (N,).
            label_ids: int (N,), positions in `label_names`.
            label_names: the labels that were planned for.
        """
        nothing = (0, 0)
        ends = [self.ends.get(name, nothing) for name in (*label_names, None)]
        group = np.where(np.isin(digests, self.shared), len(label_names), label_ids)
        own = np.array(ends, "u8")[group]  # (N, 2)
        parts = (digests[:, np.newaxis] >= own).sum(axis=1)
        parts[np.isin(digests, self.heavy)] = _PARTS.index("train")
        return parts


def plan_splits(
    digests_of: Mapping[str, np.ndarray], shares: Mapping[str, float]
) -> SplitPlan:
    """Cuts the digests of every label."""
    plan = SplitPlan()
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
    plan.heavy = np.concatenate(heavy)
    return plan


def _groups(
    digests_of: Mapping[str, np.ndarray],
) -> tuple[dict[str | None, tuple[np.ndarray, np.ndarray]], np.ndarray]:
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
    return groups, shared


def _count(digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct digests in order, and how often each stands there."""
    texts, counts = np.unique(digests, return_counts=True)
    return texts, counts.astype("u4")


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


def split_store(
    store: SampleStore, plan: SplitPlan, seed: int, keep: float = 1.0
) -> dict[str, SampleStore]:
    """The parts of samples, each with its rows in their order.

    `seed` is that of the plan's digests. Of the rows of each label the share `keep` is
    taken, and never less than one.

    Returns:
        Parts by name, empty ones too.
    """
    names = list(store.label_counts)
    label_ids = store.label_ids(names)
    parts = plan.parts_of(store.digests(seed), label_ids, names)
    rows = {name: np.flatnonzero(parts == n) for n, name in enumerate(_PARTS)}
    if keep < 1:
        rows = {name: r[_evenly(label_ids[r], keep)] for name, r in rows.items()}
    return {name: store.part(rows[name], f"{store}, {name} part") for name in rows}


def _evenly(label_ids: np.ndarray, keep: float) -> np.ndarray:
    """Every so-many-th row of each label, its first one included: numbers, in order."""
    order = np.argsort(label_ids, kind="stable")
    first = np.searchsorted(label_ids[order], label_ids[order])
    count = np.arange(len(order)) - first  # rows of the label before this one
    # After `count` rows, so many are taken; those where the number grows are.
    before, after = (np.floor(1 - keep + n * keep + 1e-9) for n in (count, count + 1))
    return np.sort(order[(after > before) | (count == 0)])


def complete_parts(
    given: Mapping[str, Sequence[Row]],
    stores: Mapping[str, SampleStore],
    what: str,
    *,
    limit: int | None = None,
    seed: int = 0,
) -> dict[str, list[Row]]:
    """Parts as they are given, and those that are not, a tenth of train each.

    Copies of a sample stand in one of the parts that are cut, by digests; how many of a
    part that is given stand in train is logged.

    Args:
        given: "train", and "validation" or "test" where the user brings them.
        stores: of each of them the texts that decide, without labels.
        what: the samples' plural, such as "sentences".
        limit: most rows to take of what is cut; None takes all.
        seed: of the split.

    Raises:
        UserError: A part gets no row, or one that is given mostly stands in train.

    Example:

    >>> from keras_seq.data.store import stored
    >>> given = {"train": range(100), "validation": [999]}
    >>> stores = {part: stored([(str(n), "") for n in given[part]]) for part in given}
    >>> parts = complete_parts(given, stores, "numbers")
    >>> {name: len(part) for name, part in parts.items()}
    {'train': 90, 'validation': 1, 'test': 10}
    """
    log_copies_between(stores, what)
    store, parts = stores["train"], {part: list(rows) for part, rows in given.items()}
    shares = {part: _TENTH for part in ("validation", "test") if part not in given}
    plan = plan_splits(digests_by_label(store, seed), shares)
    keep = min(1.0, (limit or len(store)) / len(store))
    cut = split_store(store, plan, seed, keep)
    for part in ("train", *shares):
        if not len(cut[part]):
            few = f"{len(store)} samples are too few for a {part} part; bring more"
            raise UserError(f"{store}: {few}")
        parts[part] = [given["train"][row] for row in cut[part].rows]
    return parts
