"""The tagging task as a user runs it: shell verbs, the run folder, the export."""

import json
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keras_seq.evaluation import crfsuite
from keras_seq.evaluation.crfsuite import has_crfsuite
from keras_seq.tasks.tagging import describe
from keras_seq.tasks.tagging.figures import draw_tagger
from keras_seq.tasks.tagging.scores import Scored
from keras_seq.training.report_board import ReportBoard
from tests.fork_server import with_keras
from tests.tasks.scripts import (
    ask_script,
    call_script,
    load_script,
    refuse,
    run_script,
    write_sentences,
)

shell = partial(run_script, "tagging")
ask = partial(ask_script, "tagging")
ASKED = "--data train.bio --test-data test.bio --epochs 3 --batch-size 8".split()
ASKED += ["--run-dir", "run"]
NAMES = "Ada Alan Grace Edsger Barbara Donald".split()
PLACES = "London Paris New_York Ulm Los_Angeles".split()


def write_entities(path: Path, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    lines = []
    for number in range(count):
        place = rng.choice(PLACES).split("_")
        tags = ["B-place", *["I-place"] * (len(place) - 1)]
        rows = [(rng.choice(NAMES), "B-person"), (f"w{number % 9}", "O"), ("in", "O")]
        rows += [*zip(place, tags), (f"{seed}{number}", "O")]
        lines += [f"{word}\t{tag}" for word, tag in rows] + [""]
    path.write_text("\n".join(lines))


@pytest.fixture(scope="module")
def task() -> ModuleType:
    return load_script("tagging")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, task: ModuleType) -> Path:
    """A folder in which the task has learned entities, for seconds."""
    folder = tmp_path_factory.mktemp("tagging")
    write_entities(folder / "train.bio", 0, 160)
    write_entities(folder / "test.bio", 1, 30)
    done = call_script(task, folder, *ASKED)
    assert done.returncode == 0, done.stderr
    assert "written as BIO2" in done.stderr and "perceptron" in done.stdout
    return folder


@pytest.fixture(scope="module")
def served(trained: Path):
    loaded = tf.saved_model.load(
        str(trained / "saved_models" / "tagging" / "train" / "1")
    )
    return loaded.signatures


def test_a_run_leaves_what_it_promises(trained: Path):
    metrics = json.loads((trained / "run" / "metrics.json").read_text())
    for part in ("validation", "test"):
        report = metrics[part]
        beside = {"crfsuite"} if has_crfsuite() else set()
        assert {"most_frequent", "perceptron"} | beside == set(report["baselines"])
        assert ("crfsuite" in report.get("notes", {})) is not has_crfsuite()
        assert {"accuracy", "sentences_right", "precision", "recall", "f1"} <= set(
            report["scores"]
        )
        assert report["comparison"]["metric"] == "f1"
    assert metrics["test"]["n"] == 30 and metrics["test"]["scores"]["f1"]["value"] > 0.9
    version = trained / "saved_models" / "tagging" / "train" / "1"
    facts = json.loads((version / "assets.extra" / "model.json").read_text())
    assert facts["labels"] == ["O", "B-person", "B-place", "I-person", "I-place"]
    assert facts["scheme"] == "bio2" and facts["proof"]["max_abs_difference"] < 1e-5


def test_the_page_shows_wrong_words_in_bold(tmp_path: Path):
    scored = Scored({}, [["N", "V"]], [["V", "V"]], "0.9: **fish** (V, but N) ends")
    with ReportBoard(tmp_path) as board:
        draw_tagger(scored, ["N", "V"], board)
    assert "<strong>fish</strong> (V, but N) ends" in board.sections[-1]
    assert len(board.sections) == 2


def test_predict_gives_entities_in_code_points_of_the_text(trained: Path):
    text = "Ada w1 e\u0301 🙂 New York 12"
    done = ask(trained, "predict", text, "", "Ada in Ulm 7")
    first, empty, last = [json.loads(line) for line in done.stdout.splitlines()]
    found = {(text[e["start"] : e["end"]], e["type"]) for e in first["entities"]}
    # So few sentences leave open what the smile is; where words stand is not.
    assert ("Ada", "person") in found
    assert any(part.endswith("New York") for part, kind in found if kind == "place")
    assert len(first["words"]) == len(first["tags"]) == len(first["probability"]) == 7
    assert empty["words"] == empty["entities"] == [] and last["input"] == "Ada in Ulm 7"


def test_predict_of_words_counts_entities_in_words(trained: Path, task: ModuleType):
    model = trained / "saved_models" / "tagging"
    (answer,) = task.predict("Ada w1 in New York 12", model=model, words=True)
    places = {(e["start"], e["end"]) for e in answer["entities"]}
    assert {(0, 1), (3, 5)} <= places


def test_evaluate_scores_a_file_beside_the_baselines(
    trained: Path, task: ModuleType, capsys
):
    report = task.evaluate(
        model=trained / "saved_models" / "tagging", data=str(trained / "test.bio")
    )
    expected = json.loads((trained / "run" / "metrics.json").read_text())["test"]
    assert report["scores"] == expected["scores"]
    assert report["baselines"] == expected["baselines"]
    task.evaluate(
        model=trained / "saved_models" / "tagging", data=str(trained / "train.bio")
    )
    assert "trained this model: its score flatters" in capsys.readouterr().err


