"""`fit` beside `model.fit`: the same bits over what Keras lets one set.

Where both differ on purpose, the row says so by what it gives to Keras' side.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from keras_seq.training.trainer import fit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(68, 3)).astype("float32")
Y = (X[:, :1] - X[:, 1:2] > 0).astype("float32")
W = RNG.uniform(0.5, 2.0, 68).astype("float32")
STEPS, EPOCHS = 17, 2  # steps of 4 samples
Arrays = Any


def batches(*parts: Arrays, rows: int = 68) -> tf.data.Dataset:
    data = tf.data.Dataset.from_tensor_slices(parts)
    return data.take(rows).batch(4)


def dense() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4, activation="tanh", name="hidden"),
            keras.layers.Dense(1, activation="sigmoid", name="answer"),
        ]
    )


def stateful() -> keras.Model:
    """Moving statistics, random states and an auxiliary loss."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3,)),
            layers.BatchNormalization(),
            layers.Dense(4, kernel_regularizer="l2", kernel_constraint="unit_norm"),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def frozen() -> keras.Model:
    model = dense()
    model.get_layer("hidden").trainable = False
    return model


def two_outputs() -> keras.Model:
    inputs = keras.Input((3,), name="x")
    hidden = keras.layers.Dense(4, activation="tanh")(inputs)
    outputs = [keras.layers.Dense(1, name=name)(hidden) for name in ("slope", "level")]
    return keras.Model(inputs, outputs)


def named_outputs() -> keras.Model:
    model = two_outputs()
    return keras.Model(model.inputs, {"z": model.outputs[0], "a": model.outputs[1]})


def named_inputs() -> keras.Model:
    """Neither in alphabetical order nor of one size."""
    inputs = {name: keras.Input((n,), name=name) for name, n in (("z", 1), ("b", 2))}
    joined = keras.layers.Concatenate()([inputs["z"], inputs["b"]])
    return keras.Model(inputs, keras.layers.Dense(1)(joined))


class Subclassed(keras.Model):
    """Built at its first call, with inputs of a structure of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = keras.layers.Dense(4), keras.layers.Dense(1)

    def call(self, inputs, training=False):
        left, nested = inputs
        return self.last(self.first(keras.ops.concatenate([nested["v"], left], -1)))


def sentences() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(5, 4),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1),
        ]
    )


class OwnStep(keras.Model):
    """As Keras' documentation writes one; it returns more than the metrics."""

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return {"loss": loss, "mine": tf.reduce_sum(x)}

    def test_step(self, data):
        return {"loss": tf.reduce_mean(self(data[0]) - data[1])}


def own_step() -> keras.Model:
    inputs = keras.Input((3,))
    return OwnStep(inputs, keras.layers.Dense(1)(inputs))


def step_on_the_instance() -> keras.Model:
    model = dense()
    model.train_step = lambda data: type(model).train_step(model, data) | {"mine": 1.0}
    model.test_step = lambda data: type(model).test_step(model, data) | {"mine": 2.0}
    return model


class Reporting(keras.Model):
    """Keras' step with metrics reported by a method of one's own."""

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        found = super().compute_metrics(x, y, y_pred, sample_weight)
        return found | {"largest": tf.reduce_max(y_pred)}


def reporting() -> keras.Model:
    inputs = keras.Input((3,))
    return Reporting(inputs, keras.layers.Dense(1)(inputs))


