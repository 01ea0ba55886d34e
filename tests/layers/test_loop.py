"""The kernels are in the steps of a training, and in nothing that is saved."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from keras_seq.layers import GRU, LSTM, SimpleRNN, native_step
from keras_seq.layers.native_build import library
from keras_seq.serving.graph import foreign_operations, operations
from keras_seq.serving.saved_model import export
from keras_seq.training.model_file import portable
from keras_seq.training.trainer import fit
from tests.fork_server import bare

needs_kernels = pytest.mark.skipif(
    library()[1] in ("no C++ compiler", "KERAS_SEQ_NATIVE=0"), reason=library()[1]
)
SPEC = tf.TensorSpec([None, 4, 3], tf.float32, name="x")
X = np.random.default_rng(0).normal(size=(6, 4, 3)).astype("float32")
Y = X.mean((1, 2))[:, None]


def small_model() -> keras.Model:
    layers = [keras.Input((4, 3)), GRU(2, return_sequences=True, name="first")]
    layers += [keras.layers.Bidirectional(LSTM(3, name="both")), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse")
    return model


def batches() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(2)


def loops(model: keras.Model) -> set[str]:
    return {x.loop.kind for x in model._flatten_layers() if hasattr(x, "loop")}


def holder(model: keras.Model, **functions: tf.types.experimental.GenericFunction):
    """What `tf.saved_model.save` takes, with all that the functions use."""
    module = tf.Module()
    module.model = model
    module.counters = [v.value for v in getattr(model, "metrics_variables", ())]
    for name, function in functions.items():
        setattr(module, name, function)
    return module


# Every way out of this process, whatever the moment: (model, folder).


def model_export(model: keras.Model, folder: Path) -> None:
    model.export(folder, verbose=False)


def whole_module(model: keras.Model, folder: Path) -> None:
    tf.saved_model.save(holder(model), folder)


def with_training(model: keras.Model, folder: Path) -> None:
    serve = tf.function(lambda x: model(x, training=True), input_signature=[SPEC])
    tf.saved_model.save(holder(model, serve=serve), folder, signatures=serve)


def with_gradients(model: keras.Model, folder: Path) -> None:
    @tf.function(input_signature=[SPEC])
    def learn(x: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x, training=True) ** 2)
        weights = [weight.value for weight in model.trainable_variables]
        return {"norm": tf.linalg.global_norm(tape.gradient(loss, weights))}

    tf.saved_model.save(holder(model, learn=learn), folder, signatures=learn)


def archive(model: keras.Model, folder: Path) -> None:
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", lambda x: model(x, training=False), [SPEC])
    archive.write_out(folder, verbose=False)


def own_export(model: keras.Model, folder: Path) -> None:
    function = tf.function(lambda x: {"y": model(x, training=True)})
    export(
        holder(model),
        folder,
        signatures={"serving_default": (function, [SPEC])},
        examples={"x": X},
        expected={"y": model(X).numpy()},
        metadata={},
    )


def keras_predict(model: keras.Model, folder: Path) -> None:
    """Keras' own functions, which it keeps for the next `predict` or `evaluate`."""
    model.predict(X, verbose=0)
    serve = tf.function(
        lambda x: model.predict_function([(x,)]), input_signature=[SPEC]
    )
    concrete = model.predict_function.get_concrete_function([(SPEC,)])
    module = holder(model, serve=serve, concrete=concrete)
    tf.saved_model.save(module, folder, signatures=serve)


def training_step(model: keras.Model, folder: Path) -> None:
    learn = tf.function(
        lambda x, y: model.train_step((x, y)),
        input_signature=[SPEC, tf.TensorSpec([None, 1], name="y")],
    )
    tf.saved_model.save(holder(model, learn=learn), folder, signatures=learn)


def layer_alone(model: keras.Model, folder: Path) -> None:
    layer = model.get_layer("first")
    serve = tf.function(layer.__call__, input_signature=[SPEC])
    tf.saved_model.save(holder(model, serve=serve), folder, signatures=serve)


