"""The translation task as a user runs it: shell verbs, the run folder, the export."""

import json
from functools import partial
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.models.translation import build_translation_model
from keras_seq.tasks.translation.data import prepare_pairs
from keras_seq.tasks.translation.scores import fit_baselines, score_translator
from keras_seq.tasks.translation.server import Translator
from keras_seq.tasks.translation.training import train_translator
from keras_seq.text.pairs import SentencePair
from keras_seq.text.sample_pairs import load_sample_pairs
from tests.tasks.scripts import ask_script, load_script, run_script

pytestmark = pytest.mark.slow
shell = partial(run_script, "translation")
ask = partial(ask_script, "translation")
OPTIONS = [
    "--epochs",
    "12",
    "--model-dim",
    "32",
    "--num-layers",
    "1",
    "--run-dir",
    "run",
    "--vocab-size",
    "400",
    "--batch-tokens",
    "512",
    "--learning-rate",
    "0.01",
    "--dropout",
    "0",
]
FILES = ["--data", "train.de", "--target-data", "train.en", "--test-data", "test.tsv"]
NOUNS = {"Hund": "dog", "Katze": "cat", "Vogel": "bird", "Mann": "man", "Kind": "child"}
VERBS = {"läuft": "runs", "schläft": "sleeps", "singt": "sings", "isst": "eats"}
COLOURS = {"rote": "red", "alte": "old", "kleine": "small", "gute": "good"}
PLACES = {"hier": "here", "dort": "there", "heute": "today", "oft": "often"}


def sentences(seed: int, count: int) -> list[tuple[str, str]]:
    rng = np.random.default_rng(seed)
    rows = {}
    while len(rows) < count:
        words = [
            list(w.items())[rng.integers(len(w))]
            for w in (COLOURS, NOUNS, VERBS, PLACES)
        ]
        (c, colour), (n, noun), (v, verb), (p, place) = words
        rows[f"Das {c} {n} {v} {p}."] = f"The {colour} {noun} {verb} {place}."
    return list(rows.items())


