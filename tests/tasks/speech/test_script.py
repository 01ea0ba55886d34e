"""The speech task as a user runs it: shell verbs, the run folder, the export."""

import csv
import io
import json
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from keras_seq.audio.sample_speech import load_sample_speech
from keras_seq.errors import UserError
from tests.fork_server import bare
from tests.tasks.scripts import (
    ask_script,
    call_script,
    load_script,
    run_script,
    write_words,
)

shell = partial(run_script, "speech")
ask = partial(ask_script, "speech")


@pytest.fixture(scope="module")
def task() -> ModuleType:
    return load_script("speech")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, task: ModuleType) -> Path:
    """A folder in which the task was run, for seconds, on three short labels."""
    folder = tmp_path_factory.mktemp("speech")
    write_words(folder / "words", 0, 40)
    (folder / "words" / "up" / "broken.wav").write_bytes(b"no sound")
    few_steps = "--batch-size", "4", "--epochs", "8"
    asked = "--data", "words", *few_steps, "--run-dir", "run"
    done = call_script(task, folder, *asked)
    assert done.returncode == 0, done.stderr
    assert "mean_features_logistic" in done.stdout
    assert "1 recordings left out: unreadable\n  words/up/broken.wav" in done.stderr
    return folder


def test_a_run_leaves_what_it_promises(trained: Path):
    run, version = trained / "run", trained / "saved_models" / "speech" / "words" / "1"
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["task"] == "speech" and metrics["seconds"] > 0
    for part in ("validation", "test"):
        report = metrics[part]
        assert report["n"] == 12 and report["real_time_factor"] > 0
        assert {"wer", "cer", "accuracy", "insertions"} <= set(report["scores"])
        assert set(report["baselines"]) == {"most_frequent", "mean_features_logistic"}
        assert report["verdict"] in ("wins", "ties", "loses")
        assert {"wer", "accuracy"} <= set(report["network_alone"]["scores"])
        assert "together with logistic" in report["comparison"]["sentence"]
    assert metrics["test"]["scores"]["accuracy"]["value"] > 0.9
    facts = json.loads((version / "assets.extra" / "model.json").read_text())
    assert facts["alphabet"] == {"symbols": ["down", "hiss", "up"], "separator": " "}
    assert facts["is_with_linear"] and facts["feature_extractor"]["sample_rate"] == 8000
    assert facts["proof"]["samples"] == 8
    assert facts["proof"]["max_abs_difference"] < 1e-3
    assert "broken.wav" in (run / "problems.txt").read_text()


def test_model_keras_loads_without_keras_seq(trained: Path):
    script = """
import sys, keras, numpy
model = keras.models.load_model("run/model.keras")
assert "keras_seq" not in sys.modules and model.name == "speech"
answer = model([numpy.ones((2, 9, 24), "float32"), numpy.array([9, 4])])
assert answer.shape == (2, 5, 4)
"""
    done = bare().run(["-c", script], cwd=trained)
    assert done.returncode == 0, done.stderr


def test_predict_takes_files_of_any_format_and_rate(trained: Path):
    folder = trained / "fresh"
    write_words(folder, 7, 1)
    sound, _ = soundfile.read(folder / "up" / "7_0.wav")
    import soxr

    wide = soxr.resample(sound, 8000, 44100)
    soundfile.write(folder / "up.flac", np.stack([wide, wide], 1), 44100)
    names = ["fresh/up/7_0.wav", "fresh/down/7_0.wav", "fresh/up.flac"]
    done = ask(trained, "predict", *names)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["input"] for row in rows] == names
    assert [row["transcript"] for row in rows] == ["up", "down", "up"]
    assert set(rows[0]) == {"input", "transcript", "log_probability"}


