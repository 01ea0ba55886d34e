"""How much to trust the LSTM, and how much the n-grams: found on validation data.

Two numbers, fitted after training, turn two logits into one; probabilities are
calibrated on the way. Guo et al. 2017, "On Calibration of Modern Neural Networks",
arXiv:1706.04599, have one number, the temperature, for one logit.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def weigh_evidence(model: keras.Model, validation: tf.data.Dataset) -> keras.Model:
    """The same network with its two logits weighed as validation data has it.

    Args:
        model: from `build_sentiment_model(..., ngram_ratios=...)`, trained.
        validation: batches of (token_ids, labels), kept apart from training.

    Returns:
        A model with the same inputs, outputs and layers, and the weights as one more.
    """
    paths = [model.get_layer(n).output for n in ("recurrent_logits", "ngram_logits")]
    both = ops.stack(paths, axis=-1)  # (B, C, 2)
    apart = keras.Model(model.input, both)
    answer_apart = tf.function(
        lambda token_ids: apart(token_ids, training=False),
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
    )
    logits, labels = [], []
    for token_ids, some in validation:
        logits.append(answer_apart(token_ids).numpy())
        labels.append(some.numpy())
    weights = best_weights(np.concatenate(logits), np.concatenate(labels))
    weigh = layers.Dense(1, use_bias=False, name="evidence_weights")
    mixed = ops.squeeze(weigh(both), -1)  # (B, C)
    weigh.set_weights([weights[:, np.newaxis]])
    activation = model.get_layer("probability").activation
    answer = layers.Activation(activation, name="probability")(mixed)
    return keras.Model(model.input, answer, name=model.name)


def best_weights(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The two weights, zero or more, of least cross-entropy.

    Args:
        logits: float (N, C, 2), or (N, 1, 2) of the second of two classes.
        labels: int (N,).

    Returns:
        float64 (2,).

    Example:

    >>> logits = np.array([[[4.0, -1.0]], [[-4.0, 1.0]]])
    >>> first, second = best_weights(np.repeat(logits, 9, 0), np.repeat([1, 0], 9))
    >>> bool(first > 0.5), float(second)
    (True, 0.0)
    """
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    logits = logits.astype(np.float64)
    rows = np.arange(len(labels))

    def cross_entropy(weights: np.ndarray) -> float:
        mixed = logits @ weights  # (N, C)
        return float(np.mean(logsumexp(mixed, axis=1) - mixed[rows, labels]))

    # More than 10 is a logit that separates the classes: surer is not better.
    found = minimize(cross_entropy, [0.5, 0.5], bounds=[(0, 10)] * 2)
    return found.x
