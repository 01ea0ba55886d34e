"""What watches CTC: the error rate inside fit, blank collapse, the rate of learning."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.evaluation.transcripts import error_counts
from keras_seq.losses import ctc_loss, ctc_targets
from keras_seq.training.budget import BudgetedRate
from keras_seq.training.transcripts import BlankAlarm, SymbolErrorRate


def test_the_error_rate_is_that_of_jiwer():
    rng = np.random.default_rng(0)
    metric, letters = SymbolErrorRate(), " abcd"
    wrong = spoken = 0
    for _ in range(4):
        logits = rng.normal(0, 3, (6, 12, 5)).astype("float32")
        frames = rng.integers(1, 13, 6)
        truth = rng.integers(1, 5, (6, 4)) * (np.arange(4) < rng.integers(1, 5, (6, 1)))
        metric.update_state(ctc_targets(frames, truth.astype("int32")), logits)
        for row, count, ids in zip(logits, frames, truth):
            best = row[:count].argmax(1)
            kept = best[(best > 0) & (np.diff(best, prepend=0) != 0)]
            said, heard = ("".join(letters[i] for i in x) for x in (ids[ids > 0], kept))
            counts = error_counts([said], [heard])[0]
            wrong, spoken = wrong + counts[4], spoken + counts[5]
    assert float(metric.result()) == pytest.approx(wrong / spoken)
    metric.reset_state()
    assert float(metric.result()) == 0


class Scripted(keras.Model):
    """Answers with the class that is asked of it."""

    answer = 0

    def call(self, features, training=False):
        shape = tf.shape(features)
        return tf.one_hot(tf.fill([shape[0], shape[1]], self.answer), 3) * 9


def alarm(patience: int = 3) -> BlankAlarm:
    one = (tf.zeros((2, 4, 1)), ctc_targets(np.array([4, 3]), np.array([[1], [2]])))
    watcher = BlankAlarm(tf.data.Dataset.from_tensors(one), patience)
    watcher.set_model(Scripted())
    return watcher


def test_blank_collapse_is_logged_once(remarks: list[str]):
    watcher = alarm()
    for epoch in range(6):
        watcher.on_epoch_end(epoch)
    (remark,) = remarks
    assert "written only blanks for 3 epochs" in remark


def test_a_model_that_writes_is_left_alone(remarks: list[str]):
    watcher = alarm()
    for epoch in range(8):
        watcher.model.answer = epoch % 3  # blank, then something
        watcher.on_epoch_end(epoch)
    assert remarks == []


def test_the_alarm_survives_a_resume(remarks: list[str]):
    watcher = alarm()
    watcher.on_epoch_end(0)
    watcher.on_epoch_end(1)
    again = alarm()
    again.set_state(watcher.get_state())
    again.on_epoch_end(2)
    assert "only blanks for 3 epochs" in remarks[0]


def test_fit_carries_frame_counts_to_the_loss():
    inputs = keras.Input((None, 2))
    model = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model.compile("adam", ctc_loss, metrics=[SymbolErrorRate()])
    targets = ctc_targets(np.array([5, 2]), np.array([[1, 2], [1, 0]]))
    features = np.random.default_rng(0).normal(size=(2, 5, 2)).astype("float32")
    loss, _ = model.evaluate(features, targets, verbose=0)
    assert loss == pytest.approx(float(np.mean(ctc_loss(targets, model(features)))))


def rates(epochs: int, seconds_each: float, max_seconds: float | None) -> list[float]:
    now = [0.0]
    rate = BudgetedRate(1.0, epochs, max_seconds, warmup=1, clock=lambda: now[0])
    found = []
    for epoch in range(epochs):
        if max_seconds and now[0] >= max_seconds:
            break
        found.append(rate.at(epoch))
        now[0] += seconds_each
    return found


def test_a_run_that_time_ends_still_sees_small_rates():
    plenty, short = rates(100, 1.0, None), rates(100, 1.0, 10.0)
    assert plenty[9] > 0.9 and len(short) == 10
    assert short[-1] < 0.1 and sorted(short, reverse=True) == short
    assert rates(100, 1.0, 1e9) == plenty


def test_a_resumed_run_knows_the_time_that_passed():
    now = [0.0]
    rate = BudgetedRate(1.0, 100, 10.0, warmup=1, clock=lambda: now[0])
    rate.at(0)
    now[0] = 6.0
    again = BudgetedRate(1.0, 100, 10.0, warmup=1, clock=lambda: now[0])
    again.set_state(rate.get_state())
    now[0] = 99.0
    again.at(0)
    now[0] = 101.0
    assert again.seconds() == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: alarm(0), "patience is 0"),
        (lambda: BudgetedRate(1.0, 0), "epochs is 0"),
    ],
)
def test_misuse_is_told(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()
