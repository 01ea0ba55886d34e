"""What of a speech run is worth a look: sounds, transcripts, alignments, mistakes.

Shapes: T frames, F bands, T2 answered frames, C classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.audio.utterances import Utterances
from keras_seq.evaluation.figures import rendered
from keras_seq.evaluation.transcripts import error_table
from keras_seq.tasks.speech.scores import frame_answers, log_energies
from keras_seq.tasks.speech.server import SpeechRecognizer
from keras_seq.training.report_board import ReportBoard

MOST_SHOWN = 8
ROWS = 200
MOST_SYMBOLS = 12


def draw_speech(
    report: Mapping[str, Any],
    utterances: Utterances,
    written: Sequence[str],
    server: SpeechRecognizer,
    board: ReportBoard,
) -> None:
    """Error tables, transcripts, and some recordings with sound and alignment.

    Args:
        report: of the test part.
        utterances: the test part.
        written: its greedy transcripts.
        server: the model.
        board: of the run.
    """
    pairs = list(zip(utterances.transcripts, written))
    errors = [
        (spoken or "(nothing)", found or "(nothing)", times)
        for spoken, found, times in error_table(utterances.transcripts, written)
    ]
    board.table("errors", ("spoken", "written", "times"), errors)
    wrong_first = sorted(pairs, key=lambda pair: pair[0] == pair[1])
    board.table("transcripts", ("reference", "hypothesis"), wrong_first[:ROWS])
    for speaker, values in report.get("by_speaker", {}).items():
        board.scalars({f"test_wer_by_speaker/{speaker}": values["wer"]})
    numbers = _shown([reference == text for reference, text in pairs])
    shown = utterances.take(numbers)
    answers = frame_answers(server.signature, shown)
    energies = log_energies(server.extractor, shown)
    for row, number in enumerate(numbers):
        reference, text = pairs[number]
        about = f"{reference!r} transcribed as {text!r}"
        image = alignment_figure(
            energies[row], answers[row], server.alphabet.symbols, about
        )
        board.image(f"alignment_{row}", image)
        about = f"**{reference}** transcribed as **{text or '(nothing)'}**"
        board.sound(f"utterance_{row}", shown.samples(row), shown.sample_rate, about)
        board.markdown(f"utterance_{row}", about)


def _shown(right: Sequence[bool]) -> list[int]:
    """Numbers of the utterances to show, wrong ones first, and two that are right."""
    order = np.argsort(right, kind="stable")
    wrong, fine = order[: MOST_SHOWN - 2], order[::-1][:2]
    return list(dict.fromkeys([*wrong.tolist(), *fine.tolist()]))


def alignment_figure(
    log_energies: np.ndarray,
    log_probabilities: np.ndarray,
    symbols: Sequence[str],
    title: str,
) -> np.ndarray:
    """Draws the sound above, and below when which symbol was answered.

    The symbols that were surest somewhere are drawn, the blank as a grey shade.

    Args:
        log_energies: float (T, F).
        log_probabilities: float (T2, C), class 0 the blank.
        symbols: C - 1 names.
        title: what stands above.

    Returns:
        uint8 (H, W, 4), RGBA.

    Example:

    >>> probabilities = np.log(np.full((4, 3), 1 / 3))
    >>> alignment_figure(np.zeros((8, 5)), probabilities, ["a", "b"], "ab").dtype
    dtype('uint8')
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    steps = len(log_probabilities)
    above.imshow(
        log_energies.T,
        aspect="auto",
        origin="lower",
        cmap="magma",
        extent=(0, steps, 0, log_energies.shape[1]),
    )
    above.set_title(title.replace("$", r"\$")[:100])
    above.set_ylabel("mel band")
    probabilities = np.exp(log_probabilities)
    centres = np.arange(steps) + 0.5
    below.fill_between(centres, probabilities[:, 0], color="lightgrey", label="blank")
    peaks = probabilities[:, 1:].max(axis=0, initial=0)
    for number in np.argsort(-peaks)[:MOST_SYMBOLS]:
        if peaks[number] > 0.05:
            name = "space" if symbols[number] == " " else symbols[number]
            below.plot(centres, probabilities[:, number + 1], label=name)
    below.set_xlabel("answered frame")
    below.set_ylabel("probability")
    below.set_ylim(0, 1.02)
    below.legend(loc="upper right", fontsize="small", ncols=4)
    return rendered(figure)
