"""What is given to `fit` is compiled, the rest is kept, contradictions are named."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.keras_internals import compile_arguments
from keras_seq.training.averaging import AveragedWeights
from keras_seq.training.compiling import compile_model
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.optimizers import Adam
from keras_seq.training.trainer import fit

X = np.random.default_rng(0).normal(size=(24, 2)).astype("float32")
DATA = tf.data.Dataset.from_tensor_slices((X, X[:, :1])).batch(4)
SGD = keras.optimizers.SGD


def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="dense")])


def pair() -> keras.Model:
    inputs = keras.Input((2,))
    outputs = [keras.layers.Dense(1, name=name)(inputs) for name in ("z", "a")]
    return keras.Model(inputs, outputs)


def test_a_loss_alone_leaves_all_else_as_it_was_compiled():
    trained = model()
    optimizer, options = SGD(0.1, momentum=0.9), {"run_eagerly": True}
    trained.compile(
        optimizer,
        "mse",
        loss_weights=0.3,
        metrics=["mae"],
        weighted_metrics=["mse"],
        steps_per_execution=2,
        **options,
    )
    trained.fit(DATA, verbose=0)
    before = [np.array(v) for v in optimizer.variables]
    assert not compile_model(trained, loss="mae")
    assert trained.optimizer is optimizer and trained.run_eagerly
    assert trained.steps_per_execution == 2
    for found, old in zip(optimizer.variables, before):
        np.testing.assert_array_equal(found, old)
    now = compile_arguments(trained)
    names = ("loss", "loss_weights", "metrics", "weighted_metrics")
    assert [now[name] for name in names] == ["mae", 0.3, ["mae"], ["mse"]]


def test_loss_weights_of_several_outputs_go_on_with_another_loss():
    targets = {"z": X[:, :1], "a": X[:, 1:]}
    data = tf.data.Dataset.from_tensor_slices((X, targets)).batch(4)
    sides = []
    for given in ({"z": "mae", "a": "mse"}, None):
        keras.utils.set_random_seed(0)
        trained = pair()
        loss = {"z": "mse", "a": "mse"} if given else {"z": "mae", "a": "mse"}
        trained.compile(SGD(0.1), loss, loss_weights={"z": 3.0, "a": 0.1})
        fit(trained, data, epochs=1, loss=given)
        sides.append(trained.get_weights())
    for found, expected in zip(*sides):
        np.testing.assert_array_equal(found, expected)


def test_metrics_or_an_optimizer_alone_replace_what_was_compiled():
    trained = model()
    trained.compile("sgd", "mae", metrics=["mse"])
    history = fit(trained, DATA, epochs=1, metrics=["mape"], optimizer=SGD(0.0)).history
    assert set(history) == {"loss", "mape"}
    assert trained.optimizer.get_config()["learning_rate"] == 0
    assert compile_arguments(trained)["loss"] == "mae"


def test_what_fit_compiled_goes_on_clipped_with_its_moments():
    trained = model()
    fit(trained, DATA, epochs=1, loss="mse")
    optimizer = trained.optimizer
    assert isinstance(optimizer, Adam) and int(optimizer.iterations) == 6
    fit(trained, DATA, epochs=1, loss="mse")
    assert trained.optimizer is optimizer and int(optimizer.iterations) == 12
    assert optimizer.global_clipnorm is None


@pytest.mark.parametrize("own", [{}, {"clipvalue": 1e-3}, {"clipnorm": 1e-3}], ids=str)
def test_the_default_clips_what_does_not_clip_and_leaves_the_optimizer(own: dict):
    optimizer, trained = SGD(1.0, **own), model()
    given, before = optimizer.get_config(), trained.get_weights()
    huge = tf.data.Dataset.from_tensors((X, 1e4 * X[:, :1]))
    fit(trained, huge, epochs=1, loss="mse", optimizer=optimizer)
    assert trained.optimizer is optimizer and optimizer.get_config() == given
    moved = [a - b for a, b in zip(trained.get_weights(), before)]
    norm = np.linalg.norm(np.concatenate([each.ravel() for each in moved]))
    expected = {"clipvalue": 3**0.5 * 1e-3, "clipnorm": 2**0.5 * 1e-3}
    assert norm == pytest.approx(expected.get(*own) if own else 1.0, rel=0.5)
    assert own or norm == pytest.approx(1.0, rel=1e-3)


def test_a_clipnorm_that_is_given_clips_a_compiled_optimizer_for_this_call():
    trained, optimizer = model(), SGD(1.0)
    trained.compile(optimizer, "mse")
    before = np.concatenate([w.ravel() for w in trained.get_weights()])
    huge = tf.data.Dataset.from_tensors((X, 1e4 * X[:, :1]))
    fit(trained, huge, epochs=1, clipnorm=2)
    after = np.concatenate([w.ravel() for w in trained.get_weights()])
    assert np.linalg.norm(after - before) == pytest.approx(2, rel=1e-3)
    assert optimizer.global_clipnorm is None


def unfrozen() -> keras.Model:
    trained = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2, name="hidden"), model().layers[0]]
    )
    trained.layers[0].trainable = False
    fit(trained, DATA, epochs=1, loss="mse")
    trained.layers[0].trainable = True
    return trained


def compiled(built: keras.Model, *arguments: Any, **options: Any) -> keras.Model:
    built.compile(*arguments, **options)
    return built


WEIGHTS = {"z": 1.0, "a": 2.0}
AVERAGE = SGD(use_ema=True)
DOUBLE = {"loss": "mse", "optimizer": AVERAGE, "callbacks": [AveragedWeights()]}
TWICE = {"loss": "mse", "callbacks": [GradientMonitor(), GradientMonitor()]}
DECAY = SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5))


@pytest.mark.parametrize(
    ("build", "options", "line"),
    [
        (model, {}, "not compiled; give fit a loss"),
        (
            lambda: compiled(pair(), "sgd", ["mse", "mse"], loss_weights=[1, 2]),
            {"loss": ["mse"]},
            r"compiled with loss_weights \[1, 2\]",
        ),
        (
            lambda: compiled(pair(), "sgd", dict.fromkeys("za", "mse"), WEIGHTS),
            {"loss": {"z": "mae"}},
            "compile the model with both",
        ),
        (
            model,
            {"loss": "mse", "optimizer": SGD(clipvalue=0.5), "clipnorm": 0.1},
            "clipnorm is 0.1, but the optimizer clips by clipvalue=0.5",
        ),
        (model, {"loss": "mse", "clipnorm": -1.0}, "clipnorm is -1.0; expected a"),
        (
            lambda: compiled(model(), SGD(clipnorm=2.0), "mse"),
            {"clipnorm": 3.0},
            "clips by clipnorm=2.0",
        ),
        (lambda: compiled(model(), None, "mse"), {}, "compiled with optimizer=None"),
        (unfrozen, {"loss": "mse"}, "without .*hidden/kernel .2 are new"),
        (
            model,
            {"loss": "mse", "optimizer": DECAY, "schedule": lambda epoch: 0.1},
            "has a ExponentialDecay for its rate",
        ),
        (model, DOUBLE, "average the same weights"),
        (model, TWICE, "another GradientMonitor"),
    ],
)
def test_contradictions_are_named(build, options: dict, line: str):
    with pytest.raises(ValueError, match=line):
        fit(build(), DATA, epochs=1, **options)


def test_several_outputs_need_no_metrics():
    targets = {"z": X[:, :1], "a": X[:, 1:]}
    history = fit(pair(), X, targets, epochs=1, loss={"z": "mse", "a": "mae"}).history
    assert set(history) == {"loss", "z_loss", "a_loss"}
