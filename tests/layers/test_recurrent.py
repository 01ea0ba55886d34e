"""keras_seq's LSTM, GRU and SimpleRNN beside Keras' own: the same numbers."""

import copy
import pickle
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq.layers import GRU, LSTM, SimpleRNN
from keras_seq.layers.native_build import library
from keras_seq.training.paths import paths_table
from tests.fork_server import with_keras

PAIRS = {
    "lstm": (LSTM, keras.layers.LSTM),
    "gru": (GRU, keras.layers.GRU),
    "simple": (SimpleRNN, keras.layers.SimpleRNN),
}
every_cell = pytest.mark.parametrize("name", PAIRS)
# Without a compiler there are none; one that fails is a fault, not a reason to skip.
needs_kernels = pytest.mark.skipif(
    library()[1] in ("no C++ compiler", "KERAS_SEQ_NATIVE=0"), reason=library()[1]
)


@needs_kernels
def test_with_a_compiler_the_layers_are_fast():
    assert [layer(3).loop.kind for layer in (LSTM, GRU, SimpleRNN)] == ["fast"] * 3


def twins(name: str, shape: tuple[int | None, ...], **options) -> list[keras.Layer]:
    """Ours and Keras' own, with the same weights."""
    ours, stock = (kind(**options) for kind in PAIRS[name])
    for layer in (ours, stock):
        layer.build(shape)
    ours.set_weights(stock.get_weights())
    return [ours, stock]


def masks(draw, rows: int, steps: int) -> np.ndarray | None:
    kind = draw(st.sampled_from(["none", "right", "left", "any"]))
    if kind == "none":
        return None
    if kind == "any":  # rows without a single step among them
        bits = st.lists(st.booleans(), min_size=rows * steps, max_size=rows * steps)
        return np.reshape(draw(bits), (rows, steps))
    lengths = st.lists(st.integers(0, steps), min_size=rows, max_size=rows)
    mask = np.arange(steps) < np.array(draw(lengths))[:, None]
    return mask if kind == "right" else mask[:, ::-1]


def answers(layer, x, mask, states, weigh) -> list[np.ndarray]:
    """Outputs, states, and gradients of x, weights and initial states."""
    x = tf.constant(x)
    states = None if states is None else [tf.constant(state) for state in states]
    with tf.GradientTape() as tape:
        tape.watch([x, *(states or [])])
        outputs = layer(x, mask=mask, initial_state=states, training=True)
        outputs = tf.nest.flatten(outputs)
        loss = tf.add_n([tf.reduce_sum(weigh(y)) for y in outputs])
    weights = [weight.value for weight in layer.trainable_variables]
    gradients = tape.gradient(
        loss, [x, *weights, *(states or [])], unconnected_gradients="zero"
    )
    return [np.array(each) for each in [*outputs, *gradients]]


@st.composite
def cases(draw):
    rows, steps = draw(st.integers(1, 9)), draw(st.integers(1, 8))
    options = {
        "units": draw(st.sampled_from([1, 3, 16, 17, 50, 70])),
        "use_bias": draw(st.booleans()),
        "go_backwards": draw(st.booleans()),
        "return_sequences": draw(st.booleans()),
        "return_state": draw(st.booleans()),
        "zero_output_for_mask": draw(st.booleans()),
    }
    sizes = (rows, steps, draw(st.integers(1, 20)))
    name, seed = draw(st.sampled_from(sorted(PAIRS))), draw(st.integers(0, 99))
    both_ways = draw(st.booleans()) and not options["go_backwards"]
    starts = draw(st.booleans())
    return name, options, sizes, masks(draw, rows, steps), both_ways, starts, seed


