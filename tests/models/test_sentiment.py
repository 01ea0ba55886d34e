"""The sentiment builder: the tutorial's layers, and the recipe with n-grams."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_seq.models.sentiment import build_sentiment_model

RATIOS = np.random.default_rng(0).normal(size=(64, 1)).astype("float32")
SMALL = {"embedding_dim": 4, "lstm_units": 3, "recurrent_dropout": 0.0}
IDS = np.array([[3, 5, 3, 7, 0], [2, 2, 9, 1, 4]], "int32")


def test_positional_arguments_alone_give_the_documented_model():
    model = build_sentiment_model(10000)
    embedding, lstm, dense = model.layers[1:]
    kinds = (layers.Embedding, layers.LSTM, layers.Dense)
    assert len(model.layers) == 4
    assert all(isinstance(layer, kind) for layer, kind in zip(model.layers[1:], kinds))
    assert (embedding.input_dim, embedding.output_dim) == (10000, 128)
    assert (lstm.units, lstm.dropout, lstm.recurrent_dropout) == (64, 0.2, 0.2)
    assert not lstm.return_sequences
    assert (dense.units, dense.activation) == (1, keras.activations.sigmoid)
    assert model.count_params() == 10000 * 128 + 4 * 64 * (128 + 64 + 1) + 65
    assert build_sentiment_model().input_shape == (None, None)


def test_more_classes_have_a_probability_each():
    model = build_sentiment_model(20, num_classes=3, **SMALL)
    answer = keras.ops.convert_to_numpy(model(IDS))
    assert answer.shape == (2, 3)
    assert answer.sum(axis=1) == pytest.approx([1, 1])


def test_with_ngrams_the_answer_is_the_mean_of_two_logits():
    model = build_sentiment_model(20, ngram_ratios=RATIOS, **SMALL)
    weights = model.get_layer("ngram_weights")
    weights.set_weights([np.full((64, 1), 0.05)])
    names = ("recurrent_logits", "ngram_logits", "probability")
    parts = keras.Model(model.input, [model.get_layer(name).output for name in names])
    lstm, ngrams, answer = (np.array(part) for part in parts(IDS))
    assert np.abs(ngrams).min() > 0.01
    assert np.log(answer / (1 - answer)) == pytest.approx((lstm + ngrams) / 2, abs=1e-5)


def test_ratios_are_facts_and_stay_as_they_are():
    model = build_sentiment_model(20, ngram_ratios=RATIOS, **SMALL)
    layer = model.get_layer("ngram_ratios")
    assert not layer.trainable_weights
    assert np.array_equal(layer.get_weights()[0], RATIOS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"num_classes": 1},
            "num_classes is 1; expected 2 or more: .* target='number' is one number",
        ),
        ({"target": "stars"}, "target is 'stars'; expected 'class', 'labels' or 'num"),
        ({"target": "number", "target_scale": 0.0}, "target_scale is 0.0; expected mo"),
        ({"pooling": "median"}, "pooling is 'median'; expected 'last' or"),
        ({"dropout": 1.0}, "dropout is 1.0; expected a rate"),
        ({"embedding_dropout": -0.1}, "embedding_dropout is -0.1"),
        ({"ngram_ratios": RATIOS[:, 0]}, r"ngram_ratios has shape \(64,\)"),
        (
            {"ngram_ratios": RATIOS, "num_classes": 3},
            r"ngram_ratios has shape \(64, 1\); expected \(buckets, 3\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        build_sentiment_model(20, **arguments)


@pytest.mark.parametrize("ratios", [None, RATIOS], ids=["lstm", "n-grams"])
def test_a_number_is_answered_in_units_of_the_train_part(ratios):
    ids = np.array([[3, 5, 0], [4, 0, 0]], "int32")
    answers = []
    for mean, scale in ((0.0, 1.0), (100.0, 5.0)):
        keras.utils.set_random_seed(0)
        model = build_sentiment_model(
            20,
            target="number",
            target_mean=mean,
            target_scale=scale,
            ngram_ratios=ratios,
            **SMALL,
        )
        answers.append(np.array(model(ids)))
    assert answers[1].shape == (2, 1)
    assert answers[1] == pytest.approx(100 + 5 * answers[0], abs=1e-4)


@pytest.mark.parametrize("num_classes", [1, 2, 4])
def test_labels_have_a_probability_each(num_classes: int):
    ratios = np.tile(RATIOS, (1, num_classes))
    model = build_sentiment_model(
        20, num_classes=num_classes, target="labels", ngram_ratios=ratios, **SMALL
    )
    assert model.output_shape == (None, num_classes)
    assert model.layers[-1].activation is keras.activations.sigmoid
