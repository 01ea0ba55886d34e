"""What a board shows stands in TensorBoard, in figures/ and on the run's page."""

import io
import wave
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

from keras_seq.training.report_board import ReportBoard

REPORT = {
    "task": "tone",
    "n": 4,
    "scores": {"accuracy": {"value": 0.75, "low": 0.5, "high": 1.0}},
    "baselines": {"majority": {"accuracy": 0.5}, "other": {"accuracy": 0.25}},
    "verdict": "ties",
    "comparison": {
        "metric": "accuracy",
        "baseline": "majority",
        "sentence": "The network ties with majority. " * 6,
    },
}


@pytest.fixture
def board(tmp_path: Path) -> ReportBoard:
    return ReportBoard(tmp_path)


def test_scores_have_the_same_two_tags_in_every_task(
    board: ReportBoard, tmp_path: Path
):
    with board:
        board.report(REPORT, "tone, 4 samples\n" + REPORT["comparison"]["sentence"])
    logs = EventAccumulator(str(tmp_path / "tensorboard"))
    logs.Reload()
    tags = set(logs.Tags()["tensors"])
    assert {"test/score", "test/baseline", "test_accuracy/network"} <= tags

    def value(tag: str) -> np.ndarray:
        (event,) = logs.Tensors(tag)
        return make_ndarray(event.tensor_proto)

    assert (value("test/score"), value("test/baseline")) == (0.75, 0.5)
    text = value("report").item().decode()
    assert text.startswith("**ties**: The network ties with majority.")
    # The sentence is a paragraph, which a page wraps, and no line of the table.
    assert max(len(line) for line in text.splitlines()[1:]) < 90


def test_all_that_is_shown_stands_on_the_page(board: ReportBoard, tmp_path: Path):
    samples = np.array([0, 1000, -32768, 32767], "int16")
    with board:
        board.image("curve", np.zeros((2, 3, 4), "uint8"))
        board.text("worst", "a < b")
        board.table("errors", ["said", "times"], [["a|b", 3]])
        board.sound("clip", samples, 8000, "**a** heard as **b**")
        board.markdown("not there", "# x")
    image, text, table, sound = board.sections
    png = (tmp_path / "figures" / "curve.png").read_bytes()
    assert b64decode(image.split("base64,")[1].split('"')[0]) == png
    assert "a &lt; b" in text and "<td>a|b</td>" in table
    assert "a heard as b" in sound
    with wave.open(
        io.BytesIO(b64decode(sound.split("base64,")[1].split('"')[0]))
    ) as wav:
        assert wav.getframerate() == 8000
        assert wav.readframes(9) == samples.astype("<i2").tobytes()


def test_a_second_report_takes_the_place_of_the_first(tmp_path: Path):
    for _ in range(2):
        with ReportBoard(tmp_path) as board:
            board.scalars({"test_skill/network": 1.0})
    assert len([*(tmp_path / "tensorboard").glob("events.*")]) == 1
