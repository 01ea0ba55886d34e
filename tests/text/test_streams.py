"""Streams: every token a target once, each row going on where it stopped."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_seq.errors import UserError
from keras_seq.text.coders import Bytes, Characters
from keras_seq.text.streams import (
    encode_corpus,
    make_stream_dataset,
    make_token_window_dataset,
    stream_batches,
)


def test_the_layout_is_the_picture_of_the_docstring():
    text = np.arange(1, 12)  # a b c d e f g h i j k
    (first, restarts), targets = list(stream_batches(text, 2, 4))[0]
    assert first.tolist() == [[0, 1, 2, 3], [0, 7, 8, 9]]
    assert targets.tolist() == [[1, 2, 3, 4], [7, 8, 9, 10]]
    assert restarts.tolist() == [1, 1]
    (second, restarts), targets = list(stream_batches(text, 2, 4))[1]
    assert second.tolist() == [[4, 5], [10, 11]]
    assert targets.tolist() == [[5, 6], [11, 0]]
    assert restarts.tolist() == [0, 0]


@given(st.integers(1, 80), st.integers(1, 5), st.integers(1, 9), st.integers(0, 3))
def test_every_token_is_a_target_once(count: int, batch: int, steps: int, start: int):
    ids = np.arange(2, 2 + count)
    inputs, targets, restarts = [], [], []
    for (read, restart), wanted in stream_batches(ids, batch, steps, start):
        assert read.shape == wanted.shape and read.shape[1] <= steps
        inputs.append(read)
        targets.append(wanted)
        restarts.append(restart)
    if not targets:
        assert count <= start
        return
    streams = np.concatenate(targets, axis=1)
    assert streams[streams > 0].tolist() == ids[start:].tolist()
    # A row's input is its target one step later, across batches too.
    read = np.concatenate(inputs, axis=1)
    assert np.all(read[:, 0] == 0)
    there = streams[:, 1:] > 0
    assert np.all(read[:, 1:][there] == streams[:, :-1][there])
    assert [bool(r.all()) for r in restarts] == [n == 0 for n in range(len(restarts))]


def test_an_epoch_shifts_the_cuts_by_seed_and_can_be_entered_anywhere():
    ids = np.arange(2, 500)

    def batches(dataset, count):
        return [x[0].numpy().tolist() for x, _ in dataset.take(count)]

    make = {"batch_size": 3, "steps": 10, "shuffle": True}
    dataset = make_stream_dataset(ids, seed=1, **make)
    size = int(dataset.cardinality())
    first, second = batches(dataset, size + 5), batches(dataset, size + 5)
    assert len(first) == len(second) == size
    assert first != second
    again = make_stream_dataset(ids, seed=1, **make)
    assert batches(again.starting_at(1, 4), size - 4) == second[4:]
    assert batches(again.starting_at(0, 2), 2 * size - 2) == first[2:] + second
    other = make_stream_dataset(ids, seed=2, **make)
    assert [batches(other, size), batches(other, size)] != [first, second]
    assert other.data_fingerprint != dataset.data_fingerprint
    assert again.data_fingerprint == dataset.data_fingerprint


def test_what_becomes_of_a_batch_is_entered_anywhere_too():
    sizes = {"batch_size": 3, "steps": 10}
    ids = np.arange(2, 200)
    whole = make_stream_dataset(ids, **sizes)
    plain = make_stream_dataset(ids, transform=lambda x, targets: x[0], **sizes)
    given = [x.numpy().tolist() for (x, _), _ in whole]
    entered = plain.starting_at(0, 2).take(len(given) - 2)
    assert [x.numpy().tolist() for x in entered] == given[2:]


def test_windows_are_each_followed_by_their_target():
    ids = np.arange(2, 102)
    dataset = make_token_window_dataset(ids, batch_size=4, steps=8, seed=3)
    seen = []
    for window, target in dataset:
        assert np.all(window[:, 1:] == window[:, :-1] + 1)
        assert np.all(window[:, -1] + 1 == target)
        seen += window[:, 0].numpy().tolist()
    assert sorted(seen) == list(range(2, 98, 8))
    assert int(dataset.cardinality()) == 3


def test_a_corpus_encodes_the_same_in_any_blocks():
    text = "to be or not to be, 谢谢\n"
    whole = encode_corpus(Bytes(), [text])
    assert encode_corpus(Bytes(), list(text)).tolist() == whole.tolist()
    coder = Characters.fit([text])
    assert coder.text_of(encode_corpus(coder, list(text))) == text


def test_too_short_a_text_is_one_line():
    with pytest.raises(UserError, match="5 tokens are too few for 4 streams"):
        make_stream_dataset(np.arange(5), batch_size=4)
    with pytest.raises(UserError, match="5 tokens are too few for 4 windows"):
        make_token_window_dataset(np.arange(5), batch_size=4)
    with pytest.raises(UserError, match="streams; .* smaller --steps"):
        make_stream_dataset(np.arange(50), batch_size=4, steps=99, shuffle=True)
    with pytest.raises(UserError, match="holds no text"):
        encode_corpus(Bytes(), [])
