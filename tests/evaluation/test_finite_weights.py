"""What no step's loss shows: weights and validation losses that are no numbers."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.evaluation.finite_weights import broken_weights
from keras_seq.training.checkpoint import Checkpoints
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.trainer import fit

X = np.random.default_rng(0).normal(size=(24, 2)).astype("float32")
NAN, INF = float("nan"), float("inf")


def data(x: np.ndarray = X, size: int = 8) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(size)


def spoilt(row: int, value: float = NAN) -> np.ndarray:
    x = X.copy()
    x[row, 1] = value
    return x


@keras.saving.register_keras_serializable("tests")
class Statistics(keras.layers.Layer):
    """Passes its input on; in training it notes a number that no gradient reaches."""

    def __init__(self, noted: float, after: int = 0, **options) -> None:
        super().__init__(**options)
        self.noted, self.after = noted, after

    def build(self, shape) -> None:
        self.calls = self.add_weight((), "zeros", name="calls", trainable=False)
        self.mean = self.add_weight((), "zeros", name="mean", trainable=False)

    def call(self, x, training=False):
        if training:
            self.calls.assign_add(1.0)
            late = self.calls > float(self.after)
            self.mean.assign(keras.ops.where(late, self.noted, 0.0))
        return x


def model_of(*layers: keras.Layer) -> keras.Model:
    dense = keras.layers.Dense(1, name="dense")
    return keras.Sequential([keras.Input((2,)), *layers, dense])


def trained(model: keras.Model, train=None, validation=None, **options) -> None:
    options = {"epochs": 2, "loss": "mse", "metrics": []} | options
    train = data() if train is None else train
    fit(model, train, validation_data=validation, **options)


def told(model: keras.Model, *arguments, **options) -> str:
    with pytest.raises(UserError) as stop:
        trained(model, *arguments, **options)
    assert "\n" not in str(stop.value)
    assert model.train_function is None and "train_step" not in vars(model)
    return str(stop.value)


@pytest.mark.parametrize(
    ("folder", "size"), [(True, 8), (False, 24)], ids=["run folder", "a single step"]
)
def test_an_update_that_breaks_in_the_last_step_is_seen(
    folder: bool, size: int, tmp_path: Path
):
    def schedule(epoch: int) -> float:
        return 0.01 if epoch == 0 else INF

    options = {"run_dir": tmp_path} if folder else {}
    line = told(
        model_of(),
        data(size=size),
        schedule=schedule,
        optimizer=keras.optimizers.SGD(),
        **options,
    )
    assert line.startswith("training broke") and "epoch 2" in line and "dense" in line
    if folder:
        assert not Checkpoints(tmp_path / "checkpoints").load().facts["over"]


@pytest.mark.parametrize(("row", "value"), [(16, INF), (23, NAN)])
def test_a_last_batch_that_breaks_is_named(row: int, value: float):
    line = told(model_of(), data(spoilt(row, value)), epochs=1)
    assert "training broke at epoch 1, batch 3 (step 3)" in line


@pytest.mark.parametrize(
    ("noted", "after"), [(NAN, 5), (INF, 0)], ids=["last step", "first step"]
)
def test_statistics_that_no_gradient_reaches_are_watched(noted: float, after: int):
    layer = Statistics(noted, after, name="statistics")
    line = told(model_of(layer))
    kind = "NaN" if np.isnan(noted) else "Inf"
    assert f"after epoch {1 if after == 0 else 2} weights hold NaN or Inf" in line
    assert f"statistics/mean ({kind})" in line


def test_the_variance_of_batch_normalisation_is_watched():
    # Squares beyond float32 in a column that is a constant: the loss stays a number.
    scale = keras.layers.BatchNormalization(name="norm")
    model = keras.Sequential(
        [keras.Input((2,)), scale, keras.layers.Dense(1, name="dense")]
    )
    x = X.copy()
    x[::2, 0] = 3e38
    line = told(model, data(x[:, :2]), optimizer=keras.optimizers.SGD(0.0))
    assert "training broke" in line


def test_a_row_of_an_embedding_that_no_batch_reads_is_watched():
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(9, 2, name="words"),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    rows = model.layers[0].get_weights()[0]
    rows[8] = NAN
    model.layers[0].set_weights([rows])
    ids = np.random.default_rng(1).integers(0, 8, (24, 3))
    train = tf.data.Dataset.from_tensor_slices((ids, np.ones((24, 1), "float32")))
    line = told(model, train.batch(8))
    assert "after epoch 1" in line and "words/embeddings (NaN)" in line


@pytest.mark.parametrize(
    ("value", "folder"), [(NAN, True), (INF, False)], ids=["run folder", "bare"]
)
def test_a_fault_of_validation_alone_is_seen(
    value: float, folder: bool, tmp_path: Path
):
    options = {"run_dir": tmp_path} if folder else {}
    line = told(model_of(), data(), data(spoilt(20, value)), **options)
    assert "after epoch 1 val_loss is" in line and "validation data" in line


@keras.saving.register_keras_serializable("tests")
def undefined(targets, answers):
    return keras.ops.full_like(answers, NAN)


def test_a_score_is_watched_where_training_stops_by_it_alone():
    options = {"metrics": [keras.metrics.MeanMetricWrapper(undefined, name="odd")]}
    line = told(model_of(), data(), data(), monitor="val_odd", **options)
    assert "val_odd is nan" in line
    trained(model_of(), data(), data(), **options)  # a mean of nothing elsewhere


def test_what_callbacks_put_back_at_the_end_is_watched():
    class PutsBack(keras.callbacks.Callback):
        def on_train_end(self, logs: dict | None = None) -> None:
            kernel = self.model.get_layer("dense").kernel
            kernel.assign(kernel * NAN)

    line = told(model_of(), callbacks=[PutsBack()])
    assert "at its end weights hold NaN or Inf: " in line
    assert "dense/kernel (NaN)" in line


def test_infinity_that_was_there_before_is_meant():
    class Mask(keras.layers.Layer):
        def build(self, shape) -> None:
            self.mask = self.add_weight((2,), "zeros", name="mask", trainable=False)

        def call(self, x):
            return keras.ops.where(self.mask < 0, 0.0, x)

    model = model_of(Mask(name="mask"))
    model.get_layer("mask").set_weights([np.array([0, -INF])])
    trained(model)
    (path,) = broken_weights(model.weights)
    assert path.endswith("mask/mask")


def test_keras_fit_alone_watches_with_the_monitor():
    model = model_of(Statistics(NAN, name="statistics"))
    model.compile("sgd", "mse")
    with pytest.raises(UserError, match=r"statistics/mean \(NaN\)"):
        model.fit(data(), verbose=0, callbacks=[GradientMonitor()])
