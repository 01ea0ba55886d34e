"""Gradients: norms against an independent tape, and faults found where they are."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.training.gradient_norms import (
    detect_gradient_explosion,
    exact_norm,
    monitor_gradients,
)
from keras_seq.training.gradients import GradientMonitor
from keras_seq.training.trainer import fit

IDS = np.random.default_rng(0).integers(1, 9, (24, 5)).astype("int32")
LABELS = (IDS.sum(1) % 2).astype("float32")


def data(ids: np.ndarray = IDS, labels: np.ndarray = LABELS) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((ids, labels)).batch(8)


def text_model() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(9, 4, name="embedding"),
            keras.layers.GRU(3, name="gru"),
            keras.layers.Dense(1, activation="sigmoid", name="dense"),
        ]
    )


def true_norms(model: keras.Model, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """By layer, with dense gradients and NumPy."""
    with tf.GradientTape() as tape:
        loss = keras.losses.BinaryCrossentropy()(y[:, np.newaxis], model(x))
    variables = [v.value for v in model.trainable_variables]
    found = [tf.convert_to_tensor(g).numpy() for g in tape.gradient(loss, variables)]
    norms, squares = {}, 0.0
    for layer in model.layers:
        own = [any(v is w.value for w in layer.weights) for v in variables]
        square = sum(float((g**2).sum()) for g, mine in zip(found, own) if mine)
        squares += square
        norms[layer.name] = square**0.5
    return {"global": squares**0.5, **norms}


class Recorded(keras.callbacks.Callback):
    def __init__(self, monitor: GradientMonitor) -> None:
        super().__init__()
        self.monitor, self.norms = monitor, []

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.norms.append(self.monitor.norms)


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "loss scale"])
def test_norms_are_those_before_clipping_and_without_loss_scale(scaled: bool):
    model = text_model()
    expected = true_norms(model, IDS[:8], LABELS[:8])
    optimizer = keras.optimizers.SGD(0.0, global_clipnorm=1e-3)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=64.0)
    model.compile(optimizer, "binary_crossentropy")
    model.fit(data(), verbose=0)  # a step traced before must not be kept
    monitor = GradientMonitor(every=1)
    recorded = Recorded(monitor)
    model.fit(data(), verbose=0, callbacks=[monitor, recorded])
    assert recorded.norms[0] == pytest.approx(expected, rel=1e-5)
    assert len({norms["global"] for norms in recorded.norms}) == 3


def test_the_monitor_moves_no_bit_and_leaves_nothing_behind():
    weights = []
    for calls in ([], [GradientMonitor(every=2)]):
        keras.utils.set_random_seed(3)
        model = text_model()
        optimizer = keras.optimizers.Adam(0.01, global_clipnorm=0.1)
        model.compile(optimizer, "binary_crossentropy")
        model.fit(data(), epochs=2, verbose=0, callbacks=calls)
        weights.append(model.get_weights())
        assert not {"_clip_gradients", "_backend_apply_gradients"} & set(
            vars(optimizer)
        )
        assert "train_step" not in vars(model)
    for found, expected in zip(*weights):
        np.testing.assert_array_equal(found, expected)


def test_rows_that_occur_twice_are_added_up():
    slices = tf.IndexedSlices(
        tf.constant([[3.0], [1.0], [5.0]]), tf.constant([2, 0, 2]), tf.constant([4, 1])
    )
    assert float(exact_norm(slices)) == pytest.approx(65**0.5)


def test_monitor_gradients_leaves_the_model_as_it_was():
    model = text_model()
    model.compile("sgd", "binary_crossentropy")
    before = model.get_weights()
    norms = monitor_gradients(model, data())
    expected = [
        true_norms(model, IDS[i : i + 8], LABELS[i : i + 8])["global"]
        for i in (0, 8, 16)
    ]
    assert norms == pytest.approx(expected, rel=1e-5)
    for found, old in zip(model.get_weights(), before):
        np.testing.assert_array_equal(found, old)
    assert not detect_gradient_explosion(norms)
    assert detect_gradient_explosion(norms, threshold=min(norms))
    assert detect_gradient_explosion([float("inf")])


@keras.saving.register_keras_serializable("tests")
class BreaksForwards(keras.layers.Layer):
    """Divides by zero where an input is 1000."""

    def call(self, x):
        return x / (1000.0 - x)


@keras.saving.register_keras_serializable("tests")
class BreaksBackwards(keras.layers.Layer):
    """The answer is a number; its gradient is none where an input is 1000."""

    def call(self, x):
        return x[:, :1] * 0 + keras.ops.sqrt(keras.ops.abs(x[:, :1] - 1000.0))


def numbers_model(breaking: keras.Layer) -> keras.Model:
    return keras.Sequential(
        [keras.Input((2,)), breaking, keras.layers.Dense(1, name="dense")]
    )


@pytest.mark.parametrize(
    ("breaking", "value", "cause"),
    [
        (BreaksForwards(name="divide"), 1000.0, "layer 'divide' answers with NaN"),
        (BreaksForwards(name="divide"), np.nan, "the inputs of the batch hold NaN"),
        (BreaksForwards(name="divide"), 3.0, None),
    ],
)
def test_a_step_that_breaks_names_layer_and_batch_and_keeps_it(
    breaking: keras.Layer, value: float, cause: str | None, tmp_path: Path
):
    x = np.random.default_rng(1).normal(size=(32, 2)).astype("float32")
    x[21, 1] = value  # the third batch of eight
    train = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(8)
    model = numbers_model(breaking)
    options = {"epochs": 2, "loss": "mse", "metrics": [], "run_dir": tmp_path}
    if cause is None:
        fit(model, train, **options)
        return
    with pytest.raises(UserError) as stop:
        fit(model, train, **options)
    told = str(stop.value)
    assert f"training broke at epoch 1, batch 3 (step 3): {cause}" in told
    assert "\n" not in told and str(tmp_path / "faulty_batch.npz") in told
    with np.load(tmp_path / "faulty_batch.npz") as kept:
        np.testing.assert_array_equal(kept["part_0"], x[16:24])
        np.testing.assert_array_equal(kept["part_1"], x[16:24, :1])
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_a_gradient_that_breaks_names_the_layer_nearest_the_output(tmp_path: Path):
    x = np.zeros((16, 2), "float32")
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(2, name="first", bias_initializer="ones"),
            BreaksBackwards(name="root"),
            keras.layers.Dense(1, name="last"),
        ]
    )
    model.get_layer("first").set_weights([np.eye(2), np.full(2, 1000.0)])
    train = tf.data.Dataset.from_tensor_slices((x, x[:, :1] + 1)).batch(8)
    with pytest.raises(UserError, match="gradient of layer 'first' is NaN or Inf"):
        fit(model, train, epochs=1, loss="mse", metrics=[], run_dir=tmp_path)


def test_a_scaled_gradient_that_overflows_is_no_fault():
    model = text_model()
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(), initial_scale=1e38
    )
    fit(model, data(), epochs=2, loss="binary_crossentropy", optimizer=optimizer)
    assert float(optimizer.dynamic_scale.numpy()) < 1e38


def all_state(model: keras.Model) -> list[np.ndarray]:
    kept = model.variables + model.metrics_variables + model.optimizer.variables
    return [np.array(variable) for variable in kept]


class Noted(keras.callbacks.Callback):
    """The state before each step; it stands behind the step that breaks."""

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        self.state = all_state(self.model)


def with_everything(**options) -> keras.Model:
    """Moments, moving statistics, dropout, averages, a metric and a sparse gradient."""
    inputs = keras.Input((3,), dtype="int32")
    x = keras.layers.Embedding(9, 4)(inputs)
    x = keras.layers.BatchNormalization()(keras.layers.Flatten()(x))
    x = keras.layers.Dense(3, kernel_constraint="unit_norm")(x)
    x = keras.layers.Dropout(0.3)(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    optimizer = keras.optimizers.AdamW(0.1, use_ema=True, weight_decay=0.1)
    model.compile(optimizer, "mse", metrics=["mae"], **options)
    return model


def infinite_loss(model: keras.Model) -> None:
    """The loss is infinite where a target is 7, the gradient is a number."""

    def loss(y, y_pred):
        over = tf.where(tf.reduce_any(y == 7), np.inf, 0.0)
        return tf.reduce_mean((y - y_pred) ** 2) + over

    model.compile(model.optimizer, loss, metrics=["mae"])


def own_step(model: keras.Model) -> None:
    """Updates by hand what Keras' step would not."""

    def train_step(data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        weights = model.trainable_variables
        for weight, gradient in zip(weights, tape.gradient(loss, weights)):
            weight.assign_sub(0.1 * tf.convert_to_tensor(gradient))
        model.optimizer.iterations.assign_add(1)
        return {"loss": loss}

    model.train_step = train_step


def accumulating(model: keras.Model) -> None:
    optimizer = keras.optimizers.Adam(0.1, gradient_accumulation_steps=2)
    model.compile(optimizer, "mse", metrics=["mae"])


def scaled(model: keras.Model) -> None:
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.1))
    model.compile(optimizer, "mse", metrics=["mae"])


