"""Splits in which groups stay whole."""

import numpy as np
import pytest

from keras_seq.data import split_groups
from keras_seq.errors import UserError


def test_every_sample_stands_in_one_part_and_every_group_in_one():
    groups = np.random.default_rng(0).integers(0, 30, 500)
    parts = split_groups(groups, validation=0.1, test=0.3, seed=4)
    assert np.all(sum(mask.astype(int) for mask in parts.values()) == 1)
    held = {name: set(groups[mask]) for name, mask in parts.items()}
    assert {name: len(some) for name, some in held.items()} == {
        "train": 18,
        "validation": 3,
        "test": 9,
    }


def test_the_seed_decides_not_the_order_of_the_samples():
    groups = np.array(list("abcdefghij") * 2)
    one, same, other = (split_groups(groups, seed=seed)["test"] for seed in (0, 0, 1))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert np.array_equal(split_groups(groups[::-1])["test"], one[::-1])


def test_too_few_groups_are_an_error_and_a_part_may_be_left_out():
    with pytest.raises(UserError, match="2 groups are too few"):
        split_groups(["a", "b"])
    parts = split_groups(["a", "b"], validation=0)
    assert [int(mask.sum()) for mask in parts.values()] == [1, 0, 1]
