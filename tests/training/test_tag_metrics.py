"""Metrics of a CRF in training are the scores of its best paths."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.decoding.viterbi import viterbi_decode
from keras_seq.evaluation.entities import entity_scores
from keras_seq.layers.crf import CRF
from keras_seq.training.tag_metrics import EntityF1, PathAccuracy

NAMES = ["O", "B-x", "B-y", "I-x", "I-y"]


def batches(rng: np.random.Generator):
    crf = CRF(len(NAMES))
    for rows, steps in ((4, 7), (1, 1), (3, 12)):
        lengths = rng.integers(0, steps + 1, rows)
        mask = np.arange(steps) < lengths[:, None]
        tags = np.where(mask, rng.integers(0, len(NAMES), (rows, steps)), -1)
        logits = rng.normal(size=(rows, steps, len(NAMES))) + 2 * np.eye(5)[tags]
        yield tags, crf(logits.astype("float32"), mask=mask), lengths


def test_f1_is_that_of_all_entities_of_all_batches():
    metric, truth, answers = EntityF1(NAMES), [], []
    update = tf.function(metric.update_state)
    for tags, potentials, lengths in batches(np.random.default_rng(3)):
        update(tf.constant(tags), potentials)
        paths = viterbi_decode(potentials)[0].numpy()
        for rows, found in ((tags, truth), (paths, answers)):
            found += [[NAMES[n] for n in row[:k]] for row, k in zip(rows, lengths)]
    expected = entity_scores(truth, answers)["all"]["f1"]
    assert 0.1 < expected < 0.9 and float(metric.result()) == pytest.approx(expected)
    metric.reset_state()
    assert float(metric.result()) == 0


def test_accuracy_is_that_of_all_words_of_all_batches():
    metric, right, words = PathAccuracy(), 0, 0
    for tags, potentials, _ in batches(np.random.default_rng(4)):
        metric.update_state(tags, potentials)
        right += (viterbi_decode(potentials)[0].numpy() == tags).sum()
        words += (tags >= 0).sum()
    assert float(metric.result()) == pytest.approx(right / words)


@pytest.mark.parametrize("metric", [EntityF1(NAMES), PathAccuracy()])
def test_a_metric_is_its_config(metric: keras.metrics.Metric):
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert type(again) is type(metric) and again.get_config() == metric.get_config()
