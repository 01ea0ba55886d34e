"""How likely each token of a text is after those before it, a stretch at a time.

Dynamic evaluation learns from each stretch once it is scored: Krause et al. 2018,
"Dynamic evaluation of neural sequence models", arXiv:1709.07432. Texts repeat
themselves, and gradient steps on what was just read catch it. No token is learnt from
before it is scored. Independent of text or files.

Shapes: B batch, N tokens, T tokens of a text or time steps, V vocabulary.
"""

import keras
import numpy as np
import tensorflow as tf

from keras_seq.constants import PAD_ID
from keras_seq.errors import UserError
from keras_seq.evaluation.finite import check_answers
from keras_seq.models.recurrent_states import advance, initial_states

STEPS = 64  # at a time: logits of a long text do not fit into memory
RATES = (0.003, 0.01, 0.03, 0.1, 0.3)  # of dynamic evaluation


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


def dynamic_log_probabilities(
    model: keras.Model,
    token_ids: np.ndarray,
    *,
    learning_rate: float,
    steps: int = 20,
    pull: float = 0.002,
) -> np.ndarray:
    """Log-probabilities of a text's tokens, learning on the way.

    Plain gradient steps, pulled back to the trained weights; afterwards the model is
    what it was.

    Args:
        model: of `build_text_generation_model`, trained.
        token_ids: int32 (N,).
        learning_rate: of the steps, chosen on validation text; 0 learns nothing.
        steps: T, tokens that are scored before each step.
        pull: share of the way back to the trained weights that each step goes.

    Returns:
        float64 (N,), in nats.

    Example:

    >>> from keras_seq.models.text_generation import build_text_generation_model
    >>> model = build_text_generation_model(5, 4, 8)
    >>> text = np.tile([2, 3, 4], 200)
    >>> still, learning = (
    ...     dynamic_log_probabilities(model, text, learning_rate=rate).mean()
    ...     for rate in (0.0, 1.0))
    >>> bool(learning > still)
    True
    """
    trained = [tf.constant(w.value) for w in model.trainable_variables]

    @tf.function(reduce_retracing=True)
    def score(inputs: tf.Tensor, targets: tf.Tensor, states: list) -> tuple:
        with tf.GradientTape() as tape:
            logits, _, states = advance(model, inputs, states)
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_mean(each)
        if learning_rate:
            weights = model.trainable_variables
            gradients = tape.gradient(loss, [w.value for w in weights])
            gradients = [tf.convert_to_tensor(g) for g in gradients]
            gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
            for weight, gradient, old in zip(weights, gradients, trained):
                weight.assign_add(
                    pull * (old - weight.value) - learning_rate * gradient
                )
        return -each[0], states

    inputs = np.concatenate([[PAD_ID], token_ids[:-1]]).astype(np.int32)
    states, found = initial_states(model, 1), []
    try:
        for start in range(0, len(token_ids), steps):
            here = slice(start, start + steps)
            each, states = score(
                tf.constant(inputs[None, here]),
                tf.constant(np.asarray(token_ids[here], np.int32)[None]),
                states,
            )
            found.append(each.numpy())
    finally:
        for weight, old in zip(model.trainable_variables, trained):
            weight.assign(old)
    return np.concatenate(found).astype(np.float64)


def score_dynamic(
    model: keras.Model, validation: np.ndarray, test: np.ndarray
) -> dict[str, float]:
    """Scores test, at the rate that is best on validation.

    Args:
        model: of `build_text_generation_model`, trained.
        validation, test: int32 (N,), token ids.

    Raises:
        UserError: The model diverges at every rate.
    """
    validation = np.asarray(validation)
    losses = {
        rate: -dynamic_log_probabilities(model, validation, learning_rate=rate).mean()
        for rate in RATES
    }
    # A rate at which the model diverges is none to choose.
    losses = {rate: loss for rate, loss in losses.items() if np.isfinite(loss)}
    if not losses:
        raise UserError("dynamic evaluation diverges at every rate; leave it out")
    rate = min(losses, key=losses.__getitem__)
    loss = -dynamic_log_probabilities(model, test, learning_rate=rate).mean()
    check_answers(loss, "losses of dynamic evaluation")
    found = {"cross_entropy": loss, "perplexity": np.exp(loss), "learning_rate": rate}
    return {name: float(value) for name, value in found.items()}
