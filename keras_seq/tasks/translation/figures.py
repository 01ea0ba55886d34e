"""What of a translator is worth a look beside its scores."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from keras_seq.evaluation.figures import attention_figure
from keras_seq.tasks.translation.scores import Scored
from keras_seq.training.report_board import ReportBoard

SHOWN = 3  # sentences


def draw_translator(
    scored: Scored,
    attend: Callable[[Iterable[str]], Iterator[Mapping[str, Any]]],
    texts: Sequence[str],
    board: ReportBoard,
) -> None:
    """What each token looked at in some sentences, and the worst translations."""
    some = texts[len(texts) // 2 :][:SHOWN]
    for number, answer in enumerate(attend(some), start=1):
        if any(map(any, answer["attention"])):
            image = attention_figure(
                answer["attention"], answer["source_tokens"], answer["target_tokens"]
            )
            board.image(f"attention_{number}", image)
    rows = [(f"{chrf:.1f}", *texts) for chrf, *texts in scored.worst]
    board.table("worst_sentences", ("chrF", "source", "translation", "reference"), rows)
