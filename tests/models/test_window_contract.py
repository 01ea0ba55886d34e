"""Every builder of windows of `tests/model_contract.py`, held to the same promises."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.serving.graph import save_signatures
from tests.model_contract import WINDOW_RECORDS, WindowRecord, run_under_jax

every_record = pytest.mark.parametrize("record", WINDOW_RECORDS, ids=lambda r: r.name)


@every_record
def test_output_has_the_promised_shape_and_no_batch_size(record: WindowRecord):
    model = record.model()
    assert model.input_shape == (None, 12, 3)
    assert model.output_shape == (None, *record.output)
    for count in (1, 7):
        answer = model(record.windows(count))
        assert answer.shape == (count, *record.output)
        assert answer.dtype == tf.float32


@every_record
def test_every_layer_and_input_is_named(record: WindowRecord):
    model = record.model()
    assert model.inputs[0].name == "window"
    assert not model.compiled
    names, again = (
        [layer.name for layer in each.layers if layer.weights]
        for each in (model, record.model())
    )
    assert names == again


@every_record
def test_every_trainable_weight_moves_in_one_step(record: WindowRecord):
    model = record.model()
    model.compile("adam", "mse")
    before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    model.train_on_batch(record.windows(4), np.ones((4, *record.output)))
    for weight, old in zip(model.trainable_weights, before):
        assert np.any(keras.ops.convert_to_numpy(weight) != old), weight.path


@every_record
def test_it_overfits_four_windows(record: WindowRecord):
    model = record.model()
    model.compile(keras.optimizers.Adam(0.02), "mse")
    wanted = np.random.default_rng(0).normal(size=(4, *record.output))
    first = model.evaluate(record.windows(4), wanted, verbose=0)
    for _ in range(250):
        model.train_on_batch(record.windows(4), wanted)
    assert model.evaluate(record.windows(4), wanted, verbose=0) < 0.35 * first


@every_record
def test_same_seed_same_weights(record: WindowRecord):
    found = []
    for seed in (5, 5, 6):
        keras.utils.set_random_seed(seed)
        found.append(record.model().get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(found[0], found[1]))
    assert any(not np.array_equal(a, b) for a, b in zip(found[0], found[2]))


@every_record
def test_a_window_is_answered_alone_as_among_others(record: WindowRecord):
    model, windows = record.model(), record.windows(5)
    together = np.array(model(windows))
    for row in range(5):
        alone = np.array(model(windows[row : row + 1]))[0]
        assert alone == pytest.approx(together[row], abs=1e-6)


@every_record
def test_saved_loaded_and_exported_it_answers_the_same(
    record: WindowRecord, tmp_path: Path
):
    model, windows = record.model(), record.windows(4)
    answer = np.array(model(windows))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array(loaded(windows)) == pytest.approx(answer, abs=1e-6)
    module = tf.Module()
    module.model = model
    spec = tf.TensorSpec([None, 12, 3], tf.float32, name="window")
    serve = {"serving_default": (lambda window: {"answer": model(window)}, [spec])}
    save_signatures(module, serve, tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    served = served(window=tf.constant(windows))["answer"].numpy()
    assert served == pytest.approx(answer, abs=1e-6)


def test_every_builder_runs_under_a_second_backend(root: Path):
    script = """
import keras
from tests.model_contract import WINDOW_RECORDS
from keras_seq.layers.scaling import level_scaling, returns_scaling
from keras_seq.models.forecaster import build_forecaster
assert keras.backend.backend() == "jax"
for record in WINDOW_RECORDS:
    answer = record.model().predict(record.windows(4), verbose=0)
    assert answer.shape == (4, *record.output), record.name
for scaling in (level_scaling(12, 5, 2, mean=[1.0] * 3, deviation=[2.0] * 3),
                returns_scaling(12, 5, 2, volatility=[0.1] * 2, mean=[1.0],
                                deviation=[2.0], logs=[True])):
    network = keras.Sequential([keras.Input(scaling.encode.output_shape[1:]),
                                keras.layers.Flatten(), keras.layers.Dense(10)])
    learner, forecaster = build_forecaster(network, scaling)
    assert forecaster(abs(record.windows(4)) + 1).shape == (4, 5, 2, 1)
"""
    run_under_jax(root, script)
