"""The sentiment task as a user runs it: shell verbs, the run folder, the export."""

import json
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from keras_seq.text.sample_reviews import load_sample_reviews
from tests.fork_server import bare
from tests.tasks.scripts import (
    ask_script,
    call_script,
    environment,
    load_script,
    refuse,
    run_script,
    script_of,
)

shell = partial(run_script, "sentiment")
ask = partial(ask_script, "sentiment")


@pytest.fixture(scope="module")
def task() -> ModuleType:
    return load_script("sentiment")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the script was run, for seconds, on a part of the sample."""
    folder = tmp_path_factory.mktemp("sentiment")
    done = shell(folder, "--limit", "600", "--epochs", "2", "--run-dir", "run")
    assert done.returncode == 0, done.stderr
    assert "tfidf_logistic" in done.stdout
    return folder


@pytest.fixture(scope="module")
def served(trained: Path):
    return tf.saved_model.load(str(trained / "saved_models" / "sentiment" / "1"))


def test_a_run_leaves_what_it_promises(trained: Path):
    run, version = trained / "run", trained / "saved_models" / "sentiment" / "1"
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["task"] == "sentiment" and metrics["seconds"] > 0
    for part in ("validation", "test"):
        report = metrics[part]
        assert report["n"] == 60
        accuracy = report["scores"]["accuracy"]
        assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
        assert {"majority", "tfidf_logistic"} == set(report["baselines"])
        assert report["verdict"] in ("wins", "ties", "loses")
    assert json.loads((run / "config.json").read_text())["limit"] == 600
    facts = json.loads((version / "assets.extra" / "model.json").read_text())
    assert facts["labels"] == ["negative", "positive"]
    assert facts["proof"]["samples"] == 60
    assert facts["proof"]["max_abs_difference"] < 1e-5


@pytest.mark.slow
def test_model_keras_loads_for_fine_tuning_without_keras_seq(trained: Path):
    script = """