def test_without_crfsuite_the_report_says_that_it_is_left_out(
    trained: Path, task: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crfsuite.importlib.util, "find_spec", lambda name: None)
    report = task.evaluate(
        model=trained / "saved_models" / "tagging", data=str(trained / "test.bio")
    )
    assert set(report["baselines"]) == {"most_frequent", "perceptron"}
    assert "left out; it needs python-crfsuite" in report["notes"]["crfsuite"]
    assert "crfsuite: left out" in describe(report)


UNKNOWN = {
    "B-city": "more.bio:2: tag 'B-city' was not in training",
    "NOUN": "more.bio:2: tag 'NOUN'",
    "S-place": "tags are BIOES, but the model has BIO2",
}


@pytest.mark.parametrize("tag", UNKNOWN)
def test_a_tag_that_training_did_not_know_is_named(
    tag: str, trained: Path, task: ModuleType, tmp_path: Path
):
    (tmp_path / "more.bio").write_text(f"Ada\tB-person\nUlm\t{tag}\n")
    model = trained / "saved_models" / "tagging"
    with pytest.raises(ValueError, match=UNKNOWN[tag].replace(".", r"\.")):
        task.evaluate(model=model, data=str(tmp_path / "more.bio"))


def test_the_model_is_loaded_for_fine_tuning_in_a_process_of_its_own(trained: Path):
    script = """
import numpy as np
import keras_seq as ks
model = ks.load_model("run/model.keras")
read = [np.ones((2, 3, *each.shape[2:]), "int32") for each in model.inputs]
assert model(read).shape == (2, 3, 5, 5)
"""
    done = with_keras().run(["-c", script], cwd=trained)
    assert done.returncode == 0, done.stderr


def test_a_finished_run_is_not_trained_again(trained: Path, task: ModuleType):
    done = call_script(task, trained, *ASKED, "--resume")
    assert done.returncode == 0 and "nothing is trained again" in done.stderr
    exports = trained / "saved_models" / "tagging" / "train"
    assert [path.name for path in exports.iterdir()] == ["1"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
@example([""])
@example(["很好 " * 2000, "a"])
@example(["a" * 50_000, "\x00\ud7ff\U0010ffff"])
def test_any_text_gets_an_answer(served, texts: list[str]):
    encoded = [text.encode("utf-8", "replace") for text in texts]
    answer = {
        k: v.numpy()
        for k, v in served["serving_default"](text=tf.constant(encoded)).items()
    }
    assert np.isfinite(answer["probability"]).all()
    shape = answer["words"].shape
    assert answer["tags"].shape == answer["probability"].shape == shape
    assert ((answer["tags"] != b"") == (answer["words"] != b"")).all()
    assert ((answer["entity_start"] >= 0) == (answer["entity_type"] != b"")).all()


def test_the_company_of_a_text_does_not_reach_its_answer(served):
    texts = ["Ada w1 in New York 12", "Alan in Ulm " * 9, "Ulm"]
    together = served["serving_default"](text=tf.constant(texts))
    for row, text in enumerate(texts):
        alone = served["serving_default"](text=tf.constant([text]))
        size = int((alone["words"].numpy() != b"").sum())
        assert (alone["tags"][0, :size] == together["tags"][row, :size]).numpy().all()
        assert alone["probability"][0, :size].numpy() == pytest.approx(
            together["probability"][row, :size].numpy(), abs=1e-5
        )


BAD_WORDS = {
    "too few": ([b"a", b"b"], [1], "add up"),
    "too many": ([b"a"], [1, 1], "add up"),
    "negative": ([b"a"], [2, -1], ""),
}


@pytest.mark.parametrize("case", BAD_WORDS)
def test_rows_that_do_not_fit_their_words_are_refused(case: str, served):
    words, lengths, message = BAD_WORDS[case]
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served["words"](words=tf.constant(words), row_lengths=tf.constant(lengths))


def test_words_may_be_none_and_sentences_empty(served):
    none = served["words"](
        words=tf.constant([], tf.string), row_lengths=tf.constant([0, 0])
    )
    assert none["tags"].numpy().tolist() == [[b""], [b""]]


BAD = {
    "no such file": ("missing.conll", None, "missing.conll: no such file"),
    "no tags": ("a.conll", "Ada\nran\n", "words and tags would be one"),
    "ragged": ("a.conll", "Ada X\nran\n", "a.conll:2"),
    "one tag": (
        "a.conll",
        "".join(f"w{n} X\n\n" for n in range(50)),
        "every word has the tag 'X'",
    ),
    "empty": ("a.csv", "", "empty"),
    "short": ("a.conll", "Ada X\nran Y\n", "too few"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_one_line_and_leaves_nothing(
    case: str, tmp_path: Path, monkeypatch, task: ModuleType
):
    name, content, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_text(content)
    refuse(task, name, message)
    assert {path.name for path in tmp_path.iterdir()} <= {name}


@pytest.mark.slow
def test_the_sample_shows_what_the_network_is_for(tmp_path: Path):
    done = shell(tmp_path, "--run-dir", "run", "--epochs", "6")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert report["verdict"] == "wins" and report["scores"]["accuracy"]["value"] > 0.98
    assert all(values["accuracy"] < 0.8 for values in report["baselines"].values())


@pytest.mark.slow
def test_plain_tags_in_columns_of_a_table_and_the_documented_model(
    tmp_path: Path, task: ModuleType, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    write_sentences(tmp_path / "some.conll", 3, 80)
    left = task.train(data="some.conll", epochs=1, documented=True, run_dir=Path("run"))
    assert "most_frequent" in left.report["baselines"] and left.export_path.name == "1"
