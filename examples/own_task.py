"""A task of your own: which activity a window of sensor readings shows.

A table has a reading a row, in order of time: `session, activity, x, y, z`. A model
reads 50 of them and names the activity, beside a baseline on the same split; the
SavedModel takes raw readings and answers in words.

    python examples/own_task.py                  # on readings that it makes itself
    python examples/own_task.py readings.csv
"""

import sys

import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

import keras_seq as ks

SENSORS, STEPS = ["x", "y", "z"], 50


def make_readings(num_sessions: int = 150) -> pd.DataFrame:
    """Three activities of one strength: rhythm and shape of the waves differ."""
    rng, tables = np.random.default_rng(0), []
    for session in range(num_sessions):
        activity, period = [("walk", 20), ("run", 12), ("climb", 20)][session % 3]
        time = np.arange(4 * STEPS)[:, None] / period + rng.random()
        wave = np.sin(2 * np.pi * time) / np.sqrt(6)
        wave = time % 1 - 0.5 if activity == "climb" else wave
        noise = rng.normal([0, 0, 9.8], 0.4, (len(time), 3))
        table = pd.DataFrame(wave * rng.normal(2, 0.3, 3) + noise, columns=SENSORS)
        tables.append(table.assign(session=session, activity=activity))
    return pd.concat(tables, ignore_index=True)


def read_readings(path: str) -> pd.DataFrame:
    """The table of a CSV file, or one line that names what is wrong with it."""
    table = pd.read_csv(path)
    if missing := {"session", "activity", *SENSORS} - {*table.columns}:
        raise ks.UserError(f"{path}: there is no column {', '.join(sorted(missing))}")
    numbers = table[SENSORS].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    for row, column in np.argwhere(~np.isfinite(numbers)):
        raise ks.UserError(f"{path}:{row + 2}: {SENSORS[column]} is not a number")
    return table


def build_model(train_windows: np.ndarray, num_classes: int) -> keras.Model:
    """A GRU; what was fitted on the train part is a layer, so raw readings go in."""
    normalise = keras.layers.Normalization(name="normalise")
    normalise.adapt(train_windows)
    window = keras.Input(train_windows.shape[1:], name="window")  # (B, T, F)
    states = ks.layers.GRU(32, return_sequences=True, name="gru")(normalise(window))
    pooled = keras.layers.GlobalAveragePooling1D(name="mean_over_time")(states)
    outputs = keras.layers.Dense(num_classes, "softmax", name="activity")(pooled)
    return keras.Model(window, outputs, name="activity")


def train(table: pd.DataFrame) -> None:
    """Windows, parts that share no session, a run, a report, a proven export."""
    ks.set_seed(0)
    keys = table["activity"].astype(str), table["session"].astype(str)
    windows, activities, sessions = ks.series.cut_windows(table[SENSORS], STEPS, *keys)
    names, labels = np.unique(activities, return_inverse=True)
    parts = ks.data.split_groups(sessions)
    fitted, validation, test = ((windows[m], labels[m]) for m in parts.values())

    model = build_model(fitted[0], len(names))
    run_dir = ks.training.make_run_dir("activity")
    how = {"loss": "sparse_categorical_crossentropy", "run_dir": run_dir}
    ks.fit(model, *fitted, validation_data=validation, epochs=30, **how)

    means, tests = (np.hstack([x.mean(1), x.std(1)]) for x in (fitted[0], test[0]))
    baseline = LogisticRegression().fit(means, fitted[1]).predict_proba(tests)
    report = ks.evaluation.report(
        "activity",
        test[1],
        model.predict(test[0], verbose=0),
        {"logistic_regression": baseline},
        list(names),
        groups=sessions[parts["test"]],
    )
    print(ks.evaluation.format_report(report))
    ks.training.write_facts(run_dir, "metrics.json", {"test": report})
    facts = {"task": "activity", "metrics": report}
    version = ks.serving.export_classifier(
        model, "saved_models/activity", list(names), test[0], facts
    )
    answers = ks.load_exported(version).signature()(window=test[0][:4])["label"].numpy()
    print(f"{version}: of {names[test[1][:4]].tolist()} it answers {answers.tolist()}")


if __name__ == "__main__":
    try:
        train(read_readings(sys.argv[1]) if sys.argv[1:] else make_readings())
    except ks.UserError as error:
        sys.exit(f"error: {error}")
