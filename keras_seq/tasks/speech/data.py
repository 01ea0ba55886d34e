"""What a speech task does before its training: parts, decoded once, what is fitted."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import tensorflow as tf

from keras_seq.audio.alphabet import Alphabet
from keras_seq.audio.batches import make_audio_dataset
from keras_seq.audio.labels import check_transcripts, join_spellings, label_names
from keras_seq.audio.log_mel import LogMel
from keras_seq.audio.recordings import Recording
from keras_seq.audio.splits import (
    cut_parts,
    limit_recordings,
    part_recordings,
    part_utterances,
)
from keras_seq.audio.utterances import (
    Problem,
    Utterances,
    decode_recordings,
    drop_unalignable,
    most_common_rate,
    report_data_issues,
)
from keras_seq.errors import UserError
from keras_seq.models.speech import answered_frames
from keras_seq.ranges import check_settings

# Fewer bands of a single word hide whose voice it is.
BANDS, WORD_BANDS = 80, 24
SHORTEST_LABELS = 5  # recordings of each label, on average, that make labels of them


class SpeechData(NamedTuple):
    """Parts, and what was fitted on their train part alone.

    Attributes:
        splits: "train", "validation" and "test"; the first two hold what CTC can align.
        alphabet: of the train transcripts.
        extractor: waveform to features.
        subsampling: frames in for one frame out, as the frame counts need it.
        is_isolated: every utterance is one label.
        problems: what was odd, and what was left out.
        fingerprint: SHA-256 of the train part.
        fingerprints: of each part and its speakers, by its name.
    """

    splits: dict[str, Utterances]
    alphabet: Alphabet
    extractor: LogMel
    subsampling: int
    is_isolated: bool
    problems: list[Problem]
    fingerprint: str
    fingerprints: dict[str, str]

    def batches(self, part: str, batch_size: int, **options: Any) -> tf.data.Dataset:
        """A part as `make_audio_dataset` gives it; of the train part alone, `options`
        have seed and augmentation."""
        return make_audio_dataset(
            self.splits[part],
            self.alphabet,
            self.extractor,
            batch_size=batch_size,
            subsampling=self.subsampling,
            **options,
        )


def prepare_speech(
    given: Mapping[str, Sequence[Recording]],
    *,
    unit: Literal["auto", "character", "word"] = "auto",
    normalize: Literal["auto", "utterance", "fitted", "peak"] = "auto",
    subsampling: int | None = None,
    test_speaker: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    labels_as_written: bool = False,
) -> SpeechData:
    """Parts, decodes and checks recordings, and fits alphabet and features on train.

    What CTC cannot align is left out of train and validation, and stays in test, where
    it costs its score. Copies of a sound stand in one part, and where every utterance
    is one label, spellings of a label are joined.

    Args:
        given: "train", and "validation" or "test" where the user brings them.
        unit: what a model writes; "auto" takes words where every utterance is one
            label.
        normalize: as `LogMel` has it; "auto" takes the peak where every utterance is
            one label, as so short a sound says little of its own mean, and else the
            utterance.
        subsampling: of the model; None is 2 where every utterance is one label, else 4.
        test_speaker: keeps this speaker for the test.
        limit: most recordings to use.
        seed: of the parts.
        labels_as_written: joins no labels, and takes NA and the like for words.

    Returns:
        The data.

    Raises:
        UserError: Nothing is left of a part, one mostly stands in train, or a
            transcript reads as missing.
    """
    check_settings(limit=limit)
    parts = part_recordings(given, test_speaker=test_speaker, seed=seed)
    parts = limit_recordings(parts, limit, seed)
    if not labels_as_written:
        parts = _with_one_name_a_label(parts)
    rate = most_common_rate(parts["train"])
    part_of = [name for name, recordings in parts.items() for _ in recordings]
    utterances, problems = decode_recordings(itertools.chain(*parts.values()), rate)
    splits, copies = part_utterances(
        utterances,
        [part_of[number] for number in utterances.numbers],
        cut_parts(given, test_speaker),
    )
    problems += copies
    splits = {name: splits.get(name) or utterances.take([]) for name in parts}
    transcripts = splits["train"].transcripts
    if not transcripts:
        report_data_issues(problems)
        raise UserError("no recording is left to train on; see the lines above")
    is_isolated = _is_isolated(transcripts)
    if unit == "auto":
        unit = "word" if is_isolated else "character"
    alphabet = Alphabet.of(transcripts, unit)
    subsampling = subsampling or (2 if is_isolated else 4)
    if normalize == "auto":
        normalize = "peak" if is_isolated else "utterance"
    extractor = LogMel(rate, WORD_BANDS if is_isolated else BANDS, normalize)

    def answered(lengths: Any) -> Any:
        return answered_frames(extractor.frame_counts(lengths), subsampling)

    for name in ("train", "validation"):
        splits[name], found = drop_unalignable(splits[name], alphabet, answered)
        problems += found
    _, unwritable = drop_unalignable(splits["test"], alphabet, answered)
    problems += [problem._replace(left_out=False) for problem in unwritable]
    for name, utterances in splits.items():
        if not len(utterances):
            report_data_issues(problems)
            raise UserError(f"no recording is left of the {name} part; see above")
    if normalize != "utterance":
        train = splits["train"]
        starts = range(0, len(train), 64)
        extractor.fit(
            train.batch(range(start, min(start + 64, len(train)))) for start in starts
        )
    fingerprints = {
        name: part.fingerprint(part.speakers) for name, part in splits.items()
    }
    return SpeechData(
        splits,
        alphabet,
        extractor,
        subsampling,
        is_isolated,
        problems,
        splits["train"].fingerprint(),
        fingerprints,
    )


def _with_one_name_a_label(
    parts: dict[str, list[Recording]],
) -> dict[str, list[Recording]]:
    """Recordings whose labels, where every utterance is one, are spelled one way."""
    for recordings in parts.values():
        check_transcripts(recordings)
    names = label_names(parts["train"])
    if not _is_isolated([names[r.transcript] for r in parts["train"]]):
        return parts
    known = sorted(set(names.values()))
    return {
        name: join_spellings(recordings, name, () if name == "train" else known)
        for name, recordings in parts.items()
    }


def _is_isolated(transcripts: Sequence[str]) -> bool:
    labels = set(transcripts)
    one_word = not any(" " in label for label in labels)
    return one_word and len(labels) * SHORTEST_LABELS <= len(transcripts)
