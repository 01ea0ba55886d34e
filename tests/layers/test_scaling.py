"""Scaling in the graph: out of raw units and back, for levels and for returns."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_seq.layers.scaling import DECAY, level_scaling, returns_scaling
from keras_seq.models.forecaster import build_forecaster
from tests.fork_server import bare

RNG = np.random.default_rng(1)
PRICES = (100 * np.exp(np.cumsum(RNG.normal(0, 0.02, (5, 20, 1)), 1))).astype("f")
FUTURE = (PRICES[:, -1:] * np.array([1.01, 0.98, 1.05])[:, None]).astype("f")


def returns():
    return returns_scaling(20, 3, 1, volatility=[0.02])


def test_returns_are_those_since_the_last_row_in_steps_of_recent_size():
    steps = np.diff(np.log(PRICES[..., 0].astype(float)), axis=1)
    weights = DECAY ** np.arange(19)[::-1]
    size = np.sqrt((steps**2 * weights).sum(1) / weights.sum() + 0.002**2)
    wanted = np.log(FUTURE[..., 0] / PRICES[:, -1:, 0]) / size[:, None]
    scaled = np.array(returns().to_scaled([PRICES, FUTURE]))[..., 0]
    assert scaled == pytest.approx(wanted, abs=1e-3)
    features = np.array(returns().encode(PRICES))
    assert features.shape == (5, 20, 2)
    assert features[:, -1, 0] == pytest.approx(0)
    assert features[:, 0, 1] == pytest.approx(np.log(size / 0.02), abs=1e-3)


@pytest.mark.parametrize(
    "scaling",
    [
        returns(),
        level_scaling(20, 3, 1, mean=[90.0], deviation=[7.0]),
        level_scaling(20, 3, 1, mean=[90.0], deviation=[7.0], anchored=False),
    ],
    ids=["returns", "level", "unanchored"],
)
def test_what_is_scaled_comes_back(scaling):
    for model in scaling:
        assert model.output.dtype == "float32"
    assert scaling.to_scaled([PRICES, FUTURE]).dtype == "float32"
    assert scaling.encode(PRICES).dtype == "float32"
    scaled = np.array(scaling.to_scaled([PRICES, FUTURE]))
    back = scaling.to_raw([PRICES, scaled[..., None]])
    assert back.dtype == "float32"
    back = np.array(back)[..., 0]
    assert back == pytest.approx(FUTURE, rel=1e-5)


def test_an_answer_of_nothing_is_the_last_price():
    raw = returns().to_raw([PRICES, np.zeros((5, 3, 1, 2), "float32")])
    assert np.array_equal(np.array(raw)[:, 0, 0, 0], PRICES[:, -1, 0])


def test_levels_are_standardised_and_anchored():
    window = RNG.normal(50, 5, (4, 6, 3)).astype("float32")
    mean, deviation = [50.0, 40.0, 60.0], [5.0, 2.0, 4.0]
    features = np.array(
        level_scaling(6, 2, 2, mean=mean, deviation=deviation).encode(window)
    )
    plain = (window - mean) / deviation
    anchored = plain[..., :2] - plain[:, -1:, :2]
    assert features[..., :2] == pytest.approx(anchored, abs=1e-4)
    assert features[..., 2] == pytest.approx(plain[..., 2], abs=1e-4)


def test_other_columns_are_logs_against_their_mean_in_the_window():
    volume = RNG.uniform(0, 1e9, (5, 20, 1)).astype("float32")
    scaling = returns_scaling(
        20,
        3,
        1,
        volatility=[0.02],
        num_prices=1,
        mean=[18.0],
        deviation=[2.0],
        logs=[True],
    )
    window = np.concatenate([PRICES, PRICES * 1.1, volume], axis=-1)
    features = np.array(scaling.encode(window))
    assert features.shape == (5, 20, 4)
    logs = np.log1p(volume[..., 0].astype(float)) / 2
    wanted = logs - logs.mean(axis=1, keepdims=True)
    assert features[..., 2] == pytest.approx(wanted, abs=1e-4)
    # A column of prices is read against the last price of the target.
    ratio = features[..., 1] - features[..., 0]
    assert np.ptp(ratio, axis=1) == pytest.approx(0, abs=1e-3)
    assert (ratio > 0).all()


def test_a_price_that_stood_still_or_is_zero_gives_finite_numbers():
    still = np.concatenate([np.full((1, 20, 1), 7.0), np.zeros((1, 20, 1))])
    still = still.astype("float32")
    assert np.isfinite(np.array(returns().encode(still))).all()


def test_returns_of_what_does_not_move_are_refused():
    with pytest.raises(ValueError, match="volatility is .*expected positive numbers"):
        returns_scaling(20, 3, 1, volatility=[0.0])


def test_a_network_of_another_size_is_refused():
    network = keras.Sequential(
        [keras.Input((20, 2)), keras.layers.Flatten(), keras.layers.Dense(4)]
    )
    with pytest.raises(ValueError, match=r"answers with \(None, 4\); expected a batch"):
        build_forecaster(network, returns())


def test_a_forecaster_loads_without_keras_seq(tmp_path: Path):
    """Nothing of ours is in the file: stock layers and operations alone."""
    network = keras.Sequential(
        [keras.Input((20, 2)), keras.layers.Flatten(), keras.layers.Dense(9)]
    )
    _, forecaster = build_forecaster(network, returns())
    forecaster.save(tmp_path / "model.keras")
    np.save(tmp_path / "window.npy", PRICES)
    np.save(tmp_path / "answer.npy", np.array(forecaster(PRICES)))
    script = """
import sys, keras, numpy as np
model = keras.models.load_model("model.keras")
assert "keras_seq" not in sys.modules
answer = np.array(model(np.load("window.npy")))
assert np.allclose(answer, np.load("answer.npy"), rtol=1e-5), answer
"""
    done = bare().run(["-c", script], cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_leaves_raw_units_alone(policy: str):
    """A volume of 1e9 is infinite in float16, and a price of 7000.12 is 7000."""
    window = np.concatenate([70 * PRICES, 1e9 * PRICES], axis=-1).astype("float32")
    future = 70 * FUTURE

    def scaled() -> list[np.ndarray]:
        parts = []
        for scaling in (
            level_scaling(20, 3, 1, mean=[7e3, 1e11], deviation=[7e2, 1e10]),
            returns_scaling(
                20, 3, 1, volatility=[0.02], mean=[25.0], deviation=[2.0], logs=[True]
            ),
        ):
            learned = scaling.to_scaled([window, future])
            back = scaling.to_raw([window, np.array(learned)[..., None]])
            parts += [scaling.encode(window), learned, back]
        assert all(part.dtype == "float32" for part in parts)
        return [np.array(part) for part in parts]

    exact, before = scaled(), keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(policy)
        for half, wanted in zip(scaled(), exact):
            assert half == pytest.approx(wanted, rel=1e-5, abs=1e-5)
    finally:
        keras.config.set_dtype_policy(before)
