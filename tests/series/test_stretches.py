"""Windows of labelled rows."""

import pytest

from keras_seq.errors import UserError
from keras_seq.series import cut_windows


def test_windows_hold_one_label_of_one_session():
    stretches = [
        ("a", "walk", 60),
        ("a", "run", 49),
        ("b", "run", 50),
        ("a", "run", 55),
    ]
    rows = [(session, name) for session, name, count in stretches for _ in range(count)]
    sessions, names = zip(*rows)
    values = [[n, -n] for n in range(len(rows))]
    windows, names, sessions = cut_windows(values, 50, names, sessions)
    assert windows.shape == (3, 50, 2) and windows.dtype == "float32"
    assert windows[:, 0, 0].tolist() == [0, 109, 159]
    assert windows[:, -1, 1].tolist() == [-49, -158, -208]
    assert list(zip(names, sessions)) == [("walk", "a"), ("run", "b"), ("run", "a")]


def test_without_keys_all_rows_are_one_stretch():
    (windows,) = cut_windows([[n] for n in range(7)], 3)
    assert windows[:, :, 0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_no_window_at_all_is_an_error_in_words():
    with pytest.raises(UserError, match="no stretch has 3 rows"):
        cut_windows([[1], [2], [3]], 3, ["a", "b", "b"])
    with pytest.raises(UserError, match="no stretch has 3 rows"):
        cut_windows([], 3, [])
