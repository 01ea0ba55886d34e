"""Cross-entropy of tokens whose logits are a product, which is never kept.

Of TensorFlow alone: no other backend's tensors can carry what they are made of.

Shapes: B batch, T time steps, N = B T, R rows of a block, V vocabulary, E embedding.
"""

import tensorflow as tf

BLOCK = 2**22  # logits at a time: few enough to stay in a processor's cache


def factored_cross_entropy(
    targets: tf.Tensor,
    weights: tf.Tensor,
    features: tf.Tensor,
    vectors: tf.Tensor,
    label_smoothing: float = 0.0,
) -> tf.Tensor:
    """`smoothed_cross_entropy` of the logits features vectors^T, times a weight a step.

    A block of rows after another is multiplied out, and only its part of the loss and
    of the gradients is kept: nothing as large as the logits stands between the forward
    and the backward pass. With p = softmax(logits), t the target, w the weight and a
    the smoothed share:

        d loss / d features = w (p vectors - (1 - a) vectors[t] - a mean(vectors))
        d loss / d vectors = sum of w (p - (1 - a) [v = t] - a / V) features

    They are summed for an upstream gradient that is the same at all steps, as under a
    batch's mean; under another one the blocks are multiplied out again.

    Args:
        targets: int32 (B, T).
        weights: float32 (B, T), 0 where there is no target.
        features: float32 (B, T, E).
        vectors: float32 (V, E).
        label_smoothing: a.

    Returns:
        float32 (B, T).

    Example:

    >>> vectors, one = tf.math.log([[0.5], [0.25], [0.25]]), tf.ones((1, 1))
    >>> loss = factored_cross_entropy(tf.constant([[0]]), one, one[..., None], vectors)
    >>> round(float(loss[0, 0]), 3)
    0.693
    """
    places = tf.reshape(targets, (-1,))  # (N,)
    shares = tf.reshape(weights, (-1, 1))  # (N, 1)
    vectors = tf.convert_to_tensor(vectors)  # of a variable, its value
    vocab_size, size = vectors.shape

    def parts(x: tf.Tensor, vectors: tf.Tensor, shares: tf.Tensor) -> tuple:
        """Weighted losses (N,), and the gradients of their sum."""
        wanted = (1 - label_smoothing) * tf.gather(vectors, places)
        wanted += label_smoothing * tf.reduce_mean(vectors, axis=0)
        log_sums, by_x, by_vectors = _softmax_products(x, vectors, shares)
        losses = (log_sums - tf.reduce_sum(x * wanted, axis=-1)) * shares[:, 0]
        weighted = shares * x
        by_vectors -= (1 - label_smoothing) * tf.math.unsorted_segment_sum(
            weighted, places, vocab_size
        )
        by_vectors -= label_smoothing / vocab_size * tf.reduce_sum(weighted, axis=0)
        return losses, shares * (by_x - wanted), by_vectors

    @tf.custom_gradient
    def loss(x: tf.Tensor, vectors: tf.Tensor) -> tuple:
        losses, by_x, by_vectors = parts(x, vectors, shares)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            counts = shares[:, 0] != 0
            one = upstream[tf.argmax(tf.cast(counts, tf.int32))]
            return tf.cond(
                tf.reduce_all(tf.logical_or(upstream == one, tf.logical_not(counts))),
                lambda: (one * by_x, one * by_vectors),
                lambda: parts(x, vectors, shares * upstream[:, None])[1:],
            )

        return losses, gradient

    losses = loss(tf.reshape(features, (-1, size)), vectors)
    return tf.reshape(losses, tf.shape(targets))


def _softmax_products(
    x: tf.Tensor, vectors: tf.Tensor, shares: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """log sum exp(logits) (N,), p vectors (N, E), and the sum of w p^T x (V, E)."""
    vocab_size, size = vectors.shape
    count = tf.shape(x)[0]
    blocks = count * vocab_size // BLOCK + 1
    rows = -(-count // blocks)  # of each; XLA asks for equal blocks

    def in_blocks(values: tf.Tensor, width: int) -> tf.Tensor:
        padded = tf.pad(values, [[0, blocks * rows - count], [0, 0]])
        return tf.reshape(padded, (blocks, rows, width))

    each_x, each_share = in_blocks(x, size), in_blocks(shares, 1)

    def step(
        number: tf.Tensor,
        log_sums: tf.TensorArray,
        by_x: tf.TensorArray,
        by_vectors: tf.Tensor,
    ) -> tuple:
        block = each_x[number]  # (R, E)
        logits = tf.matmul(block, vectors, transpose_b=True)  # (R, V)
        highest = tf.reduce_max(logits, axis=-1, keepdims=True)
        powers = tf.exp(logits - highest)
        sums = tf.reduce_sum(powers, axis=-1, keepdims=True)
        scaled = block * each_share[number] / sums
        return (
            number + 1,
            log_sums.write(number, tf.math.log(sums) + highest),
            by_x.write(number, tf.matmul(powers, vectors) / sums),
            by_vectors + tf.matmul(powers, scaled, transpose_a=True),
        )

    log_sums, by_x = (
        tf.TensorArray(x.dtype, blocks, element_shape=(None, width), infer_shape=False)
        for width in (1, size)
    )
    _, log_sums, by_x, by_vectors = tf.while_loop(
        lambda number, *_: number < blocks,
        step,
        (tf.zeros((), tf.int32), log_sums, by_x, tf.zeros_like(vectors)),
        parallel_iterations=1,
    )
    log_sums = tf.reshape(log_sums.stack(), (-1,))[:count]
    return log_sums, tf.reshape(by_x.stack(), (-1, size))[:count], by_vectors