import sys, keras, numpy
model = keras.models.load_model("run/model.keras")
assert "keras_seq" not in sys.modules
model.compile("adam", "binary_crossentropy")
model.fit(numpy.ones((4, 6), "int32"), numpy.ones(4), verbose=0)
"""
    done = bare().run(["-c", script], cwd=trained)
    assert done.returncode == 0, done.stderr


def test_predict_takes_arguments_a_file_or_stdin(trained: Path, task: ModuleType):
    (trained / "texts.txt").write_text("What a joy.\nWhat a bore.\n")
    answers = [
        call_script(task, trained, "predict", "What a joy.", "What a bore."),
        call_script(task, trained, "predict", "--file", "texts.txt"),
        ask(trained, "predict", text="What a joy.\nWhat a bore.\n"),
    ]
    rows = [[json.loads(line) for line in a.stdout.splitlines()] for a in answers]
    assert rows[0] == rows[1] == rows[2]
    assert [row["input"] for row in rows[0]] == ["What a joy.", "What a bore."]
    answers = ["input", "label", "probability", "probabilities", "unknown"]
    assert list(rows[0][0]) == answers


def test_evaluate_scores_a_file_beside_the_baselines(trained: Path, task: ModuleType):
    rows = ["text,label", *(f'"{t}",{y}' for t, y in load_sample_reviews(5, 100))]
    (trained / "more.csv").write_text("\n".join(rows))
    model = trained / "saved_models" / "sentiment"
    report = task.evaluate(model=model, data=str(trained / "more.csv"))
    assert report["n"] == 100
    assert set(report["baselines"]) == {"majority", "tfidf_logistic"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(max_size=200), min_size=1, max_size=4))
@example([""])
@example(["很好 " * 50_000])
@example(["a" * 100_000, "\x00\ud7ff\U0010ffff"])
def test_any_text_gets_an_answer(served, texts: list[str]):
    encoded = [text.encode("utf-8", "replace") for text in texts]
    answer = served.signatures["serving_default"](text=tf.constant(encoded))
    assert np.isfinite(answer["probabilities"].numpy()).all()
    assert set(answer["label"].numpy()) <= {b"negative", b"positive"}


@given(st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_bytes_that_are_no_text_get_an_answer(served, raw: bytes):
    answer = served.signatures["serving_default"](text=tf.constant([raw]))
    assert np.isfinite(answer["probabilities"].numpy()).all()


BAD = {
    "no such file": ("missing.csv", None, "missing.csv: no such file"),
    "no text column": ("a.csv", "id,label\n1,x\n", "no text column found"),
    "one class": ("a.csv", "text,label\n" + "fine,a\n" * 50, "two or more labels"),
    "ragged row": ("a.csv", "text,label\nfine,a\nnice\n", "a.csv:3"),
    "not UTF-8": ("a.csv", b"text,label\nfine,a\n\xff,b\n", "a.csv:3"),
    "empty file": ("a.csv", "", "empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_one_line_and_leaves_nothing(
    case: str, tmp_path: Path, monkeypatch, task: ModuleType
):
    name, content, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    if content is not None:
        raw = content if isinstance(content, bytes) else content.encode()
        Path(name).write_bytes(raw)
    refuse(task, name, message)
    assert {path.name for path in tmp_path.iterdir()} <= {name}


def test_a_label_that_training_did_not_know_is_named(
    trained: Path, task: ModuleType, tmp_path: Path
):
    (tmp_path / "more.csv").write_text("text,label\nfine,positive\nso so,neutral\n")
    model = trained / "saved_models" / "sentiment"
    with pytest.raises(ValueError, match="more.csv:3: label 'neutral' was not"):
        task.evaluate(model=model, data=str(tmp_path / "more.csv"))


def test_nothing_is_fitted_on_validation_or_test(task: ModuleType, tmp_path: Path):
    def write(name: str, rows: list[tuple[str, str]]) -> str:
        path = tmp_path / name
        path.write_text("\n".join(["text,label", *(f"{t},{y}" for t, y in rows)]))
        return str(path)

    train = write("train.csv", [(f"word{n} fine", "ab"[n % 2]) for n in range(40)])
    fitted = []
    for words in ("first", "other"):
        parts = {
            part: write(f"{part}.csv", [(f"{words} {part} {n}", "a") for n in range(9)])
            for part in ("validation_data", "test_data")
        }
        data = task.load_data(task.Options(data=train, **parts))
        train_alone = (data.label_names, data.fingerprint, data.fingerprints["train"])
        fitted.append((data.tokenizer.to_json(), *train_alone))
    assert fitted[0] == fitted[1]
    assert data.num_train == 40


@pytest.fixture
def tensorboard(trained: Path) -> Iterator[str]:
    """TensorBoard as a process of its own; its address."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", "run"]
    command += ["--port", "0", "--load_fast", "false"]
    log = trained / "tensorboard.log"
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=trained, stdout=file, stderr=file)
    try:
        for _ in range(240):
            told = log.read_text()
            if "http://localhost:" in told:
                yield "http" + told.split("http")[1].split("/ ")[0]
                break
            time.sleep(0.5)
        else:
            pytest.fail(f"TensorBoard did not start: {log.read_text()}")
    finally:
        server.terminate()
        server.wait(30)


def ask_tensorboard(tensorboard: str, path: str) -> dict | list:
    with urllib.request.urlopen(f"{tensorboard}/data/plugin/{path}", timeout=60) as it:
        return json.load(it)


