"""The graph that writes captions: batches, widths, attention, files that are none."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.images.sample_drawings import load_sample_drawings
from keras_seq.models.captioning import build_captioning_model
from keras_seq.models.image_encoder import build_image_encoder
from keras_seq.tasks.captioning.server import Captioner, answer_files, describe_files
from keras_seq.text.coders import Characters

FILES = [(p.place, p.read()) for p in load_sample_drawings(drawings=40)["train"][:3]]
KINDS = "trained with it", "frozen", "without attention"


@pytest.fixture(scope="module", params=KINDS)
def captioner(request: pytest.FixtureRequest) -> Captioner:
    """An untrained network, whose weights are large enough to prefer something."""
    keras.utils.set_random_seed(3)
    coder = Characters.fit(["abcdefgh jklmn"])
    encoder = build_image_encoder((16, 24, 3), (4, 6))
    frozen = request.param == "frozen"
    model = build_captioning_model(
        (4, 6, 6),
        coder.vocab_size,
        8,
        8,
        attention=None if request.param == "without attention" else "additive",
        encoder=None if frozen else encoder,
    )
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.7, size=w.shape) for w in model.get_weights()])
    return Captioner(model, coder, encoder if frozen else None, most_tokens=12)


def described(captioner: Captioner, width: int = 4, penalty: float = 1.0) -> list[dict]:
    return list(describe_files(captioner.traced["describe"], FILES, width, penalty))


def test_a_row_is_captioned_as_it_would_be_alone(captioner: Captioner):
    ask = captioner.traced["serving_default"]
    together = list(answer_files(ask, FILES))
    assert len(together) == 3 and set(together[0]) == {"caption", "log_probability"}
    for file, answer in zip(FILES, together):
        (alone,) = answer_files(ask, [file])
        assert alone["caption"] == answer["caption"]
        assert alone["log_probability"] == pytest.approx(
            answer["log_probability"], abs=1e-3
        )


def test_the_best_of_several_is_the_caption(captioner: Captioner):
    ask = captioner.traced["serving_default"]
    for answer, plain in zip(described(captioner), answer_files(ask, FILES)):
        assert answer["caption"] == answer["captions"][0] == plain["caption"]
        assert len(answer["captions"]) == len(set(answer["log_probabilities"])) == 4
        assert answer["log_probabilities"][0] == answer["log_probability"]
        assert "".join(answer["tokens"]).strip() == answer["caption"]
    assert len(described(captioner, 1)[0]["captions"]) == 1
    for width, penalty, name in ((0, 1.0, "beam_width"), (1, -1.0, "length_penalty")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=name):
            captioner.traced["describe"](
                image=tf.constant([FILES[0][1]]),
                beam_width=tf.constant(width),
                length_penalty=tf.constant(penalty),
            )


def test_attention_is_a_distribution_over_the_picture(captioner: Captioner):
    for answer in described(captioner):
        assert answer["tokens"]  # no caption is empty
        attention = answer["attention"]
        assert attention.shape == (len(answer["tokens"]), 4, 6)
        sums = attention.sum(axis=(1, 2))
        if sums.any():
            assert sums == pytest.approx(1, abs=1e-5)
    is_blind = captioner.model.get_layer("decoder").attention is None
    assert sums.any() != is_blind


def test_features_are_the_mean_of_what_the_model_reads(captioner: Captioner):
    image = tf.constant([file for _, file in FILES])
    features = captioner.traced["features"](image=image)["features"]
    assert features.shape == (3, 6)
    read = captioner._read(image)
    assert features.numpy() == pytest.approx(captioner.pooled(read).numpy(), abs=1e-5)


def test_no_picture_at_all_gets_no_answer(captioner: Captioner):
    nothing = tf.constant([], tf.string)
    assert captioner.traced["serving_default"](image=nothing)["caption"].shape == (0,)
    assert captioner.traced["features"](image=nothing)["features"].shape == (0, 6)


def test_a_file_that_is_no_picture_is_named(captioner: Captioner):
    files = [*FILES, ("photos/b.jpg", b"text")]
    with pytest.raises(UserError, match="^photos/b.jpg: no picture that is known"):
        list(answer_files(captioner.traced["serving_default"], files))