class Seen(keras.callbacks.Callback):
    """Which batches it was called with, and that it changes the rate."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.ended, self.losses = [], [], []

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self.begun.append(batch)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.ended.append(batch)
        self.losses.append(logs["loss"])


def adam(**options: Any) -> keras.optimizers.Optimizer:
    return keras.optimizers.Adam(0.05, **options)


def accumulating(steps: int, **options: Any) -> keras.optimizers.Optimizer:
    return adam(gradient_accumulation_steps=steps, **options)


def two_optimizers() -> keras.optimizers.Optimizer:
    parts = {"hidden.*": keras.optimizers.SGD(0.1)}
    table = keras.optimizers.OptimizerMap(adam(), parts)
    return keras.optimizers.MultiOptimizer(table)


def scaled() -> keras.optimizers.Optimizer:
    return keras.optimizers.LossScaleOptimizer(adam(), initial_scale=64.0)


RATE = keras.optimizers.schedules
STOP = keras.callbacks.EarlyStopping
SWAP = keras.callbacks.SwapEMAWeights
SCORES = ["accuracy", "auc"]
PAIR = (X, {"slope": X[:, :1], "level": Y})
# name: model, parts of the data, arguments of compile (with makers of objects), calls
ROWS: dict[str, tuple] = {
    "weights of samples, weighted metrics, clipnorm, weight decay": (
        dense,
        (X, Y, W),
        {
            "metrics": SCORES,
            "weighted_metrics": ["mae"],
            "optimizer": lambda: adam(clipnorm=1e-3, weight_decay=0.1),
        },
        (),
    ),
    "moving statistics, dropout, 3 steps an execution": (
        stateful,
        (X, Y),
        {"steps_per_execution": 3},
        (),
    ),
    "a frozen layer, an epoch an execution, loss scale factor": (
        frozen,
        (X, Y),
        {
            "steps_per_execution": STEPS,
            "optimizer": lambda: adam(loss_scale_factor=16.0),
        },
        (),
    ),
    "5 steps an execution, a rate by callbacks": (
        dense,
        (X, Y),
        {"steps_per_execution": 5},
        (
            Seen,
            lambda: keras.callbacks.ReduceLROnPlateau("loss", 0.5, patience=1),
            lambda: keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
        ),
    ),
    "more steps than an epoch has, schedule object, loss object": (
        dense,
        (X, Y),
        {
            "steps_per_execution": 100,
            "loss": keras.losses.Huber,
            "optimizer": lambda: keras.optimizers.SGD(RATE.CosineDecay(0.5, 30)),
        },
        (),
    ),
    "eager, 5 steps": (
        dense,
        (X[:24], Y[:24]),
        {"steps_per_execution": 5, "run_eagerly": True},
        (),
    ),
    "own step, 4 steps": (own_step, (X, Y), {"steps_per_execution": 4}, (Seen,)),
    "own steps on the instance": (step_on_the_instance, (X, Y), {}, (Seen,)),
    "own compute_metrics, rate from a function": (
        reporting,
        (X, Y),
        {"optimizer": lambda: keras.optimizers.SGD(lambda: 0.3)},
        (),
    ),
    "XLA": (dense, (X, Y), {"jit_compile": True}, ()),
    "embedding, clipvalue": (
        sentences,
        (X > 0, Y),
        {"optimizer": lambda: adam(clipvalue=1e-3)},
        (),
    ),
    "accumulation, global_clipnorm": (
        stateful,
        (X, Y),
        {"optimizer": lambda: accumulating(3, global_clipnorm=1e-3)},
        (),
    ),
    "several optimizers, a metric with several values": (
        dense,
        (X, Y),
        {
            "optimizer": two_optimizers,
            "metrics": [lambda: keras.metrics.F1Score(threshold=0.5)],
        },
        (),
    ),
    "loss scale": (dense, (X, Y), {"optimizer": scaled}, ()),
    "averages that overwrite": (
        dense,
        (X, Y),
        {"optimizer": lambda: adam(use_ema=True, ema_overwrite_frequency=5)},
        (),
    ),
    "averages swapped by a callback": (
        dense,
        (X, Y),
        {"optimizer": lambda: adam(use_ema=True)},
        (SWAP,),
    ),
    "two outputs, a dict of losses": (
        two_outputs,
        PAIR,
        {
            "loss": {"level": "mae", "slope": "mse"},
            "metrics": {"slope": ["mae"]},
            "loss_weights": {"slope": 0.2, "level": 3.0},
        },
        (),
    ),
    "two outputs, lists": (
        two_outputs,
        (X, (X[:, :1], Y), (W, W[::-1].copy())),
        {"loss": ["mse", "mae"], "loss_weights": [0.2, 3.0]},
        (),
    ),
    "named outputs": (
        named_outputs,
        (X, {"a": Y, "z": X[:, :1]}),
        {"loss": {"z": "mse", "a": "mae"}},
        (),
    ),
    "named inputs": (named_inputs, ({"z": Y, "b": X[:, :2]}, Y), {}, ()),
    "nested inputs of a subclass": (Subclassed, ((X, {"v": Y}), Y), {}, ()),
}
IN_A_RUN_FOLDER = {
    "several optimizers, a metric with several values",
    "two outputs, lists",
    "own compute_metrics, rate from a function",
    "named inputs",
    "named outputs",
    "own steps on the instance",
    "own step, 4 steps",
    "nested inputs of a subclass",
}


def made(value: Any) -> Any:
    """Objects that hold state are made anew for each side."""
    if isinstance(value, list):
        return [made(each) for each in value]
    return value() if callable(value) else value


def trained(
    row: tuple, validates: bool, train: Callable[..., keras.callbacks.History]
) -> dict[str, Any]:
    """One side: everything that the training leaves."""
    build, parts, compiling, callbacks = row
    keras.utils.set_random_seed(1)
    model = build()
    options = {"optimizer": adam, "loss": "mse"} | compiling
    model.compile(**{name: made(value) for name, value in options.items()})
    given = model.optimizer.get_config()
    calls = [made(each) for each in callbacks]
    # Keras opens two iterators an epoch: what reshuffles has another order there.
    data = batches(*parts).shuffle(5, seed=3, reshuffle_each_iteration=False)
    history = train(model, data, batches(*parts, rows=23) if validates else None, calls)
    kept = model.variables + model.optimizer.variables + model.metrics_variables
    return {
        "weights": [np.array(v) for v in kept],
        "history": history.history,
        "seen": [vars(x) for x in calls if isinstance(x, Seen)],
        "changed": {n for n in given if model.optimizer.get_config()[n] != given[n]},
        "again": model.evaluate(batches(*parts, rows=23), verbose=0, return_dict=True),
    }


def by_keras(model, data, validation, calls):
    if validation is not None:
        calls = [STOP(patience=9, restore_best_weights=True), *calls]
    return model.fit(
        data,
        validation_data=validation,
        epochs=EPOCHS,
        callbacks=calls,
        verbose=0,
        shuffle=False,
    )


def plain(side: dict[str, Any]) -> dict[str, Any]:
    for seen in side["seen"]:
        for name in [n for n in seen if n not in ("begun", "ended", "losses")]:
            del seen[name]
        # Of an execution that the epoch's end cuts short, Keras names no batch it had.
        seen["ended"] = [min(batch, STEPS - 1) for batch in seen["ended"]]
    return side


@pytest.mark.parametrize("name", ROWS)
def test_fit_leaves_the_bits_that_keras_leaves(name: str, tmp_path: Path):
    validates = "averages" not in name
    folder = tmp_path if name in IN_A_RUN_FOLDER else None

    def by_us(model, data, validation, calls):
        return fit(
            model,
            data,
            validation_data=validation,
            epochs=EPOCHS,
            patience=9,
            run_dir=folder,
            callbacks=calls,
            log_steps=7,
        )

    theirs, ours = (plain(trained(ROWS[name], validates, x)) for x in (by_keras, by_us))
    assert ours.pop("changed") <= {"learning_rate"}
    theirs.pop("changed")
    if name == "XLA":  # it fuses other operations where norms are noted
        for found, wanted in zip(ours["weights"], theirs["weights"]):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
        return
    np.testing.assert_equal(ours, theirs)


class Pieces(keras.utils.PyDataset):
    """Batches of unequal size, made when they are asked for."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, number: int) -> tuple:
        rows = slice(14 * number, 14 * number + 14)
        return X[rows], Y[rows], W[rows]