def test_tensorboard_shows_the_run(tensorboard: str, trained: Path):
    def tags(plugin: str) -> set[str]:
        found = ask_tensorboard(tensorboard, f"{plugin}/tags")
        assert found.keys() <= {"tensorboard", "tensorboard/validation"}
        return {tag for run in found.values() for tag in run}

    for _ in range(120):  # logs are read in the background
        if "test_accuracy/network" in tags("scalars") and tags("histograms"):
            break
        time.sleep(0.5)
    curves = {"epoch_loss", "epoch_accuracy", "running_mean/loss", "learning_rate"}
    norms = {f"gradient_norm/{name}" for name in ("global", "embedding")}
    scores = {"test_accuracy/network", "test_accuracy/tfidf_logistic"}
    assert curves | norms | scores <= tags("scalars")
    assert {"confusion_matrix", "learning_curves"} <= tags("images")
    assert {"report", "summary", "worst_mistakes"} <= tags("text")
    assert "weights/embedding/embeddings" in tags("histograms")
    graphs = ask_tensorboard(tensorboard, "graphs/info")
    assert any(run["run_graph"] for run in graphs.values())
    (run,) = ask_tensorboard(tensorboard, "projector/runs")
    config = ask_tensorboard(
        tensorboard, f"projector/info?run={run.replace('/', '%2F')}"
    )
    (embedding,) = config["embeddings"]
    words = json.loads((trained / "run" / "tokenizer.json").read_text())["word_counts"]
    assert embedding["tensorShape"] == [len(words) + 2, 128]
    query = urllib.parse.urlencode(
        {"run": run, "name": embedding["tensorName"], "num_rows": 100}
    )
    url = f"{tensorboard}/data/plugin/projector/metadata?{query}"
    with urllib.request.urlopen(url, timeout=60) as reply:
        named = reply.read().decode().splitlines()
    assert named[:2] == ["(padding)", "<OOV>"] and set(named[2:]) <= set(words)


def test_hparams_compare_runs_by_validation(trained: Path):
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    path, *_ = sorted((trained / "run" / "tensorboard").glob("events*.v2"))
    events = event_accumulator.EventAccumulator(str(path)).Reload()
    found = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    start = plugin_data_pb2.HParamsPluginData.FromString(found).session_start_info
    assert start.hparams["epochs"].number_value == 2
    assert start.hparams["batch_size"].number_value == 64
    found = events.SummaryMetadata("_hparams_/experiment").plugin_data.content
    experiment = plugin_data_pb2.HParamsPluginData.FromString(found).experiment
    shown = {(info.name.group, info.name.tag) for info in experiment.metric_infos}
    assert {("validation", "epoch_accuracy"), ("", "test/score")} <= shown
    assert start.hparams["data"].string_value == "sample"


@pytest.mark.slow
def test_a_killed_run_resumed_ends_as_one_never_killed(trained: Path, tmp_path: Path):
    asked = ("--limit", "600", "--epochs", "2", "--run-dir", "run", "--resume")
    process = subprocess.Popen(
        [sys.executable, str(script_of("sentiment")), *asked],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None:  # until its first epoch has ended
        if list(tmp_path.glob("run/checkpoints/state-*")):
            process.send_signal(signal.SIGSTOP)
            busy = shell(tmp_path, *asked)
            process.kill()
            process.wait()  # one that is dying does not hold the lock any more
        time.sleep(0.02)
    assert not (tmp_path / "run" / "metrics.json").exists()
    assert busy.returncode == 2 and busy.stderr.count("error: ") == 1
    assert "another process is at work on this run" in busy.stderr
    other = shell(tmp_path, *asked, "--seed", "1")
    assert other.returncode == 2 and "seed was 0, is 1" in other.stderr
    done = shell(tmp_path, *asked)
    assert done.returncode == 0, done.stderr
    assert "run: going on at epoch 2 after 0 batches" in done.stderr
    found, whole = (
        json.loads((folder / "run" / "metrics.json").read_text())
        for folder in (tmp_path, trained)
    )
    assert found.pop("seconds") > 0 and whole.pop("seconds") > 0
    assert found == whole
    weights = [
        keras.models.load_model(folder / "run" / "model.keras").get_weights()
        for folder in (tmp_path, trained)
    ]
    for one, other in zip(*weights):
        np.testing.assert_array_equal(one, other)


def test_keras_is_ready_for_users_own_scripts(trained: Path):
    model = keras.models.load_model(trained / "run" / "model.keras")
    assert model.name == "sentiment" and model.inputs[0].name == "token_ids"
