"""The example of a task of one's own, from a table of readings to a proven export."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from keras_seq.errors import UserError


@pytest.fixture(scope="module")
def example(root: Path) -> dict:
    return runpy.run_path(str(root / "examples" / "own_task.py"))


def test_it_learns_from_a_file_and_answers_in_words(
    root: Path, example: dict, tmp_path: Path, monkeypatch, capsys
):
    readings = example["make_readings"]()
    readings.to_csv(tmp_path / "readings.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["own_task.py", "readings.csv"])
    runpy.run_path(str(root / "examples" / "own_task.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert "The network wins over logistic_regression" in out
    assert "it answers [b'walk', b'walk', b'walk', b'walk']" in out
    (run,) = Path("runs", "activity").iterdir()
    assert any(run.rglob("events.out.tfevents.*"))
    report = json.loads((run / "metrics.json").read_text())["test"]
    assert report["scores"]["accuracy"]["value"] > 0.9
    assert report["baselines"]["logistic_regression"]["accuracy"] < 0.6
    classify = tf.saved_model.load("saved_models/activity/1").signatures
    window = readings[["x", "y", "z"]].to_numpy("float32")[None, 200:250]
    answer = classify["serving_default"](window=tf.constant(window))
    assert answer["label"].numpy().tolist() == [b"run"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("session,activity,x,y\n1,run,0,0\n", "there is no column z"),
        ("time,x\n1,0\n", "there is no column activity, session, y, z"),
        ("session,activity,x,y,z\n1,run,0,0,0\n1,run,0,,0\n", ":3: y is not a number"),
        ("session,activity,x,y,z\n1,run,0,0,inf\n", ":2: z is not a number"),
        ("session,activity,x,y,z\n1,run,0,0,1 g\n", ":2: z is not a number"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_line(
    text: str, line: str, example: dict, tmp_path: Path
):
    path = tmp_path / "readings.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=line):
        example["read_readings"](str(path))
