"""Two paths to one answer, the LSTM's and the n-grams': trained apart, then weighed.

Trained together, the path that fits the train part first leaves the other nothing to
learn, and neither stands alone on new text. So each learns as if it were alone, in the
same steps, and two numbers found on validation data join them. Probabilities are
calibrated on the way: Guo et al. 2017, "On Calibration of Modern Neural Networks",
arXiv:1706.04599, have one such number, the temperature, for one logit.

Shapes: B batch, C classes, N samples, P = 2 paths.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

PATHS = ("recurrent_logits", "ngram_logits")


def with_auxiliary_heads(model: keras.Model) -> keras.Model:
    """The same layers, answering with each path alone: what `fit` trains.

    Args:
        model: from `build_sentiment_model(..., ngram_ratios=...)`.

    Returns:
        int32 (B, T) -> logits float32 (B, P, C), for `losses.auxiliary_loss`.
    """
    paths = [_all_classes(model.get_layer(name).output) for name in PATHS]
    return keras.Model(model.input, ops.stack(paths, axis=1), name="paths")


def fit_head_weights(model: keras.Model, validation: tf.data.Dataset) -> keras.Model:
    """The same network with its two logits weighed as validation data has it.

    Args:
        model: from `build_sentiment_model(..., ngram_ratios=...)`, its layers trained.
        validation: batches of (token_ids, labels), kept apart from training.

    Returns:
        A model with the same input, output and layers, and the weights as one more.
    """
    apart = with_auxiliary_heads(model)
    answer_apart = tf.function(
        lambda token_ids: apart(token_ids, training=False),
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
    )
    batches = [(answer_apart(ids).numpy(), y.numpy()) for ids, y in validation]
    logits, labels = (np.concatenate(parts) for parts in zip(*batches))
    weigh = layers.Dense(1, use_bias=False, name="evidence_weights")
    both = ops.stack([model.get_layer(name).output for name in PATHS], axis=-1)
    mixed = ops.squeeze(weigh(both), -1)  # (B, C), or (B, 1) of two classes
    weigh.set_weights([best_weights(logits, labels)[:, np.newaxis]])
    activation = model.get_layer("probability").activation
    answer = layers.Activation(activation, name="probability")(mixed)
    return keras.Model(model.input, answer, name=model.name)


def best_weights(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The weights, zero or more, that give the weighted sum the least cross-entropy.

    Args:
        logits: float (N, P, C).
        labels: int (N,).

    Returns:
        float64 (P,).

    Example:

    >>> logits = np.array([[[0.0, 4.0], [0.0, -1.0]], [[4.0, 0.0], [-1.0, 0.0]]])
    >>> first, second = best_weights(logits, np.array([1, 0]))
    >>> bool(first > 0.5), float(second)
    (True, 0.0)
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    logits = logits.astype(np.float64)
    rows = np.arange(len(labels))

    def cross_entropy(weights: np.ndarray) -> float:
        mixed = np.einsum("npc,p->nc", logits, weights)
        return float(np.mean(logsumexp(mixed, axis=1) - mixed[rows, labels]))

    # Where a path separates the classes, no weight is large enough: 10 is.
    start = np.full(logits.shape[1], 0.5)
    return minimize(cross_entropy, start, bounds=[(0, 10)] * len(start)).x


def _all_classes(logits: keras.KerasTensor) -> keras.KerasTensor:
    """(B, C); of two classes the first has the logit 0."""
    if logits.shape[-1] > 1:
        return logits
    return ops.concatenate([ops.zeros_like(logits), logits], axis=-1)
