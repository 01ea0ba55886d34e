"""One class, several labels, a number: read, learned, exported and scored alike."""

import json
from pathlib import Path
from types import ModuleType

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.data.label_format import LabelFormat, join_marked
from keras_seq.errors import UserError
from keras_seq.models.sentiment import build_sentiment_model
from keras_seq.tasks.sentiment.data import prepare_texts
from keras_seq.tasks.sentiment.number import Number
from keras_seq.tasks.sentiment.one_label import OneLabel
from keras_seq.tasks.sentiment.server import NOTHING_KNOWN, TextClassifier
from keras_seq.tasks.sentiment.several_labels import SeveralLabels
from keras_seq.text.tokenizer import Tokenizer
from tests.tasks.scripts import load_script, refuse

WORDS = {"sad": "tears", "loud": "drums", "long": "hours"}


@pytest.fixture(scope="module")
def task() -> ModuleType:
    return load_script("sentiment")


def texts_and_labels(count: int = 240) -> tuple[list[str], list[list[str]]]:
    """A word of a text gives a label away."""
    rng = np.random.default_rng(0)
    texts, labels = [], []
    for number in range(count):
        has = [label for label in WORDS if rng.random() < 0.4]
        fill = rng.choice(["film", "play", "book", "song"], 3)
        texts.append(" ".join([*fill, *(WORDS[label] for label in has), f"n{number}"]))
        labels.append(has)
    return texts, labels


@pytest.fixture(scope="module")
def several(task: ModuleType, tmp_path_factory: pytest.TempPathFactory):
    """A run on lists of labels, from Python."""
    folder = tmp_path_factory.mktemp("several")
    return task.train(
        data=texts_and_labels(),
        epochs=8,
        run_dir=folder / "run",
        export_dir=folder / "model",
    )


@pytest.fixture(scope="module")
def number(task: ModuleType, tmp_path_factory: pytest.TempPathFactory):
    """A run on numbers, from the shell's options."""
    folder = tmp_path_factory.mktemp("number")
    texts, labels = texts_and_labels()
    degrees = [1000.0 + 100 * ("sad" in x) - 50 * ("loud" in x) for x in labels]
    degrees = [degree + n % 7 / 10 for n, degree in enumerate(degrees)]
    rows = [f"{t},{d}" for t, d in zip(texts, degrees)]
    (folder / "a.csv").write_text("\n".join(["text,score", *rows]))
    return task.train(
        data=str(folder / "a.csv"),
        kind="regression",
        epochs=8,
        batch_size=16,
        run_dir=folder / "run",
        export_dir=folder / "model",
    )


def facts_of(run) -> dict:
    return json.loads((run.export_path / "assets.extra" / "model.json").read_text())


def test_several_labels_are_learned_and_told(several):
    scores = several.report["scores"]
    labels = sorted(WORDS)
    assert list(scores) == [
        "micro_f1",
        "macro_f1",
        *(f"f1_{label}" for label in labels),
        "exact_match",
        "log_loss",
    ]
    assert scores["micro_f1"]["value"] > 0.8
    assert set(several.report["baselines"]) == {"label_shares", "tfidf_logistic"}
    answers = several.predict("film tears drums", "play song", "qqq")
    assert [sorted(answer["labels"]) for answer in answers[:2]] == [["loud", "sad"], []]
    sure = [answers[0]["probabilities"][labels.index(x)] for x in answers[0]["labels"]]
    assert sure == sorted(sure, reverse=True)
    facts = facts_of(several)
    assert facts["target"] == "labels" and facts["labels"] == labels
    assert set(facts["thresholds"]) == {"network", "label_shares", "tfidf_logistic"}
    assert facts["proof"]["max_abs_difference"] < 1e-5


def test_several_labels_are_evaluated_however_they_are_written(
    several, task: ModuleType, tmp_path: Path
):
    texts, labels = texts_and_labels()
    rows = [(text, has) for text, has in zip(texts, labels) if has]
    piped = [f"{text},{'|'.join(has)}" for text, has in rows]
    flags = [",".join(str(int(x in has)) for x in WORDS) for _, has in rows]
    flags = [f"{text},{cells}" for (text, _), cells in zip(rows, flags)]
    (tmp_path / "piped.csv").write_text("\n".join(["text,label", *piped]))
    header = ",".join(["text", *WORDS])
    (tmp_path / "flags.csv").write_text("\n".join([header, *flags]))
    model = several.export_path
    reports = [
        task.evaluate(model=model, data=([t for t, _ in rows], [h for _, h in rows])),
        task.evaluate(
            model=model, data=str(tmp_path / "piped.csv"), label_separator="|"
        ),
        task.evaluate(
            model=model, data=str(tmp_path / "flags.csv"), label_columns=list(WORDS)
        ),
    ]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["scores"]["micro_f1"]["value"] > 0.8
    with pytest.raises(UserError, match="sample 1|:1: label 'new' was not in training"):
        task.evaluate(model=model, data=(["film"], [["sad", "new"]]))


