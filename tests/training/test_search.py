"""The best combination of a grid: in its order, by validation, ties to the first."""

import keras
import numpy as np
import pytest

import keras_seq as ks

X = np.linspace(-1, 1, 12, dtype="float32")[:, np.newaxis]
SEEN: list[dict] = []


def fixed(slope: float, name: str = "a", metrics: tuple = ("mae",)) -> keras.Model:
    """Answers slope * x, and learns nothing."""
    SEEN.append({"slope": slope, "name": name})
    start = keras.initializers.Constant(slope)
    dense = keras.layers.Dense(1, kernel_initializer=start, use_bias=False)
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=list(metrics))
    return model


def search(grid: dict, **options) -> tuple[dict, float]:
    SEEN.clear()
    options = {"build_model": fixed, "epochs": 1} | options
    return ks.hyperparameter_search(grid, X, X, X, 2 * X, **options)


def test_order_of_the_grid_and_ties_to_the_first(remarks: list[str]):
    grid = {"slope": (0.0, 2.0, 4.0), "name": ["a", "b"]}
    assert search(grid) == ({"slope": 2.0, "name": "a"}, 0.0)
    assert [tuple(each.values()) for each in SEEN] == [
        (s, n) for s in (0.0, 2.0, 4.0) for n in "ab"
    ]
    assert "trial 3 of 6 (slope=2.0, name=a): val_mae 0" in remarks
    table = remarks[-1].splitlines()
    assert len(table) == 7 and [n for n, r in enumerate(table) if "best" in r] == [3]


@pytest.mark.parametrize(
    ("options", "slope", "score"),
    [
        ({"mode": "max"}, 5.0, 3 * np.abs(X).mean()),
        ({"monitor": "loss"}, 1.0, (X**2).mean()),
        ({"build_model": lambda slope: fixed(slope, metrics=())}, 1.0, (X**2).mean()),
    ],
)
def test_what_is_compared_and_which_way(options: dict, slope: float, score: float):
    params, found = search({"slope": np.array([1.0, 5.0])}, **options)
    assert params == {"slope": slope} and found == pytest.approx(score, rel=1e-5)


def test_trials_start_alike_and_models_need_not_be_compiled():
    def build_model(units: int, unused: int) -> keras.Model:
        layers = [keras.Input((1,)), keras.layers.Dense(units), keras.layers.Dense(1)]
        return keras.Sequential(layers)

    found = [
        ks.hyperparameter_search(
            {"units": [3], "unused": unused},
            X,
            X > 0,
            X,
            X > 0,
            epochs=2,
            build_model=build_model,
            loss="mse",
            monitor="loss",
        )
        for unused in ([1, 2], [2])
    ]
    assert found[0] == ({"units": 3, "unused": 1}, found[1][1])