@settings(max_examples=120)
@given(cases())
def test_outputs_and_every_gradient_are_keras_own(case):
    name, options, sizes, mask, both_ways, starts, seed = case
    rng = np.random.default_rng(seed)
    x = rng.normal(size=sizes).astype("float32")
    count = (2 if name == "lstm" else 1) * (2 if both_ways else 1)
    states = rng.normal(size=(count, sizes[0], options["units"])).astype("float32")
    found = []
    layers = twins(name, sizes, **options, bias_initializer="random_normal")
    if both_ways:
        layers = [keras.layers.Bidirectional(layer) for layer in layers]
        for layer in layers:
            layer.build(sizes)
        layers[0].set_weights(layers[1].get_weights())
    for layer in layers:
        scale = np.random.default_rng(seed)
        found.append(
            answers(
                layer,
                x,
                mask,
                states if starts else None,
                lambda y: y * scale.normal(size=y.shape),
            )
        )
    assert len(found[0]) == len(found[1])
    for ours, stock in zip(*found):
        size = max(1.0, np.abs(stock).max())
        np.testing.assert_allclose(ours, stock, rtol=0, atol=1e-5 * size)


@every_cell
def test_a_state_is_carried_from_batch_to_batch(name: str):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    outputs = []
    for layer in twins(name, x.shape[1:], units=6, stateful=True):
        outputs.append([layer(batch).numpy() for batch in x])
        layer.reset_state()
        np.testing.assert_allclose(layer(x[0]), outputs[-1][0], atol=1e-6)
    np.testing.assert_allclose(*outputs, atol=1e-6)
    assert np.abs(outputs[0][1] - layer(x[1] * 0).numpy()).max() > 1e-3


@every_cell
def test_dropout_leaves_out_what_keras_would(name: str):
    x = np.random.default_rng(0).normal(size=(3, 4, 8)).astype("float32")
    outputs = []
    for layer in twins(name, x.shape, units=5, dropout=0.5, seed=7):
        modes = (True, True, False)
        outputs.append([layer(x, training=mode).numpy() for mode in modes])
    np.testing.assert_allclose(*outputs, atol=1e-6)
    assert np.abs(outputs[0][0] - outputs[0][2]).max() > 1e-3


@every_cell
@pytest.mark.slow
def test_training_in_a_graph_gives_keras_weights(name: str):
    x = np.random.default_rng(0).normal(size=(8, 6, 3)).astype("float32")
    x[4:, 3:] = 0
    trained = []
    for kind in PAIRS[name]:
        keras.utils.set_random_seed(3)
        layers = [keras.Input((None, 3)), keras.layers.Masking()]
        layers += [keras.layers.Bidirectional(kind(4, return_sequences=True)), kind(5)]
        model = keras.Sequential([*layers, keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.1), "mse")
        model.fit(x, x.mean((1, 2)), epochs=3, batch_size=4, shuffle=False, verbose=0)
        trained.append([*model.get_weights(), model.predict(x, verbose=0)])
    for ours, stock in zip(*trained):
        np.testing.assert_allclose(ours, stock, atol=1e-5)


@needs_kernels
def test_a_gradient_without_training_reads_the_sequence_once_more():
    layer, x = LSTM(3), tf.random.normal((2, 4, 5))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        outputs = [layer(x, training=mode) for mode in (True, False)]
    kept, again = (tape.gradient(output, x) for output in outputs)
    np.testing.assert_allclose(kept, again, atol=1e-6)
    assert np.abs(kept).max() > 0


# Which way each option goes.

WAYS = [
    ({}, "fast", ""),
    ({"dropout": 0.5, "use_bias": False, "go_backwards": True}, "fast", ""),
    ({"recurrent_dropout": 0.1}, "fallback", "recurrent_dropout"),
    ({"activation": "relu"}, "fallback", "activation relu"),
    ({"recurrent_activation": "hard_sigmoid"}, "fallback", "recurrent_activation"),
    ({"unroll": True}, "fallback", "unroll"),
    ({"dtype": "mixed_bfloat16"}, "fallback", "dtype bfloat16"),
    ({"dtype": "float64"}, "fallback", "dtype float64"),
]


@needs_kernels
@pytest.mark.parametrize(("options", "kind", "reason"), WAYS)
def test_what_is_not_covered_goes_keras_way_and_says_why(options, kind, reason):
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    ours, stock = twins("lstm", x.shape, units=5, **options)
    outputs = [keras.ops.cast(layer(x), "float32") for layer in (ours, stock)]
    np.testing.assert_allclose(*outputs, atol=1e-6)
    assert (ours.loop.kind, ours.loop.reason[: len(reason)]) == (kind, reason)