FRAME = pd.DataFrame(X.astype("float64"), columns=list("abc"))
ONE_HOT = np.eye(3)[RNG.integers(0, 3, 68)]
VALID = (X[:23], Y[:23])
DICT = {"loss": {"level": "mae", "slope": "mse"}, "metrics": {"slope": ["mae"]}}


def three_classes() -> keras.Model:
    dense = keras.layers.Dense(3, activation="softmax")
    return keras.Sequential([keras.Input((3,)), dense])


# name: model, arguments, options, arguments of compile
GIVEN: dict[str, tuple] = {
    "arrays of float64, weights, last batch smaller": (
        dense,
        (X.astype("float64"), Y, W),
        {"validation_data": VALID},
        {},
    ),
    "class weights of labels": (
        dense,
        (X, Y[:, 0].astype(int)),
        {"class_weight": {0: 1.0, 1: 7.5}},
        {"loss": "binary_crossentropy", "weighted_metrics": ["accuracy"]},
    ),
    "class weights of one-hot rows, one not named": (
        three_classes,
        (X, ONE_HOT),
        {"class_weight": {2: 4.0, 0: 0.5}},
        {"loss": "categorical_crossentropy"},
    ),
    "class weights of labels, one not named": (
        dense,
        (X, Y[:, 0].astype(int)),
        {"class_weight": {0: 7.5}},
        {"loss": "binary_crossentropy"},
    ),
    "class weights of a dataset": (
        dense,
        (batches(X, Y),),
        {"class_weight": {0: 0.2, 1: 3.0}},
        {},
    ),
    "the last rows validate, every other epoch": (
        dense,
        (X, Y, W),
        {"validation_split": 0.3, "validation_freq": 2},
        {},
    ),
    "validation in listed epochs, of some batches": (
        dense,
        (X, Y),
        {
            "validation_data": (X, Y, W),
            "validation_freq": [1, 3],
            "validation_steps": 2,
            "validation_batch_size": 5,
            "epochs": 3,
        },
        {},
    ),
    "a table and a column": (
        dense,
        (FRAME, FRAME["a"] > 0),
        {"validation_data": (FRAME, FRAME["b"])},
        {},
    ),
    "later epochs": (dense, (X, Y), {"epochs": 5, "initial_epoch": 3}, {}),
    "fewer steps an epoch": (
        dense,
        (X, Y),
        {"steps_per_epoch": 4, "epochs": 2, "batch_size": 9},
        {},
    ),
    "several outputs, dicts": (
        two_outputs,
        (X, {"slope": X[:, :1], "level": Y}),
        {"validation_data": (X, {"slope": X[:, :1], "level": Y})},
        DICT,
    ),
    "a dict without the output that has no loss": (
        named_outputs,
        (X, {"a": Y}),
        {},
        {"loss": {"a": "mse"}},
    ),
    "one weight a sample for several outputs": (
        two_outputs,
        (X, [X[:, :1], Y], W),
        {},
        {"loss": ["mse", "mae"]},
    ),
    "named inputs": (named_inputs, ({"z": Y, "b": X[:, :2]}, Y), {}, {}),
    "batches of a PyDataset": (dense, (Pieces(),), {"validation_data": VALID}, {}),
    "tensors": (dense, (tf.constant(X), tf.constant(Y)), {}, {}),
}


