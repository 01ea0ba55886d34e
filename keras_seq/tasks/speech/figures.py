"""What of a speech run is worth a look: sounds, transcripts, alignments, mistakes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.audio.utterances import Utterances
from keras_seq.evaluation.transcripts import error_table
from keras_seq.tasks.speech.alignments import alignment_figure
from keras_seq.tasks.speech.scores import frame_answers, log_energies
from keras_seq.tasks.speech.server import SpeechRecognizer
from keras_seq.training.report_board import ReportBoard

CLIPS_SHOWN = 8
ROWS = 200


def draw_speech(
    report: Mapping[str, Any],
    clips: Utterances,
    written: Sequence[str],
    server: SpeechRecognizer,
    board: ReportBoard,
) -> None:
    """Error tables, transcripts, and some recordings with sound and alignment.

    Args:
        report: of the test part.
        clips: the test part.
        written: its greedy transcripts.
        server: the model.
        board: of the run.
    """
    pairs = list(zip(clips.transcripts, written))
    errors = [
        (spoken or "(nothing)", found or "(nothing)", times)
        for spoken, found, times in error_table(clips.transcripts, written)
    ]
    board.table("errors", ("spoken", "written", "times"), errors)
    wrong_first = sorted(pairs, key=lambda pair: pair[0] == pair[1])
    board.table("transcripts", ("reference", "hypothesis"), wrong_first[:ROWS])
    for speaker, values in report.get("by_speaker", {}).items():
        board.scalars({f"test_wer_by_speaker/{speaker}": values["wer"]})
    numbers = _shown([reference == text for reference, text in pairs])
    shown = clips.take(numbers)
    answers = frame_answers(server.signature, shown)
    energies = log_energies(server.extractor, shown)
    for row, number in enumerate(numbers):
        reference, text = pairs[number]
        about = f"{reference!r} heard as {text!r}"
        image = alignment_figure(
            energies[row], answers[row], server.alphabet.symbols, about
        )
        board.image(f"alignment_{row}", image)
        about = f"**{reference}** heard as **{text or '(nothing)'}**"
        board.sound(f"clip_{row}", shown.samples(row), clips.sample_rate, about)
        board.markdown(f"clip_{row}", about)


def _shown(right: Sequence[bool]) -> list[int]:
    """Numbers of the clips to show, wrong ones first, and two that are right."""
    order = np.argsort(right, kind="stable")
    wrong, fine = order[: CLIPS_SHOWN - 2], order[::-1][:2]
    return list(dict.fromkeys([*wrong.tolist(), *fine.tolist()]))
