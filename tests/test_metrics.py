"""Metrics of several batches against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from keras_seq.metrics import BalancedAccuracy, MicroF1, mean_absolute_error

RNG = np.random.default_rng(0)
HEADS = RNG.normal(size=(90, 2, 3)).astype("float32")


def over_batches(metric, targets: np.ndarray) -> float:
    for start in range(0, 90, 32):
        metric.update_state(targets[start : start + 32], HEADS[start : start + 32])
    return float(metric.result())


def test_micro_f1_is_over_all_batches():
    labels = (RNG.random((90, 3)) < 0.3).astype("float32")
    expected = f1_score(labels, HEADS.mean(axis=1) > 0, average="micro")
    assert over_batches(MicroF1(), labels) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(90,), (90, 1)])
def test_balanced_accuracy_is_the_mean_recall_of_what_occurs(shape: tuple):
    labels = (RNG.random(90) < 0.1).astype(int)  # the third class never occurs
    answers = HEADS.mean(axis=1).argmax(axis=1)
    recall = [(answers[labels == c] == c).mean() for c in (0, 1)]
    found = over_batches(BalancedAccuracy(3), labels.reshape(shape))
    assert found == pytest.approx(np.mean(recall))
    two = answers < 2
    assert np.mean([(answers[two & (labels == c)] == c).mean() for c in (0, 1)]) == (
        pytest.approx(balanced_accuracy_score(labels[two], answers[two]))
    )


def test_the_error_of_a_number_is_that_of_the_mean_head():
    numbers = RNG.normal(size=90)
    found = np.array(mean_absolute_error(numbers, HEADS[..., :1]))
    expected = np.abs(numbers - HEADS[:, :, 0].mean(axis=1))
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_metric_is_made_again_of_its_config():
    again = BalancedAccuracy.from_config(BalancedAccuracy(3).get_config())
    assert again.num_classes == 3
