"""How likely each token of a text is after those before it, a stretch at a time.

Shapes: B batch, T tokens of a text, V vocabulary.
"""

import keras
import tensorflow as tf

from keras_seq.constants import PAD_ID
from keras_seq.models.text_generation import advance, initial_states

STEPS = 64  # at a time: logits of a long text do not fit into memory


def log_probabilities(model: keras.Model, token_ids: tf.Tensor) -> tf.Tensor:
    """Of each token, in nats; states are carried from stretch to stretch.

    Args:
        model: of `build_text_generation_model`.
        token_ids: int32 (B, T), padded with 0.

    Returns:
        float32 (B, T), 0 at padding.
    """
    steps = tf.shape(token_ids)[1]
    targets = tf.pad(token_ids, [[0, 0], [0, -steps % STEPS]])
    inputs = tf.pad(targets, [[0, 0], [1, 0]])[:, :-1]
    stretches = tf.shape(targets)[1] // STEPS

    def read(number, states, found):
        stretch = slice(number * STEPS, number * STEPS + STEPS)
        here = tf.ensure_shape(inputs[:, stretch], [None, STEPS])
        logits, _, states = advance(model, here, states)
        wanted = targets[:, stretch]
        each = -tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
        each = tf.where(wanted == PAD_ID, 0.0, each)
        return number + 1, states, found.write(number + 1, tf.transpose(each))

    # The first stretch is there for its shape, should there be no other.
    found = tf.TensorArray(tf.float32, stretches + 1, element_shape=[STEPS, None])
    batch = tf.shape(token_ids)[0]
    found = found.write(0, tf.zeros([STEPS, batch]))
    *_, found = tf.while_loop(
        lambda number, *_: number < stretches,
        read,
        (0, initial_states(model, batch), found),
    )
    each = tf.transpose(found.concat())[:, STEPS:]  # (B, T), T rounded up
    return each[:, :steps]
