"""A speech model beside its baselines: asked, decoded and scored.

Takes signatures, of a model in memory or of an export: it does not care which. Knows
utterances and texts; neither files nor training.
"""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_seq.audio.alphabet import Alphabet
from keras_seq.audio.log_mel import LogMel
from keras_seq.audio.utterances import Utterances
from keras_seq.decoding.ctc import prefix_beam_search
from keras_seq.errors import UserError
from keras_seq.evaluation.finite import check_answers
from keras_seq.evaluation.transcripts import error_counts, transcript_report
from keras_seq.tasks.speech.server import answer_utterances
from keras_seq.text.word_ngrams import WordNgrams, word_scores

WEIGHTS, BONUSES = (0.0, 0.3, 0.6, 1.0), (0.0, 1.0, 2.0)
MOST_TUNED = 60  # validation utterances that weight and bonus are chosen on
BEAM_WIDTH = 16

Signatures = Callable[[str], Callable[..., Mapping[str, tf.Tensor]]]


class BeamSearch(NamedTuple):
    """Prefix beam search with its language model.

    Attributes:
        alphabet: of the model.
        model: of words, or None.
        beam_width, weight, bonus: as `prefix_beam_search` and `word_scores` take them.
    """

    alphabet: Alphabet
    model: WordNgrams | None
    beam_width: int = BEAM_WIDTH
    weight: float = 0.5
    bonus: float = 1.0

    @classmethod
    def from_file(
        cls, alphabet: Alphabet, arpa: Path | None, **settings: Any
    ) -> "BeamSearch":
        """The search with the language model of an ARPA file.

        Raises:
            UserError: The file is missing or no ARPA file.
        """
        model = None
        if arpa is not None:
            try:
                lines = arpa.read_text("utf-8").splitlines()
                model = WordNgrams.from_arpa(lines)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise UserError(f"{arpa}: no language model ({reason})") from error
        return cls(alphabet, model, **settings)

    def facts(self) -> dict[str, Any]:
        """What `from_file` takes beside the file."""
        names = ("beam_width", "weight", "bonus")
        return {name: getattr(self, name) for name in names}

    def transcribe(self, log_probabilities: np.ndarray) -> str:
        """The best reading of float (T, C), real frames alone."""
        scores: dict[str, Any] = {}
        if self.model is not None:
            symbols, separator = self.alphabet.symbols, self.alphabet.separator
            scores["extend"], scores["finish"] = word_scores(
                self.model, symbols, separator, self.weight, self.bonus
            )
        found = prefix_beam_search(
            log_probabilities, beam_width=self.beam_width, **scores
        )
        return self.alphabet.decode(found[0].ids)


def frame_answers(signatures: Signatures, utterances: Utterances) -> list[np.ndarray]:
    """Log probabilities float32 (T, C) of the real frames of each utterance."""
    return [
        answer["log_probabilities"][: answer["frames"]]
        for answer in answer_utterances(signatures("frames"), utterances)
    ]


def tuned_beam_search(
    signatures: Signatures,
    alphabet: Alphabet,
    train: Utterances,
    validation: Utterances,
) -> BeamSearch:
    """The search with the fewest wrong words, on some of the validation utterances, and
    an n-gram model of the train transcripts."""
    model = WordNgrams.count(train.transcripts)
    some = validation.take(range(min(len(validation), MOST_TUNED)))
    answers = frame_answers(signatures, some)

    def wrong_words(tried: BeamSearch) -> int:
        found = [tried.transcribe(answer) for answer in answers]
        return int(error_counts(some.transcripts, found)[:, :3].sum())

    settings = itertools.product(WEIGHTS, BONUSES)
    searches = (BeamSearch(alphabet, model, BEAM_WIDTH, *each) for each in settings)
    return min(searches, key=wrong_words)  # the first of equals


def log_energies(extractor: LogMel, utterances: Utterances) -> list[np.ndarray]:
    """Log-mel frames float32 (T, F) of each utterance, before normalisation."""
    graph = tf.function(extractor.log_energies, reduce_retracing=True)
    found = []
    for number in range(len(utterances)):
        waveform, lengths = utterances.batch([number])
        found.append(graph(tf.constant(waveform), tf.constant(lengths))[0].numpy()[0])
    return found


def score_speech(
    task: str,
    signatures: Signatures,
    utterances: Utterances,
    baselines: Mapping[str, Any],
    extractor: LogMel,
    *,
    is_isolated: bool,
    search: BeamSearch | None = None,
    alone: Alphabet | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """Scores a model and its baselines on the same utterances.

    Args:
        task: its name.
        signatures: name to signature, of an export or a `SpeechRecognizer`.
        utterances: with transcripts.
        baselines: fitted on the train part alone.
        extractor: of the model.
        is_isolated: every utterance is one label.
        search: also decode by beam search, reported as `beam_search`.
        alone: alphabet of a network that answers with a linear model: what it answers
            without is reported as `network_alone`.

    Returns:
        The report, with `real_time_factor` (seconds of work for a second of sound, in
        batches, with all cores), and the greedy transcripts.
    """
    start = time.perf_counter()
    answers = list(answer_utterances(signatures("waveform"), utterances))
    seconds = time.perf_counter() - start
    sureness = np.array([answer["log_probability"] for answer in answers])
    check_answers(sureness, "log-probabilities")
    written = [answer["transcript"] for answer in answers]
    features: Sequence[Any] = utterances.places
    if len(baselines) > 1:  # the most frequent transcript looks at none
        features = log_energies(extractor, utterances)
    of_baselines = {name: b.predict(features) for name, b in baselines.items()}
    report_of = partial(
        transcript_report,
        task,
        utterances.transcripts,
        speakers=utterances.speakers,
        recordings=utterances.places,
        is_isolated=is_isolated,
    )
    notes = {name: getattr(b, "note", "") for name, b in baselines.items()}
    report = report_of(written, of_baselines, notes=notes)
    report["real_time_factor"] = seconds / max(utterances.seconds, 1e-9)

    def decoded(by: BeamSearch) -> list[str]:
        return [by.transcribe(each) for each in frame_answers(signatures, utterances)]

    if search is not None:
        other = report_of(decoded(search), {"greedy": written})
        report["beam_search"] = search.facts() | {
            "language_model": search.model is not None,
            "scores": other["scores"],
        }
    if alone is not None:
        other = report_of(decoded(BeamSearch(alone, None)), of_baselines)
        report["network_alone"] = {name: other[name] for name in ("scores", "verdict")}
        metric = other["comparison"]["metric"]
        value = other["scores"][metric]["value"]
        report["comparison"]["sentence"] += (
            " It answers together with logistic regression on mean features; alone: "
            f"{metric} {value:.3f}, which {other['verdict']}."
        )
    return report, written
