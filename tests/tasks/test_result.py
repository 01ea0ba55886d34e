"""Each task from Python: data in memory in, a run to look at and to ask out."""

import base64
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from keras_seq import cli
from keras_seq.errors import UserError
from keras_seq.tasks.result import Run
from tests.tasks.scripts import load_script

TEXTS = [
    f"{'good' if n % 2 else 'bad'} film number {n % 17} of {n}" for n in range(120)
]
LABELS = ["yes" if n % 2 else "no" for n in range(120)]
TINY = {"epochs": 1, "documented": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("memory")


@pytest.fixture(scope="module")
def sentiment() -> ModuleType:
    return load_script("sentiment")


@pytest.fixture(scope="module")
def run(sentiment: ModuleType, folder: Path) -> Run:
    frame = pd.DataFrame({"text": TEXTS, "label": LABELS})
    return sentiment.train(data=frame, **places(folder))


def places(folder: Path) -> dict[str, Any]:
    return TINY | {"run_dir": folder / "run", "export_dir": folder / "model"}


def test_a_run_has_what_its_training_left(run: Run, folder: Path):
    assert run.task == "sentiment" and run.run_dir == folder / "run"
    assert run.export_path == folder / "model" / "1"
    assert run.report["n"] == 12 and "accuracy" in run.report["scores"]
    assert len(run.history["val_loss"]) == 1 and run.seconds > 0
    assert run.model.predict(np.array([[2, 3, 4]]), verbose=0).shape == (1, 1)
    assert {"confusion_matrix", "learning_curves"} <= run.figures.keys()
    with pytest.raises(AttributeError):
        run.task = "stock"


def test_it_answers_as_the_shell_does(run: Run, sentiment: ModuleType):
    (answer,) = run.predict("a good film")
    (same,) = sentiment.predict("a good film", model=run.export_path)
    assert answer["input"] == "a good film" and answer["label"] in ("yes", "no")
    assert answer["probability"] == same["probability"]
    assert [row["input"] for row in run.predict("a", "b")] == ["a", "b"]


def test_a_notebook_shows_scores_and_figures(run: Run):
    page = run._repr_html_()
    assert "accuracy" in page and "seconds of training" in page
    assert str(run.export_path) in page
    for path in run.figures.values():
        assert base64.b64encode(path.read_bytes()).decode() in page
    assert page.count("<img ") == len(run.figures)


def test_the_shell_prints_its_summary(run: Run, capsys):
    verbs = dict.fromkeys(("train", "evaluate", "predict"), lambda: run)
    with pytest.raises(SystemExit):
        cli.run("", **verbs, argv=["train"])
    out = capsys.readouterr().out
    assert out.startswith("test scores\nsentiment, 12 samples\n")
    assert f"\nrun          {run.run_dir}\nexport       {run.export_path}\n" in out


def test_the_same_content_resumes_and_other_content_is_named(
    run: Run, sentiment: ModuleType, folder: Path
):
    again = sentiment.train(data=(TEXTS, LABELS), resume=True, **places(folder))
    assert again.export_path == run.export_path and again.report == run.report
    assert again.history == run.history
    with pytest.raises(UserError, match="content of the train data"):
        sentiment.train(data=(TEXTS[::-1], LABELS), resume=True, **places(folder))


def prices() -> pd.DataFrame:
    close = 50 * np.exp(np.random.default_rng(0).normal(0, 0.01, 300).cumsum())
    dates = pd.date_range("2024-01-01", periods=300, freq="D")
    return pd.DataFrame({"value": close}, index=dates)


def sentences() -> list[tuple[list[str], list[str]]]:
    return [
        ([name, "sees", f"{n % 7}", "birds"], ["NOUN", "VERB", "NUM", "NOUN"])
        for n, name in enumerate(["Ada", "Grace", "Emmy"] * 40)
    ]


OTHERS = {
    "stock": (prices, {"horizon": 3, "lookback": 8}, prices()[-20:], "forecast"),
    "tagging": (sentences, {}, "Ada sees 3 birds", "tags"),
    "text_generation": (
        lambda: ["To be, or not to be: that is the question.\n"] * 80,
        {"rnn_units": 8, "embedding_dim": 4, "batch_size": 4, "documented": None},
        "To be",
        "text",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_task_trains_on_what_is_in_memory(name: str, tmp_path: Path):
    data, options, asked, key = OTHERS[name]
    run = load_script(name).train(data=data(), **places(tmp_path) | options)
    assert run.report["n"] > 0 and run.export_path.name == "1"
    assert key in run.predict(asked)[0]
    assert "seconds of training" in run._repr_html_()
