"""What of a captioner is worth a look beside its scores."""

from collections.abc import Sequence

import numpy as np

from keras_seq.evaluation.captions import worst_captions
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
    captions = [answer["caption"] for answer in scored.answers]
    references = [picture.captions for picture in pictures]
    lowest, count = worst_captions(references, captions), len(pictures)
    some = np.unique(np.linspace(0, count - 1, min(count, SHOWN)).astype(int)).tolist()
    worst = [number for _, number in lowest[:SHOWN]]
    for tag, numbers in {"captions": some, "worst": worst}.items():
        own, written, wanted = (
            [column[number] for number in numbers]
            for column in (pictures, captions, references)
        )
        pixels = picture_pixels(own, SIDE, SIDE)
        board.image(tag, captions_figure(list(pixels), written, wanted))
    for number, place in enumerate(some[:LOOKED_AT], start=1):
        answer = scored.answers[place]
        if len(answer["tokens"]) and np.any(answer["attention"]):
            (pixels,) = picture_pixels([pictures[place]], SIDE, SIDE)
            image = attention_maps_figure(pixels, answer["tokens"], answer["attention"])
            board.image(f"attention_{number}", image)
    rows = [
        (f"{cider:.2f}", pictures[n].place, captions[n], " / ".join(references[n]))
        for cider, n in lowest[:WORST]
    ]
    board.table("worst_captions", ("CIDEr-D", "picture", "caption", "references"), rows)
