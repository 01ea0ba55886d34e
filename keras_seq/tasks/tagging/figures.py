"""What of a tagger is worth a look beside its scores."""

from collections.abc import Sequence

from keras_seq.evaluation.figures import confusion_matrix_figure
from keras_seq.evaluation.report_page import text_section
from keras_seq.tasks.tagging.scores import Scored
from keras_seq.training.report_board import ReportBoard


def draw_tagger(scored: Scored, tag_names: Sequence[str], board: ReportBoard) -> None:
    """Which tags are taken for which, and the sentences with the surest mistakes.

    Args:
        scored: the test part's scores.
        tag_names: C names.
        board: of the run.
    """
    number_of = {name: number for number, name in enumerate(tag_names)}
    true, answered = (
        [number_of[tag] for tags in rows for tag in tags]
        for rows in (scored.truth, scored.answers)
    )
    image = confusion_matrix_figure(true, answered, tag_names)
    board.image("confusion_matrix", image)
    worst = scored.worst or "none"
    board.text("worst_sentences", worst)
    # TensorBoard has the lines as they are; the page sets the marked words in bold.
    board.sections[-1] = text_section("worst_sentences", worst, has_bold=True)
