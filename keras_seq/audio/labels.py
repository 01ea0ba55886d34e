"""Transcripts that read as missing, and labels of utterances in several spellings."""

from collections import Counter
from collections.abc import Sequence

from keras_seq.audio.recording import Recording
from keras_seq.data.labels import (
    check_classes,
    check_missing,
    log_joined,
    name_spellings,
)
from keras_seq.errors import UserError


def check_transcripts(
    recordings: Sequence[Recording], known: Sequence[str] = ()
) -> None:
    """Asks about transcripts such as NA and None, unless a model was trained on them.

    Raises:
        UserError: One reads as missing; the line names the file and the option.

    Example:

    >>> check_transcripts([Recording("a.wav", "None", bytes)])
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: a.wav: no label ('None'); remove such rows, or keep it \
as a class with --labels-as-written
    """
    asked = set(known)
    for recording in recordings:
        if recording.transcript not in asked:
            check_missing(recording.place, [recording.transcript])
            asked.add(recording.transcript)


def check_several(recordings: Sequence[Recording]) -> None:
    """Refuses to train on one transcript alone, whose score would be perfect.

    Example:

    >>> check_several([Recording(f"wavs/{n}.wav", "wavs", bytes) for n in range(9)])
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: wavs/0.wav and others: all 9 recordings have one \
transcript, 'wavs', and there is nothing to learn; name another column with \
--transcript-column, or bring recordings of something else
    """
    transcripts = {" ".join(recording.transcript.split()) for recording in recordings}
    if len(transcripts) == 1 and len(recordings) > 1:
        what = f"all {len(recordings):,} recordings have one transcript, "
        what += f"{transcripts.pop()[:80]!r}, and there is nothing to learn; name "
        what += "another column with --transcript-column, or bring recordings of "
        what += "something else"
        raise UserError(f"{recordings[0].place} and others: {what}")


def label_names(
    recordings: Sequence[Recording], known: Sequence[str] = ()
) -> dict[str, str]:
    """The label that each transcript stands for, as `name_spellings` has it.

    Example:

    >>> label_names([Recording("a.wav", t, bytes) for t in ("Yes", "yes", "yes")])
    {'Yes': 'yes', 'yes': 'yes'}
    """
    return name_spellings(Counter(r.transcript for r in recordings), known)


def join_spellings(
    recordings: Sequence[Recording], part: str, known: Sequence[str] = ()
) -> list[Recording]:
    """Recordings under the names of their labels; what was joined is said. `known` are
    labels of the train part, where these recordings are of another."""
    names, place = label_names(recordings, known), f"{part} part"
    spellings = Counter(recording.transcript for recording in recordings)
    log_joined(place, spellings, names, "recordings", known)
    if not known:
        check_classes(place, Counter(names[r.transcript] for r in recordings))
    return [r._replace(transcript=names[r.transcript]) for r in recordings]