def test_predict_adds_transcripts_to_a_table_of_files(trained: Path, task: ModuleType):
    folder = trained / "asked"
    write_words(folder, 8, 2)
    table = "id,wav,transcript\n1,up/8_0.wav,?\n2,down/8_1.wav,\n"
    (folder / "table.csv").write_text(table)
    asked = "--data", "asked/table.csv", "--output", "a.csv"
    done = call_script(task, trained, "predict", *asked)
    assert done.returncode == 0, done.stderr
    with (trained / "a.csv").open() as file:
        first, second = csv.DictReader(file)
    assert [*first][:4] == ["id", "wav", "transcript", "predicted_transcript"]
    assert (first["predicted_transcript"], first["transcript"]) == ("up", "?")
    assert second["predicted_transcript"] == "down" and float(second["log_probability"])


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("wav\nnowhere.wav\n", "table.csv:2: there is no file 'nowhere.wav' beside it"),
        ("wav,id\n,1\n", "table.csv:2: .*; mend or remove the row"),
        ("sound\nx.wav\n", "columns are: 'sound'; name one with --file-column"),
    ],
)
def test_a_row_without_its_file_is_named(
    table: str, line: str, trained: Path, task: ModuleType
):
    path = trained / "table.csv"
    path.write_text(table)
    with pytest.raises(UserError, match=line):
        list(task.predict(model=trained / "saved_models/speech", data=str(path)))
    with pytest.raises(UserError, match="name one or more sound files, or a table"):
        list(task.predict(model=trained / "saved_models/speech"))


def test_a_server_takes_the_bytes_of_a_file(trained: Path):
    loaded = tf.saved_model.load(
        str(trained / "saved_models" / "speech" / "words" / "1")
    )
    content = next((trained / "words" / "down").glob("*.wav")).read_bytes()
    answer = loaded.signatures["serving_default"](wav=tf.constant([content]))
    assert answer["transcript"].numpy().tolist() == [b"down"]
    high = io.BytesIO()
    soundfile.write(high, np.zeros(999), 44100, format="WAV")
    with pytest.raises(tf.errors.InvalidArgumentError, match="44100 Hz; the model"):
        loaded.signatures["serving_default"](wav=tf.constant([high.getvalue()]))


def test_evaluate_scores_any_data_beside_the_baselines(trained: Path, task: ModuleType):
    write_words(trained / "more", 3, 5)
    model = trained / "saved_models" / "speech"
    report = task.evaluate(model=model, data=str(trained / "more"))
    assert report["n"] == 15 and report["scores"]["accuracy"]["value"] > 0.8
    assert 0 <= report["network_alone"]["scores"]["accuracy"]["value"] <= 1
    assert "mean_features_logistic" in report["baselines"]
    searched = task.evaluate(model=model, data=str(trained / "more"), beam_width=4)
    assert searched["beam_search"]["language_model"] is False
    greedy = report["scores"]["wer"]["value"]
    assert searched["beam_search"]["scores"]["wer"]["value"] <= greedy + 0.1


