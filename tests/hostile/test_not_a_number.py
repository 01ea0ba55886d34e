"""Models of NaN: not scored, whichever task; and numbers that no builder takes."""

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_seq as ks
from keras_seq.audio.utterances import Utterances
from keras_seq.errors import UserError
from keras_seq.evaluation.baselines import MajorityBaseline
from keras_seq.evaluation.finite import checked_report
from keras_seq.evaluation.forecast_scores import Sums
from keras_seq.evaluation.language import language_report
from keras_seq.evaluation.scores import report
from keras_seq.tasks.sentiment.scores import score_classifier
from keras_seq.tasks.speech.scores import score_speech
from keras_seq.tasks.stock.ending import score_forecaster
from keras_seq.tasks.stock.report import forecast_report
from keras_seq.tasks.text_generation.client import score_texts

NAN, INF = float("nan"), float("inf")


def classifier(network: Any, **baselines: Any) -> dict:
    others = {"majority": np.full((40, 2), 0.5)} | baselines
    return report("sentiment", [0, 1] * 20, network, others, ["bad", "good"])


def language(network: Any, **baselines: Any) -> dict:
    others = {"unigram": np.full(400, -2.0)} | baselines
    return language_report("text_generation", network, others, 500)


def forecasts(network: Any, **baselines: Any) -> dict:
    """Of errors float (N, H, K); every measure is the error."""
    interval, sums = Sums(), {}
    named = {"network": network, "persistence": np.ones((40, 2, 1))} | baselines
    for name, errors in named.items():
        sums[name] = Sums()
        sums[name].add(np.repeat(np.asarray(errors, float)[..., None], 9, axis=-1))
    interval.add(np.ones((40, 2, 1, 2)))
    lag = {"with_last_row": 0.0, "with_target": 1.0, "of_changes": 0.0}
    return forecast_report(
        "stock",
        sums,
        interval,
        times=np.arange(40),
        series=np.zeros(40, int),
        series_names=["a"],
        target_names=["y"],
        lag=lag,
        nominal=0.8,
        is_prices=False,
    )


WRITERS: dict[Callable, np.ndarray] = {
    classifier: np.tile([[0.9, 0.1], [0.1, 0.9]], (20, 1)),
    language: np.full(400, -1.0),
    forecasts: np.full((40, 2, 1), 0.5),
}


def spoilt(answers: np.ndarray, value: float, every: bool) -> np.ndarray:
    answers = answers.copy()
    answers[... if every else (17,)] = value
    return answers


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("every", [True, False], ids=["all", "one"])
def test_no_writer_scores_a_network_without_numbers(
    write: Callable, value: float, every: bool
):
    with pytest.raises(UserError, match="the network .*NaN or Inf.*train it") as stop:
        write(spoilt(WRITERS[write], value, every))
    assert "\n" not in str(stop.value)


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
@pytest.mark.parametrize("every", [True, False], ids=["all", "one"])
def test_a_baseline_without_numbers_is_named_and_left_out(write: Callable, every: bool):
    right = WRITERS[write]
    told = write(right, ridge=spoilt(right, NAN, every))
    assert "ridge" not in told["baselines"]
    assert told["comparison"]["sentence"].endswith("hold NaN or Inf: ridge.")
    assert told["verdict"] == write(right)["verdict"] == "wins"


def test_where_no_baseline_has_numbers_nothing_is_compared():
    for write, right in WRITERS.items():
        only = {classifier: "majority", language: "unigram", forecasts: "persistence"}[
            write
        ]
        with pytest.raises(UserError, match=f"baselines .*: {only}; none is left"):
            write(right, **{only: spoilt(right, NAN, False)})


def test_a_score_that_the_data_do_not_define_is_no_fault():
    score = {"value": NAN, "low": NAN, "high": NAN}
    told = {
        "scores": {"mape": score, "mase": {"value": 1.0}},
        "baselines": {"drift": {"mape": NAN, "mase": 2.0}},
        "comparison": {"metric": "mase", "sentence": "It wins."},
    }
    assert checked_report(told)["comparison"]["sentence"] == "It wins."
    told["baselines"]["drift"]["mape"] = 3.0
    with pytest.raises(UserError, match="no number: mape is nan"):
        checked_report(told)
    told["comparison"]["metric"], told["baselines"]["drift"]["mape"] = "mape", NAN
    with pytest.raises(UserError, match="no number: mape is nan"):
        checked_report(told)


