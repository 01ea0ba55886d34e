"""What of a classifier is worth a look beside its scores."""

from collections.abc import Sequence

from keras_seq.evaluation.figures import confusion_matrix_figure
from keras_seq.tasks.sentiment.scores import Scored, worst_mistakes
from keras_seq.training.report_board import ReportBoard


def draw_classifier(
    scored: Scored, label_names: Sequence[str], board: ReportBoard
) -> None:
    """The confusion matrix, and the wrong answers that the network was surest of.

    Args:
        scored: the test part's scores.
        label_names: C names.
        board: of the run.
    """
    answers = scored.probabilities.argmax(axis=1)
    image = confusion_matrix_figure(scored.labels, answers, label_names)
    board.image("confusion_matrix", image)
    board.text("worst_mistakes", worst_mistakes(scored, label_names) or "none")