WAYS = [
    model_export,
    whole_module,
    with_training,
    with_gradients,
    archive,
    own_export,
    keras_predict,
    layer_alone,
]


class Exports(keras.callbacks.Callback):
    """Leaves the process at one moment of a training, once."""

    def __init__(self, hook: str, folder: Path, ways: list[Callable]) -> None:
        super().__init__()
        self.folder, self.ways = folder, ways
        setattr(self, hook, self.leave)

    def leave(self, *_: object, **logs: object) -> None:
        for way in self.ways:
            way(self.model, self.folder / f"{way.__name__}")
        portable(self.model).save(self.folder / "portable.keras")
        self.ways = []


def in_our_fit(folder: Path) -> keras.Model:
    model = small_model()
    callbacks = [Exports("on_train_batch_end", folder / "batch", WAYS)]
    callbacks += [Exports("on_epoch_end", folder / "epoch", WAYS[:1])]
    callbacks += [Exports("on_test_batch_end", folder / "validation", WAYS[2:3])]
    fit(model, batches(), validation_data=batches(), epochs=2, callbacks=callbacks)
    return model


def in_keras_fit(folder: Path) -> keras.Model:
    model = small_model()
    model.fit(
        batches(),
        epochs=2,
        verbose=0,
        validation_data=batches(),
        callbacks=[
            Exports("on_train_batch_begin", folder / "begin", WAYS[:1]),
            Exports(
                "on_train_batch_end", folder / "end", [whole_module, training_step]
            ),
        ],
    )
    for way in [model_export, with_training, archive, keras_predict, layer_alone]:
        way(model, folder / "after" / way.__name__)
    return model


def in_replicas(folder: Path) -> keras.Model:
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = small_model()
    exports = Exports("on_train_batch_end", folder / "replica", WAYS[:1])
    fit(model, batches(), epochs=1, callbacks=[exports])
    return model


def wrapped_calls(folder: Path) -> keras.Model:
    """TensorFlow keeps what it traced in a step for whoever calls next."""
    model = small_model()
    first = model.get_layer("first")
    first.call = tf.function(first.call)
    model.fit(batches(), verbose=0)
    model.predict(X[:2], verbose=0)
    # Of the very shape that was trained with, so that no new trace is made.
    spec = tf.TensorSpec([2, 4, 3], tf.float32, name="x")
    for training in (True, False):
        serve = tf.function(
            lambda x, training=training: model(x, training=training),
            input_signature=[spec],
        )
        module = holder(model, serve=serve)
        tf.saved_model.save(module, folder / f"calls_{training}", signatures=serve)
    return model


TRAININGS = [in_our_fit, in_keras_fit, in_replicas, wrapped_calls]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple]:
    """Each training's folder and model."""
    found = {}
    for train in TRAININGS:
        folder = tmp_path_factory.mktemp(train.__name__)
        for name in ("batch", "epoch", "validation", "begin", "end", "replica"):
            (folder / name).mkdir()
        found[train.__name__] = folder, train(folder)
    return found


def graphs(folder: Path) -> dict[str, set[str]]:
    found = {}
    for path in folder.rglob("saved_model.pb"):
        saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
        assert operations(saved.meta_graphs[0])
        found[str(path.relative_to(folder))] = operations(saved.meta_graphs[0])
    return found


@pytest.mark.parametrize("train", TRAININGS, ids=lambda train: train.__name__)
def test_what_leaves_the_process_holds_no_kernel(train: Callable, trained: dict):
    folder, _ = trained[train.__name__]
    found = {name: foreign_operations(ops) for name, ops in graphs(folder).items()}
    assert len(found) >= 1 and not any(found.values()), found


