"""Averaged weights: the numbers of the definition, and who sees which weights when."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.training.averaging import AveragedWeights
from keras_seq.training.trainer import fit


def one_weight() -> keras.Model:
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    return keras.Sequential([keras.Input((1,)), dense])


def run(average: AveragedWeights, values: list[float]) -> keras.Model:
    model = one_weight()
    average.set_model(model)
    average.on_train_begin()
    for value in values:
        model.layers[0].kernel.assign([[value]])
        average.on_train_batch_end(0)
    return model


def weight(model: keras.Model) -> float:
    return float(model.layers[0].kernel.numpy()[0, 0])


@pytest.mark.parametrize(
    ("average", "expected"),
    [
        (AveragedWeights(), (1 + 3 + 8) / 3),
        (AveragedWeights(start_step=1), (3 + 8) / 2),
        (AveragedWeights(decay=0.5), (1 + 3) / 2 / 2 + 8 / 2),
    ],
)
def test_the_average_is_what_it_is_called(average: AveragedWeights, expected: float):
    model = run(average, [1.0, 3.0, 8.0])
    average.on_test_begin()
    assert weight(model) == pytest.approx(expected)
    average.on_epoch_end(0)
    assert weight(model) == 8.0


def test_without_validation_the_end_of_training_has_the_average():
    average = AveragedWeights()
    model = run(average, [1.0, 3.0])
    average.on_train_end()
    assert weight(model) == 2.0


def test_a_resumed_average_goes_on():
    first = AveragedWeights(decay=0.5)
    run(first, [1.0, 3.0])
    again = AveragedWeights(decay=0.5)
    again.set_state(first.get_state())
    model = run(again, [8.0])
    again.on_test_begin()
    assert weight(model) == pytest.approx((1 + 3) / 2 / 2 + 8 / 2)


def test_fit_validates_and_keeps_the_average():
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            seen.append(weight(self.model))

    model = one_weight()
    data = tf.data.Dataset.from_tensors((tf.ones((4, 1)), tf.ones((4, 1)))).repeat(3)
    data = data.apply(tf.data.experimental.assert_cardinality(3))
    history = fit(
        model,
        data,
        validation_data=data,
        epochs=2,
        loss="mse",
        metrics=[],
        optimizer=keras.optimizers.SGD(0.1),
        clipnorm=None,
        callbacks=[AveragedWeights(), Watch()],
    )
    means = [np.mean(seen[: 3 * (epoch + 1)]) for epoch in range(2)]
    losses = [(1 - mean) ** 2 for mean in means]
    assert history.history["val_loss"] == pytest.approx(losses, rel=1e-5)
    # Training went on from its own weights, and ends with the best average.
    assert seen == sorted(seen) and len(seen) == 6
    assert weight(model) == pytest.approx(means[1], rel=1e-5)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="decay is 1"):
        AveragedWeights(decay=1.0)
    with pytest.raises(ValueError, match="start_step is -1"):
        AveragedWeights(start_step=-1)


def falling(use_ema: bool, *callbacks: keras.callbacks.Callback, **options):
    """A training whose validation is best at its second epoch of five."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.layers[0].kernel.assign([[0.0]])
    x = np.ones((8, 1), "float32")
    train = tf.data.Dataset.from_tensor_slices((x, 9 * x)).batch(2)
    wanted = options.pop("best") * x
    validation = tf.data.Dataset.from_tensor_slices((x, wanted)).batch(4)
    optimizer = keras.optimizers.SGD(0.05, use_ema=use_ema, ema_momentum=0.5)
    history = fit(
        model,
        train,
        validation_data=validation,
        epochs=5,
        loss="mse",
        optimizer=optimizer,
        clipnorm=None,
        callbacks=callbacks,
        metrics=[],
        **options,
    )
    return model, validation, history.history["val_loss"]


@pytest.mark.parametrize("best", [4.0, 6.0])
def test_averages_of_the_optimizer_are_validated_and_the_best_are_left(best: float):
    model, validation, losses = falling(True, best=best)
    assert losses.index(min(losses)) not in (0, 4)
    assert model.evaluate(validation, verbose=0) == pytest.approx(min(losses), rel=1e-6)
    # By hand: w goes by 0.1 (9 - w) a step, its average half the way after it.
    w, average, scores = 0.0, None, []
    for step in range(20):
        w += 0.1 * (9 - w)
        average = w if average is None else (average + w) / 2
        if step % 4 == 3:
            scores.append((average - best) ** 2)
    assert losses == pytest.approx(scores, rel=1e-4)


def test_averages_swapped_by_keras_callback_are_left_at_their_best():
    model, validation, losses = falling(
        True, keras.callbacks.SwapEMAWeights(), best=6.0
    )
    assert model.evaluate(validation, verbose=0) == pytest.approx(min(losses), rel=1e-4)
    mine = falling(True, best=6.0)
    assert losses == pytest.approx(mine[2], rel=1e-4)
