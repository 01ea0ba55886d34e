"""Private parts of Keras and TensorFlow: seen with the versions that are installed."""

import contextlib

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


def test_arguments_of_a_model_that_was_never_compiled_are_none():
    assert keras_internals.compile_arguments(keras.Sequential()) == {}


def test_layer_calls_are_those_of_the_functional_model_in_order():
    inner = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="one")])
    inner.add(keras.layers.Dense(1, name="two"))
    assert keras_internals.functional(inner) is not inner
    assert keras_internals.functional(inner).input is inner.inputs[0]
    calls = keras_internals.layer_calls(inner)
    assert [call.operation.name for call in calls] == ["one", "two"]
    assert [call.output_tensors[0].shape for call in calls] == [(None, 3), (None, 1)]
    whole = keras.Model(inner.inputs, inner.outputs)
    assert keras_internals.functional(whole) is whole


def test_variables_are_made_without_a_look_at_data():
    model = model_of(keras.layers.LSTM(2))
    assert not model.optimizer.built
    spec = tf.TensorSpec((None, 2, 3)), tf.TensorSpec((None, 2))
    keras_internals.make_variables(model, spec)
    found = keras_internals.optimized_variables(model.optimizer)
    assert [v.path for v in found] == [v.path for v in model.trainable_variables]


def test_the_epoch_that_a_backup_goes_on_with(tmp_path):
    model, found = model_of(keras.layers.LSTM(2)), []

    class Interrupts(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            found.append(keras_internals.restored_epoch(self.model))

        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1 and len(found) == 1:
                raise KeyboardInterrupt

    x, y = np.ones((2, 2, 3)), np.ones((2, 2))
    for raises in (pytest.raises(KeyboardInterrupt), contextlib.nullcontext()):
        callbacks = [keras.callbacks.BackupAndRestore(tmp_path), Interrupts()]
        with raises:
            model.fit(x, y, epochs=3, callbacks=callbacks, verbose=0)
    assert found == [0, 2]


def test_averages_of_weights_come_with_their_weights():
    model = model_of(keras.layers.LSTM(2))
    model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    begun = [np.array(v) for v in model.trainable_variables]
    model.fit(np.ones((2, 2, 3)), np.ones((2, 2)), verbose=0)
    pairs = keras_internals.weight_averages(model.optimizer)
    assert [weight.path for weight, _ in pairs] == [
        weight.path for weight in model.trainable_variables
    ]
    assert not np.array_equal(begun[0], pairs[0][0])
    # Keras averages the weights as they were made with what the step made of them.
    for first, (weight, average) in zip(begun, pairs):
        np.testing.assert_allclose(average, weight, err_msg=weight.path)


def test_moments_of_adam_are_those_of_the_weight():
    one, two = keras.Variable([1.0]), keras.Variable([1.0, 2.0])
    optimizer = keras.optimizers.Adam(0.1, beta_1=0.5, beta_2=0.5)
    optimizer.apply([keras.ops.array([2.0]), keras.ops.array([4.0, 6.0])], [one, two])
    first, second = keras_internals.adam_moments(optimizer, two)
    np.testing.assert_allclose(first, [2.0, 3.0])
    np.testing.assert_allclose(second, [8.0, 18.0])


@pytest.mark.parametrize(
    "metric, expected",
    [
        (keras.metrics.BinaryAccuracy(), True),
        (keras.metrics.MeanSquaredError(), False),
        (keras.metrics.Mean(), None),
        (None, None),
    ],
)
def test_which_way_a_metric_is_better(metric, expected):
    assert keras_internals.is_better_up(metric) is expected


def test_what_a_keras_tensorboard_holds_is_written(tmp_path):
    model = model_of(keras.layers.LSTM(2))
    board = keras.callbacks.TensorBoard(tmp_path)
    board.set_model(model)
    with board._train_writer.as_default():  # which writes at its end
        tf.summary.scalar("one", 1.0, step=0)
        (path,) = (tmp_path / "train").glob("events*")
        before = path.stat().st_size
        keras_internals.flush_events(board)
        assert path.stat().st_size > before


def test_the_method_that_sums_gradients_and_those_of_a_step_are_there():
    assert callable(getattr(keras.optimizers.SGD(), keras_internals.SUMS_GRADIENTS))
    assert all(hasattr(keras.Model, name) for name in keras_internals.STEP_METHODS)


def test_a_dataset_can_stand_for_another():
    class Same(tf.data.Dataset):
        def __init__(self, dataset):
            self.own, self.element_spec_ = dataset, dataset.element_spec
            super().__init__(keras_internals.variant_tensor(dataset))

        def _inputs(self):
            return [self.own]

        @property
        def element_spec(self):
            return self.element_spec_

    assert list(Same(tf.data.Dataset.range(2)).as_numpy_iterator()) == [0, 1]
