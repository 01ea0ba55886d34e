"""Which recording belongs to which part, and that copies of a sound stand in one part.

Copies are found by their samples, whatever holds them: a file that is listed twice, the
same bytes under two names, the same samples in another format. Parts that were cut are
cut anew so that copies stay together; parts that somebody gave are counted, and refused
where most of one stands in train.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from keras_seq.audio.recordings import Recording
from keras_seq.audio.utterances import Problem, Utterances
from keras_seq.data.copies import count_copies, counted, log_copies
from keras_seq.errors import UserError
from keras_seq.log import log

# With so many voices, some can be kept out of training altogether.
MANY_SPEAKERS = 10
WHAT = "recordings"
SHARE = 0.1  # of train: a part that is cut
PARTS = ("train", "validation", "test")
Parts = dict[str, list[Recording]]


def part_recordings(
    given: Mapping[str, Sequence[Recording]],
    *,
    test_speaker: str | None = None,
    seed: int = 0,
) -> Parts:
    """Train, validation and test: as given, as a manifest says, or cut from train.

    A part that nobody gives is a tenth of train. Where there are ten speakers or more,
    whole speakers are kept out; otherwise recordings, evenly of each label where labels
    repeat. Who goes is decided by a seeded digest of the name.

    Args:
        given: "train", and "validation" or "test" where they have data of their own.
        test_speaker: all of this speaker's recordings test, and nothing else does.
        seed: of the cut.

    Returns:
        All three parts, none empty.

    Raises:
        UserError: There is no such speaker, or too few recordings.

    Example:

    >>> rows = [Recording(f"{n}.wav", "ab"[n % 2], bytes) for n in range(40)]
    >>> {name: len(part) for name, part in part_recordings({"train": rows}).items()}
    {'train': 32, 'validation': 4, 'test': 4}
    """
    parts: Parts = {name: [] for name in PARTS}
    for name, recordings in given.items():
        own = [r for r in recordings if r.part == name]
        # A file of its own may hold one part, which need not bear its name.
        parts[name] = own if name != "train" and own else list(recordings)
        if name != "train" and not own and any(r.part for r in recordings):
            words = ", ".join(sorted({repr(r.part) for r in recordings if r.part})[:8])
            what = f"the column of parts says {words}; all its recordings are used"
            log.info(f"{name} data: {what}")
    if test_speaker is not None:
        speakers = sorted({r.speaker for r in parts["train"] if r.speaker})
        if test_speaker not in speakers:
            known = ", ".join(speakers[:20]) or "nobody"
            raise UserError(f"no speaker {test_speaker!r} in the data; it has: {known}")
        parts["test"] = [r for r in parts["train"] if r.speaker == test_speaker]
        parts["train"] = [r for r in parts["train"] if r.speaker != test_speaker]
    else:
        for recording in given["train"]:
            # A part with data of its own has what is needed: the rest is not used.
            if recording.part in ("test", "validation"):
                parts["train"].remove(recording)
                if recording.part not in given:
                    parts[recording.part].append(recording)
    total = len(parts["train"])
    for name in ("test", "validation"):
        if not parts[name]:
            kept, parts[name] = _hold_out(parts["train"], SHARE * total, seed, name)
            parts["train"] = kept
    for name, recordings in parts.items():
        if not recordings:
            raise UserError(
                f"{total} recordings are too few for a {name} part; bring more, or "
                f"data of its own with --{name}-data"
            )
    return parts


def cut_parts(
    given: Mapping[str, Sequence[Recording]], test_speaker: str | None = None
) -> set[str]:
    """The parts that `part_recordings` cuts from train by itself, and train with them.

    Example:

    >>> rows = [Recording("a.wav", "a", bytes, part="test")]
    >>> sorted(cut_parts({"train": rows}))
    ['train', 'validation']
    """
    named = set(given)
    named |= {"test"} if test_speaker is not None else {r.part for r in given["train"]}
    cut = set(PARTS) - named
    return cut | {"train"} if cut else set()


def _hold_out(
    recordings: Sequence[Recording], wanted: float, seed: int, name: str
) -> tuple[list[Recording], list[Recording]]:
    """(kept, held out) with about `wanted` recordings held out."""
    speakers = {r.speaker for r in recordings}
    by_speaker = len(speakers) >= MANY_SPEAKERS
    sizes = Counter(r.transcript for r in recordings)
    by_label = len(sizes) * 5 <= len(recordings)
    what = "of speakers of their own" if by_speaker else "of any speaker"
    log.info(f"{name}: a tenth of train, {what}")
    groups: dict[str, list[Recording]] = {}
    for r in recordings:
        groups.setdefault(r.speaker if by_speaker else r.place, []).append(r)
    order = sorted(groups, key=lambda key: _digest(seed, key))
    held: set[str] = set()
    taken: dict[str, float] = {}
    share = wanted / max(len(recordings), 1)
    for key in order:
        label = groups[key][0].transcript if by_label and not by_speaker else ""
        limit = share * (sizes[label] if label else len(recordings))
        if taken.get(label, 0) + len(groups[key]) / 2 <= limit:
            taken[label] = taken.get(label, 0) + len(groups[key])
            held.add(key)
    kept = [r for key, rows in groups.items() if key not in held for r in rows]
    return kept, [r for key in groups if key in held for r in groups[key]]


def limit_recordings(parts: Parts, limit: int | None, seed: int = 0) -> Parts:
    """At most so many recordings in all parts together, each part as large a share.

    Example:

    >>> rows = [Recording(f"{n}.wav", "a", bytes) for n in range(30)]
    >>> cut = limit_recordings({"train": rows[:20], "test": rows[20:]}, 6)
    >>> {name: len(part) for name, part in cut.items()}
    {'train': 4, 'test': 2}
    """
    total = sum(map(len, parts.values()))
    if limit is None or limit >= total:
        return parts
    cut = {}
    for name, recordings in parts.items():
        chosen = sorted(recordings, key=lambda r: _digest(seed, r.place))
        cut[name] = chosen[: max(1, len(recordings) * limit // total)]
    return cut


def _digest(seed: int, name: str) -> bytes:
    return hashlib.blake2b(name.encode(), key=str(seed).encode()).digest()


def part_utterances(
    utterances: Utterances, part_of: Sequence[str], cut: Collection[str]
) -> tuple[dict[str, Utterances], list[Problem]]:
    """The utterances of each part, copies in one part.

    Args:
        utterances: of all parts.
        part_of: K parts, as they were given or cut.
        cut: parts that were cut from one listing, train among them; copies go where
            one of them is.

    Returns:
        Utterances by part, and what is left out: a sound under several transcripts.

    Raises:
        UserError: More than half of a part that was given stands in train.
    """
    digests, parts = utterances.digests(), np.array(part_of, dtype=object)
    given = set(parts) - set(cut)
    _log_given(utterances, digests, parts, given - {"train"})
    problems, kept = [], np.ones(len(parts), bool)
    copies = 0
    for group in _groups(digests):
        texts = list(dict.fromkeys(utterances.transcripts[number] for number in group))
        if len(texts) > 1:
            what = "one sound under several transcripts: " + ", ".join(map(repr, texts))
            problems += [Problem(utterances.places[number], what) for number in group]
            kept[group] = False
            continue
        free = [number for number in group if parts[number] in cut]
        copies += len(free[1:])
        if free:  # one of their parts, by lot: the first would mostly be train
            parts[free] = parts[free[int(digests[free[0]]) % len(free)]]
    if copies:
        log.info(
            f"{copies:,} of {len(utterances):,} {WHAT} are copies, the same samples as "
            "another; copies stay in one part",
        )
    names = dict.fromkeys(part_of)
    found = {n: utterances.take(np.flatnonzero(kept & (parts == n))) for n in names}
    return found, problems


def _log_given(
    utterances: Utterances, digests: np.ndarray, parts: np.ndarray, given: set[str]
) -> None:
    places = dict(zip(parts[::-1], utterances.places[::-1]))  # the first of each part
    # What was cut from train was listed with it.
    listed = ~np.isin(parts, list(given))
    pairs = [(part, "train", listed) for part in sorted(given)]
    if {"test", "validation"} <= given:
        pairs.append(("test", "validation", parts == "validation"))
    for part, other, others in pairs:
        mine = digests[parts == part]
        copied = count_copies(mine, digests[others])
        log_copies(
            f"{places[part]} and others",
            part,
            counted(copied, len(mine), WHAT),
            copied / len(mine),
            other,
            refuse=other == "train",
        )


def _groups(digests: np.ndarray) -> list[np.ndarray]:
    """Numbers of the utterances of each sound that stands twice or more."""
    order = np.argsort(digests, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(digests[order]) != 0])
    groups = np.split(order, starts[1:])
    return [np.sort(group) for group in groups if len(group) > 1]
