"""The text generation task as a user runs it: shell verbs, run folder, export."""

import json
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
import tensorflow as tf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keras_seq.serving.saved_model import load_exported
from tests.fork_server import bare
from tests.tasks.scripts import ask_script, call_script, load_script, refuse
from tests.tasks.text_generation.streamed import streamed

ask = partial(ask_script, "text_generation")
VERSE = "你好，世界。\nTo be, or not to be: that is the question.\n"
SMALL = ("--rnn-units", "24", "--embedding-dim", "8", "--batch-size", "8")


@pytest.fixture(scope="module")
def task() -> ModuleType:
    return load_script("text_generation")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, task: ModuleType) -> Path:
    """A folder in which the task was run, for seconds, on a folder of texts."""
    folder = tmp_path_factory.mktemp("text_generation")
    (folder / "books").mkdir()
    for number in range(3):
        (folder / "books" / f"{number}.txt").write_text(VERSE * 40, encoding="utf-8")
    done = call_script(
        task,
        folder,
        "--data",
        "books",
        *SMALL,
        "--epochs",
        "2",
        "--run-dir",
        "run",
        "--dynamic-evaluation",
    )
    assert done.returncode == 0, done.stderr
    assert "kneser_ney_7" in done.stdout and "Dynamic evaluation" in done.stdout
    return folder


def test_a_run_leaves_what_it_promises(trained: Path):
    run, version = (
        trained / "run",
        trained / "saved_models" / "text_generation" / "books" / "1",
    )
    metrics = json.loads((run / "metrics.json").read_text())
    for part in ("validation", "test"):
        report = metrics[part]
        score = report["scores"]["perplexity"]
        assert 1 < score["low"] <= score["value"] <= score["high"]
        assert set(report["baselines"]) == {"unigram", "kneser_ney_7"}
        assert report["unknown"] == 0
    assert metrics["test"]["dynamic"]["learning_rate"] > 0
    shares = metrics["copied"]["share_of_ngrams_in_train"]
    assert shares["8"]["held_out"] > 0.5  # the text repeats itself
    facts = json.loads((version / "assets.extra" / "model.json").read_text())
    assert facts["tokens"] == "characters"
    assert set(facts["signatures"]) == {
        "serving_default",
        "score",
        "score_tokens",
        "init",
        "step",
    }
    assert facts["proof"]["samples"] == 4


@pytest.mark.slow
def test_model_keras_loads_for_fine_tuning_without_keras_seq(trained: Path):
    script = """
import sys, keras, numpy
model = keras.models.load_model("run/model.keras")
assert "keras_seq" not in sys.modules
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(numpy.ones((4, 6), "int32"), numpy.ones((4, 6)), verbose=0)
"""
    done = bare().run(["-c", script], cwd=trained)
    assert done.returncode == 0, done.stderr


def test_predict_writes_on_and_says_what_it_could_not_read(
    trained: Path, task: ModuleType
):
    options = ("--max-new-tokens", "30", "--seed", "3")
    given = ask(trained, "predict", "To be", "你好§", *options)
    piped = ask(trained, "predict", *options, text="To be\n你好§\n")
    assert given.stdout == piped.stdout, given.stderr + piped.stderr
    rows = [json.loads(line) for line in given.stdout.splitlines()]
    assert [row["input"] for row in rows] == ["To be", "你好§"]
    assert [row["unknown"] for row in rows] == [0, 1]
    for row in rows:
        assert row["text"].startswith(row["input"])
        written = row["text"].removeprefix(row["input"])
        # Valid characters of the training text alone.
        assert len(written) == 30 and set(written) <= set(VERSE)
    wrong = call_script(task, trained, "predict", "a", "--top-p", "7")
    assert wrong.returncode == 2
    assert "--top-p must be at most 1, got 7" in wrong.stderr


def test_a_server_streams_the_same_text(trained: Path, task: ModuleType):
    exported = load_exported(trained / "saved_models" / "text_generation")
    init, step = exported.signature("init"), exported.signature("step")
    pieces = streamed(init, step, "To be", max_new_tokens=30, seed=3)
    asked = "predict", "To be", "--max-new-tokens", "30", "--seed", "3"
    row = json.loads(call_script(task, trained, *asked).stdout)
    assert "To be" + "".join(pieces) == row["text"]


