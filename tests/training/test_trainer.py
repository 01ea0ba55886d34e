"""One call trains: clipped, stopped, kept at its best, and within its time."""

import time
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.losses import auxiliary_loss
from keras_seq.tasks.sentiment.ensemble import best_weights, fit_head_weights
from keras_seq.tasks.sentiment.one_label import OneLabel
from keras_seq.training.monitor import TrainingMonitor
from keras_seq.training.schedules import (
    cosine_schedule,
    lr_schedule,
    warmup_schedule,
)
from keras_seq.training.trainer import fit


def line(slope: float = 2.0, rows: int = 64) -> tf.data.Dataset:
    x = np.linspace(-1, 1, rows, dtype="float32")[:, np.newaxis]
    return tf.data.Dataset.from_tensor_slices((x, slope * x)).batch(8)


def model() -> keras.Model:
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])


def test_it_learns_and_tells_how_long_it_took():
    options = {"epochs": 5, "loss": "mse", "metrics": []}
    history = fit(model(), line(), validation_data=line(), **options)
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert history.seconds > 0


def test_the_best_weights_are_kept_not_the_last():
    wrong = line(slope=-2.0)  # the better on train, the worse here
    trained = model()
    trained.layers[0].set_weights([np.array([[-1.0]]), np.array([0.0])])
    history = fit(
        trained,
        line(),
        validation_data=wrong,
        epochs=9,
        loss="mse",
        metrics=[],
        patience=2,
    )
    assert len(history.epoch) == 3
    best = min(history.history["val_loss"])
    assert trained.evaluate(wrong, verbose=0) == pytest.approx(best, rel=1e-5)


def test_gradients_are_clipped_to_a_global_norm():
    trained, before = model(), None
    optimizer = keras.optimizers.SGD(1.0)
    before = np.concatenate([w.ravel() for w in trained.get_weights()])
    huge = line(slope=1000.0, rows=8)
    fit(trained, huge, epochs=1, loss="mse", metrics=[], optimizer=optimizer)
    after = np.concatenate([w.ravel() for w in trained.get_weights()])
    assert np.linalg.norm(after - before) == pytest.approx(1.0, abs=1e-4)


def test_time_limit_ends_training_in_the_middle_of_an_epoch():
    class Slow(keras.callbacks.Callback):
        batches = 0

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            time.sleep(0.05)
            self.batches += 1

    slow = Slow()
    options = {"epochs": 50, "loss": "mse", "metrics": [], "callbacks": [slow]}
    fit(model(), line(rows=800), validation_data=line(), max_seconds=1.0, **options)
    assert 0 < slow.batches < 100


def test_a_schedule_sets_the_rate_of_each_epoch():
    def halving(epoch: int) -> float:
        return 0.1 / 2**epoch

    options = {"loss": "mse", "metrics": [], "schedule": halving}
    history = fit(model(), line(), epochs=2, **options)
    assert history.history["learning_rate"] == pytest.approx([0.1, 0.05])


def test_tensorboard_logs_lie_in_the_run_folder(tmp_path: Path):
    options = {"epochs": 1, "loss": "mse", "metrics": [], "run_dir": tmp_path}
    fit(model(), line(), validation_data=line(), **options)
    assert list(tmp_path.glob("tensorboard/events*"))
    assert list(tmp_path.glob("tensorboard/validation/events*"))


def test_an_uncompiled_model_needs_a_loss():
    with pytest.raises(ValueError, match="not compiled; give fit a loss"):
        fit(model(), line())


@pytest.mark.parametrize("in_folder", [False, True])
@pytest.mark.parametrize(
    ("train", "validation", "line_"),
    [
        (line().take(0), None, "x has no batches"),
        (line(rows=5).unbatch().batch(8, drop_remainder=True), None, "train had no"),
        (line().filter(lambda x, y: False), line(), "train had no batches in epoch 1"),
        (line(), line().take(0), "validation_data has no batches"),
    ],
)
def test_data_without_batches_are_refused(
    train, validation, line_: str, in_folder: bool, tmp_path: Path
):
    folder = tmp_path if in_folder else None
    with pytest.raises(ValueError, match=line_):
        fit(
            model(),
            train,
            validation_data=validation,
            epochs=2,
            loss="mse",
            run_dir=folder,
        )


def test_lr_schedule_reaches_its_second_branch():
    rates = [lr_schedule(epoch) for epoch in range(30)]
    assert rates[:11] == [0.001] * 11
    assert rates[11:21] == [0.0001] * 10
    assert rates[21:] == [0.00001] * 9


def test_warm_up_joins_the_schedule_it_leads_to():
    cosine = cosine_schedule(1.0, 10)
    warmed = warmup_schedule(cosine, 4)
    assert [warmed(e) / cosine(e) for e in range(5)] == pytest.approx(
        [0.2, 0.4, 0.6, 0.8, 1.0]
    )
    assert [warmed(e) for e in range(5, 10)] == [cosine(e) for e in range(5, 10)]


