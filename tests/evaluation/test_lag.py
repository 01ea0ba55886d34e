"""A forecast that is the last value once more is told from one that knows."""

import numpy as np
import pytest

from keras_seq.evaluation.lag import lag_check


def test_a_forecast_that_copies_the_last_row_is_seen():
    walk = np.cumsum(np.random.default_rng(3).normal(size=500))[:, None]
    last, target, series = walk[:-1], walk[1:], np.zeros(499, int)
    copied = lag_check(last, last, target, series)
    assert copied["with_last_row"] == pytest.approx(1.0)
    assert copied["with_target"] < copied["with_last_row"]
    assert copied["of_changes"] == 0.0
    known = lag_check(target, last, target, series)
    assert known["with_target"] == known["of_changes"] == pytest.approx(1.0)
    assert known["with_last_row"] < 1
