"""Samplers on logits whose answers a reader can check."""

import numpy as np
import pytest
from keras import ops

from keras_seq.decoding.samplers import (
    NEVER,
    keep_likeliest,
    penalize_repetition,
    sample_next,
    suppress,
)

PROBABILITIES = np.array([0.1, 0.4, 0.2, 0.3])
LOGITS = np.log(PROBABILITIES)[None].astype("float32")


def frequencies(**options) -> np.ndarray:
    uniforms = (np.arange(2000) + 0.5) / 2000
    rows = np.repeat(LOGITS, 2000, axis=0)
    ids = ops.convert_to_numpy(sample_next(rows, uniforms.astype("float32"), **options))
    return np.bincount(ids, minlength=4) / 2000


def test_tokens_come_as_often_as_they_are_likely():
    assert frequencies() == pytest.approx(PROBABILITIES, abs=2e-3)


def test_temperature_sharpens_and_flattens():
    for temperature in (0.5, 2.0):
        expected = PROBABILITIES ** (1 / temperature)
        expected /= expected.sum()
        found = frequencies(temperature=temperature)
        assert found == pytest.approx(expected, abs=2e-3)


def test_temperature_zero_takes_the_likeliest():
    assert frequencies(temperature=0.0).tolist() == [0, 1, 0, 0]


def test_top_k_keeps_the_k_likeliest():
    expected = [0, 0.4 / 0.7, 0, 0.3 / 0.7]
    assert frequencies(top_k=2) == pytest.approx(expected, abs=2e-3)
    assert frequencies(top_k=1).tolist() == [0, 1, 0, 0]
    assert frequencies(top_k=99) == pytest.approx(PROBABILITIES, abs=2e-3)


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.0, [1]), (0.39, [1]), (0.41, [1, 3]), (0.69, [1, 3]), (0.71, [1, 2, 3])],
)
def test_top_p_keeps_the_fewest_that_reach_it(top_p: float, kept: list[int]):
    logits = keep_likeliest(LOGITS, ops.array(0), ops.array(top_p, "float32"))
    assert np.nonzero(np.array(logits)[0] > NEVER)[0].tolist() == kept


def test_top_p_is_of_what_top_k_left():
    # 0.4 of 0.4 + 0.3 is 0.57: it alone reaches a half.
    assert frequencies(top_k=2, top_p=0.5).tolist() == [0, 1, 0, 0]


def test_rows_do_not_meet():
    rows = np.concatenate([LOGITS, LOGITS[:, ::-1]])
    found = sample_next(rows, np.array([0.3, 0.3], "float32"), top_k=2)
    alone = [sample_next(r[None], np.array([0.3], "float32"), top_k=2) for r in rows]
    assert np.array(found).tolist() == [int(each[0]) for each in alone]


def test_the_last_number_below_one_still_names_a_token():
    edge = np.array([np.nextafter(np.float32(1), np.float32(0))])
    assert int(sample_next(LOGITS, edge)[0]) == 3


def test_suppressed_tokens_never_come():
    logits = suppress(LOGITS, [1, 3])
    assert int(sample_next(logits, np.array([0.999], "float32"))[0]) == 2
    assert int(sample_next(logits, np.array([0.0], "float32"), temperature=0.0)[0]) == 2


def test_repetition_is_penalised_on_both_sides_of_zero():
    logits = np.array([[3.0, -3.0, 3.0, -3.0]], "float32")
    seen = np.array([[0, 1, -1, 0]])
    found = np.array(penalize_repetition(logits, seen, 1.5))
    assert found.tolist() == [[2.0, -4.5, 3.0, -3.0]]
