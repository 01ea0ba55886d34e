"""A captioner beside its baselines: all scored on the same pictures.

Takes callables and plain data; knows nothing of networks or files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_seq.evaluation.captioners import (
    ConsensusNeighbours,
    ConstantCaption,
    NearestNeighbour,
)
from keras_seq.evaluation.captions import caption_report
from keras_seq.evaluation.finite import check_answers
from keras_seq.images.captioned import CaptionedPicture
from keras_seq.log import log

KINDS = (ConstantCaption, NearestNeighbour, ConsensusNeighbours)
Baselines = Mapping[str, ConstantCaption | NearestNeighbour | ConsensusNeighbours]
Answer = Callable[[Iterable[tuple[str, bytes]]], Iterator[Mapping[str, Any]]]


class Scored(NamedTuple):
    """A report, and what the signature `describe` answers to each picture."""

    report: dict[str, Any]
    answers: list[Mapping[str, Any]]


def fit_baselines(
    features: np.ndarray, pictures: Sequence[CaptionedPicture]
) -> Baselines:
    """Fits the baselines on features (N, F) and captions of the train part."""
    captions = [picture.captions for picture in pictures]
    return {kind.name: kind().fit(features, captions) for kind in KINDS}  # type: ignore


def score_captioner(
    task: str,
    pictures: Sequence[CaptionedPicture],
    features: np.ndarray,
    answer: Answer,
    baselines: Baselines,
    train_digests: np.ndarray,
) -> Scored:
    """Scores a network and its baselines, fitted on train alone, on the same pictures.

    Args:
        task: its name.
        pictures: with their captions.
        features: float (N, F) of them, which baselines compare.
        answer: files to what the signature `describe` answers.
        baselines: by name.
        train_digests: uint64, of all captions of train.
    """
    answers = list(answer((picture.place, picture.read()) for picture in pictures))
    sureness = np.array([each["log_probability"] for each in answers])
    check_answers(sureness, "log-probabilities")
    report = caption_report(
        task,
        [picture.captions for picture in pictures],
        [each["caption"] for each in answers],
        {name: each.describe(features) for name, each in baselines.items()},
        train_digests=train_digests,
        several=[each["captions"] for each in answers],
        groups=[picture.digest() for picture in pictures],
        notes={name: each.note for name, each in baselines.items()},
    )
    if report["alarm"]:
        log.warning(report["alarm"])
    return Scored(report, answers)