@pytest.mark.parametrize(
    ("prepare", "options", "wrong"),
    [
        (None, {}, np.nan),
        (None, {"run_eagerly": True}, np.inf),
        (infinite_loss, {}, 7.0),
        (own_step, {}, np.nan),
        (accumulating, {}, np.nan),
        (scaled, {}, np.nan),
    ],
    ids=["plain", "eager", "loss alone", "own step", "accumulation", "loss scale"],
)
def test_a_step_that_breaks_changes_nothing_at_all(prepare, options: dict, wrong):
    ids = np.random.default_rng(2).integers(1, 9, (32, 3)).astype("int32")
    y = ids[:, :1].astype("float32") / 9
    y[21] = wrong  # the third batch of eight
    model, noted = with_everything(**options), Noted()
    if prepare is not None:
        prepare(model)
    train = tf.data.Dataset.from_tensor_slices((ids, y)).batch(8)
    with pytest.raises(UserError, match=r"epoch 1, batch 3 \("):
        fit(model, train, epochs=1, callbacks=[noted])
    for found, before in zip(all_state(model), noted.state):
        np.testing.assert_array_equal(found, before)
    assert "compute_loss" not in vars(model) and "apply" not in vars(model.optimizer)
    assert ("train_step" in vars(model)) == (prepare is own_step)