@pytest.mark.parametrize("name", GIVEN)
def test_fit_takes_what_keras_takes(name: str):
    build, given, options, compiling = GIVEN[name]
    options = {"epochs": EPOCHS, "batch_size": 16} | options
    if not isinstance(given[0], np.ndarray | pd.DataFrame | dict | tf.Tensor):
        del options["batch_size"]
    sides = []
    for train in (keras.Model.fit, fit):
        keras.utils.set_random_seed(1)
        model = build()
        model.compile(**{"optimizer": adam(), "loss": "mse"} | compiling)
        # Keras has the weights of samples elsewhere.
        x, y, weights = (*given, None, None)[:3]
        only = {"early_stopping": False} if train is fit else {}
        history = train(
            model,
            x,
            y,
            sample_weight=weights,
            shuffle=False,
            verbose=0,
            **options,
            **only,
        )
        sides.append([history.history, history.epoch, model.get_weights()])
    np.testing.assert_equal(sides[1], sides[0])


@pytest.mark.parametrize("metrics", [None, []])
@pytest.mark.parametrize("build", [two_outputs, named_outputs])
def test_a_dict_of_targets_that_lacks_an_output_is_named(build, metrics):
    first, second = ("z", "a") if build is named_outputs else ("slope", "level")
    y, line = {first: Y}, f"has no targets for the output '{second}', only for"
    options = {"loss": "mse", "metrics": metrics, "epochs": 1, "verbose": 0}
    with pytest.raises(ValueError, match=f"^y {line}"):
        fit(build(), X, y, **options)
    with pytest.raises(ValueError, match=f"^y {line}"):
        fit(build(), tf.data.Dataset.from_tensors((X, y)), **options)
    with pytest.raises(ValueError, match=f"^y of validation_data {line}"):
        both = {first: Y, second: Y}
        fit(build(), X, both, validation_data=(X, y), **options)


def test_lists_and_tuples_are_arrays():
    sides = []
    for given in ((X, Y), ((X, Y),), (X.tolist(), Y.tolist())):
        keras.utils.set_random_seed(1)
        model = dense()
        fit(model, *given, epochs=1, loss="mse", verbose=0)
        sides.append(model.get_weights())
    np.testing.assert_equal(sides[1], sides[0])
    np.testing.assert_equal(sides[2], sides[0])


def test_each_epoch_and_seed_has_an_order_of_its_own():
    def seen(**options: Any) -> list[tuple]:
        rows: list[tuple] = []

        class Kept(keras.Model):
            def train_step(self, data):
                rows.append(tuple(data[0].numpy()[:, 0]))
                return {"loss": 0.0}

        inputs = keras.Input((1,))
        model = Kept(inputs, keras.layers.Dense(1)(inputs))
        model.compile("sgd", "mse", run_eagerly=True)
        numbers = np.arange(10.0)[:, np.newaxis]
        fit(model, numbers, numbers, batch_size=10, verbose=0, **options)
        return rows

    first, again, other = seen(epochs=3), seen(epochs=3), seen(epochs=3, seed=1)
    assert first == again != other
    assert len(set(first)) == 3 and {tuple(sorted(x)) for x in first} == {
        tuple(np.arange(10.0))
    }
    assert seen(epochs=3, initial_epoch=2) == first[2:]
    assert seen(epochs=1, shuffle=False) == [tuple(np.arange(10.0))]


@pytest.mark.parametrize("stops", [True, False])
def test_early_stopping_can_be_left_out(stops: bool):
    keras.utils.set_random_seed(1)
    model, wrong = dense(), (X, 1 - Y)  # the better on train, the worse here
    history = fit(
        model,
        X,
        Y,
        validation_data=wrong,
        epochs=6,
        patience=1,
        loss="mse",
        verbose=0,
        early_stopping=stops,
        optimizer=keras.optimizers.SGD(0.5),
    )
    assert (len(history.epoch) < 6) == stops
    kept = model.evaluate(*wrong, verbose=0)[0]
    scores = history.history["val_loss"]
    assert kept == pytest.approx(min(scores) if stops else scores[-1], rel=1e-4)
