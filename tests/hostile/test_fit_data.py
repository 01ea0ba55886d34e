"""What cannot be trained on or searched is named in one line."""

from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import keras_seq as ks

X, Y = np.ones((8, 2), "float32"), np.arange(8) % 2
DATA = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
FRAME = pd.DataFrame({"age": X[:, 0], "city": list("abcdefgh")})
HOLES = pd.DataFrame({"age": [1.0, np.nan] * 4, "size": X[:, 0]})
TABLE = pd.DataFrame(X)


def model(outputs: int = 1) -> keras.Model:
    inputs = keras.Input((2,))
    answers = [keras.layers.Dense(1, name=f"d{i}")(inputs) for i in range(outputs)]
    return keras.Model(inputs, answers[0] if outputs == 1 else answers)


def two_inputs() -> keras.Model:
    inputs = [keras.Input((2,)), keras.Input((2,))]
    joined = keras.layers.Concatenate()(inputs)
    return keras.Model(inputs, keras.layers.Dense(1)(joined))


def steps() -> keras.Model:
    return keras.Sequential([keras.Input((None, 2)), keras.layers.Dense(3)])


WEIGHTS = {"class_weight": {0: 1.0, 1: 2.0}}
FAULTS: list[tuple] = [
    (model, (DATA, DATA, Y), {}, "data to validate on is given as validation_data"),
    (model, (DATA, (X, Y)), {}, "brings its own targets .* and y is a tuple"),
    (model, (X, DATA), {}, "arrays for all, or one dataset"),
    (model, (X, Y[:7]), {}, "x has 8 rows, and y 7"),
    (model, ({"a": X, "b": X[:3]}, Y), {}, r"x\['a'\] has 8 rows, and x\['b'\] 3"),
    (model, (X[:0], Y[:0]), {}, "x has no rows"),
    (model, (X, None), {}, "y is missing"),
    (two_inputs, ((X, X),), {}, "y is missing"),
    (model, ([X, Y],), {}, "y is missing"),
    (model, (None, Y), {}, "x is None; expected arrays"),
    (model, ((row for row in X), Y), {}, "x is a generator; expected arrays"),
    (model, (X, Y, 3.0), {}, "sample_weight is a float"),
    (model, ([[1, 2], [3]], [0, 1]), {}, "rows of different lengths"),
    (model, (tf.ragged.constant([[1], [2, 3]]), Y[:2]), {}, "RaggedTensor; pad it"),
    (model, (FRAME, Y), {}, "column 'city' holds .*no numbers"),
    (model, (HOLES, Y), {}, "column 'age' lacks 4 values"),
    (model, (TABLE, pd.Series(Y, index=range(7, -1, -1))), {}, "index in another"),
    (model, (X, list("abababab")), {}, "y holds texts"),
    (model, (list("abababab"), Y), {}, "x holds texts"),
    (model, (X, Y), {"validation_data": X}, "expected .x, y.*sample_weight"),
    (model, (X, Y), {"validation_data": (X, Y[:5])}, "x of validation_data has 8"),
    (model, (X, Y), {"validation_data": DATA.repeat()}, "validation_data never ends"),
    (model, (DATA.repeat(),), {}, "x never ends"),
    (model, (DATA.take(0),), {}, "x has no batches"),
    (model, (DATA,), {"validation_split": 0.5}, "validation_split divides arrays"),
    (model, (X, Y), {"validation_split": 1.5}, "validation_split is 1.5"),
    (model, (X, Y), {"validation_split": 0.99}, "one part is empty"),
    (model, (X, Y), {"validation_split": 0.5, "validation_data": DATA}, "give one"),
    (model, (DATA,), {"batch_size": 4}, "comes in batches of its own"),
    (model, (X, Y), {"batch_size": 0}, "batch_size is 0"),
    (model, (X, Y), {"shuffle": "batch"}, "shuffle is 'batch'"),
    (model, (X, Y), {"verbose": 3}, "verbose is 3"),
    (model, (X, Y), {"initial_epoch": 5}, "initial_epoch is 5; expected 0 to 1"),
    (model, (X, Y), {"validation_freq": 0}, "validation_freq is 0"),
    (model, (X, Y), {"steps_per_epoch": 1.5}, "steps_per_epoch is 1.5"),
    (model, (X, Y, Y + 1.0), WEIGHTS, "class_weight and sample_weight are both"),
    (model, (X, Y), {"class_weight": {"yes": 2.0}}, "has the class 'yes'"),
    (model, (X, Y), {"class_weight": {1: -2.0}}, "class 1 is -2.0"),
    (model, (X, Y), {"class_weight": [1, 2]}, "class_weight is a list"),
    (lambda: model(2), (X, [Y, Y]), WEIGHTS, "with a single output"),
    (steps, (np.ones((8, 4, 2)), np.ones((8, 4))), WEIGHTS, "one label a sample"),
    (model, (X, X), WEIGHTS, "row 0 of y holds"),
    (
        model,
        (X, Y),
        {"schedule": keras.optimizers.schedules.CosineDecay(0.1, 9)},
        "CosineDecay, which counts steps",
    ),
    (
        model,
        (X, Y),
        {"validation_data": (X, Y), "monitor": "val_acc"},
        "monitor is 'val_acc', and an epoch has loss, val_loss",
    ),
]


@pytest.mark.parametrize(("build", "given", "options", "line"), FAULTS)
def test_what_cannot_be_trained_on_is_named(
    build: Any, given: tuple, options: dict, line: str
):
    options = {"epochs": 1, "loss": "mse", "metrics": [], "verbose": 0} | options
    with pytest.raises(ValueError, match=line) as raised:
        ks.fit(build(), *given, **options)
    assert "\n" not in str(raised.value)


def built(units: int = 1) -> keras.Model:
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])


ONE = built()
GRIDS: list[tuple] = [
    ({}, {}, "param_grid is {}; expected names"),
    ([1, 2], {}, r"param_grid is \[1, 2\]"),
    ({"units": 3}, {}, r"param_grid\['units'\] is 3; expected a list"),
    ({"units": "ab"}, {}, r"is 'ab'; expected a list"),
    ({"units": []}, {}, r"param_grid\['units'\] is empty"),
    ({"units": {1, 2}}, {}, "expected a list"),
    ({"units": [1]}, {"build_model": None}, "build_model is missing; expected a func"),
    ({"units": [1]}, {"build_model": ONE}, "build_model is a Sequential"),
    ({"unit": [1]}, {}, "does not take what param_grid names: .*'unit'"),
    ({"units": [1]}, {"build_model": lambda units: units}, "returned a int"),
    ({"units": [1]}, {"loss": None}, "a model that is not compiled"),
    ({"units": [1, 1]}, {"build_model": lambda units: ONE}, "the same model twice"),
    ({"units": [1]}, {"loss": lambda y, answers: answers * np.nan}, "trial 1 of 1"),
    ({"units": [1]}, {"monitor": "auc"}, "monitor is 'auc'; a model here has"),
    ({"units": [1]}, {"metrics": [lambda y, a: a]}, "give mode='max' or mode='min'"),
]


@pytest.mark.parametrize(("grid", "options", "line"), GRIDS)
def test_what_cannot_be_searched_is_named(grid: Any, options: dict, line: str):
    options = {"build_model": built, "epochs": 1, "loss": "mse"} | options
    with pytest.raises(ValueError, match=line):
        ks.hyperparameter_search(grid, X, Y, X, Y, **options)
