"""Text in, label out: the module that is exported, asked in Python."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.models.sentiment import build_sentiment_model
from keras_seq.tasks.sentiment.server import TextClassifier, answer_texts
from keras_seq.text.tokenizer import Tokenizer

TEXTS = ["good film", "bad " * 40, "", "film", "good good", "?!"] * 5


@pytest.fixture(scope="module", params=[2, 3])
def classifier(request: pytest.FixtureRequest) -> TextClassifier:
    keras.utils.set_random_seed(0)
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(TEXTS)
    model = build_sentiment_model(
        tokenizer.vocab_size, num_classes=request.param, embedding_dim=4, lstm_units=3
    )
    names = ["no", "yes", "maybe"][: request.param]
    return TextClassifier(model, tokenizer, names, max_len=20)


def test_label_and_probability_are_those_of_the_likeliest(classifier: TextClassifier):
    answer = classifier(tf.constant(TEXTS))
    probabilities = answer["probabilities"].numpy()
    assert probabilities.sum(axis=1) == pytest.approx(1)
    assert answer["probability"].numpy() == pytest.approx(probabilities.max(axis=1))
    names = ["no", "yes", "maybe"]
    expected = [names[i] for i in probabilities.argmax(axis=1)]
    assert [label.decode() for label in answer["label"].numpy()] == expected


def test_many_texts_are_answered_in_order_as_each_alone(classifier: TextClassifier):
    together = list(answer_texts(classifier, iter(TEXTS), batch_size=4))
    assert len(together) == len(TEXTS)
    for text, answer in zip(TEXTS, together):
        (alone,) = answer_texts(classifier, [text])
        assert answer["label"] == alone["label"]
        expected = pytest.approx(alone["probabilities"], abs=1e-6)
        assert answer["probabilities"] == expected


def test_no_text_gives_no_answer(classifier: TextClassifier):
    answer = classifier(tf.constant([], tf.string))
    assert answer["label"].shape == (0,)
    assert answer["probabilities"].shape[0] == 0
    assert list(answer_texts(classifier, [])) == []


def test_texts_beyond_max_len_are_cut(classifier: TextClassifier):
    long, longer = (classifier(tf.constant(["bad " * n])) for n in (20, 500))
    assert np.array_equal(long["probabilities"], longer["probabilities"])


def test_the_proof_expects_what_python_answers(classifier: TextClassifier):
    expected = classifier.expected(TEXTS[:3])
    answer = classifier(tf.constant(TEXTS[:3]))
    answers = {"label", "probability", "probabilities"}
    assert set(expected) == answers | {"unknown", "words", "note"}
    for name, values in expected.items():
        assert values.tolist() == answer[name].numpy().tolist()
