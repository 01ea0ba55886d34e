"""Metrics of weighted samples against scikit-learn, and the bootstrap over them."""

import numpy as np
import pytest
from sklearn import metrics

from keras_seq.evaluation import bootstrap
from keras_seq.evaluation.resampling import by_samples


def make_predictions(num_samples: int, num_classes: int, seed: int = 0):
    """Labels and probabilities that are often right, with many tied probabilities."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(num_classes, size=num_samples)
    tallies = rng.integers(1, 6, size=(num_samples, num_classes))
    tallies[np.arange(num_samples), labels] += rng.integers(0, 6, size=num_samples)
    return labels, tallies / tallies.sum(axis=1, keepdims=True)


def scikit_learn_scores(labels, probabilities) -> dict[str, float]:
    num_classes = probabilities.shape[1]
    predictions = probabilities.argmax(axis=1)
    binary = num_classes == 2
    per_class = metrics.f1_score(labels, predictions, average=None)
    return {
        "accuracy": metrics.accuracy_score(labels, predictions),
        "macro_f1": metrics.f1_score(labels, predictions, average="macro"),
        **{f"f1_class {i}": value for i, value in enumerate(per_class)},
        "roc_auc": metrics.roc_auc_score(
            labels, probabilities[:, 1] if binary else probabilities, multi_class="ovr"
        ),
        "log_loss": metrics.log_loss(labels, probabilities),
    }


@pytest.mark.parametrize("num_classes", [2, 3, 7])
def test_values_equal_scikit_learns(num_classes):
    labels, probabilities = make_predictions(500, num_classes)
    values = bootstrap.all_metrics(labels, probabilities)(np.ones(500))
    names = bootstrap.metric_names([f"class {i}" for i in range(num_classes)])
    ours = dict(zip(names, values, strict=True))
    del ours["calibration_error"]
    assert ours == pytest.approx(scikit_learn_scores(labels, probabilities))


@pytest.mark.parametrize("num_classes", [2, 4])
def test_a_weight_counts_as_so_many_copies_of_a_sample(num_classes):
    labels, probabilities = make_predictions(300, num_classes)
    times = np.random.default_rng(1).multinomial(300, np.full(300, 1 / 300))
    weighted = bootstrap.all_metrics(labels, probabilities)(times.astype(float))
    copied = np.repeat(labels, times), np.repeat(probabilities, times, axis=0)
    expected = list(scikit_learn_scores(*copied).values())
    np.testing.assert_allclose(weighted[:-1], expected)
    plain = bootstrap.calibration_error(*copied)(np.ones(300))
    np.testing.assert_allclose(weighted[-1], plain[0])


@pytest.mark.parametrize(
    "wrong_at, expected",
    [
        (0.59, (0.59 - 0.4) / 2),  # both in the bin from 8/15 to 9/15: gaps cancel
        (0.61, (0.61 + 0.4) / 2),
    ],
)
def test_calibration_bins_are_closed_on_their_right(wrong_at, expected):
    # Right with 0.6 = 9/15, and wrong with a little less or more.
    probabilities = np.array([[0.6, 0.4], [1 - wrong_at, wrong_at]])
    error = bootstrap.calibration_error(np.array([0, 0]), probabilities)(np.ones(2))
    assert error[0] == pytest.approx(expected)


def test_a_tie_counts_half_and_a_missing_class_is_left_out_of_the_mean():
    labels = np.array([0, 0, 1, 1])
    tied = np.array([[0.5, 0.5, 0], [0.8, 0.2, 0], [0.5, 0.5, 0], [0.3, 0.7, 0]])
    area = bootstrap.roc_auc(labels, tied)(np.ones(4))
    assert area == pytest.approx(3.5 / 4)  # class 2 does not occur


def test_one_class_leaves_no_area():
    probabilities = np.array([[0.5, 0.5], [0.8, 0.2]])
    assert np.isnan(bootstrap.roc_auc(np.array([0, 0]), probabilities)(np.ones(2)))


def test_resamples_are_as_large_as_the_set_and_differ():
    value, resamples = bootstrap.bootstrap(
        lambda weights: weights, by_samples(40), 200, seed=0
    )
    assert (value == 1).all()
    assert (resamples.sum(axis=1) == 40).all()
    # A sample is left out of (1 - 1/40) ** 40 = 0.363 of the resamples.
    assert (resamples == 0).mean() == pytest.approx(0.363, abs=0.02)


def test_an_interval_is_the_middle_95_percent_and_holds_its_value():
    resamples = np.append(np.arange(1001) / 1000, np.nan)
    assert bootstrap.interval(0.5, resamples) == pytest.approx(
        {"value": 0.5, "low": 0.025, "high": 0.975}, abs=0.001
    )
    assert bootstrap.interval(0.01, resamples)["low"] == 0.01
    assert bootstrap.interval(0.99, resamples)["high"] == 0.99
    assert bootstrap.interval(0.3, np.array([]))["high"] == 0.3
