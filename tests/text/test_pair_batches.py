"""Batches of pairs: every pair once, by tokens, and the same again after a resume."""

import numpy as np
import pytest

from keras_seq.data.batches import plan_token_batches
from keras_seq.errors import UserError
from keras_seq.text.coders import Bytes
from keras_seq.text.pair_batches import END_ID, make_pair_dataset
from keras_seq.text.pairs import SentencePair


def test_batches_hold_every_sample_once_and_so_many_tokens():
    lengths = np.random.default_rng(0).integers(1, 40, (500, 2))
    plans = [plan_token_batches(lengths, 300, seed=7, epoch=n) for n in range(3)]
    for plan in plans:
        assert sorted(np.concatenate(plan).tolist()) == list(range(500))
        for rows in plan:
            padded = len(rows) * lengths[rows].max(axis=0).sum()
            assert padded <= 300 or len(rows) == 1
    # As many in every epoch, and not the same ones.
    assert len({len(plan) for plan in plans}) == 1
    assert any((len(a) != len(b)) or (a != b).any() for a, b in zip(*plans[:2]))
    tokens = sum(len(r) * lengths[r].max(axis=0).sum() for r in plans[0])
    assert tokens < 1.25 * lengths.sum()


def pairs() -> list[SentencePair]:
    return [SentencePair("s" * (n % 7 + 1), "t" * (n % 5 + 1)) for n in range(60)]


def test_a_target_is_read_behind_a_start_and_ends():
    dataset = make_pair_dataset(pairs(), Bytes(), batch_tokens=64)
    seen = 0
    for (source, so_far), following in dataset.as_numpy_iterator():
        seen += len(source)
        assert (so_far[:, 0] == 0).all()
        assert (so_far[:, 1:] == following[:, :-1]).all()
        for row in (*source, *following):
            ids = row[row != 0]
            assert ids[-1] == END_ID and (ids[:-1] != END_ID).all()
            assert (row[len(ids) :] == 0).all()
    assert seen == 60


def test_an_epoch_can_be_entered_at_any_batch():
    dataset = make_pair_dataset(pairs(), Bytes(), batch_tokens=64, shuffle=True, seed=3)
    size = dataset.num_batches
    whole = list(dataset.starting_at(1).take(size).as_numpy_iterator())
    later = list(dataset.starting_at(1, 4).take(size - 4).as_numpy_iterator())
    for (own, target), (again, target_again) in zip(whole[4:], later, strict=True):
        assert (target == target_again).all() and (own[0] == again[0]).all()


def test_long_pairs_are_left_out_and_counted(capsys):
    some = [*pairs(), SentencePair("s" * 90, "t")]
    dataset = make_pair_dataset(some, Bytes(), max_len=30)
    rows = sum(len(target) for _, target in dataset.as_numpy_iterator())
    assert rows == 60 and "1 of 61 pairs" in capsys.readouterr().err
    with pytest.raises(UserError, match="no pair has at most 30 tokens"):
        make_pair_dataset(some[-1:], Bytes(), max_len=30)