def test_evaluate_scores_a_text_beside_the_baselines(trained: Path, task: ModuleType):
    path = trained / "more.txt"
    path.write_text("To be or not§\n" * 9, encoding="utf-8")
    report = task.evaluate(
        model=trained / "saved_models" / "text_generation", data=str(path)
    )
    assert report["n"] == report["characters"] == 14 * 9
    assert report["unknown"] == 9
    assert set(report["baselines"]) == {"unigram", "kneser_ney_7"}


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=3))
@example([b"", b"\xff\x00\xe8"])
@example(["谢谢 ".encode() * 300])
def test_any_prompt_gets_valid_text(served, raw: list[bytes]):
    options = {
        "max_new_tokens": tf.constant(5),
        "temperature": tf.constant(1.0),
        "top_k": tf.constant(0),
        "top_p": tf.constant(0.9),
        "seed": tf.constant(1),
    }
    answer = served.signatures["serving_default"](prompt=tf.constant(raw), **options)
    for text in answer["text"].numpy():
        text.decode("utf-8")


@pytest.fixture(scope="module")
def served(trained: Path):
    return tf.saved_model.load(
        str(trained / "saved_models" / "text_generation" / "books" / "1")
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--tokens", "subwords", "--vocab-size", "300", "--average", "mean"),
        ("--tokens", "bytes", "--cell", "simple_rnn", "--layer-norm"),
        ("--documented", "lstm"),
        *(
            pytest.param(more, marks=pytest.mark.slow)
            for more in (
                ("--tokens", "words", "--tie-embeddings", "--cell", "gru"),
                ("--documented", "simple_rnn"),
            )
        ),
    ],
    ids=lambda arguments: "_".join(a.strip("-") for a in arguments[:2]),
)
def test_every_kind_of_tokens_and_model_goes_the_whole_way(
    arguments: tuple[str, ...], tmp_path: Path, task: ModuleType
):
    (tmp_path / "a.txt").write_text(VERSE * 120, encoding="utf-8")
    size = () if "--documented" in arguments else ("--rnn-units", "16")
    asked = "train", "--data", "a.txt", "--epochs", "1", "--batch-size", "4", *size
    done = call_script(task, tmp_path, *asked, *arguments)
    assert done.returncode == 0, done.stderr
    assert "perplexity" in done.stdout
    model = tmp_path / "saved_models" / "text_generation"
    answer = next(iter(task.predict("To be", model=model, max_new_tokens=4)))
    assert answer["text"].startswith("To be")


BAD = {
    "no such file": ("missing.txt", None, "missing.txt: no such file or folder"),
    "not UTF-8": ("a.txt", b"one\n\xff", "is not UTF-8 text"),
    "too short": ("a.txt", b"ab\n", "too few for a"),
    "empty": ("a.txt", b"", "a.txt: no text"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_one_line_and_leaves_nothing(
    case: str, tmp_path: Path, monkeypatch, task: ModuleType
):
    name, content, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    refuse(task, name, message)
    assert {path.name for path in tmp_path.iterdir()} <= {name}


def test_nothing_is_fitted_on_validation_or_test(task: ModuleType, tmp_path: Path):
    (tmp_path / "train.txt").write_text("to be or not to be\n" * 30)
    fitted = []
    for words in ("first", "zweite"):
        for part in ("validation", "test"):
            (tmp_path / f"{part}.txt").write_text(f"{words} {part}\n" * 9)
        options = task.Options(
            data=str(tmp_path / "train.txt"),
            validation_data=str(tmp_path / "validation.txt"),
            test_data=str(tmp_path / "test.txt"),
        )
        data = task.load_data(options)
        fitted.append((data.coder.to_json(), data.fingerprint))
    assert fitted[0] == fitted[1]


def test_tensorboard_has_what_the_issue_names(trained: Path):
    tags: dict[str, set[str]] = {}
    graphs = set()
    for path in sorted((trained / "run" / "tensorboard").rglob("events.*")):
        run = path.parent.name
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            tags.setdefault(run, set()).update(v.tag for v in event.summary.value)
            graphs |= {run} if event.graph_def else set()
    assert tags.keys() == {"tensorboard", "validation"}  # a run is one row
    assert graphs == {"tensorboard"} and "epoch_perplexity" in tags["validation"]
    own = {"epoch_perplexity", "learning_rate", "gradient_norm/global", "sample"}
    own |= {"samples", "report", "learning_curves", "test/score", "test/baseline"}
    assert own <= tags["tensorboard"]
    words = (trained / "run" / "tensorboard" / "validation" / "words.tsv").read_text()
    assert {"(start)", "\\n", "(space)", "你"} <= set(words.splitlines())


def test_gradients_by_distance_are_a_verb_of_their_own(
    task: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "verse.txt").write_text("to be, or not to be: that is it.\n" * 60)
    rows = list(task.gradients(data="verse.txt"))
    assert {row["cell"] for row in rows} == {"simple_rnn", "lstm", "gru"}
    assert all(row["gradient_by_distance"][0] == pytest.approx(1) for row in rows)
    assert (rows[0]["run"] / "figures" / "gradient_through_time.png").stat().st_size
