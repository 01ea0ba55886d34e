"""Recordings that are the same sound: found by their samples, whatever holds them.

A file that is listed twice, the same bytes under two names, the same samples in another
format: none of them may stand in two parts. Parts that were cut are cut anew so that
copies stay together; parts that somebody gave are counted, and refused where most of
one stands in train.

Knows clips, neither files nor models.
"""

from collections.abc import Collection, Sequence

import numpy as np

from keras_seq.audio.utterances import Problem, Utterances
from keras_seq.data.copies import count_copies, counted, log_copies
from keras_seq.log import log

WHAT = "recordings"


def part_clips(
    clips: Utterances, part_of: Sequence[str], cut: Collection[str]
) -> tuple[dict[str, Utterances], list[Problem]]:
    """The clips of each part, copies in one part.

    Args:
        clips: of all parts.
        part_of: K parts, as they were given or cut.
        cut: parts that were cut from one listing, train among them; copies go where
            one of them is.

    Returns:
        Utterances by part, and what is left out: a sound under several transcripts.

    Raises:
        UserError: More than half of a part that was given stands in train.
    """
    digests, parts = clips.digests(), np.array(part_of, dtype=object)
    given = set(parts) - set(cut)
    _log_given(clips, digests, parts, given - {"train"})
    problems, kept = [], np.ones(len(parts), bool)
    copies = 0
    for group in _groups(digests):
        texts = list(dict.fromkeys(clips.transcripts[number] for number in group))
        if len(texts) > 1:
            what = "one sound under several transcripts: " + ", ".join(map(repr, texts))
            problems += [Problem(clips.places[number], what) for number in group]
            kept[group] = False
            continue
        free = [number for number in group if parts[number] in cut]
        copies += len(free[1:])
        if free:  # one of their parts, by lot: the first would mostly be train
            parts[free] = parts[free[int(digests[free[0]]) % len(free)]]
    if copies:
        log.info(
            f"{copies:,} of {len(clips):,} {WHAT} are copies, the same samples as "
            "another; copies stay in one part",
        )
    names = dict.fromkeys(part_of)
    return {n: clips.take(np.flatnonzero(kept & (parts == n))) for n in names}, problems


def _log_given(
    clips: Utterances, digests: np.ndarray, parts: np.ndarray, given: set[str]
) -> None:
    places = dict(zip(parts[::-1], clips.places[::-1]))  # the first of each part
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
    """Numbers of the clips of each sound that stands twice or more."""
    order = np.argsort(digests, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(digests[order]) != 0])
    groups = np.split(order, starts[1:])
    return [np.sort(group) for group in groups if len(group) > 1]
