"""Keras' Adam by one fused operation: the same numbers."""

import copy
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.training.devices import get_strategy
from keras_seq.training.optimizers import Adam
from keras_seq.training.trainer import fit

ROWS, WIDTH, STEPS = 6, 4, 20


def walk(optimizer: keras.optimizers.Optimizer, kind: str) -> list[np.ndarray]:
    """Where some steps lead, and the optimizer's own variables."""
    rng = np.random.default_rng(0)
    variable = keras.Variable(rng.normal(size=(ROWS, WIDTH)).astype("float32"))
    for _ in range(STEPS):
        gradient = rng.normal(size=(ROWS, WIDTH)).astype("float32")
        if kind == "rows":  # some of them, each once
            rows = rng.permutation(ROWS)[:3]
            gradient = tf.IndexedSlices(gradient[:3], rows, [ROWS, WIDTH])
        optimizer.apply([gradient], [variable])
    return [variable.numpy(), *(each.numpy() for each in optimizer.variables)]


@pytest.mark.parametrize("kind", ["whole", "rows"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3},
        {"clipnorm": 0.1},
        {"weight_decay": 0.1},
        {"use_ema": True},
        {"amsgrad": True},
        {"learning_rate": keras.optimizers.schedules.CosineDecay(0.01, STEPS)},
    ],
    ids=lambda options: "-".join(options) or "defaults",
)
def test_numbers_are_those_of_keras(kind: str, options: dict):
    for found, expected in zip(
        walk(Adam(**options), kind), walk(keras.optimizers.Adam(**options), kind)
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_row_twice_in_a_batch_has_the_square_of_its_sum():
    """Keras, on TensorFlow, squares both and then adds up: not Adam's moment."""
    twice = tf.IndexedSlices(tf.constant([[1.0], [3.0]]), tf.constant([1, 1]), [2, 1])
    ends = []
    for gradient in (twice, tf.convert_to_tensor(twice)):
        optimizer, variable = Adam(), keras.Variable(np.zeros((2, 1), "float32"))
        optimizer.apply([gradient], [variable])
        ends.append([each.numpy() for each in (variable, *optimizer.variables)])
    for one, other in zip(*ends, strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_poses_as_nobody_and_is_copied_with_its_slots():
    assert Adam.__module__ == "keras_seq.training.optimizers"
    assert type(keras.optimizers.get("adam")) is keras.optimizers.Adam
    config = keras.saving.serialize_keras_object(keras.optimizers.Adam(0.1))
    assert type(keras.saving.deserialize_keras_object(config)) is keras.optimizers.Adam
    optimizer = Adam(0.5, beta_2=0.9)
    optimizer.apply([tf.ones(2)], [keras.Variable(np.zeros(2, "float32"))])
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert type(twin) is Adam and twin.get_config() == optimizer.get_config()


def test_it_is_what_fit_takes_and_fuses_under_its_strategy():
    data = tf.data.Dataset.from_tensors((tf.ones((4, 2)), tf.ones((4, 1))))
    with get_strategy("cpu").scope():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        fit(model, data, epochs=1, loss="mse", metrics=[])
    assert isinstance(model.optimizer, Adam)
    graph = tf.function(model.optimizer.apply).get_concrete_function(
        [tf.ones((2, 1)), tf.ones((1,))]
    )
    names = {op.type for op in graph.graph.get_operations()}
    assert "ResourceApplyAdam" in names or "ResourceApplyAdam" in str(
        graph.graph.as_graph_def().library
    )
