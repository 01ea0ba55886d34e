"""Quantile loss: by hand, through Keras' own training, and what it teaches."""

import keras
import numpy as np
import pytest

from keras_seq.losses import QuantileLoss


def by_hand(targets: np.ndarray, answers: np.ndarray, levels: tuple) -> float:
    total = []
    for target, row in zip(targets.ravel(), answers.reshape(-1, len(levels))):
        sums = 0.0
        for level, answer in zip(levels, row):
            over = target - answer
            sums += 2 * (level * over if over > 0 else (level - 1) * over)
        total.append(sums)
    return float(np.mean(total))


@pytest.mark.parametrize("levels", [(0.5,), (0.1, 0.5, 0.9)])
@pytest.mark.parametrize("shape", [(6, 4, 2), (6, 4, 1), (6, 1, 1)])
def test_it_is_what_the_definition_says_also_inside_fit(levels: tuple, shape: tuple):
    """Keras takes a last axis of size one off the answers of plain functions."""
    rng = np.random.default_rng(0)
    targets = rng.normal(size=shape).astype("float32")
    answers = rng.normal(size=(*shape, len(levels))).astype("float32")
    wanted = by_hand(targets, answers, levels)
    loss = QuantileLoss(levels)
    assert float(loss(targets, answers)) == pytest.approx(wanted, rel=1e-5)
    inputs = keras.Input(answers.shape[1:])
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    model.compile("sgd", loss)
    found = model.evaluate(answers, targets, batch_size=6, verbose=0)
    assert found == pytest.approx(wanted, rel=1e-5)


def test_its_least_value_is_at_the_quantiles():
    sample = np.random.default_rng(1).exponential(size=20_000).astype("float32")
    for level in (0.1, 0.5, 0.9):
        grid = np.linspace(0.02, 3, 150).astype("float32")
        values = [
            float(QuantileLoss([level])(sample, np.full((len(sample), 1), g)))
            for g in grid
        ]
        assert grid[np.argmin(values)] == pytest.approx(-np.log(1 - level), abs=0.06)