def broken(model: keras.Model) -> keras.Model:
    """The model with NaN in its first weight alone."""
    weights = model.get_weights()
    weights[0] = np.full_like(weights[0], NAN)
    model.set_weights(weights)
    return model


def score_of_speech() -> dict:
    sound = np.random.default_rng(0).integers(-99, 99, 2400).astype("int16")
    utterances = Utterances(
        8000,
        sound,
        np.array([0, 900]),
        np.array([900, 1500], "int32"),
        [("a.wav", "a", ""), ("b.wav", "b", "")],
    )
    extractor = ks.audio.LogMel(8000)
    model = broken(ks.build_speech_model(3, lstm_units=2, logits=True))
    recognizer = ks.tasks.speech.SpeechRecognizer(
        model, extractor, ks.audio.Alphabet(["a", "b"])
    )
    return score_speech(
        "speech", recognizer.signature, utterances, {}, extractor, is_isolated=True
    )


def score_of_text() -> dict:
    model = broken(ks.build_text_generation_model(20, 2, 3))
    texts = ["to be or not to be"] * 9
    coder = ks.text.Characters.fit(texts, 18)
    score = ks.tasks.text_generation.TextGenerator(model, coder).signature(
        "score_tokens"
    )
    each = np.concatenate([found for _, found in score_texts(score, texts)])
    return language_report("text", each, {"unigram": np.full(len(each), -3.0)}, 162)


def score_of_stock() -> dict:
    data = ks.tasks.stock.prepare_series(
        ks.series.simulate_prices(num_series=1, num_rows=400)
    )
    scaling = ks.tasks.stock.make_scaling(data)
    network = ks.build_stock_prediction_model(
        scaling.encode.output_shape[1:], horizon=5, units=2, num_layers=1
    )
    _, forecaster = ks.models.build_forecaster(broken(network), scaling)
    return score_forecaster("stock", forecaster, scaling, data).test


def score_of_sentiment() -> dict:
    tokenizer = ks.Tokenizer(9)
    tokenizer.fit_on_texts(["good", "bad"])
    model = broken(ks.build_sentiment_model(9, embedding_dim=2, lstm_units=2))
    server = ks.tasks.sentiment.TextClassifier(model, tokenizer, ["no", "yes"], 9)
    samples = [("good", "yes"), ("bad", "no")] * 5
    majority = MajorityBaseline().fit((text for text, _ in samples), np.array([0, 1]))
    beside = {"majority": majority}
    return score_classifier("s", samples, server.answer, beside, ["no", "yes"]).report


@pytest.mark.parametrize(
    "score", [score_of_speech, score_of_text, score_of_stock, score_of_sentiment]
)
def test_no_task_scores_a_model_of_nan(score: Callable):
    with pytest.raises(UserError, match="^the network .*NaN or Inf") as stop:
        score()
    assert "\n" not in str(stop.value)


