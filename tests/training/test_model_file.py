"""Files that load where keras_seq is not, and go on training where it is."""

import importlib
import pkgutil
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.layers import GRU, LSTM, SimpleRNN
from keras_seq.losses import TokenLoss
from keras_seq.training.model_file import FAST, REGISTERED, load_model, portable
from keras_seq.training.optimizers import Adam
from tests.fork_server import bare

OURS = (LSTM, GRU, SimpleRNN)
X = np.random.default_rng(0).normal(size=(6, 3, 4, 2)).astype("float32")
Y = X.mean((2, 3))[..., None]


class Twice(keras.layers.Layer):
    """A user's layer that nobody registered."""

    def call(self, inputs):
        return 2 * inputs


def nested_model(optimizer: keras.optimizers.Optimizer | None, own: bool = False):
    """Ours inside wrappers, inside a model, twice in one model."""
    inner = keras.Sequential(
        [
            keras.Input((None, 4)),
            GRU(3, return_sequences=True, name="inside", recurrent_dropout=0.2),
            keras.layers.Dense(2, name="out"),
        ],
        name="inner",
    )
    both = keras.layers.Bidirectional(LSTM(2, dropout=0.1), name="both")
    shared = SimpleRNN(2, return_sequences=True, name="shared")
    inputs = keras.Input((3, 4, 2))
    h = keras.layers.TimeDistributed(both, name="each")(inputs)  # (B, 3, 4)
    h = Twice()(h) if own else h
    h = shared(shared(inner(h)))
    model = keras.Model(inputs, keras.layers.Dense(1, name="last")(h), name="nested")
    if optimizer is not None:
        model.compile(optimizer, "mse", metrics=[keras.metrics.MeanAbsoluteError()])
        model.fit(X, Y, epochs=2, verbose=0)
    return model


def equal(ones, others) -> None:
    for one, other in zip(ones, others, strict=True):
        np.testing.assert_array_equal(one, other)


def kinds(model: keras.Model) -> list[str]:
    """Modules of the recurrent layers."""
    layers = [x for x in model._flatten_layers() if isinstance(x, keras.layers.RNN)]
    return [type(layer).__module__.split(".")[0] for layer in layers]


OPTIMIZERS = [
    lambda: Adam(0.01, beta_2=0.98),
    lambda: Adam(keras.optimizers.schedules.CosineDecay(0.01, 99), global_clipnorm=1),
    lambda: Adam(0.01, use_ema=True, gradient_accumulation_steps=2, amsgrad=True),
    lambda: keras.optimizers.LossScaleOptimizer(Adam(0.01)),
    lambda: keras.optimizers.SGD(0.01, momentum=0.9),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.slow
def test_there_and_back_keeps_every_bit(make, tmp_path: Path):
    model = nested_model(make())
    twin = portable(model)
    assert set(kinds(twin)) == {"keras"} and kinds(model) == ["keras_seq"] * 4
    equal(model.variables, twin.variables)  # seeds of dropout, too
    equal(model.optimizer.variables, twin.optimizer.variables)
    np.testing.assert_allclose(twin(X), model(X), atol=1e-6)
    twin.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert kinds(loaded) == kinds(model)
    assert type(loaded.optimizer) is type(model.optimizer)
    equal(model.weights, loaded.weights)
    equal(model.optimizer.variables, loaded.optimizer.variables)
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations) > 0


def test_fine_tuning_goes_on_as_if_it_had_not_been_saved(tmp_path: Path):
    layers = [keras.Input((4, 2)), LSTM(3, return_sequences=True), GRU(1)]
    model = keras.Sequential(layers)
    model.compile(Adam(0.1), "mse")
    x, y = X[:, 0], Y[:, 0]
    model.fit(x, y, epochs=2, verbose=0)
    portable(model).save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(x, y, epochs=2, shuffle=False, verbose=0)
    equal(model.weights, loaded.weights)
    assert type(loaded.optimizer) is Adam


@pytest.mark.slow
def test_what_is_saved_loads_and_trains_without_keras_seq(tmp_path: Path):
    for number, make in enumerate([*OPTIMIZERS[1:3], None]):
        model = nested_model(make and make())
        portable(model).save(tmp_path / f"{number}.keras")
        np.save(tmp_path / f"{number}.npy", model(X))
    np.savez(tmp_path / "case.npz", x=X, y=Y)
    script = """
import sys
sys.modules["keras_seq"] = None
import keras, numpy
case = numpy.load("case.npz")
for number in range(3):
    model = keras.saving.load_model(f"{number}.keras")
    answer = numpy.load(f"{number}.npy")
    numpy.testing.assert_allclose(model(case["x"]), answer, atol=1e-6)
    if number == 2:
        break
    assert type(model.optimizer) is keras.optimizers.Adam
    assert int(model.optimizer.iterations) > 0
    model.fit(case["x"], case["y"], verbose=0)
"""
    done = bare().run(["-c", script], cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_users_layer_stays_and_stateful_layers_keep_their_state():
    model = nested_model(Adam(0.01), own=True)
    twin = portable(model)
    assert [type(layer) for layer in twin.layers][2] is Twice
    np.testing.assert_allclose(twin(X), model(X), atol=1e-6)
    layers = [keras.Input(batch_shape=(6, 4, 2)), GRU(3, stateful=True)]
    model = keras.Sequential(layers)
    model(X[:, 0])
    twin = portable(model)
    np.testing.assert_allclose(twin(X[:, 1]), model(X[:, 1]), atol=1e-6)


def test_layers_frozen_after_compiling_have_their_slots_still():
    model = nested_model(Adam(0.01))
    model.get_layer("shared").trainable = False
    twin = portable(model)
    assert not twin.get_layer("shared").trainable
    equal(model.optimizer.variables, twin.optimizer.variables)


def test_a_model_without_ours_is_itself():
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.LSTM(2)])
    model.compile("adam", "mse")
    assert portable(model) is model
    unbuilt = keras.Sequential([LSTM(2)])
    assert kinds(portable(unbuilt)) == ["keras"]


