"""One recording: where it lies, what is said in it, who speaks, and in which part."""

import re
from collections.abc import Callable
from typing import NamedTuple

AUDIO = set(".wav .flac .ogg .oga .mp3 .aif .aiff .au .opus .sph".split())
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PARTS |= dict.fromkeys(("dev", "valid", "val", "validation"), "validation")


class Piece(NamedTuple):
    """What of a longer file a recording is, in seconds.

    Attributes:
        start: where it begins.
        end: where it ends; None is the end of the file.
    """

    start: float
    end: float | None = None


class Recording(NamedTuple):
    """One file, or a piece of one, with what is said in it.

    Attributes:
        place: how to name it in a message.
        transcript: as the data has it.
        read: the file's bytes.
        speaker: "" where nobody says.
        part: "train", "validation", "test" or "" where nobody says.
        piece: None is the whole file.
    """

    place: str
    transcript: str
    read: Callable[[], bytes]
    speaker: str = ""
    part: str = ""
    piece: Piece | None = None


def part_named(word: str) -> str | None:
    """The part that a manifest's word names: its first part does, as in train-clean.

    Example:

    >>> part_named("Dev"), part_named("train-clean-100"), part_named("fold3")
    ('validation', 'train', None)
    """
    first = re.split(r"[^a-z]", word.strip().lower(), maxsplit=1)[0]
    return PARTS.get(first) if word.strip() else ""
