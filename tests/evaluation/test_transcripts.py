"""Error rates against jiwer and by hand; verdicts that follow from the intervals."""

import jiwer
import numpy as np
import pytest

from keras_seq.evaluation.scores import format_report
from keras_seq.evaluation.transcripts import (
    by_speaker,
    error_counts,
    error_table,
    transcript_report,
)

REFERENCES = ["enter one two", "stop", "go on", "r u b o u t", "yes"]
HYPOTHESES = ["enter two two", "", "go on now", "r u b o t", "yes"]


def test_counts_by_hand():
    assert error_counts(REFERENCES, HYPOTHESES)[:, :4].tolist() == [
        [1, 0, 0, 3],
        [0, 1, 0, 1],
        [0, 0, 1, 2],
        [0, 1, 0, 6],
        [0, 0, 0, 1],
    ]
    assert error_counts(REFERENCES, HYPOTHESES)[:, 6].tolist() == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("seed", range(3))
def test_rates_are_those_of_jiwer_over_all_utterances(seed: int):
    rng = np.random.default_rng(seed)

    def sentences(shortest: int) -> list[str]:
        return [
            " ".join(rng.choice(list("abcd"), rng.integers(shortest, 6)))
            for _ in range(40)
        ]

    references, hypotheses = sentences(1), sentences(0)
    told = transcript_report(
        "speech", references, hypotheses, {"same": references}, num_resamples=50
    )
    words = jiwer.process_words(references, hypotheses)
    spoken = sum(len(text.split()) for text in references)
    scores = {name: score["value"] for name, score in told["scores"].items()}
    assert scores["wer"] == pytest.approx(words.wer)
    assert scores["cer"] == pytest.approx(jiwer.cer(references, hypotheses))
    assert scores["deletions"] == pytest.approx(words.deletions / spoken)
    parts = [scores[name] for name in ("substitutions", "deletions", "insertions")]
    assert sum(parts) == pytest.approx(scores["wer"])
    assert told["scores"]["wer"]["low"] < scores["wer"] < told["scores"]["wer"]["high"]
    assert told["verdict"] == "loses" and told["baselines"]["same"]["wer"] == 0


def test_the_verdict_is_against_the_best_baseline():
    references = ["go", "stop"] * 100
    good, fair = references[:190] + ["no"] * 10, references[:100] + ["no"] * 100
    told = transcript_report(
        "speech",
        references,
        good,
        {"bad": ["x"] * 200, "fair": fair},
        is_isolated=True,
    )
    assert told["comparison"]["baseline"] == "fair" and told["verdict"] == "wins"
    assert "accuracy 0.950 against 0.500" in told["comparison"]["sentence"]
    assert "accuracy" in format_report(told)
    told = transcript_report("speech", references, good, {"same": good})
    assert told["verdict"] == "ties" and "sentence_accuracy" in told["scores"]


def test_speakers_are_scored_apart():
    counts = error_counts(["go", "go", "stop now"], ["go", "no", "stop now"])
    found = by_speaker(counts, ["ann", "ann", "bob"])
    assert found["ann"] == {"n": 2, "wer": 0.5, "cer": 0.25, "accuracy": 0.5}
    assert found["bob"]["wer"] == 0


@pytest.mark.parametrize("num_speakers", [2, 3, 7])
@pytest.mark.parametrize("is_isolated", [True, False])
def test_intervals_are_of_speakers_where_there_are_several(num_speakers, is_isolated):
    """One speaker is understood, the others are not: another set would tell else."""
    who = [f"s{number % num_speakers}" for number in range(30 * num_speakers)]
    said = ["go" if name == "s0" else "no" for name in who]
    said[1], said[num_speakers] = "go", "no"  # but for one utterance each
    widths = []
    for speakers in ([], who):
        found = transcript_report(
            "speech",
            ["go"] * len(who),
            said,
            {"b": ["x"] * len(who)},
            speakers=speakers,
            is_isolated=is_isolated,
            num_resamples=200,
        )
        score = found["scores"]["wer"]
        assert 0 <= score["low"] <= score["value"] <= score["high"]
        widths.append(score["high"] - score["low"])
    assert widths[1] > 2 * widths[0]
    assert found["comparison"]["units"] == {"count": num_speakers, "of": "speakers"}
    assert ("With so few speakers" in found["comparison"]["sentence"]) == (
        num_speakers < 6
    )


def test_one_recording_listed_often_is_one_utterance():
    found = transcript_report(
        "speech",
        ["go"] * 200,
        ["go"] * 200,
        {"b": ["x"] * 200},
        recordings=["a.wav", "b.wav"] * 100,
        num_resamples=50,
    )
    assert found["verdict"] == "ties"
    assert "of 6 different utterances that are needed it holds 2." in (
        found["comparison"]["sentence"]
    )


def test_the_commonest_errors_come_first():
    table = error_table(REFERENCES + ["stop"], HYPOTHESES + [""])
    assert table[0] == ("stop", "", 2)
    assert ("one", "two", 1) in table and ("", "now", 1) in table


@pytest.mark.parametrize(
    ("references", "hypotheses"), [(["a"], []), (["a", " "], ["a", "b"])]
)
def test_what_cannot_be_scored_is_told(references: list, hypotheses: list):
    with pytest.raises(ValueError, match="no empty reference"):
        error_counts(references, hypotheses)
