"""What of answers to texts is worth a look beside their scores."""

from keras_seq.tasks.sentiment.scores import worst_mistakes
from keras_seq.tasks.sentiment.targets import Scored, Target
from keras_seq.training.report_board import ReportBoard


def draw_answers(scored: Scored, target: Target, board: ReportBoard) -> None:
    """The wrong answers that the network was surest of; and all of them in one picture.

    Args:
        scored: the test part's scores.
        target: what was answered.
        board: of the run.
    """
    image = target.figure(scored.labels, scored.answers)
    if image is not None:
        board.image(target.figure_name, image)
    board.text("worst_mistakes", worst_mistakes(scored, target) or "none")
