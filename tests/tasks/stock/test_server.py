"""Rows in, prices with intervals out: the module that is exported, asked in Python."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.evaluation.conformal import Calibration
from keras_seq.tasks.stock.server import PriceForecaster


def forecaster(*answers: float, targets: int = 1) -> keras.Model:
    """Answers with the last value plus fixed differences, two steps ahead."""
    window = keras.Input((4, targets))
    last = keras.ops.expand_dims(window[:, -1:], -1)  # (B, 1, K, 1)
    last = keras.ops.repeat(last, 2, axis=1)
    steps = keras.ops.concatenate([last + answer for answer in answers], axis=-1)
    return keras.Model(window, steps)


def shifts(lower: float, upper: float, targets: int = 1) -> Calibration:
    return Calibration(np.full((2, targets), lower), np.full((2, targets), upper))


WINDOW = tf.constant([[[1.0], [2.0], [3.0], [100.0]]])


def ask(server: PriceForecaster, window: tf.Tensor = WINDOW) -> dict[str, list]:
    return {name: value.numpy()[0].tolist() for name, value in server(window).items()}


def test_ends_move_by_widths():
    server = PriceForecaster(forecaster(-2.0, 0.0, 6.0), shifts(0.25, 0.5))
    assert ask(server) == {
        "forecast": [100.0, 100.0],
        "lower": [100 - 2 - 0.25 * 8] * 2,
        "upper": [100 + 6 + 0.5 * 8] * 2,
    }


def test_an_interval_that_was_too_wide_is_narrowed_but_holds_its_forecast():
    server = PriceForecaster(forecaster(-2.0, 0.0, 6.0), shifts(-0.1, -0.9))
    assert ask(server)["lower"] == pytest.approx([100 - 2 + 0.8] * 2)
    assert ask(server)["upper"] == [100.0, 100.0]


def test_quantiles_that_cross_are_put_in_order():
    server = PriceForecaster(forecaster(3.0, 0.0, -3.0), shifts(0.0, 0.0))
    assert ask(server) == {name: [100.0] * 2 for name in ("forecast", "lower", "upper")}


def test_one_answer_has_an_interval_in_steps_of_its_window():
    server = PriceForecaster(forecaster(1.0), shifts(1.0, 2.0), np.array([5.0]))
    answer = ask(server, tf.constant([[[90.0], [93.0], [97.0], [97.0]]]))
    size = ((9 + 16 + 0) / 3) ** 0.5
    assert answer["forecast"] == [98.0] * 2
    assert answer["lower"] == pytest.approx([98 - size] * 2)
    assert answer["upper"] == pytest.approx([98 + 2 * size] * 2)
    still = ask(server, tf.fill((1, 4, 1), 50.0))
    assert still["upper"] == pytest.approx([51 + 2 * 0.005] * 2)


def test_several_targets_have_an_axis():
    model = forecaster(-1.0, 0.0, 1.0, targets=3)
    server = PriceForecaster(model, shifts(0.0, 0.0, 3), baseline=model)
    answer = server(tf.ones((5, 4, 3)))
    assert answer["forecast"].shape == (5, 2, 3)
    assert set(server.signatures()) == {"serving_default", "ridge"}
    assert server.ridge(tf.ones((5, 4, 3)))["forecast"].shape == (5, 2, 3)


def test_the_proof_expects_what_python_answers():
    server = PriceForecaster(forecaster(-2.0, 0.0, 6.0), shifts(0.25, 0.5))
    _, expected = server.proofs(WINDOW.numpy())["serving_default"]
    assert {name: value[0].tolist() for name, value in expected.items()} == ask(server)
