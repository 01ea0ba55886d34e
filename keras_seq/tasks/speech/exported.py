"""What a speech task asks of its export: scores, and transcripts of files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_seq.audio.alphabet import Alphabet
from keras_seq.audio.labels import check_transcripts, join_spellings
from keras_seq.audio.log_mel import LogMel
from keras_seq.audio.recordings import Recording, log_parts
from keras_seq.audio.utterances import decode_recordings, report_data_issues
from keras_seq.audio.waveforms import read_audio
from keras_seq.data.copies import log_trained
from keras_seq.errors import UserError
from keras_seq.log import log
from keras_seq.serving.saved_model import EXTRA, Exported, load_exported
from keras_seq.tasks.result import Evaluation
from keras_seq.tasks.speech.baselines import load_speech_baselines
from keras_seq.tasks.speech.ending import ARPA, BASELINES, TRAINED
from keras_seq.tasks.speech.scores import BeamSearch, score_speech


def evaluate_speech_export(
    task: str,
    model: Path,
    recordings: Sequence[Recording],
    *,
    beam_width: int | None = None,
    arpa: Path | None = None,
    labels_as_written: bool = False,
) -> Evaluation:
    """Scores an exported model on recordings, beside the baselines fitted with it.

    Args:
        task: its name.
        model: folder of an export, or of one version.
        recordings: from `find_recordings`.
        beam_width: also decode by prefix beam search, of this width.
        arpa: file of a language model for it; by default the one of the training.
        labels_as_written: joins no labels, and takes NA and the like for words.

    Returns:
        The report, as `transcript_report` has it.

    Raises:
        UserError: It is no export, or no recording can be read.
    """
    exported = load_exported(model)
    facts = exported.metadata
    extractor = feature_extractor_of(facts)
    log_parts(recordings)
    are_labels = facts["is_isolated"] and facts["alphabet"]["separator"]
    labels = facts["alphabet"]["symbols"] if are_labels else ()
    if not labels_as_written:
        check_transcripts(recordings, labels)
        if labels:
            recordings = join_spellings(recordings, "evaluated", labels)
    utterances, problems = decode_recordings(recordings, extractor.sample_rate)
    report_data_issues(problems)
    if not len(utterances):
        raise UserError("there is no recording to score")
    name = f"{utterances.places[0]} and others"
    trained = exported.path / EXTRA / TRAINED
    log_trained(name, utterances.digests(), trained, "recordings")
    search = _search_of(exported, beam_width, arpa)
    alphabet = Alphabet.from_dict(facts["alphabet"])
    alone = alphabet if facts.get("is_with_linear") else None
    report, _ = score_speech(
        task,
        exported.signature,
        utterances,
        load_speech_baselines(exported.path / EXTRA / BASELINES),
        extractor,
        is_isolated=facts["is_isolated"],
        search=search,
        alone=alone,
    )
    return Evaluation(report)


def feature_extractor_of(facts: Mapping[str, Any]) -> LogMel:
    """The feature extractor that model.json describes."""
    key = "feature_extractor"  # "front" in exports of earlier versions
    return LogMel.from_dict(facts[key] if key in facts else facts["front"])


def _search_of(
    exported: Exported, beam_width: int | None, arpa: Path | None
) -> BeamSearch | None:
    if beam_width is None and arpa is None:
        return None
    own = exported.path / EXTRA / ARPA
    path = arpa or (own if own.exists() else None)
    settings = exported.metadata.get("beam_search", {})
    settings = settings | ({"beam_width": beam_width} if beam_width else {})
    alphabet = Alphabet.from_dict(exported.metadata["alphabet"])
    return BeamSearch.from_file(alphabet, path, **settings)


def transcribe(
    model: Path, sounds: Iterable[tuple[str, bytes]]
) -> Iterator[dict[str, Any]]:
    """Answers sound files of any format and rate with an exported model.

    Args:
        model: folder of an export, or of one version.
        sounds: (name, bytes) of each file.

    Yields:
        {"transcript", "log_probability"} of each, in order.

    Raises:
        UserError: It is no export, or a file is no sound.
    """
    import tensorflow as tf

    exported = load_exported(model)
    rate = feature_extractor_of(exported.metadata).sample_rate
    ask = exported.signature("waveform")
    for path, content in sounds:
        audio = read_audio(content, rate)
        if audio.problem and audio.problem != "silent":
            raise UserError(f"{path}: {audio.problem}")
        if audio.remark:
            log.info(f"{path}: {audio.remark}")
        waveform = tf.constant(audio.samples[None], tf.float32) / 32768
        answer = ask(waveform=waveform, lengths=tf.constant([len(audio.samples)]))
        yield {
            "transcript": answer["transcript"].numpy()[0].decode(),
            "log_probability": float(answer["log_probability"][0]),
        }
