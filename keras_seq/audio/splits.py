"""Which recording belongs to which part. Needs no sound and no model."""

import hashlib
from collections.abc import Mapping, Sequence

from keras_seq.audio.recordings import Recording
from keras_seq.errors import UserError
from keras_seq.log import log

# With so many voices, some can be kept out of training altogether.
MANY_SPEAKERS = 10
PARTS = ("train", "validation", "test")
Parts = dict[str, list[Recording]]


def part_recordings(
    given: Mapping[str, Sequence[Recording]],
    *,
    test_speaker: str | None = None,
    share: float = 0.1,
    seed: int = 0,
) -> Parts:
    """Train, validation and test: as given, as a manifest says, or cut from train.

    A part that nobody gives is a tenth of train. Where there are ten speakers or more,
    whole speakers are kept out; otherwise recordings, evenly of each label where labels
    repeat. Who goes is decided by a seeded digest of the name.

    Args:
        given: "train", and "validation" or "test" where they have data of their own.
        test_speaker: all of this speaker's recordings test, and nothing else does.
        share: of a part that is cut.
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
        parts["test"], parts["train"] = _cut_speaker(parts["train"], test_speaker)
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
            kept, parts[name] = _hold_out(parts["train"], share * total, seed, name)
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

    Args:
        given: as `part_recordings` takes it.
        test_speaker: likewise.

    Example:

    >>> rows = [Recording("a.wav", "a", bytes, part="test")]
    >>> sorted(cut_parts({"train": rows}))
    ['train', 'validation']
    """
    named = set(given)
    named |= {"test"} if test_speaker is not None else {r.part for r in given["train"]}
    cut = set(PARTS) - named
    return cut | {"train"} if cut else set()


def _cut_speaker(
    recordings: Sequence[Recording], speaker: str
) -> tuple[list[Recording], list[Recording]]:
    speakers = sorted({r.speaker for r in recordings if r.speaker})
    if speaker not in speakers:
        known = ", ".join(speakers[:20]) or "nobody"
        raise UserError(f"no speaker {speaker!r} in the data; it has: {known}")
    return (
        [r for r in recordings if r.speaker == speaker],
        [r for r in recordings if r.speaker != speaker],
    )


def _hold_out(
    recordings: Sequence[Recording], wanted: float, seed: int, name: str
) -> tuple[list[Recording], list[Recording]]:
    """(kept, held out) with about `wanted` recordings held out."""
    speakers = {r.speaker for r in recordings}
    by_speaker = len(speakers) >= MANY_SPEAKERS
    labels = {r.transcript for r in recordings}
    by_label = len(labels) * 5 <= len(recordings)
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
        size = sum(1 for r in recordings if r.transcript == label) if label else 0
        limit = share * (size or len(recordings))
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
