"""The dataset that every task trains on: passes, entering, sharding, Keras' own fit."""

from collections.abc import Iterator

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.data.batches import EpochDataset, prefetched

BATCHES = 4


def batches(epoch: int, first: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batch b of epoch e holds 100 e + 10 b + row."""
    for batch in range(first, BATCHES):
        rows = 100.0 * epoch + 10 * batch + np.arange(3)
        yield rows[:, None].astype(np.float32), rows.astype(np.float32)


def dataset(transform=None) -> EpochDataset:
    signature = (
        tf.TensorSpec([None, 1], tf.float32),
        tf.TensorSpec([None], tf.float32),
    )
    return EpochDataset(batches, signature, BATCHES, "numbers", transform)


def firsts(data: tf.data.Dataset) -> list[int]:
    return [int(y[0]) for _, y in data]


def test_each_pass_is_the_next_epoch_and_its_length_is_known():
    data = dataset()
    assert len(data) == data.num_batches == BATCHES
    assert firsts(data) == [0, 10, 20, 30]
    assert firsts(data) == [100, 110, 120, 130]


@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (0, 3), (2, 1), (5, 4)])
def test_it_is_entered_at_any_batch_and_goes_on_without_an_end(epoch: int, batch: int):
    entered = firsts(dataset().starting_at(epoch, batch).take(6))
    every = [100 * (epoch + n // 4) + 10 * (n % 4) for n in range(batch, batch + 6)]
    assert entered == every


def test_the_shards_of_a_batch_are_its_rows_and_nothing_twice():
    parts = [dataset().sharded(2, index) for index in range(2)]
    together = [np.sort(np.concatenate([a[1], b[1]])) for a, b in zip(*parts)]
    whole = [y.numpy() for _, y in dataset()]
    np.testing.assert_array_equal(together, whole)
    assert int(next(iter(parts[1].starting_at(1, 2)))[1][0]) == 121


def test_a_transform_runs_in_the_graph_of_passes_entries_and_shards():
    doubled = dataset(lambda x, y: (x, 2 * y))
    assert firsts(doubled)[1] == 20
    assert firsts(doubled.starting_at(0, 1).take(1)) == [20]
    assert firsts(doubled.sharded(3, 1))[1] == 22


def test_it_is_a_tf_data_set_to_keras_and_to_tf_data():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = dataset()
    model.fit(data.map(lambda x, y: (x / 100, y / 100)), epochs=1, verbose=0)
    model.fit(data, epochs=1, verbose=0)
    assert model.optimizer.iterations == 2 * BATCHES
    assert data.element_spec[0].shape.as_list() == [None, 1]
    assert len(list(data.take(2))) == 2


def test_nothing_is_left_to_tf_data_to_tune():
    """The end of a training would wait for it."""
    made = prefetched(tf.data.Dataset.range(5).batch(2))
    assert [batch.numpy().tolist() for batch in made] == [[0, 1], [2, 3], [4]]
    for data in (made, dataset(), dataset().starting_at(0)):
        assert not data.options().autotune.enabled
