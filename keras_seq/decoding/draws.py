"""Random numbers that are a function of a seed, a prompt and a step, in a graph.

So a row of a batch draws what it would draw alone, and a server that is asked for one
token at a time draws what the whole loop would.

Shapes: B batch, N steps.
"""

import tensorflow as tf

# How many different random numbers there are; float32 holds each of them.
DRAWS = 2**24
HASH_KEY = (0x6B657261735F7365, 0x715F74657874)  # of SipHash; any two numbers do


def prompt_key(prompt: tf.Tensor) -> tf.Tensor:
    """A number of each prompt, to draw by: string (B,) to int64 (B,)."""
    return tf.strings.to_hash_bucket_strong(prompt, 2**62, list(HASH_KEY))


def uniforms(seed: tf.Tensor, key: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
    """Numbers in [0, 1), each a hash of seed, prompt and step.

    SipHash (Aumasson and Bernstein 2012) is a pseudo-random function, and a core
    operation on whole arrays; `tf.random`'s own take one seed a call.

    Args:
        seed: int32 ().
        key: int64 (B,), of `prompt_key`.
        steps: int32 (N,).

    Returns:
        float32 (B, N).

    Example:

    >>> key = prompt_key(tf.constant(["a", "b"]))
    >>> both = uniforms(tf.constant(1), key, tf.range(3))
    >>> alone = uniforms(tf.constant(1), key[1:], tf.constant([2]))
    >>> both.shape, bool(alone[0, 0] == both[1, 2])
    (TensorShape([2, 3]), True)
    """
    row = tf.strings.as_string(seed) + " " + tf.strings.as_string(key) + " "
    places = row[:, None] + tf.strings.as_string(steps)[None]  # (B, N)
    draws = tf.strings.to_hash_bucket_strong(places, DRAWS, list(HASH_KEY))
    return tf.cast(draws, tf.float32) / DRAWS