def test_without_a_compiler_everything_still_runs(root: Path):
    script = """
import numpy, keras
from keras_seq.layers import LSTM
layer, stock = LSTM(3), keras.layers.LSTM(3)
x = numpy.ones((2, 4, 5), "float32")
y = layer(x)
stock.build(x.shape)
stock.set_weights(layer.get_weights())
assert abs(y - stock(x)).numpy().max() < 1e-6
print(layer.loop.reason)
"""
    environment = {"PATH": "", "PYTHONPATH": str(root), "KERAS_BACKEND": "tensorflow"}
    done = with_keras().run(["-c", script], environment=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("no C++ compiler")


@needs_kernels
def test_xla_gets_keras_own_loop():
    model = keras.Sequential([keras.Input((4, 3)), LSTM(2)])
    model.compile("sgd", "mse", jit_compile=True)
    assert paths_table(model).splitlines()[1].split(maxsplit=1)[1] == "fallback  XLA"
    model.fit(np.ones((2, 4, 3)), np.ones((2, 2)), verbose=0)
    assert str(model.layers[0].loop) == "fallback (XLA)"


def test_several_replicas_train_it():
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    with tf.distribute.MirroredStrategy(devices).scope():
        model = keras.Sequential([keras.Input((4, 3)), LSTM(2)])
        model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 4, 3)), np.ones((4, 2)), epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


# Saved, loaded, exported.


def small_model() -> keras.Model:
    layers = [keras.Input((None, 3)), keras.layers.Masking()]
    layers += [keras.layers.Bidirectional(LSTM(4, return_sequences=True))]
    layers += [GRU(3, return_sequences=True), SimpleRNN(2)]
    return keras.Sequential(layers)


def batch() -> np.ndarray:
    x = np.random.default_rng(0).normal(size=(3, 5, 3)).astype("float32")
    x[1, 3:] = 0
    return x


def test_saved_and_loaded_it_is_the_same_layer(tmp_path: Path):
    model = small_model()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[1].forward_layer) is LSTM
    assert [type(layer) for layer in loaded.layers[2:]] == [GRU, SimpleRNN]
    np.testing.assert_array_equal(loaded(batch()), model(batch()))
    stock = (keras.layers.GRU, keras.layers.SimpleRNN)
    for ours, theirs in zip(model.layers[2:], stock):
        assert ours.get_config() == theirs.from_config(ours.get_config()).get_config()


def test_ours_pose_as_nobody_and_are_copied_as_what_they_are():
    keras_own = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)
    for ours, stock in zip((LSTM, GRU, SimpleRNN), keras_own):
        name = ours.__name__
        assert ours.__module__ == "keras_seq.layers.recurrent"
        assert keras.saving.get_registered_object(name) is None
        assert keras.saving.get_registered_name(ours) == f"keras_seq>{name}"
        config = {"module": "keras.layers", "class_name": name, "config": {"units": 1}}
        assert type(keras.saving.deserialize_keras_object(config)) is stock
        layer = ours(3, name="reads")
        layer(np.ones((1, 2, 4), "float32"))
        for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            assert type(twin) is ours and twin.get_config() == layer.get_config()
            for one, other in zip(layer.weights, twin.weights, strict=True):
                np.testing.assert_array_equal(one, other)


def test_path_is_keras_own_string():
    ours, stock = (
        keras.Sequential([keras.Input((2, 3)), kind(2, name="reads")], name="m")
        for kind in PAIRS["gru"]
    )
    assert ours.layers[0].path == stock.layers[0].path == "m/reads"
    assert type(ours.layers[0].path) is str


def test_the_table_names_every_recurrent_layer():
    lines = paths_table(small_model()).splitlines()
    names = [line.split()[0] for line in lines[1:]]
    assert [name.rstrip("_0123456789") for name in names] == [
        "forward_lstm",
        "backward_lstm",
        "gru",
        "simple_rnn",
    ]
    assert paths_table(keras.Sequential([keras.layers.Dense(1)])) == ""
