"""A task of your own: which activity a window of sensor readings shows.

A table has a reading a row, in order of time: `session, activity, x, y, z`. A model
reads 50 of them and names the activity. Here are the parts that every task has: splits
that share no session, a baseline on the same split, a run that TensorBoard shows, and
a SavedModel that takes raw readings and answers in words.

    python examples/own_task.py                  # on readings that it makes itself
    python examples/own_task.py readings.csv
    tensorboard --logdir runs
"""

import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
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


def cut_windows(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows float32 (N, T, F) of one activity, its name (N,), its session (N,)."""
    keys = table[["session", "activity"]]
    windows, names, sessions = [], [], []
    for _, rows in table.groupby(keys.ne(keys.shift()).any(axis=1).cumsum()):
        for end in range(STEPS, len(rows) + 1, STEPS):
            windows.append(rows[SENSORS].to_numpy("float32")[end - STEPS : end])
            names.append(str(rows["activity"].iloc[0]))
            sessions.append(str(rows["session"].iloc[0]))
    return np.array(windows), np.array(names), np.array(sessions)


def build_model(train_windows: np.ndarray, num_classes: int) -> keras.Model:
    """A GRU; what was fitted on the train part is a layer, so raw readings go in."""
    normalise = keras.layers.Normalization(name="normalise")
    normalise.adapt(train_windows)
    window = keras.Input(train_windows.shape[1:], name="window")  # (B, T, F)
    states = ks.layers.GRU(32, return_sequences=True, name="gru")(normalise(window))
    pooled = keras.layers.GlobalAveragePooling1D(name="mean_over_time")(states)
    outputs = keras.layers.Dense(num_classes, "softmax", name="activity")(pooled)
    return keras.Model(window, outputs, name="activity")


def summaries(windows: np.ndarray) -> np.ndarray:
    """What the baseline reads: mean and spread of each sensor, (N, 2 F)."""
    return np.concatenate([windows.mean(axis=1), windows.std(axis=1)], axis=1)


def train(table: pd.DataFrame) -> tuple[dict, Path]:
    """The report on the test split, and the folder of the export."""
    ks.set_seed(0)
    windows, activities, sessions = cut_windows(table)
    names, labels = np.unique(activities, return_inverse=True)
    # A fifth of the sessions tests and a fifth validates: none stands in two splits.
    order = np.random.default_rng(0).permutation(np.unique(sessions))
    cuts = np.split(order, [len(order) // 5, 2 * len(order) // 5])
    masks = [np.isin(sessions, part) for part in cuts]
    test, validation, fitted = ((windows[mask], labels[mask]) for mask in masks)

    model = build_model(fitted[0], len(names))
    run_dir, loss = (
        ks.training.make_run_dir("activity"),
        "sparse_categorical_crossentropy",
    )
    ks.fit(
        model,
        *fitted,
        validation_data=validation,
        epochs=30,
        loss=loss,
        run_dir=run_dir,
    )

    baseline = LogisticRegression().fit(summaries(fitted[0]), fitted[1])
    answers = model.predict(test[0], verbose=0)
    others = {"logistic_regression": baseline.predict_proba(summaries(test[0]))}
    groups = sessions[masks[0]]  # windows of one session are redrawn together
    report = ks.evaluation.report(
        "activity", test[1], answers, others, list(names), groups=groups
    )
    ks.training.write_facts(run_dir, "metrics.json", {"test": report})
    return report, export(model, list(names), test[0], report)


def export(
    model: keras.Model, names: list[str], some: np.ndarray, report: dict
) -> Path:
    """A version for TensorFlow Serving, proven in a process without keras_seq."""
    module = tf.Module()
    module.model = model

    def serve(window: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = module.model(window, training=False)  # (B, C)
        label = tf.gather(names, tf.argmax(probabilities, axis=-1))
        return {"label": label, "probability": tf.reduce_max(probabilities, axis=-1)}

    with ks.serving.without_cudnn([model]), tf.device("CPU"):
        expected = serve(tf.constant(some))
    spec = tf.TensorSpec([None, STEPS, len(SENSORS)], tf.float32, name="window")
    return ks.export(
        module,
        "saved_models/activity",
        models=[model],
        signatures={"serving_default": (serve, [spec])},
        examples={"window": some},
        expected={name: value.numpy() for name, value in expected.items()},
        metadata={"task": "activity", "labels": names, "metrics": report},
    )


if __name__ == "__main__":
    try:
        table = read_readings(sys.argv[1]) if sys.argv[1:] else make_readings()
        report, version = train(table)
    except ks.UserError as error:
        sys.exit(f"error: {error}")
    print(ks.evaluation.format_report(report))
    classify = ks.load_exported(version).signature()
    window, activities, _ = cut_windows(make_readings(num_sessions=1))
    answers = classify(window=tf.constant(window))["label"].numpy()
    print(f"{version}: of {activities.tolist()} it answers {answers.tolist()}")
