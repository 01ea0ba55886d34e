"""The graph that translates: batches, widths, empty and very long texts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.models.transformer import build_transformer
from keras_seq.models.translation import build_translation_model
from keras_seq.tasks.translation.server import MOST_SOURCE, Translator
from keras_seq.text.coders import Bytes

TEXTS = ["ein Hund", "", "zwei sehr große Hunde 狗 🙂", "a"]
KINDS = ("transformer", "attention", "plain")


@pytest.fixture(scope="module", params=KINDS)
def translator(request: pytest.FixtureRequest) -> Translator:
    """An untrained network, whose weights are large enough to prefer something."""
    keras.utils.set_random_seed(3)
    coder = Bytes()
    size = coder.vocab_size
    if request.param == "transformer":
        model = build_transformer(size, size, 8, 2, 1)
    else:
        attention = "additive" if request.param == "attention" else None
        model = build_translation_model(size, size, 8, 8, attention=attention)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return Translator(model, coder)


def ask(translator: Translator, texts: list[str], width: int, penalty: float = 1.0):
    return translator._traced["translate"](
        tf.constant([text.encode() for text in texts]),
        tf.constant(width),
        tf.constant(penalty),
    )


def test_a_row_is_translated_as_it_would_be_alone(translator: Translator):
    together = list(translator.answer(TEXTS))
    for text, answer in zip(TEXTS, together):
        (alone,) = translator.answer([text])
        assert alone["translation"] == answer["translation"]
        assert alone["log_probability"] == pytest.approx(
            answer["log_probability"], abs=1e-3
        )
    assert together[1] == {"translation": "", "log_probability": 0.0, "cut": 0}


def test_the_width_of_a_search_is_an_input_of_the_graph(translator: Translator):
    default = list(translator.answer(TEXTS))
    wide = ask(translator, TEXTS, 4)
    said = [text.decode() for text in wide["translation"].numpy()]
    assert said == [answer["translation"] for answer in default]
    greedy = ask(translator, TEXTS, 1)
    assert greedy["translation"].shape == (4,)
    for width in (0, -1):
        with pytest.raises(tf.errors.InvalidArgumentError, match="beam_width"):
            ask(translator, TEXTS, width)
    with pytest.raises(tf.errors.InvalidArgumentError, match="length_penalty"):
        ask(translator, TEXTS, 1, -1.0)


def test_attention_is_a_distribution_over_the_text_and_its_end(translator: Translator):
    answer = ask(translator, TEXTS, 2)
    attention = answer["attention"].numpy()
    assert attention.shape[1] == answer["target_tokens"].shape[1]
    assert attention.shape[2] == answer["source_tokens"].shape[1]
    sums = attention.sum(axis=2)
    said = answer["target_tokens"].numpy() != b""
    if translator.model.name == "translation" and not sums.any():
        return  # the documented network looks at nothing
    assert sums[said] == pytest.approx(1, abs=1e-5) and not sums[~said].any()
    # Nothing looks at padding: the last text is one byte and the end.
    assert not attention[3, :, 2:].any()


def test_what_is_too_long_is_cut_and_counted(translator: Translator):
    (answer,) = translator.answer(["a" * (MOST_SOURCE + 9)])
    assert answer["cut"] == 10 and np.isfinite(answer["log_probability"])


def test_no_text_at_all_gets_no_answer(translator: Translator):
    answer = translator._traced["serving_default"](tf.constant([], tf.string))
    assert answer["translation"].shape == (0,)


def test_spaces_around_a_text_say_nothing(translator: Translator):
    raw = tf.constant(["ein Hund", " ein Hund\t\n", "   ", ""])
    found = translator._traced["serving_default"](raw)
    translations = found["translation"].numpy().tolist()
    assert translations[0] == translations[1] and translations[2:] == [b"", b""]
