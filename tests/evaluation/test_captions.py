"""The report of captions: BLEU of several references, variety, oracle and alarm."""

import numpy as np
import pytest

from keras_seq.evaluation.captions import (
    caption_digests,
    caption_report,
    describe_captions,
)

NOUNS = "dog cat horse bird fish sheep cow goat".split()
REFERENCES = [
    [f"A {noun} runs over grass {n}.", f"One {noun} is on field {n}."]
    for n in range(5)
    for noun in NOUNS
]
FIRST = [texts[0] for texts in REFERENCES]
CONSTANT = {"constant": ["A dog runs over grass 1."] * len(REFERENCES)}
TRAIN = caption_digests(["A dog runs over grass 1"])


def report(hypotheses: list[str], **options):
    options = {"num_resamples": 100, "train_digests": TRAIN} | options
    return caption_report("captioning", REFERENCES, hypotheses, CONSTANT, **options)


def test_bleu_is_sacrebleus_over_all_references():
    from sacrebleu.metrics import BLEU

    mixed = [texts[n % 2].lower() for n, texts in enumerate(REFERENCES)]
    mixed[:10] = ["a dog sits"] * 10
    streams = [list(texts) for texts in zip(*REFERENCES)]
    scores = report(mixed)["scores"]
    for order in (1, 2, 3, 4):
        own = BLEU(lowercase=True, max_ngram_order=order)
        expected = own.corpus_score(mixed, streams).score
        assert scores[f"bleu_{order}"]["value"] == pytest.approx(expected, abs=1e-9)
    assert scores["exact"]["value"] == pytest.approx(0.75)


def test_pictures_may_have_unlike_numbers_of_references():
    references = [texts[: 1 + n % 2] for n, texts in enumerate(REFERENCES)]
    found = caption_report(
        "captioning", references, FIRST, CONSTANT, train_digests=TRAIN, num_resamples=9
    )
    assert found["scores"]["bleu_4"]["value"] == pytest.approx(100)


def test_variety_and_the_best_of_several():
    several = [["no such thing", first, "a cow"] for first in FIRST]
    found = report(["no such thing"] * 39 + [FIRST[1]], several=several)
    assert found["variety"]["network"] == {"different": 2, "in_train": 0.0}
    assert found["variety"]["constant"] == {"different": 1, "in_train": 1.0}
    assert found["oracle"]["n_best"] == 3 and found["oracle"]["exact"] == 1.0
    assert found["alarm"] == "" and found["verdict"] == "loses"
    assert "with the best of 3 captions" in describe_captions(found)


def test_one_caption_for_all_is_an_alarm():
    found = report(["A man."] * 39 + ["a man"])
    assert "One caption serves all 40 pictures" in found["alarm"]
    assert found["alarm"] in describe_captions(found)


def test_copies_of_a_picture_are_redrawn_together():
    alone = report(FIRST[:20] + ["a"] * 20, num_resamples=400)
    pairs = [str(n // 2) for n in range(40)]
    together = report(FIRST[:20] + ["a"] * 20, groups=pairs, num_resamples=400)
    assert together["comparison"]["units"] == {"count": 20, "of": "pictures"}
    widths = [
        np.ptp([found["scores"]["exact"][end] for end in ("low", "high")])
        for found in (alone, together)
    ]
    assert widths[1] > 1.2 * widths[0]