def test_a_step_that_breaks_within_many_is_undone_alone():
    ids = np.random.default_rng(2).integers(1, 9, (160, 3)).astype("int32")
    y = ids[:, :1].astype("float32") / 9
    states = []
    for rows in (144, 160):  # 18 batches of eight, and two more, of which one is wrong
        keras.utils.set_random_seed(5)
        model = with_everything()
        targets = y[:rows].copy()
        targets[144:145] = np.nan
        data = tf.data.Dataset.from_tensor_slices((ids[:rows], targets)).batch(8)
        try:
            fit(model, data, epochs=1)
        except UserError as error:
            assert "batch 19" in str(error)
        else:
            # Without the last words of a training: the averages for the weights.
            assert rows == 144
        states.append([np.array(v) for v in model.optimizer.variables])
    for whole, broken in zip(*states):
        np.testing.assert_array_equal(whole, broken)


@pytest.mark.parametrize("names", [("z", "b"), ("m", "a")])
def test_a_fault_with_named_inputs_is_found_whatever_their_order(
    names: tuple[str, str], tmp_path: Path
):
    first, second = (keras.Input((1,), name=name) for name in names)
    broken = BreaksForwards(name="divide")(first)
    joined = keras.layers.Concatenate()([broken, second])
    outputs = {"two": keras.layers.Dense(1, name="two")(joined)}
    inputs = dict(zip(names, (first, second)))
    model = keras.Model(inputs, outputs)
    x = np.zeros((16, 1), "float32")
    wrong = x.copy()
    wrong[9] = 1000
    parts = ({names[1]: x, names[0]: wrong}, {"two": x + 1}, x[:, 0] + 1)
    train = tf.data.Dataset.from_tensor_slices(parts).batch(8)
    with pytest.raises(UserError, match="batch 2 .* layer 'divide' answers with NaN"):
        fit(model, train, epochs=1, loss={"two": "mse"}, metrics=[], run_dir=tmp_path)
    with np.load(tmp_path / "faulty_batch.npz") as kept:
        assert len(kept) == 4