def test_each_loads_and_answers_in_a_bare_process(trained: dict):
    _, model = trained["in_keras_fit"]
    np.savez(trained["in_keras_fit"][0] / "case.npz", x=X, y=model(X))
    script = """
import pathlib, sys
sys.modules["keras_seq"] = None
import keras, numpy, tensorflow as tf
folders = [pathlib.Path(folder) for folder in sys.argv[1:]]
case = next(path for folder in folders for path in folder.glob("case.npz"))
x, y = (numpy.load(case)[name] for name in "xy")
count = 0
for folder in folders:
    for path in folder.rglob("saved_model.pb"):
        count += 1
        loaded = tf.saved_model.load(str(path.parent))
        for name, signature in loaded.signatures.items():
            given = {"x": x, "y": y}
            taken = signature.structured_input_signature[1]
            rows = {key: spec.shape[0] for key, spec in taken.items()}
            signature(**{k: tf.constant(given.get(k, x)[:n]) for k, n in rows.items()})
    for path in folder.rglob("*.keras"):
        count += 1
        assert keras.saving.load_model(path)(x).shape == y.shape
after = tf.saved_model.load(str(case.parent / "after" / "archive"))
numpy.testing.assert_allclose(after.serve(x), y, atol=1e-6)
print(count)
"""
    folders = [str(folder) for folder, _ in trained.values()]
    done = bare().run(["-c", script, *folders])
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) > 20


@needs_kernels
@pytest.mark.parametrize("train", TRAININGS[:3], ids=lambda train: train.__name__)
def test_the_training_itself_had_the_kernels(train: Callable, trained: dict):
    _, model = trained[train.__name__]
    model.train_function = model.test_function = model.predict_function = None
    for steps in (model.train_on_batch, model.test_on_batch):
        steps(X, Y)
        assert loops(model) == {"fast"}
    for name in ("fit", "evaluate"):
        getattr(model, name)(batches(), verbose=0)
        assert loops(model) == {"fast"}
    model.predict(X, verbose=0)
    assert loops(model) == {"fast"}


@needs_kernels
def test_a_function_of_the_users_own_has_keras_loop_until_it_says_otherwise():
    layer = SimpleRNN(2)

    @tf.function
    def plain(x: tf.Tensor, training: bool) -> tf.Tensor:
        return layer(x, training=training)

    @tf.function
    def native(x: tf.Tensor) -> tf.Tensor:
        with native_step():
            for _ in tf.range(2):  # a loop body is the same step
                x += layer(x)[:, None, :1]
            return x

    @tf.function
    def nested(x: tf.Tensor) -> tf.Tensor:
        with native_step():
            return tf.function(lambda x: layer(x))(x)

    for training in (True, False):
        plain(X, training)
        assert str(layer.loop) == "fallback (the graph may be for any machine)"
    native(X)
    assert layer.loop.kind == "fast"
    nested(X)
    assert str(layer.loop) == "fallback (a tf.function of its own inside the step)"
    with native_step():  # opened where nothing is traced
        tf.function(lambda x: layer(x))(X)
        assert layer.loop.kind == "fallback"
    layer(X)
    assert layer.loop.kind == layer.loop_in_fit.kind == "fast"


@needs_kernels
def test_our_export_refuses_a_graph_with_kernels_in_one_line(tmp_path: Path):
    layer = GRU(2)
    layer.build((None, 4, 3))

    @tf.function(input_signature=[SPEC])
    def serve(x: tf.Tensor) -> dict[str, tf.Tensor]:
        def inner() -> tf.Tensor:
            with native_step():
                return layer(x)

        return {"y": tf.cond(tf.size(x) > 0, inner, lambda: tf.zeros([1, 2]))}

    for signature in (serve.get_concrete_function(), (serve, [SPEC])):
        with pytest.raises(ValueError, match="KerasSeq.* is not TensorFlow's") as e:
            export(
                holder(layer),
                tmp_path / "m",
                signatures={"serving_default": signature},
                examples={"x": X},
                expected={"y": layer(X).numpy()},
                metadata={},
            )
        assert "\n" not in str(e.value)
    assert list(tmp_path.iterdir()) == []
