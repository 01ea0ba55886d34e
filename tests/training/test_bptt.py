"""Carried states: losses as if read at once, and zero where a stream restarts."""

import keras
import numpy as np
import pytest

from keras_seq.losses import TokenLoss
from keras_seq.metrics import Perplexity
from keras_seq.models.recurrent_states import advance, initial_states
from keras_seq.models.text_generation import build_text_generation_model
from keras_seq.text.streams import make_stream_dataset, stream_batches
from keras_seq.training.bptt import TruncatedBackprop
from keras_seq.training.trainer import fit

TEXT = np.random.default_rng(0).integers(2, 9, 203)


def language_model(**options) -> keras.Model:
    keras.utils.set_random_seed(1)
    return build_text_generation_model(9, 6, 8, **options)


def evaluated(model: keras.Model, batch: int, steps: int) -> float:
    carried = TruncatedBackprop(model, batch)
    carried.compile(loss=TokenLoss(), metrics=[Perplexity()])
    dataset = make_stream_dataset(TEXT, batch_size=batch, steps=steps)
    return carried.evaluate(dataset, verbose=0, return_dict=True)["perplexity"]


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_states_carried_give_the_loss_of_reading_at_once(cell: str):
    model = language_model(cell=cell, num_layers=2)
    # A simple cell with larger weights is chaotic: a last bit would become percents.
    factor = 1 if cell == "simple_rnn" else 2
    model.set_weights([w * factor for w in model.get_weights()])
    inputs = np.concatenate([[0], TEXT[:-1]])
    logits = keras.ops.convert_to_numpy(model(inputs[None]))[0]
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(TEXT)), TEXT]
    at_once = np.exp(losses.mean())
    # Stretches of any length, and the last one shorter.
    for steps in (203, 50, 7):
        assert evaluated(model, 1, steps) == pytest.approx(at_once, rel=1e-4)
    # Without the states it would not be the same.
    cut = TruncatedBackprop(model, 1)
    cut.compile(loss=TokenLoss(), metrics=[Perplexity()])
    for (read, _), wanted in stream_batches(TEXT, 1, 7):
        found = cut.test_on_batch((read, np.ones(1)), wanted, return_dict=True)
    assert abs(found["perplexity"] / at_once - 1) > 1e-3


def test_streams_are_scored_as_texts_of_their_own():
    model = language_model()
    halves = [evaluated_text(model, half) for half in (TEXT[:102], TEXT[102:])]
    expected = np.exp(sum(halves) / len(TEXT))
    assert evaluated(model, 2, 9) == pytest.approx(expected, rel=1e-4)


def evaluated_text(model: keras.Model, text: np.ndarray) -> float:
    """Total cross-entropy of a text from a fresh start."""
    logits = model(np.concatenate([[0], text[:-1]])[None])
    loss = keras.losses.sparse_categorical_crossentropy(
        text[None], logits, from_logits=True
    )
    return float(keras.ops.sum(loss))


def test_a_restart_zeroes_the_row_it_is_for():
    carried = TruncatedBackprop(language_model(), 2)
    some = np.array([[3, 4], [5, 6]])
    fresh = np.array(carried((some, np.ones(2))))
    carried((some, np.zeros(2)))
    mixed = np.array(carried((some, np.array([1.0, 0.0]))))
    assert mixed[0] == pytest.approx(fresh[0], abs=1e-6)
    assert np.abs(mixed[1] - fresh[1]).max() > 1e-4


def test_training_learns_and_leaves_the_model_inside_trained():
    model = language_model()
    text = np.tile([2, 3, 4, 5, 2, 6], 100)
    carried = TruncatedBackprop(model, 2)
    data = make_stream_dataset(text, batch_size=2, steps=10)
    before = evaluated_text(model, text)
    history = fit(
        carried,
        data,
        validation_data=data,
        epochs=6,
        loss=TokenLoss(),
        metrics=[Perplexity()],
        optimizer=keras.optimizers.Adam(0.02),
        monitor="val_perplexity",
    )
    assert history.history["val_perplexity"][-1] < 1.2
    assert evaluated_text(model, text) < 0.2 * before


def test_weight_drop_acts_in_training_alone_and_learns_the_dropped_weights():
    model = language_model(dropout=0.3)
    carried = TruncatedBackprop(model, 2, weight_drop=0.5)
    some, restart = np.array([[3, 4, 5, 6], [5, 6, 7, 8]]), np.ones(2)
    plain = TruncatedBackprop(language_model(), 2, weight_drop=0.5)
    answers = [np.array(plain((some, restart), training=True)) for _ in range(2)]
    assert np.abs(answers[0] - answers[1]).max() > 1e-5
    still = [np.array(plain((some, restart))) for _ in range(2)]
    assert np.array_equal(*still)
    carried.compile(keras.optimizers.SGD(1.0), TokenLoss())
    kernel = model.get_layer("rnn_1").cell.recurrent_kernel
    before = keras.ops.convert_to_numpy(kernel)
    seeds = [w.numpy() for w in model.non_trainable_variables]
    carried.train_on_batch((some, restart), some)
    moved = keras.ops.convert_to_numpy(kernel) != before
    # A dropped weight has no gradient, the others have.
    assert 0.2 < moved.mean() < 0.8
    assert any(
        np.any(w.numpy() != old) for w, old in zip(model.non_trainable_variables, seeds)
    )


def test_temporal_activation_is_the_mean_square_of_the_jumps():
    model = language_model()
    carried = TruncatedBackprop(model, 2, temporal_activation=3.0)
    some = np.array([[3, 4, 5], [5, 6, 7]])
    carried((some, np.ones(2)), training=True)
    hidden = np.array(advance(model, some, initial_states(model, 2))[1])
    expected = 3.0 * np.square(hidden[:, 1:] - hidden[:, :-1]).mean()
    assert float(carried.losses[0]) == pytest.approx(expected, rel=1e-5)
    carried((some[:, :1], np.ones(2)), training=True)  # one step has no jump
    assert float(carried.losses[0]) == 0
    carried((some, np.ones(2)))
    assert not carried.losses


def test_label_smoothing_and_padding_in_the_loss():
    logits = np.random.default_rng(0).normal(size=(1, 3, 5)).astype("float32")
    log_p = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    targets = np.array([[4, 2, 0]])
    for smoothing in (0.0, 0.1):
        found = np.array(TokenLoss(smoothing)(targets, logits))
        each = [
            -(1 - smoothing) * log_p[0, t, y] - smoothing * log_p[0, t].mean()
            for t, y in enumerate((4, 2))
        ]
        assert found.mean() == pytest.approx(np.mean(each), rel=1e-5)
        assert found[0, 2] == 0


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match="batch_size is 0"):
        TruncatedBackprop(language_model(), 0)
    with pytest.raises(ValueError, match="weight_drop is 1"):
        TruncatedBackprop(language_model(), 2, weight_drop=1)