@pytest.mark.parametrize(
    ("losses", "warns"),
    [
        ([1, 2, 3, 4, 5, 6], True),
        ([1, 2, 3, 4, 5], False),  # four rises
        ([1, 2, 3, 4, 5, 5], False),
        ([9, 1, 2, 3, 4, 5, 6], True),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], True),  # once
        ([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6], True),
    ],
)
def test_monitor_warns_of_five_rises_in_a_row(losses: list, warns: bool, remarks):
    monitor = TrainingMonitor()
    for epoch, loss in enumerate(losses):
        monitor.on_epoch_end(epoch, {"loss": 1.0, "val_loss": loss})
    assert monitor.val_losses == losses
    assert ["the model overfits" in line for line in remarks] == [True] * warns


@pytest.mark.parametrize(
    ("mode", "scores", "warned"),
    [
        ("max", [0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95], []),  # surer, and right
        ("max", [0.5, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9], [7]),
        ("max", [0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.6], [6]),
        ("min", [9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0], []),
    ],
)
def test_monitor_is_quiet_while_what_is_watched_gets_better(
    mode: str, scores: list, warned: list, remarks
):
    monitor = TrainingMonitor(5, "val_score", mode)
    for epoch, score in enumerate(scores):
        monitor.on_epoch_end(epoch, {"val_loss": 1 + epoch, "val_score": score})
    assert [int(line.split()[1].strip(":")) for line in remarks] == warned


def test_every_run_of_a_monitor_warns_again(remarks: list[str]):
    monitor = TrainingMonitor(patience=1)
    for _ in range(2):
        monitor.on_train_begin()
        for epoch in range(4):
            monitor.on_epoch_end(epoch, {"val_loss": epoch})
    assert len(remarks) == 2


def test_auxiliary_loss_trains_heads_apart_and_shows_the_answer():
    rng = np.random.default_rng(0)
    logits = tf.Variable(rng.normal(size=(6, 2, 3)), dtype="float32")
    labels = rng.integers(0, 3, 6)
    with tf.GradientTape() as tape:
        loss = auxiliary_loss(labels, logits)
    odds = np.exp(logits.numpy())
    each = odds / odds.sum(-1, keepdims=True)  # (6, 2, 3)
    wanted = each - np.eye(3)[labels][:, np.newaxis]
    np.testing.assert_allclose(tape.gradient(loss, logits), wanted, atol=1e-6)
    odds = np.exp(logits.numpy().mean(1))
    answer = odds / odds.sum(-1, keepdims=True)
    wanted = -np.log(answer[np.arange(6), labels])
    np.testing.assert_allclose(loss, wanted, atol=1e-6)


def test_paths_are_weighed_by_what_validation_shows():
    rng = np.random.default_rng(0)
    told = rng.logistic(size=4000)  # P(label = 1) = sigmoid(logit) by construction
    labels = (told + rng.logistic(size=4000) > 0).astype(int)
    logits = np.zeros((4000, 2, 2))
    logits[:, :, 1] = np.stack([rng.normal(size=4000), told], axis=-1)
    useless, useful = best_weights(logits, labels)
    assert useless == pytest.approx(0, abs=0.1)
    assert useful == pytest.approx(1, abs=0.1)


def test_weighed_model_answers_with_the_weighted_logits():
    from keras_seq.models.sentiment import build_sentiment_model

    ratios = np.random.default_rng(0).normal(size=(64, 1))
    built = build_sentiment_model(
        20, embedding_dim=4, lstm_units=3, recurrent_dropout=0.0, ngram_ratios=ratios
    )
    built.get_layer("ngram_weights").set_weights([np.ones((64, 1))])
    ids = np.random.default_rng(1).integers(1, 20, (60, 5)).astype("int32")
    labels = np.arange(60) % 2
    data = tf.data.Dataset.from_tensor_slices((ids, labels)).batch(16)
    weighed = fit_head_weights(built, data, OneLabel(["no", "yes"]))
    names = ("recurrent_logits", "ngram_logits")
    paths = keras.Model(built.input, [built.get_layer(n).output for n in names])
    weights = weighed.get_layer("evidence_weights").get_weights()[0]
    logit = np.concatenate([np.array(p) for p in paths(ids)], axis=1) @ weights
    answer = np.array(weighed(ids))
    assert answer == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-5)


def test_a_second_dataset_validates_as_it_did_in_version_0_1(remarks: list[str]):
    history = fit(model(), line(), line(), epochs=1, loss="mse", metrics=[])
    assert "val_loss" in history.history
    assert [line for line in remarks if "validation_data=" in line]
