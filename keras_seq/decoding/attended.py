"""What each token of a finished sequence looked at. Knows no model and no text.

Shapes: B rows, T tokens, S steps of a source.
"""

import tensorflow as tf

from keras_seq.constants import PAD_ID
from keras_seq.decoding.beam_search import Advance, State


def attention_weights(
    advance: Advance,
    fixed: State,
    moving: State,
    token_ids: tf.Tensor,
    steps: tf.Tensor,
) -> tf.Tensor:
    """Goes over sequences once more, step by step, and keeps the attention weights.

    Args:
        advance: as `beam_search` takes it.
        fixed, moving: as `beam_search` takes them: the states before the first token.
        token_ids: int32 (B, T), T 1 or more, padded with 0.
        steps: int32 (), S.

    Returns:
        float32 (B, T, S), 0 at padding, and everywhere where `advance` gives none.

    Example:

    >>> def advance(ids, fixed, moving):
    ...     return None, moving, tf.one_hot(ids, 2)
    >>> weights = attention_weights(advance, (), (), tf.constant([[1, 1, 0]]), 2)
    >>> weights.numpy().tolist()
    [[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]]
    """
    read = tf.transpose(tf.pad(token_ids[:, :-1], [[0, 0], [1, 0]]))  # (T, B)
    nothing = tf.zeros([tf.shape(token_ids)[0], steps])

    def step(state: tuple, ids: tf.Tensor) -> tuple:
        _, after, weights = advance(ids, fixed, state[0])
        after = tf.nest.map_structure(
            lambda new, old: tf.reshape(new, tf.shape(old)), after, state[0]
        )
        return after, nothing if weights is None else weights

    _, weights = tf.scan(step, read, (moving, nothing))  # (T, B, S)
    there = tf.cast(token_ids != PAD_ID, tf.float32)
    return tf.transpose(weights, [1, 0, 2]) * there[:, :, None]