@keras.saving.register_keras_serializable("test_model_file")
class Makes(keras.Model):
    def __init__(self, kind=LSTM, **settings) -> None:
        super().__init__(**settings)
        self.reads = kind(2, name="reads")

    def call(self, inputs):
        return self.reads(inputs)

    def get_config(self):
        return {"name": self.name}


class CannotBeMadeAgain(Makes):
    def __init__(self, size: int) -> None:
        super().__init__(name="again")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Makes(name="m"), "'m' makes its layer 'reads' itself, as keras_seq.layers"),
        (CannotBeMadeAgain(3), "'again' cannot be made anew from its config"),
    ],
)
def test_a_class_that_makes_our_layers_cannot_be_portable(model, message: str):
    model(X[:, 0])
    with pytest.raises(ValueError, match=message) as caught:
        portable(model)
    assert "\n" not in str(caught.value)


# Files.


def test_a_file_of_keras_own_layers_is_taken_up(tmp_path: Path):
    """Such as keras_seq itself wrote before its layers had a name of their own."""
    layer = keras.layers.Bidirectional(keras.layers.LSTM(2))
    model = keras.Sequential([keras.Input((4, 2)), layer])
    model.compile(keras.optimizers.Adam(0.1), "mse")
    model.fit(X[:, 0], np.ones((6, 4)), verbose=0)
    model.save(tmp_path / "stock.keras")
    assert kinds(keras.saving.load_model(tmp_path / "stock.keras")) == ["keras"] * 2
    loaded = load_model(tmp_path / "stock.keras")
    assert kinds(loaded) == ["keras_seq"] * 2 and type(loaded.optimizer) is Adam
    equal(model.optimizer.variables, loaded.optimizer.variables)
    bare = load_model(str(tmp_path / "stock.keras"), compile=False)
    assert kinds(bare) == ["keras_seq"] * 2 and not bare.compiled


def test_a_plain_save_keeps_our_layers_for_who_imports_them(tmp_path: Path):
    model = nested_model(Adam(0.01))
    model.save(tmp_path / "ours.keras")
    for load in (keras.saving.load_model, load_model):
        loaded = load(tmp_path / "ours.keras")
        assert kinds(loaded) == ["keras_seq"] * 4 and type(loaded.optimizer) is Adam
        equal(model.optimizer.variables, loaded.optimizer.variables)


def test_a_class_that_makes_keras_layers_is_loaded_as_it_is(tmp_path: Path):
    @keras.saving.register_keras_serializable("test_model_file")
    class Stock(Makes):
        def __init__(self, **settings) -> None:
            super().__init__(keras.layers.LSTM, **settings)

    model = Stock()
    model(X[:, 0])
    model.save(tmp_path / "own.keras")
    loaded = load_model(tmp_path / "own.keras")
    assert kinds(loaded) == ["keras"]
    np.testing.assert_array_equal(loaded(X[:, 0]), model(X[:, 0]))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_weights(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path) as old:
        kept = {n: old.read(n) for n in old.namelist() if n.endswith("json")}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in kept.items():
            new.writestr(name, content)


def no_config(path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(path, "w") as new:
        new.writestr("metadata.json", "{}")


def gone(path: Path) -> None:
    path.unlink()


DAMAGES = [
    (cut, "is cut short, or no .keras file"),
    (empty, "is cut short, or no .keras file"),
    (no_weights, "cannot be loaded: "),
    (no_config, "cannot be loaded: "),
    (gone, "no such file"),
]


@pytest.mark.parametrize(("damage", "line"), DAMAGES)
def test_a_damaged_file_is_told_in_one_line(damage, line: str, tmp_path: Path):
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((4, 2)), keras.layers.GRU(2)]).save(path)
    damage(path)
    with pytest.raises(UserError, match=line) as caught:
        load_model(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_load_model_knows_whatever_is_registered():
    for room in ("layers", "losses", "models", "training"):
        package = importlib.import_module(f"keras_seq.{room}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    importlib.import_module("keras_seq.metrics")
    registered = keras.saving.get_custom_objects().items()
    own = {kind for name, kind in registered if name.startswith("keras_seq>")}
    assert TokenLoss in own and own == {*REGISTERED, *FAST.values()}


def test_a_model_of_tokens_is_loaded_as_it_was_compiled(tmp_path: Path):
    tokens, targets = np.array([[1, 2, 3]]), np.array([[2, 3, 0]])
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Embedding(4, 4), keras.layers.Dense(4)]
    )
    model.compile("adam", TokenLoss(0.1))
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    wanted = model.evaluate(tokens, targets, verbose=0)
    assert loaded.evaluate(tokens, targets, verbose=0) == wanted
