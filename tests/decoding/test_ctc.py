"""Decoders on scripted answers that a reader can check."""

import itertools
import math

import numpy as np
import pytest

from keras_seq.decoding.ctc import best_path, prefix_beam_search


def scripted(*classes: int, num_classes: int = 4) -> np.ndarray:
    """Logits (1, T, C) that are sure of one class a frame."""
    return np.eye(num_classes, dtype="float32")[list(classes)][None] * 20


def greedy(logits: np.ndarray, frames: int) -> list[int]:
    ids, written, _ = (np.array(part) for part in best_path(logits, [frames]))
    return ids[written].tolist()


@pytest.mark.parametrize(
    ("classes", "frames", "expected"),
    [
        ((1, 1, 1), 3, [1]),
        ((1, 0, 1), 3, [1, 1]),
        ((0, 0, 0), 3, []),
        ((1, 2, 2, 3), 4, [1, 2, 3]),
        ((1, 2, 3, 3), 2, [1, 2]),
        ((2, 0, 0, 2), 3, [2]),
        ((1, 2), 0, []),
    ],
)
def test_the_best_path_is_collapsed_within_the_real_frames(classes, frames, expected):
    assert greedy(scripted(*classes), frames) == expected
    sure = scripted(*classes)[0, :frames]
    log_probabilities = sure - np.logaddexp.reduce(sure, axis=1, keepdims=True)
    assert list(prefix_beam_search(log_probabilities)[0].ids) == expected


def test_the_score_is_the_log_probability_of_the_path():
    logits = np.log([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.0001, 0.0001, 0.9998]]])
    assert float(best_path(logits, [2])[2][0]) == pytest.approx(math.log(0.5 * 0.8))


def every_reading(log_probabilities: np.ndarray) -> dict[tuple, float]:
    """Probability of each reading, by adding up all paths one by one."""
    steps, classes = log_probabilities.shape
    found: dict[tuple, float] = {}
    for path in itertools.product(range(classes), repeat=steps):
        ids = tuple(k for k, _ in itertools.groupby(path) if k)
        chance = math.exp(sum(log_probabilities[t, c] for t, c in enumerate(path)))
        found[ids] = found.get(ids, 0) + chance
    return found


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_beam_adds_up_all_alignments(seed: int):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (5, 4))
    log_probabilities = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    expected = every_reading(log_probabilities)
    found = prefix_beam_search(log_probabilities, beam_width=500)
    assert found[0].ids == max(expected, key=expected.get)
    for ids, score in found[:20]:
        assert math.exp(score) == pytest.approx(expected[ids])


def test_a_language_model_turns_a_close_decision():
    # 1 or 2 is heard, 1 a little surer; the model has never read 1.
    log_probabilities = np.log([[0.05, 0.50, 0.45], [0.98, 0.01, 0.01]])
    alone = prefix_beam_search(log_probabilities)[0].ids
    guided = prefix_beam_search(
        log_probabilities, extend=lambda prefix, symbol: -9.0 if symbol == 1 else 0.0
    )[0].ids
    assert (alone, guided) == ((1,), (2,))


def test_what_a_finished_reading_lacks_is_asked_once():
    log_probabilities = np.log([[0.1, 0.6, 0.3]])
    best = prefix_beam_search(
        log_probabilities, finish=lambda prefix: 0.0 if prefix == (2,) else -5.0
    )[0]
    assert best.ids == (2,)
    assert best.score == pytest.approx(math.log(0.3))


def test_misuse_is_told():
    with pytest.raises(ValueError, match="beam_width is 0"):
        prefix_beam_search(np.zeros((2, 3)), beam_width=0)
    with pytest.raises(ValueError, match=r"\(2, 3, 4\)"):
        prefix_beam_search(np.zeros((2, 3, 4)))