def test_a_number_is_answered_in_its_own_units(number, task: ModuleType):
    assert list(number.report["scores"]) == ["mae", "rmse", "spearman"]
    assert set(number.report["baselines"]) == {"mean", "tfidf_ridge"}
    assert number.report["scores"]["mae"]["value"] < 15
    sad, loud = number.predict("film tears", "film drums")
    assert 1060 < sad["number"] < 1140 and 910 < loud["number"] < 990
    facts = facts_of(number)
    assert facts["target"] == "number" and 900 < facts["mean"] < 1100
    again = task.evaluate(
        model=number.export_path, data=(["a film tears", "b film drums"], [1100, 950])
    )
    assert again["n"] == 2 and again["scores"]["mae"]["value"] < 40


def test_an_export_of_each_kind_is_asked_with_tensorflow_alone(several, number):
    for run, output in ((several, "labels"), (number, "number")):
        served = tf.saved_model.load(str(run.export_path)).signatures["serving_default"]
        answer = served(text=tf.constant(["film tears", ""]))
        assert answer[output].shape[0] == 2
        assert answer["unknown"].numpy().tolist() == [0, 0]
        assert answer["words"].numpy().tolist() == [2, 0]
        assert answer["note"].numpy().tolist() == [b"", NOTHING_KNOWN.encode()]


@pytest.mark.parametrize("kind", ["several", "number"])
def test_a_finished_run_resumes_to_its_report(kind: str, request, task: ModuleType):
    run = request.getfixturevalue(kind)
    config = json.loads((run.run_dir / "config.json").read_text())
    settings = {name: config[name] for name in ("kind", "epochs", "batch_size")}
    data = texts_and_labels() if kind == "several" else config["data"]
    again = task.train(
        data=data,
        run_dir=run.run_dir,
        export_dir=run.export_path.parent,
        resume=True,
        **settings,
    )
    assert again.report == run.report and again.export_path == run.export_path


