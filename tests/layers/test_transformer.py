"""Numbers of a Transformer's parts, against NumPy and Keras' own attention."""

import keras
import numpy as np
import pytest

from keras_seq.layers.transformer import SinusoidalPositions, TransformerBlock


def test_positions_are_those_of_the_paper():
    width, steps = 6, 9
    expected = np.zeros((steps, width))
    for position in range(steps):
        for i in range(width // 2):
            angle = position / 10000 ** (2 * i / width)
            expected[position, 2 * i] = np.sin(angle)
            expected[position, 2 * i + 1] = np.cos(angle)
    zeros = np.zeros((1, steps, width), "float32")
    assert np.array(SinusoidalPositions()(zeros))[0] == pytest.approx(
        expected, abs=1e-6
    )
    shifted = SinusoidalPositions()(
        zeros[:, :2].repeat(2, 0), np.array([0, 7], "int32")
    )
    assert np.array(shifted)[1] == pytest.approx(expected[7:], abs=1e-5)


def test_vectors_are_multiplied_by_the_root_of_their_width():
    ones = np.ones((1, 1, 4), "float32")
    assert np.array(SinusoidalPositions()(ones))[0, 0].tolist() == [2, 3, 2, 3]


@pytest.mark.parametrize("causal", [False, True])
def test_self_attention_is_keras_multi_head_attention(causal: bool):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 8)).astype("float32")
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], bool)
    block = TransformerBlock(2, 16, causal=causal)
    block(x, mask)
    for weight in block.dense["projection"].weights:
        weight.assign(rng.normal(size=weight.shape))
    theirs = keras.layers.MultiHeadAttention(2, 4)
    theirs(x, x)
    kernel, bias = (np.array(w) for w in block.dense["projection"].weights)
    parts = []
    for part in range(3):  # query, key, value
        columns = slice(8 * part, 8 * part + 8)
        parts += [kernel[:, columns].reshape(8, 2, 4), bias[columns].reshape(2, 4)]
    output, output_bias = (np.array(w) for w in block.dense["output"].weights)
    query, query_bias, key, key_bias, value, value_bias = parts
    theirs.set_weights(
        [query, query_bias, key, key_bias, value, value_bias]
        + [output.reshape(2, 4, 8), output_bias]
    )
    normed = block.norms["self"](x)
    expected = theirs(
        normed, normed, attention_mask=mask[:, None, :], use_causal_mask=causal
    )
    # What the block adds before its feed-forward net, which is switched off here.
    block.dense["contract"].kernel.assign(np.zeros((16, 8)))
    found = np.array(block(x, mask)) - x
    assert found[mask] == pytest.approx(np.array(expected)[mask], abs=1e-5)


def test_the_feed_forward_net_and_post_norm_are_those_of_the_paper():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1, 3, 4)).astype("float32")
    block = TransformerBlock(2, 6, activation="relu", pre_norm=False)
    block(x)
    block.dense["output"].kernel.assign(np.zeros((4, 4)))  # no attention

    def normed(values):
        mean = values.mean(-1, keepdims=True)
        return (values - mean) / np.sqrt(values.var(-1, keepdims=True) + 1e-6)

    (w1, b1), (w2, b2) = (
        [np.array(w) for w in block.dense[name].weights]
        for name in ("expand", "contract")
    )
    inner = normed(x)
    expected = normed(inner + np.maximum(inner @ w1 + b1, 0) @ w2 + b2)
    assert np.array(block(x)) == pytest.approx(expected, abs=1e-5)


def test_a_width_that_does_not_divide_is_refused():
    with pytest.raises(ValueError, match="multiple of num_heads"):
        TransformerBlock(3, 8)(np.zeros((1, 2, 8)))
