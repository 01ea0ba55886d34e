"""Test parts that tell little, and what a report says of them."""

import numpy as np
import pytest

from keras_seq.evaluation.language import language_report
from keras_seq.evaluation.scores import report
from keras_seq.evaluation.transcripts import transcript_report


def answers(right: str) -> np.ndarray:
    """Probabilities of "no" and "yes" where all labels are "no": 1 for a right one."""
    return np.eye(2)[[0 if one == "1" else 1 for one in right]]


RIGHT = [  # of the network, of the baseline, the verdict, the end of the sentence
    ("1", "0", "ties", "of 6 samples that are needed it holds 1."),
    ("1", "1", "ties", "of 6 samples that are needed it holds 1."),
    ("11111", "00000", "ties", "of 6 samples that are needed it holds 5."),
    ("1" * 6, "0" * 6, "wins", "With so few samples (6) this is a hint at most."),
    ("0" * 300, "0" * 300, "ties", "They do not differ anywhere."),
    ("1" * 300, "1" * 300, "ties", "They do not differ anywhere."),
    ("1" * 300, "0" * 300, "wins", "Use the network."),
    ("0" * 300, "1" * 300, "loses", "Use the baseline."),
    (
        "1" * 12_500,
        "0" * 4 + "1" * 12_496,
        "ties",
        "They differ on 4 of 12,500 samples: too few to tell.",
    ),
    (
        "0" * 5 + "1" * 900,
        "1" * 905,
        "ties",
        "They differ on 5 of 905 samples: too few to tell.",
    ),
    ("1" * 900, "0" * 9 + "1" * 891, "wins", "Use the network."),
    ("1" * 898 + "00", "0" * 7 + "1" * 893, "ties", "the baseline is cheaper."),
]


@pytest.mark.parametrize("network, baseline, verdict, ending", RIGHT)
def test_labels(network: str, baseline: str, verdict: str, ending: str):
    labels = np.zeros(len(network), int)
    found = report(
        "sentiment",
        labels,
        answers(network),
        {"b": answers(baseline)},
        ["no", "yes"],
        num_resamples=100,
    )
    assert found["verdict"] == verdict
    assert found["comparison"]["sentence"].endswith(ending)


SPOKEN = [  # right utterances, of how many, the baseline's, speakers, verdict, ending
    (1, 1, 0, 1, "ties", "of 6 utterances that are needed it holds 1."),
    (200, 200, 196, 0, "ties", "They differ on 4 of 200 utterances: too few to tell."),
    (200, 200, 0, 0, "wins", "Use the network."),
    (200, 200, 0, 1, "wins", "All of it is of one speaker: others may differ."),
    (200, 200, 197, 9, "ties", "They differ on 3 of 200 utterances: too few to tell."),
    (60, 60, 0, 3, "wins", "With so few speakers (3) this is a hint at most."),
    (0, 200, 0, 5, "ties", "They do not differ anywhere."),
]


@pytest.mark.parametrize("right, size, other, speakers, verdict, ending", SPOKEN)
@pytest.mark.parametrize("is_isolated", [True, False])
def test_transcripts(right, size, other, speakers, verdict, ending, is_isolated):
    references = ["go"] * size
    first, second = (["go"] * n + ["no"] * (size - n) for n in (right, other))
    who = [f"s{number % speakers}" for number in range(size)] if speakers else []
    found = transcript_report(
        "speech",
        references,
        first,
        {"b": second},
        speakers=who,
        is_isolated=is_isolated,
        num_resamples=100,
    )
    assert found["verdict"] == verdict
    assert ending in found["comparison"]["sentence"]


TOKENS = [  # nats of the network, of the baseline, the verdict, a part of the sentence
    (np.ones(1), np.ones(1), "ties", "of 8 tokens that are needed it holds 1."),
    (np.ones(7), 9 * np.ones(7), "ties", "of 8 tokens that are needed it holds 7."),
    (np.ones(400), np.ones(400), "ties", "They do not differ anywhere."),
    (np.ones(400), 2 * np.ones(400), "wins", "Use the network."),
    (np.ones(400), np.repeat([3.0, 1.0], [4, 396]), "ties", "too few to tell."),
    # Better in the first half, worse in the second: two blocks, not 400 tokens.
    (np.repeat([1.0, 2.0], 200), np.repeat([1.8, 1.9], 200), "ties", "too short"),
]


@pytest.mark.parametrize("network, baseline, verdict, part", TOKENS)
def test_tokens(network, baseline, verdict, part):
    found = language_report("text", -network, {"b": -baseline}, len(network))
    assert found["verdict"] == verdict
    assert part in found["comparison"]["sentence"]
    for score in found["scores"].values():
        assert 0 <= score["low"] <= score["value"] <= score["high"] < np.inf