WINDOW = (9, 2)
# (what is called, what the line says)
NONSENSE = [
    (lambda: ks.build_sentiment_model(9, dropout=5), "dropout is 5"),
    (lambda: ks.build_sentiment_model(9, recurrent_dropout=NAN), "recurrent_dropout"),
    (lambda: ks.build_sentiment_model(9, embedding_dropout="0.1"), "embedding_dropout"),
    (lambda: ks.build_sentiment_model(9, lstm_units=-3), "lstm_units is -3"),
    (lambda: ks.build_sentiment_model(9, ngram_ratios=[[NAN]]), "ngram_ratios hold"),
    (lambda: ks.build_text_generation_model(9, 2, 10**11), "rnn_units is 1000000000"),
    (lambda: ks.build_text_generation_model(9, 2, 2, dropout=INF), "dropout is inf"),
    (lambda: ks.build_text_generation_model(9, 2, 2, num_layers=0), "num_layers is 0"),
    (lambda: ks.build_text_generation_model(9, 2.0, 2), "embedding_dim is 2.0"),
    (lambda: ks.build_speech_model(3, dropout=-0.1), "dropout is -0.1"),
    (lambda: ks.build_speech_model(3, lstm_units=0), "lstm_units is 0"),
    (lambda: ks.build_stock_prediction_model(WINDOW, units=NAN), "units is nan"),
    (lambda: ks.build_stock_prediction_model(WINDOW, quantiles=[NAN]), "quantiles"),
    (lambda: ks.build_stock_prediction_model(WINDOW, horizon=-1), "horizon is -1"),
    (lambda: ks.build_segment_rnn(WINDOW, segment_length=3, dropout=1), "dropout is 1"),
    (lambda: ks.build_segment_rnn(WINDOW, segment_length=-3), "segment_length is -3"),
    (lambda: ks.build_lstm_model(9, 2, -2), "lstm_units is -2"),
    (lambda: ks.build_gru_model(9, 2, True), "gru_units is True"),
    (lambda: ks.training.cosine_adam(NAN, 9), "learning_rate is nan"),
    (lambda: ks.training.cosine_adam(-1, 9), "learning_rate is -1"),
    (lambda: ks.training.cosine_schedule(INF, 9), "learning_rate is inf"),
    (lambda: ks.training.BudgetedRate(0.0, 9), "learning_rate is 0.0"),
    (lambda: ks.training.BudgetedRate(0.1, 9, max_seconds=NAN), "max_seconds is nan"),
    (lambda: ks.losses.TokenLoss(NAN), "label_smoothing is nan"),
    (lambda: ks.losses.TokenLoss(1.0), "label_smoothing is 1.0"),
    (
        lambda: ks.tasks.text_generation.prepare_corpus(
            {"train": ["ab\n"] * 99}, limit=-5
        ),
        "limit must be",
    ),
    (
        lambda: ks.tasks.text_generation.prepare_corpus(
            {"train": ["ab\n"] * 99}, vocab_size=-5
        ),
        "vocab_size",
    ),
    (
        lambda: ks.tasks.text_generation.prepare_corpus(
            {"train": ["ab\n"] * 99}, tokens="subwords", vocab_size=257
        ),
        "--vocab-size is 257; subwords take 258",
    ),
    (
        lambda: ks.tasks.stock.prepare_series(ks.series.simulate_prices(), horizon=0),
        "horizon must be at",
    ),
    (
        lambda: ks.tasks.stock.prepare_series(ks.series.simulate_prices(), lookback=-9),
        "lookback must be",
    ),
    (lambda: ks.make_stream_dataset(np.arange(99), batch_size=0), "batch_size must"),
    (lambda: ks.make_stream_dataset(np.arange(99), steps=-1), "steps must be at"),
    (lambda: ks.fit(small(), pairs(), loss="mse", epochs=0), "epochs must be at least"),
    (lambda: ks.fit(small(), pairs(), loss="mse", patience=-1), "patience is -1"),
    (lambda: ks.fit(small(), pairs(), loss="mse", clipnorm=NAN), "clipnorm is nan"),
    (lambda: ks.fit(small(), pairs(), loss="mse", max_seconds=NAN), "max_seconds must"),
    (
        lambda: ks.fit(small(), pairs(), loss="mse", schedule=lambda _: NAN),
        "learning_rate is nan",
    ),
    (
        lambda: ks.fit(
            small(), pairs(), loss="mse", optimizer=keras.optimizers.SGD(-1.0)
        ),
        "learning_rate is -1.0",
    ),
    (
        lambda: ks.training.TruncatedBackprop(
            ks.build_text_generation_model(9, 2, 2), 2, temporal_activation=NAN
        ),
        "temporal_activation is nan",
    ),
    (
        lambda: ks.training.TruncatedBackprop(
            ks.build_text_generation_model(9, 2, 2), 2, weight_drop=5
        ),
        "weight_drop is 5",
    ),
]


def small() -> keras.Model:
    return keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])


def pairs() -> tf.data.Dataset:
    return tf.data.Dataset.from_tensors((tf.ones((4, 1)), tf.ones((4, 1))))


@pytest.mark.parametrize(("call", "line"), NONSENSE, ids=[x for _, x in NONSENSE])
def test_python_refuses_nonsense_before_tensorflow_does(call: Callable, line: str):
    with pytest.raises(ValueError, match=re.escape(line)) as stop:
        call()
    assert "\n" not in str(stop.value)


def test_what_is_in_range_passes():
    ks.build_sentiment_model(9, dropout=np.float32(0.5), lstm_units=1)
    ks.build_speech_model(3, dropout=0, lstm_units=1)
