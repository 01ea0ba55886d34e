"""Tags of entities: BIO1, BIO2 and BIOES, recognised, repaired and constrained.

In BIO2 (IOB2) each entity begins with B-, in BIO1 (IOB1) only one that follows another
of its type at once, in BIOES the last word has E- and an entity of one word S-. All is
learned as BIO2 or BIOES. Ramshaw and Marcus 1995; Tjong Kim Sang and Veenstra 1999.

Shapes: C tags.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np

OUTSIDE = "O"
_TAG = re.compile(r"([BIESLUM])-(.+)")
_BIOES = {"L": "E", "U": "S", "M": "I"}  # other letters of the same scheme


def split_tag(tag: str) -> tuple[str, str]:
    """The place in an entity, and its type.

    Example:

    >>> split_tag("B-person"), split_tag("O")
    (('B', 'person'), ('O', ''))
    """
    found = _TAG.fullmatch(tag)
    return (_BIOES.get(found[1], found[1]), found[2]) if found else (OUTSIDE, "")


def find_scheme(sentences: Iterable[Sequence[str]]) -> str | None:
    """Which scheme tags follow: "bio1", "bio2" or "bioes"; None where they are plain.

    BIO1 is known by entities that begin with I-, most of all that could.

    Args:
        sentences: tags of each sentence.

    Example:

    >>> find_scheme([["B-x", "I-x", "O", "S-y"]]), find_scheme([["NOUN", "VERB"]])
    ('bioes', None)
    >>> find_scheme([["I-x", "I-x", "O", "I-y"]])
    'bio1'
    """
    ends = plain = inside_first = begun = 0
    for tags in sentences:
        before = (OUTSIDE, "")
        for tag in tags:
            place, kind = split_tag(tag)
            if place == OUTSIDE and tag != OUTSIDE:
                plain += 1
            ends += place in "ES"
            starts = before[0] in "OES" or before[1] != kind
            inside_first += place == "I" and starts
            begun += place == "B" and starts
            before = place, kind
    if plain or not (ends or inside_first or begun):
        return None
    if ends:
        return "bioes"
    return "bio1" if inside_first > begun else "bio2"


def repair_tags(tags: Sequence[str], scheme: str) -> tuple[list[str], int]:
    """Tags in the scheme that is learned: BIO2 of either BIO, else BIOES.

    What a scheme does not allow is read as CoNLL's own scorer reads it: an entity
    begins wherever the type changes or the entity before has ended.

    Args:
        tags: of one sentence.
        scheme: of `find_scheme`.

    Returns:
        The tags, and how many of them broke the rules of `scheme`.

    Example:

    >>> repair_tags(["O", "I-x", "I-x"], "bio2")
    (['O', 'B-x', 'I-x'], 1)
    >>> repair_tags(["I-x", "B-x", "I-x"], "bio1")
    (['B-x', 'B-x', 'I-x'], 0)
    """
    parts = [split_tag(tag) for tag in tags]
    starts = entity_starts(parts)
    repaired = []
    for number, (place, kind) in enumerate(parts):
        if place == OUTSIDE:
            repaired.append(OUTSIDE)
            continue
        last = number + 1 == len(parts) or starts[number + 1]
        last = last or parts[number + 1][0] == OUTSIDE
        place = "B" if starts[number] else "I"
        if scheme == "bioes" and last:
            place = "S" if starts[number] else "E"
        repaired.append(f"{place}-{kind}")
    if scheme == "bio1":
        return repaired, 0
    written = [f"{p}-{k}" if k else OUTSIDE for p, k in parts]
    return repaired, sum(a != b for a, b in zip(repaired, written))


def entity_starts(parts: Sequence[tuple[str, str]]) -> list[bool]:
    """Where entities begin, in tags split by `split_tag`, whatever rules they break."""
    before, starts = (OUTSIDE, ""), []
    for place, kind in parts:
        first = place in "BS" or before[0] in "OES" or before[1] != kind
        starts.append(place != OUTSIDE and first)
        before = place, kind
    return starts


def entities_of(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """(first word, word behind the last, type) of each entity, in order.

    Example:

    >>> entities_of(["B-x", "I-x", "O", "I-y"])
    [(0, 2, 'x'), (3, 4, 'y')]
    """
    parts, found = [split_tag(tag) for tag in tags], []
    for number, starts in enumerate(entity_starts(parts)):
        if starts:
            found.append((number, number + 1, parts[number][1]))
        elif parts[number][0] != OUTSIDE:
            found[-1] = (found[-1][0], number + 1, found[-1][2])
    return found


def allowed_tags(
    tag_names: Sequence[str], scheme: str | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """What may stand where, for `CRF(allowed=)`.

    Args:
        tag_names: C names, in the model's order.
        scheme: of `find_scheme`; None allows everything.

    Returns:
        start bool (C,), transitions bool (C, C), end bool (C,); or None.

    Example:

    >>> start, transitions, end = allowed_tags(["O", "B-x", "I-x"], "bio2")
    >>> start.tolist(), transitions[0].tolist(), end.tolist()
    ([True, True, False], [True, True, False], [True, True, True])
    """
    if scheme is None:
        return None
    parts = [split_tag(name) for name in tag_names]
    bioes = scheme == "bioes"

    def follows(before: tuple[str, str], now: tuple[str, str]) -> bool:
        open_before = before[0] in "BI"
        goes_on = now[0] in "IE"
        if goes_on:
            return open_before and before[1] == now[1]
        return not (bioes and open_before)

    start = np.array([place not in "IE" for place, _ in parts])
    end = np.array([not (bioes and place in "BI") for place, _ in parts])
    transitions = np.array([[follows(a, b) for b in parts] for a in parts])
    return start, transitions, end