def test_tensorboard_has_sounds_pictures_and_tables(trained: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logs = EventAccumulator(str(trained / "run" / "tensorboard"))
    logs.Reload()
    tags = {tag for kind in ("images", "audio") for tag in logs.Tags()[kind]}
    tags |= set(logs.Tags()["tensors"])
    wanted = {
        "utterance_0",
        "alignment_0",
        "errors",
        "transcripts",
        "report",
        "test_wer/network",
        "test_wer/mean_features_logistic",
    }
    assert wanted <= tags


@pytest.mark.slow
def test_sentences_stream_and_have_an_n_gram_model(tmp_path: Path):
    done = shell(
        tmp_path, "--streaming", "--limit", "60", "--epochs", "1", "--run-dir", "run"
    )
    assert done.returncode == 0, done.stderr
    version = tmp_path / "saved_models" / "speech" / "1"
    facts = json.loads((version / "assets.extra" / "model.json").read_text())
    assert {"init", "step", "waveform", "serving_default"} <= set(facts["signatures"])
    assert "\\1-grams:" in (version / "assets.extra" / "transcripts.arpa").read_text()
    report = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert report["beam_search"]["language_model"] is True
    assert facts["is_with_linear"] is False and "network_alone" not in report
    assert report["by_speaker"]


BAD = {
    "no such file": ("missing.csv", None, "missing.csv: no such file"),
    "no transcripts": ("a.csv", "file,id\na.wav,1\n", "no transcript column found"),
    "no sound": ("a.csv", "file,text\n", "none of the recordings can be read"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_one_line_and_leaves_nothing(
    case: str, tmp_path: Path, monkeypatch, task: ModuleType
):
    name, content, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    if case == "no sound":
        for number in range(30):
            Path(tmp_path, "sounds").mkdir(exist_ok=True)
            Path(tmp_path, "sounds", f"{number}.wav").write_bytes(b"no sound")
            content += f"sounds/{number}.wav,{'xy'[number % 2]}\n"
    if content is not None:
        Path(name).write_text(content)
    done = call_script(task, tmp_path, "train", "--data", name)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert message in done.stderr
    assert {path.name for path in tmp_path.iterdir()} <= {name, "sounds"}


def test_nothing_is_fitted_on_validation_or_test(task: ModuleType, tmp_path: Path):
    write_words(tmp_path / "train", 0, 12)
    fitted = []
    for seed in (1, 2):
        for part in ("validation", "test"):
            write_words(tmp_path / f"{part}{seed}", seed, 2)
        options = task.Options(
            data=str(tmp_path / "train"),
            validation_data=str(tmp_path / f"validation{seed}"),
            test_data=str(tmp_path / f"test{seed}"),
            streaming=True,
        )
        data = task.load_data(options)
        facts = data.alphabet.to_dict(), data.extractor.to_dict(), data.fingerprint
        fitted.append(facts)
    assert fitted[0] == fitted[1]
    assert np.abs(data.extractor.mean).max() > 0


def test_single_words_and_sentences_have_settings_of_their_own(
    task: ModuleType, tmp_path: Path
):
    write_words(tmp_path / "words", 0, 10)
    words = task.load_data(task.Options(data=str(tmp_path / "words")))
    sentences = task.load_data(task.Options(limit=60))
    settings = [
        (d.is_isolated, d.extractor.normalize, d.extractor.num_features, d.subsampling)
        for d in (words, sentences)
    ]
    assert settings == [(True, "peak", 24, 2), (False, "utterance", 80, 4)]
    streaming = task.load_data(task.Options(limit=60, streaming=True))
    assert streaming.extractor.normalize == "fitted"
    sizes = [
        task.build_model(data).get_layer("bidirectional_lstm_1").forward_layer.units
        for data in (words, sentences)
    ]
    assert sizes == [128, 256]


def test_the_sample_speaks_every_word_in_many_voices():
    given = load_sample_speech(num_recordings=60)
    words = {word for r in given for word in r.transcript.split()}
    assert len(words) == 12 and len({r.speaker for r in given}) == 24
    same, other = load_sample_speech(num_recordings=3), load_sample_speech(1, 3)
    assert given[2].read() == same[2].read() != other[2].read()
    sound, rate = soundfile.read(io.BytesIO(given[0].read()))
    assert rate == 8000 and 0.09 < np.abs(sound).max() < 0.95


@pytest.mark.slow
def test_the_documented_model_is_trained_and_served(
    task: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It reads features alone, without their counts."""
    monkeypatch.chdir(tmp_path)
    write_words(tmp_path / "words", 3, 10)
    where = {"run_dir": Path("run"), "export_dir": Path("model")}
    done = task.train(data="words", epochs=1, documented=True, **where)
    assert done.export_path == Path("model/1")
    (answer,) = task.predict("words/up/3_0.wav", model=Path("model"))
    assert isinstance(answer["transcript"], str)
