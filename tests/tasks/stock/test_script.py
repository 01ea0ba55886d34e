"""The stock task as a user runs it: shell verbs, the run folder, the export."""

import html
import json
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from tests.fork_server import bare
from tests.tasks.scripts import (
    ask_script,
    call_script,
    load_script,
    refuse,
    write_prices,
)

ask = partial(ask_script, "stock")
ROWS = 500


@pytest.fixture(scope="module")
def task() -> ModuleType:
    return load_script("stock")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, task: ModuleType) -> Path:
    """A folder in which the task was run, for seconds, on a small file."""
    folder = tmp_path_factory.mktemp("stock")
    write_prices(folder / "AAPL.csv")
    done = call_script(
        task,
        folder,
        "train",
        "--data",
        "AAPL.csv",
        "--epochs",
        "2",
        "--lookback",
        "20",
        "--run-dir",
        "run",
    )
    assert done.returncode == 0, done.stderr
    assert "persistence" in done.stdout and "Intervals of 80% hold" in done.stdout
    return folder


def test_a_run_leaves_what_it_promises(trained: Path):
    run, version = trained / "run", trained / "saved_models" / "stock" / "AAPL" / "1"
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["task"] == "stock" and metrics["seconds"] > 0
    for part in ("validation", "test"):
        report = metrics[part]
        assert report["n"] == 75 - 5 + 1
        assert {
            "mae",
            "rmse",
            "mape",
            "smape",
            "mase",
            "directional_accuracy",
            "coverage",
        } <= set(report["scores"])
        for score in report["scores"].values():
            assert score["low"] <= score["value"] <= score["high"]
        assert {"persistence", "drift", "seasonal_naive", "theta", "ridge"} == set(
            report["baselines"]
        )
        assert report["verdict"] in ("wins", "ties", "loses")
        assert len(report["by_step"]["network"]["mae"]) == 5
        assert {"with_last_row", "with_target", "of_changes"} == set(report["lag"])
    # Calibrated on these 71 windows, either end has ceil(0.9 x 72) = 65 on its side;
    # rounding may push the one that stands on the end across.
    coverage = metrics["validation"]["interval"]["coverage"]
    assert coverage == pytest.approx(1 - 2 * 6 / 71, abs=2 / 71)
    for name in ("forecasts", "error_by_step", "learning_curves"):
        assert (run / "figures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    facts = json.loads((version / "assets.extra" / "model.json").read_text())
    assert facts["columns"] == ["Close", "Open", "High", "Low", "Volume"]
    assert facts["signatures"]["serving_default"]["inputs"]["window"] == {
        "dtype": "float32",
        "shape": [None, 20, 5],
    }
    outputs = facts["signatures"]["serving_default"]["outputs"]
    assert outputs == {
        name: {"dtype": "float32", "shape": [None, 5]}
        for name in ("forecast", "lower", "upper")
    }
    assert facts["proof"]["samples"] == 32
    assert json.loads((run / "config.json").read_text())["lookback"] == 20


def test_tensorboard_has_the_figures_and_the_scores(trained: Path):
    tags = set()
    for path in (trained / "run" / "tensorboard").glob("events*.report"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            tags |= {value.tag for value in event.summary.value}
    assert {
        "forecasts",
        "error_by_step",
        "report",
        "test_mae/network",
        "test_mae/persistence",
        "test_skill/network",
    } <= tags


def test_the_savedmodel_takes_raw_rows_and_gives_prices(trained: Path):
    served = tf.saved_model.load(str(trained / "saved_models" / "stock" / "AAPL" / "1"))
    rng = np.random.default_rng(0)
    closes = 7000 * np.exp(np.cumsum(rng.normal(0, 0.01, (3, 20)), axis=1))
    window = np.stack(
        [closes, closes, closes * 1.01, closes * 0.99, np.full((3, 20), 1e6)], axis=-1
    )
    answer = served.signatures["serving_default"](
        window=tf.constant(window, tf.float32)
    )
    answer = {name: value.numpy() for name, value in answer.items()}
    # Another price level than any row of training: returns carry over.
    assert answer["forecast"] == pytest.approx(closes[:, -1:].repeat(5, 1), rel=0.1)
    assert (answer["lower"] <= answer["forecast"]).all()
    assert (answer["forecast"] <= answer["upper"]).all()
    for shape in ((1, 40, 5), (3, 20, 6), (20, 5)):
        with pytest.raises(tf.errors.InvalidArgumentError, match="window has shape"):
            served.signatures["serving_default"](window=tf.ones(shape))
    columns = served.signatures["describe"]()["columns"].numpy().tolist()
    assert columns == [b"Close", b"Open", b"High", b"Low", b"Volume"]
    empty = served.signatures["serving_default"](window=tf.zeros((0, 20, 5)))
    assert empty["forecast"].shape == (0, 5)


@pytest.mark.slow
def test_model_keras_loads_for_fine_tuning_without_keras_seq(trained: Path):
    script = """
import sys, keras, numpy
model = keras.models.load_model("run/model.keras")
assert "keras_seq" not in sys.modules
model.compile("adam", "mae")
model.fit(numpy.ones((4, 20, 5)), numpy.ones((4, 5, 1, 3)), verbose=0)
"""
    done = bare().run(["-c", script], cwd=trained)
    assert done.returncode == 0, done.stderr


def test_predict_prints_the_next_trading_days(trained: Path):
    done = ask(trained, "predict", "AAPL.csv")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    last = np.datetime64("2010-01-04") + 7 * (ROWS // 5) - 3  # a Friday
    assert [row["date"] for row in rows] == [
        str(np.busday_offset(last, n)) for n in range(1, 6)
    ]
    for row in rows:
        assert row["input"] == "AAPL.csv" and row["target"] == "Close"
        assert row["lower"] <= row["forecast"] <= row["upper"]


def test_evaluate_scores_what_came_after_training(
    trained: Path, task: ModuleType, tmp_path: Path
):
    model = trained / "saved_models" / "stock"
    longer = write_prices(tmp_path / "longer.csv", rows=ROWS + 60)
    report = task.evaluate(model=model, data=[str(longer)])
    assert report["n"] == 75 + 60 - 5 + 1  # none of the days that trained
    assert "ridge" in report["baselines"] and "theta" not in report["baselines"]
    own = task.evaluate(model=model, data=[str(trained / "AAPL.csv")])
    test = json.loads((trained / "run" / "metrics.json").read_text())["test"]
    assert own["n"] == test["n"]
    for name in ("mase", "rmsse", "mae_standardised", "mae"):
        wanted = pytest.approx(test["scores"][name]["value"], rel=1e-5)
        assert own["scores"][name]["value"] == wanted
    old = write_prices(tmp_path / "old.csv", rows=300)
    with pytest.raises(ValueError, match="old.csv:301: ends before 2011-08-22"):
        task.evaluate(model=model, data=[str(old)])


@pytest.mark.slow
def test_backtest_refits_and_tests_on_what_came_next(
    trained: Path, task: ModuleType, monkeypatch
):
    monkeypatch.chdir(trained)
    folds = list(
        task.backtest(
            data=["AAPL.csv"],
            epochs=1,
            lookback=20,
            refit_every=80,
            max_seconds=60,
            run_dir=Path("backtest"),
        )
    )
    assert [fold["fold"] for fold in folds] == [1, 2, "all"]
    assert [fold["n"] for fold in folds] == [76, 66, 142]
    assert folds[0]["end"] < folds[1]["start"]
    assert folds[2]["verdict"] in ("wins", "ties", "loses")
    for fold in folds:
        assert fold["skill"]["low"] <= fold["skill"]["value"] <= fold["skill"]["high"]
    assert Path("backtest", "figures", "skill_by_fold.png").exists()
    kept = json.loads(Path("backtest", "metrics.json").read_text())
    assert kept["folds"][1]["start"] == folds[1]["start"]
    rows = pd.read_csv(Path("backtest", "forecasts.csv"))
    mae = (rows["actual"] - rows["forecast"]).abs().mean()
    assert mae == pytest.approx(kept["test"]["scores"]["mae"]["value"], rel=1e-5)
    assert len(rows) == 5 * 142 and (rows["date"] > rows["from"]).all()
    page = Path("backtest", "report.html").read_text()
    assert folds[2]["sentence"] in html.unescape(page)


@pytest.mark.slow
def test_several_targets_without_dates_documented(task: ModuleType, tmp_path: Path):
    rng = np.random.default_rng(0)
    rows = np.cumsum(rng.normal(size=(200, 2)), axis=0)
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["x,y", *(f"{x:.4f},{y:.4f}" for x, y in rows)]))
    where = {"run_dir": tmp_path / "run", "export_dir": tmp_path / "model"}
    done = task.train(
        data=[str(path)],
        target=["all"],
        horizon=3,
        lookback=8,
        epochs=1,
        documented=True,
        **where,
    )
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert set(metrics["by_target"]) == {"x", "y"}
    assert "mae" not in metrics["scores"]  # of two units
    assert "mae_standardised" in metrics["scores"]
    served = tf.saved_model.load(str(done.export_path))
    window = tf.constant(rows[None, -8:], tf.float32)
    answer = served.signatures["serving_default"](window=window)
    assert answer["forecast"].shape == (1, 3, 2)
    shown = list(task.predict(str(path), model=tmp_path / "model"))
    assert [(row["target"], row["step"]) for row in shown] == [
        (name, step) for name in "xy" for step in (1, 2, 3)
    ]
    names = {layer.name for layer in done_layers(tmp_path / "run" / "model.keras")}
    assert {"lstm_1", "lstm_2", "lstm_3", "forecast"} <= names


def done_layers(path: Path) -> list:
    import keras

    return list(keras.models.load_model(path)._flatten_layers())


def test_embedded_sample_knows_the_best_possible(task: ModuleType, tmp_path: Path):
    data = task.load_data(task.Options(seed=3))
    assert data.table.columns == ["Close"] and len(data.table.series) == 32
    assert task.load_data(task.Options(seed=4)).logs[0, 5] != data.logs[0, 5]


GOOD = "Date,Open,High,Low,Close,Volume\n2024-01-02,1,2,1,2,10\n"
BAD = {
    "no such file": ("missing.csv", None, "missing.csv: no such file"),
    "too few rows": (
        "a.csv",
        GOOD + "2024-01-03,1,2,1,2,10\n2024-01-04,1,2,1,2,10\n",
        "a.csv:4: the file ends after 3 rows; the train part has",
    ),
    "repeated date": ("a.csv", GOOD + "2024-01-02,1,2,1,2,10\n", "a.csv:3: date"),
    "zero price": ("a.csv", GOOD + "2024-01-03,1,2,0,2,10\n", "a.csv:3: Low is 0"),
    "missing": ("a.csv", GOOD + "2024-01-03,1,2,1,,10\n", "a.csv:3: column 'Close'"),
    "ragged row": ("a.csv", GOOD + "2024-01-03,1\n", "a.csv:3: 2 fields"),
    "no number": ("a.csv", GOOD + "2024-01-03,1,x,1,1,1\n", "a.csv:3: column 'High'"),
    "empty file": ("a.csv", "", "empty"),
    "no column": ("a.csv", "day,x,y\n1,2,3\n", "name the column to forecast with"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_is_one_line_and_leaves_nothing(
    case: str, tmp_path: Path, monkeypatch, task: ModuleType
):
    name, content, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_text(content)
    refuse(task, name, message, remark="no date column")
    assert {path.name for path in tmp_path.iterdir()} <= {name}


def test_a_file_that_the_model_cannot_read_is_refused(
    trained: Path, task: ModuleType, tmp_path: Path
):
    model = trained / "saved_models" / "stock"
    short = write_prices(tmp_path / "short.csv", rows=10)
    with pytest.raises(ValueError, match="short.csv:11: ends after 10 rows; the model"):
        list(task.predict(str(short), model=model))
    other = tmp_path / "other.csv"
    other.write_text("Date,Close\n2024-01-02,1\n2024-01-03,1\n")
    with pytest.raises(ValueError, match="other.csv: other columns than the model"):
        list(task.predict(str(other), model=model))
    lines = (trained / "AAPL.csv").read_text().splitlines(True)
    zero = tmp_path / "zero.csv"
    zero.write_text("".join(lines[:-1]) + lines[-1].split(",")[0] + ",0,0,0,0,0,0\n")
    with pytest.raises(ValueError, match="zero.csv:501: Close is 0; a price is above"):
        list(task.predict(str(zero), model=model))


def test_columns_are_read_by_name(trained: Path, task: ModuleType, tmp_path: Path):
    model = trained / "saved_models" / "stock"
    header, *rows = [
        line.split(",") for line in (trained / "AAPL.csv").read_text().splitlines()
    ]
    order = [6, 3, 0, 4, 2, 5, 1]
    turned = tmp_path / "turned.csv"
    turned.write_text(
        "\n".join(
            ",".join(
                ["Note", *(row[i] for i in order)]
                if row is header
                else ["7", *(row[i] for i in order)]
            )
            for row in (header, *rows)
        )
    )
    found, wanted = (
        [row["forecast"] for row in task.predict(str(path), model=model)]
        for path in (turned, trained / "AAPL.csv")
    )
    assert found == wanted