@pytest.fixture(scope="module")
def task() -> ModuleType:
    return load_script("translation")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the script has learned a small grammar, for seconds."""
    folder = tmp_path_factory.mktemp("translation")
    rows = sentences(0, 240)
    for name, side in zip(("de", "en"), zip(*rows[:200])):
        (folder / f"train.{name}").write_text("\n".join(side) + "\n")
    lines = ["source\ttarget", *("\t".join(row) for row in rows[200:])]
    (folder / "test.tsv").write_text("\n".join(lines) + "\n")
    done = shell(folder, *FILES, *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert "case:lc" in done.stdout and "ibm_model_1" in done.stdout
    return folder


def test_a_run_leaves_what_it_promises(trained: Path):
    metrics = json.loads((trained / "run" / "metrics.json").read_text())
    for part in ("validation", "test"):
        report = metrics[part]
        names = {"copy", "translation_memory", "ibm_model_1"}
        assert set(report["baselines"]) == names
        assert set(report["scores"]) == {"bleu", "bleu_cased", "chrf"}
        assert report["comparison"]["metric"] == "bleu"
    assert metrics["test"]["n"] == 40
    assert metrics["test"]["scores"]["bleu"]["value"] > 60
    figures = {path.name for path in (trained / "run" / "figures").iterdir()}
    assert {"learning_curves.png", "attention_1.png"} <= figures
    version = trained / "saved_models" / "translation" / "train" / "1"
    facts = json.loads((version / "assets.extra" / "model.json").read_text())
    assert "ä" in facts["source_characters"]


def test_predict_says_what_it_could_not_read(trained: Path):
    long = " ".join(["Das rote Kind singt hier."] * 100)
    done = ask(
        trained, "predict", "Das rote Kind singt hier.", "", "Das ☃ singt.", long
    )
    assert done.returncode == 0, done.stderr
    plain, empty, snow, cut = [json.loads(line) for line in done.stdout.splitlines()]
    assert set(plain) == {"input", "translation", "log_probability"}
    assert plain["translation"].startswith("The")
    assert empty["translation"] == "" and snow["unknown_characters"] == "☃"
    assert cut["tokens_not_read"] > 100


def test_predict_shows_tokens_and_attention(trained: Path, task: ModuleType):
    model = trained / "saved_models" / "translation"
    text = "Das alte Kind läuft dort."
    (answer,) = task.predict(text, model=model, attention=True, beam_width=2)
    assert "".join(answer["target_tokens"]) == answer["translation"]
    assert "".join(answer["source_tokens"]) == text
    rows = [sum(row) for row in answer["attention"]]
    # The end of the source is looked at, too, and is not shown.
    assert len(rows) == len(answer["target_tokens"]) and max(rows) <= 1 + 1e-5


def test_predict_answers_lines_of_standard_input_and_tables(trained: Path):
    done = ask(trained, "predict", text="Das rote Kind singt hier.\n\n")
    assert [json.loads(line)["input"] for line in done.stdout.splitlines()] == [
        "Das rote Kind singt hier.",
        "",
    ]
    done = ask(trained, "predict", "--data", "test.tsv", "--text-column", "source")
    first, *_ = rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 40 and {"source", "target", "translation"} <= set(first)


def test_evaluate_scores_a_file_as_the_run_did(trained: Path, task: ModuleType, capsys):
    model, test = trained / "saved_models" / "translation", str(trained / "test.tsv")
    report = task.evaluate(model=model, data=test)
    expected = json.loads((trained / "run" / "metrics.json").read_text())["test"]
    assert report["scores"] == expected["scores"]
    assert report["baselines"] == expected["baselines"]
    sides = [str(trained / f"train.{name}") for name in ("de", "en")]
    task.evaluate(model=model, data=sides[0], target_data=sides[1])
    assert "trained this model: its score flatters" in capsys.readouterr().err


def test_a_finished_run_is_not_trained_again(trained: Path):
    done = ask(trained, *FILES, *OPTIONS, "--resume")
    assert done.returncode == 0 and "nothing is trained again" in done.stderr
    exports = trained / "saved_models" / "translation" / "train"
    assert [path.name for path in exports.iterdir()] == ["1"]


BAD_OPTIONS = {
    "batch": ({"batch_size": 3}, "--batch-tokens"),
    "attention": ({"attention": "dot"}, "--network lstm"),
    "one side": ({"target_data": "a.en"}, "--target-data needs the other: --data"),
    "validation": ({"validation_target_data": "a"}, "--validation-data"),
    "missing": ({"data": "gone.tsv"}, "gone.tsv: no such file"),
    "few": ({"data": [("a", "b"), ("c", "d")]}, "too few"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_what_cannot_be_trained_on_is_one_line(case: str, task: ModuleType, tmp_path):
    options, message = BAD_OPTIONS[case]
    with pytest.raises(UserError, match=message) as found:
        task.train(**options, run_dir=tmp_path / "run")
    assert "\n" not in str(found.value) and not (tmp_path / "run").exists()


def test_no_source_of_a_part_stands_in_another():
    pairs = load_sample_pairs(0, 300)
    copies = [pair._replace(source=pair.source.upper()) for pair in pairs[:50]]
    data = prepare_pairs({"train": [*pairs, *copies]}, vocab_size=300)
    sources = {n: {p.source.lower() for p in part} for n, part in data.splits.items()}
    assert all(sources.values()) and not sources["train"] & sources["test"]
    assert not sources["train"] & sources["validation"]


def test_subwords_are_fitted_on_train_alone():
    train = [SentencePair(f"a{n} b", f"c{n} d") for n in range(50)]
    test = [SentencePair(f"zzzz{n}", "qqqq") for n in range(50)]
    data = prepare_pairs({"train": train, "test": test}, vocab_size=400)
    assert "z" not in data.characters
    assert not any(b"zz" in t or b"qq" in t for t in data.coder.tokens)


def test_no_source_of_the_samples_test_stands_in_train(task: ModuleType):
    splits = task.load_data(task.Options()).splits
    trained, tested = (
        {pair.source for pair in splits[part]} for part in ("train", "test")
    )
    assert tested and not trained & tested


@pytest.mark.slow
def test_without_attention_the_sample_is_not_learned(tmp_path: Path, task: ModuleType):
    data = task.load_data(task.Options())
    recipe = vars(task.Options(epochs=10, batch_tokens=1024, learning_rate=0.002))
    baselines = fit_baselines(data.splits["train"])
    test, scores = data.splits["test"], {}
    for attention in ("additive", None):
        keras.utils.set_random_seed(0)
        model = build_translation_model(
            *[data.coder.vocab_size] * 2,
            128,
            128,
            attention=attention,
            bidirectional=True,
            tie_embeddings=True,
            dropout=0.1,
        )
        folder = tmp_path / str(attention)
        folder.mkdir()
        train_translator(model, data.coder, data.splits, recipe, folder)
        answer = Translator(model, data.coder).answer
        report = score_translator("translation", test, answer, baselines).report
        scores[attention] = report["scores"]["bleu"]["value"]
    assert scores["additive"] > scores[None] + 20
