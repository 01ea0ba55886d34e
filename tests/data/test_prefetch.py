"""Nothing is left to tf.data to tune: the end of a training would wait for it."""

from pathlib import Path

import tensorflow as tf

import keras_seq
from keras_seq.data.prefetch import prefetched


def test_elements_and_their_count_stay_and_nothing_is_tuned():
    dataset = prefetched(tf.data.Dataset.range(5).batch(2))
    assert [batch.numpy().tolist() for batch in dataset] == [[0, 1], [2, 3], [4]]
    assert len(dataset) == 3
    assert not dataset.options().autotune.enabled


def test_every_pipeline_prefetches_by_it():
    users = set()
    for path in Path(keras_seq.__file__).parent.rglob("*.py"):
        source = path.read_text("utf-8")
        if path.name != "prefetch.py":
            assert ".prefetch(" not in source and "AUTOTUNE" not in source, path
        if "Dataset.from_generator(" in source:
            users.add(path.stem)
            assert "prefetched(" in source, path
    assert users