REFUSED = {
    "measurements": (
        "text,label\n" + "".join(f"film {n},{n}.5\n" for n in range(60)),
        "--kind regression learns a number a text",
    ),
    "flags": (
        "text,sad,loud\n" + "".join(f"film {n},{n % 2},1\n" for n in range(60)),
        "--label-columns sad loud learns each of them",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_data_that_could_mean_two_things_is_asked_about(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: ModuleType
):
    content, line = REFUSED[case]
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(content)
    refuse(task, "a.csv", line)


def test_numbers_are_classes_where_that_is_asked_for():
    given = [(f"film {n}", str(n % 30)) for n in range(600)]
    with pytest.raises(UserError, match="--kind classification takes them"):
        prepare_texts({"train": given}, num_words=50)
    asked = LabelFormat(kind="classification")
    data = prepare_texts({"train": given}, num_words=50, label_format=asked)
    assert len(data.label_names) == 30


LABELS = [join_marked(["a"]), join_marked(["a", "b"])]
NOTHING = {
    "labels that never differ": ([join_marked(["a", "b"])], {}, "every text has the"),
    "no label at all": ([join_marked([])], {}, "no text has a label"),
    "one number": (["3.5"], {"kind": "regression"}, "every text has the number 3.5"),
    "a word for a number": (["1", "two"], {"kind": "regression"}, "'two' is no number"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_what_teaches_nothing_is_refused(case: str):
    labels, settings, line = NOTHING[case]
    given = [(f"film {n}", labels[n % len(labels)]) for n in range(60)]
    with pytest.raises(UserError, match=line):
        prepare_texts(
            {"train": given}, num_words=50, label_format=LabelFormat(**settings)
        )


def test_class_weights_are_for_classes():
    several = [(f"film {n}", LABELS[n % 2]) for n in range(60)]
    with pytest.raises(UserError, match="--class-weight balanced: each label of sev"):
        prepare_texts({"train": several}, num_words=50, class_weight="balanced")
    one = [(f"film {n}", "yes" if n % 4 else "no") for n in range(60)]
    data = prepare_texts({"train": one}, num_words=50, class_weight="balanced")
    rare, common = data.target.class_weights
    counts = data.splits["train"].label_counts
    assert rare * counts["no"] == pytest.approx(common * counts["yes"])
    assert prepare_texts({"train": one}, num_words=50).target.class_weights is None


@pytest.mark.slow
def test_a_rare_class_is_found_with_class_weights(task: ModuleType, tmp_path: Path):
    rng = np.random.default_rng(0)
    words = "music cast plot with film a story and night was room hotel food".split()
    marks = ["prize", "win", "cash"]

    def table(rows: int, rare: int) -> tuple[list[str], list[str]]:
        texts = [" ".join(rng.choice(words, 11)) for _ in range(rows)]
        texts[:rare] = [f"{text} {rng.choice(marks)}" for text in texts[:rare]]
        return texts, ["spam"] * rare + ["ham"] * (rows - rare)

    run = task.train(
        data=table(400, 30),
        test_data=table(200, 60),
        class_weight="balanced",
        run_dir=tmp_path / "run",
        export_dir=tmp_path / "model",
    )
    assert run.report["scores"]["f1_spam"]["value"] > 0.7


def test_high_and_low_numbers_stand_in_each_part():
    given = [(f"film {n}", str(n / 3)) for n in range(400)]
    data = prepare_texts(
        {"train": given}, num_words=50, label_format=LabelFormat(kind="regression")
    )
    for part in ("train", "validation", "test"):
        numbers = data.target.values(data.splits[part])
        assert numbers.mean() == pytest.approx(66.5, abs=6)
        assert len(numbers) == (320 if part == "train" else 40)
    train = [float(label) for _, label in data.splits["train"]]
    assert data.target.mean == pytest.approx(np.mean(train))
    assert data.target.scale == pytest.approx(np.std(train))


def test_label_columns_that_never_hold_are_named(capsys: pytest.CaptureFixture):
    several = [(f"film {n}", LABELS[n % 2]) for n in range(60)]
    columns = LabelFormat(label_columns=["a", "b", "never"])
    prepare_texts({"train": several}, num_words=50, label_format=columns)
    assert "no text has the labels 'never'" in capsys.readouterr().err


def test_one_class_is_expected_where_a_model_has_one():
    with pytest.raises(UserError, match="several labels a text, where one is exp"):
        OneLabel.read([("film", LABELS[1])], ["a", "b"])


def test_weights_of_heads_are_those_of_least_squares_for_numbers():
    rng = np.random.default_rng(0)
    heads, target = rng.normal(5, 2, (500, 2, 1)), Number(5.0, 2.0)
    values = 5 + 0.25 * (heads[:, 0, 0] - 5) + 0.5 * (heads[:, 1, 0] - 5)
    assert target.head_weights(heads, values) == pytest.approx([0.25, 0.5])


def test_weights_of_heads_are_found_for_several_labels():
    rng = np.random.default_rng(0)
    told = rng.logistic(size=(2000, 3))
    labels = (told + rng.logistic(size=(2000, 3)) > 0).astype(int)
    heads = np.stack([rng.normal(size=(2000, 3)), told], axis=1)
    useless, useful = SeveralLabels(list(WORDS)).head_weights(heads, labels)
    assert useless == pytest.approx(0, abs=0.1)
    assert useful == pytest.approx(1, abs=0.1)


def test_mistakes_are_described():
    target = SeveralLabels(["a", "b"])
    (found,) = target.mistakes(
        np.array([[1, 0], [1, 1]]), np.array([[0.9, 0.1], [0.2, 0.9]]), ["x", "y"]
    )
    assert found[0] == pytest.approx(0.3)
    assert target.described(found) == "b, but a, b"
    (off,) = Number(0.0, 1.0).mistakes(np.array([1.0]), np.array([3.5]), ["x"])
    assert off[0] == 2.5 and Number(0.0, 1.0).described(off) == "3.5, but 1"


def test_unknown_words_are_counted_in_the_graph():
    keras.utils.set_random_seed(0)
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["good film"])
    model = build_sentiment_model(tokenizer.vocab_size, embedding_dim=4, lstm_units=3)
    classify = TextClassifier(model, tokenizer, ["no", "yes"], max_len=4)
    texts = ["Good film!", "good qqq zzz", "qqq", "", "?!", "qqq " * 9]
    answers = list(classify.answer(texts))
    assert [answer["unknown"] for answer in answers] == [
        "0 of 2",
        "2 of 3",
        "1 of 1",
        "0 of 0",
        "0 of 0",
        "4 of 4",
    ]
    notes = [answer["note"] for answer in answers]
    assert notes == ["", "", *[NOTHING_KNOWN] * 4]
    assert list(answers[0])[-2:] == ["unknown", "note"]
