"""Two paths to one answer, the LSTM's and the n-grams': trained apart, then weighed.

Trained together, the path that fits the train part first leaves the other nothing to
learn, and neither stands alone on new text. So each learns as if it were alone, in the
same steps, and two numbers found on validation data join them. Probabilities are
calibrated on the way: Guo et al. 2017, "On Calibration of Modern Neural Networks",
arXiv:1706.04599, have one such number, the temperature, for one logit.

Shapes: B batch, C classes, N samples, P = 2 paths.
"""

from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

if TYPE_CHECKING:
    from keras_seq.tasks.sentiment.targets import Target

PATHS = ("recurrent_logits", "ngram_logits")


def with_auxiliary_heads(model: keras.Model, target: "Target") -> keras.Model:
    """The same layers, answering with each path alone: what `fit` trains.

    Args:
        model: from `build_sentiment_model(..., ngram_ratios=...)`.
        target: what it answers.

    Returns:
        int32 (B, T) -> float32 (B, P, C), for the loss of `target.recipe`.
    """
    paths = [target.apart(model, model.get_layer(name).output) for name in PATHS]
    return keras.Model(model.input, ops.stack(paths, axis=1), name="paths")


def fit_head_weights(
    model: keras.Model, validation: tf.data.Dataset, target: "Target"
) -> keras.Model:
    """The same network with its two logits weighed as validation data has it.

    Args:
        model: from `build_sentiment_model(..., ngram_ratios=...)`, its layers trained.
        validation: batches of (token_ids, labels), kept apart from training.
        target: what it answers.

    Returns:
        A model with the same input, output and layers, and the weights as one more.
    """
    apart = with_auxiliary_heads(model, target)
    answer_apart = tf.function(
        lambda token_ids: apart(token_ids, training=False),
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
    )
    batches = [(answer_apart(ids).numpy(), y.numpy()) for ids, y in validation]
    heads, labels = (np.concatenate(parts) for parts in zip(*batches))
    weigh = layers.Dense(1, use_bias=False, name="evidence_weights")
    both = ops.stack([model.get_layer(name).output for name in PATHS], axis=-1)
    mixed = ops.squeeze(weigh(both), -1)  # (B, C), or (B, 1) of two classes
    weigh.set_weights([target.head_weights(heads, labels)[:, np.newaxis]])
    last = model.layers[-1]  # what makes answers of logits
    answer = last.__class__.from_config(last.get_config())(mixed)
    return keras.Model(model.input, answer, name=model.name)


def best_weights(
    logits: np.ndarray, labels: np.ndarray, sample_weights: np.ndarray | None = None
) -> np.ndarray:
    """The weights, zero or more, that give the weighted sum the least cross-entropy.

    Args:
        logits: float (N, P, C).
        labels: int (N,).
        sample_weights: float (N,), of the mean; None is 1 of all.

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
        each = logsumexp(mixed, axis=1) - mixed[rows, labels]
        return float(np.average(each, weights=sample_weights))

    # Where a path separates the classes, no weight is large enough: 10 is.
    start = np.full(logits.shape[1], 0.5)
    return minimize(cross_entropy, start, bounds=[(0, 10)] * len(start)).x
