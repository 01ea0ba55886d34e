"""The demo answers the question that README and `make demo` ask."""

import json
from pathlib import Path

import pytest

from tests.tasks.scripts import run_script

QUESTIONS = {
    "What a film!": "positive",
    "What a waste of a film!": "negative",
    "The plot started dull and ended gripping.": "positive",
}


@pytest.mark.slow
def test_the_model_of_the_demo_answers_its_own_question(tmp_path: Path):
    trained = run_script("sentiment", tmp_path, "train")
    assert trained.returncode == 0, trained.stderr
    asked = run_script("sentiment", tmp_path, "predict", *QUESTIONS, "Xyzzy")
    answers = [json.loads(line) for line in asked.stdout.splitlines()]
    assert {row["input"]: row["label"] for row in answers[:-1]} == QUESTIONS
    assert answers[0]["unknown"] == "0 of 3"
    assert answers[0]["probability"] > 0.75
    assert answers[-1]["note"].startswith("the model knows no word of this text")
