"""Private parts of Keras and TensorFlow: seen with the versions that are installed."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq import keras_internals
from keras_seq.layers import GRU


@pytest.mark.parametrize("package", [keras, tf])
def test_the_installed_version_is_one_that_was_seen(package):
    """After an upgrade: read keras_internals beside the new sources, then name it."""
    seen = keras_internals.SEEN_WITH[package.__name__]
    assert package.__version__.startswith(seen + ".")


def model_of(layer: keras.Layer) -> keras.Model:
    model = keras.Sequential([keras.Input((2, 3)), layer])
    model.compile("sgd", "mse")
    return model


def test_models_without_our_layers_are_left_alone():
    stock, ours = model_of(keras.layers.GRU(2)), model_of(GRU(2))
    for model in (stock, ours):
        model.fit(np.ones((2, 2, 3)), np.ones((2, 2)), verbose=0)
        model.predict(np.ones((2, 2, 3)), verbose=0)
    for name in ("train_function", "predict_function"):
        wrapped = [
            isinstance(getattr(model, name), keras_internals.StepFunction)
            for model in (stock, ours)
        ]
        assert wrapped == [False, True]
    assert ours.make_train_function() is ours.train_function
    before = ours.train_function
    ours.make_train_function(force=True)
    assert ours.train_function is not before


def test_a_step_of_the_users_own_is_the_one_that_is_trained():
    class Counting(keras.Model):
        steps = 0

        def train_step(self, data):
            self.steps += 1
            return super().train_step(data)

    inputs = keras.Input((2, 3))
    model = Counting(inputs, GRU(2)(inputs))
    model.compile("sgd", "mse")
    step = model.train_step

    def own(data):
        model.own_steps = getattr(model, "own_steps", 0) + 1
        return step(data)

    model.train_step = own
    model.fit(np.ones((2, 2, 3)), np.ones((2, 2)), verbose=0)
    assert (model.steps, model.own_steps) == (1, 1) and model.train_step is own
    assert model.layers[-1].loop.reason != "the graph may be for any machine"


def test_the_graph_of_a_step_is_found_from_its_branches_and_loops():
    found = []

    @tf.function
    def function(x: tf.Tensor) -> tf.Tensor:
        found.append(tf.compat.v1.get_default_graph())

        def inside(x: tf.Tensor) -> tf.Tensor:
            graph = tf.compat.v1.get_default_graph()
            assert graph is not found[0]
            found.append(keras_internals.step_graph(graph))
            return x + 1

        x = tf.while_loop(lambda x: inside(x) < 9, lambda x: (inside(x),), (x,))[0]

        def twice() -> tf.Tensor:
            return tf.cond(x > 1, lambda: inside(x), lambda: x)

        x = tf.cond(x > 0, twice, lambda: x)
        return tf.function(inside)(x)

    function(tf.constant(0.0))
    assert all(graph is found[0] for graph in found[1:-1]) and len(found) == 5
    assert found[-1] is not found[0]


def test_compile_arguments_are_the_objects_themselves():
    metric = keras.metrics.MeanAbsoluteError()
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[metric], jit_compile=False)
    found = keras_internals.compile_arguments(model)
    assert found["metrics"][0] is metric and found["loss"] == "mse"
    model.compile(**found)
