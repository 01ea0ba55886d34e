"""CTC's loss and gradient against a plain forward-backward in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.losses import ctc_loss, ctc_loss_of_probabilities, ctc_targets

# (frames, symbols): one symbol, repeats, as many frames as needed, padding, none.
TABLE = {
    "one symbol": (5, [2]),
    "three symbols": (9, [1, 2, 3]),
    "repeats": (8, [1, 1, 2, 2]),
    "no frame to spare": (5, [3, 3, 1, 2]),
    "one frame": (1, [3]),
    "many frames, few symbols": (12, [2, 1]),
    "nothing said": (4, []),
}
STEPS, CLASSES = 12, 4


def forward_backward(
    logits: np.ndarray, symbols: list[int]
) -> tuple[float, np.ndarray]:
    """Graves et al. 2006, equations 6 to 16, in probabilities: loss and gradient."""
    probabilities = np.exp(logits - np.logaddexp.reduce(logits, 1, keepdims=True))
    path = [0]
    for symbol in symbols:
        path += [symbol, 0]
    steps, places = len(logits), len(path)
    emitted = probabilities[:, path]  # (T, 2 U + 1)

    def may_skip(place: int) -> bool:
        return place >= 2 and path[place] != 0 and path[place] != path[place - 2]

    alpha, beta = np.zeros((steps, places)), np.zeros((steps, places))
    alpha[0, :2] = emitted[0, :2]
    for t in range(1, steps):
        for s in range(places):
            before = alpha[t - 1, max(0, s - 1) : s + 1].sum()
            before += alpha[t - 1, s - 2] if may_skip(s) else 0
            alpha[t, s] = before * emitted[t, s]
    beta[-1, -2:] = emitted[-1, -2:]
    for t in range(steps - 2, -1, -1):
        for s in range(places):
            after = beta[t + 1, s : s + 2].sum()
            skips = s + 2 < places and may_skip(s + 2)
            after += beta[t + 1, s + 2] if skips else 0
            beta[t, s] = after * emitted[t, s]
    total = alpha[-1, -2:].sum()
    gradient = probabilities.copy()
    for t in range(steps):
        for s, symbol in enumerate(path):
            share = alpha[t, s] * beta[t, s] / emitted[t, s] / total
            gradient[t, symbol] -= share
    return -np.log(total), gradient


def batch() -> tuple[np.ndarray, tf.Tensor]:
    """All cases of the table in one padded batch; padding is loud."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (len(TABLE), STEPS, CLASSES)).astype("float32")
    symbols = np.zeros((len(TABLE), 4), "int32")
    for row, (_, said) in zip(symbols, TABLE.values()):
        row[: len(said)] = said
    frames = np.array([frames for frames, _ in TABLE.values()], "int32")
    return logits, ctc_targets(frames, symbols)


@pytest.fixture(scope="module")
def computed() -> tuple[np.ndarray, np.ndarray]:
    logits, targets = batch()
    logits = tf.Variable(logits)
    with tf.GradientTape() as tape:
        losses = ctc_loss(targets, logits)
        total = tf.reduce_sum(losses)
    return losses.numpy(), tape.gradient(total, logits).numpy()


@pytest.mark.parametrize("row", range(len(TABLE)), ids=list(TABLE))
def test_loss_and_gradient_are_those_of_forward_backward(row: int, computed):
    frames, symbols = list(TABLE.values())[row]
    logits = batch()[0][row, :frames].astype("float64")
    loss, gradient = forward_backward(logits, symbols)
    assert computed[0][row] == pytest.approx(loss, rel=1e-4)
    assert computed[1][row, :frames] == pytest.approx(gradient, abs=2e-4)


@pytest.mark.parametrize("row", range(len(TABLE)), ids=list(TABLE))
def test_padded_frames_have_no_gradient(row: int, computed):
    frames, _ = list(TABLE.values())[row]
    assert np.abs(computed[1][row, frames:]).max(initial=0) == 0


def test_keras_own_loss_scores_padding_and_this_one_does_not():
    logits, targets = batch()
    louder = logits.copy()
    louder[0, TABLE["one symbol"][0] :] += np.random.default_rng(1).normal(
        0, 5, (STEPS - 5, CLASSES)
    )
    ours = [float(ctc_loss(targets, each)[0]) for each in (logits, louder)]
    theirs = [
        float(keras.losses.ctc(targets[:, 1:], each)[0]) for each in (logits, louder)
    ]
    assert ours[0] == ours[1]
    assert abs(theirs[0] - theirs[1]) > 0.1


def test_probabilities_and_logits_have_the_same_loss():
    logits, targets = batch()
    probabilities = tf.nn.softmax(logits)
    assert ctc_loss_of_probabilities(targets, probabilities).numpy() == pytest.approx(
        ctc_loss(targets, logits).numpy(), rel=1e-3
    )
