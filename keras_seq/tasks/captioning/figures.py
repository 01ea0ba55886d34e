"""What of a captioner is worth a look beside its scores."""

from collections.abc import Sequence

import numpy as np

from keras_seq.evaluation.picture_figures import attention_maps_figure, captions_figure
from keras_seq.images.captioned import CaptionedPicture
from keras_seq.images.features import picture_pixels
from keras_seq.tasks.captioning.scores import Scored
from keras_seq.training.report_board import ReportBoard

SHOWN, LOOKED_AT, WORST = 8, 3, 20  # pictures
SIDE = 224  # pixels


def draw_captioner(
    scored: Scored, pictures: Sequence[CaptionedPicture], board: ReportBoard
) -> None:
    """Pictures with their captions, where words looked, and the worst captions."""
    count = len(pictures)
    some = np.unique(np.linspace(0, count - 1, min(count, SHOWN)).astype(int)).tolist()
    worst = [number for _, number in scored.worst]
    for tag, numbers in {"captions": some, "worst": worst[:SHOWN]}.items():
        own = [pictures[number] for number in numbers]
        said = [scored.answers[number]["caption"] for number in numbers]
        pixels = picture_pixels(own, SIDE, SIDE)
        references = [picture.captions for picture in own]
        board.image(tag, captions_figure(list(pixels), said, references))
    for number, place in enumerate(some[:LOOKED_AT], start=1):
        answer = scored.answers[place]
        if len(answer["tokens"]) and np.any(answer["attention"]):
            (pixels,) = picture_pixels([pictures[place]], SIDE, SIDE)
            image = attention_maps_figure(pixels, answer["tokens"], answer["attention"])
            board.image(f"attention_{number}", image)
    rows = [
        (
            f"{cider:.2f}",
            pictures[number].place,
            scored.answers[number]["caption"],
            " / ".join(pictures[number].captions),
        )
        for cider, number in scored.worst[:WORST]
    ]
    header = ("CIDEr-D", "picture", "said", "references")
    board.table("worst_captions", header, rows)
