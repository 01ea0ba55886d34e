"""What is kept of a batch that broke a training step."""

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.training.fault import as_dense


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (tf.sparse.from_dense([[0.0, 2.0], [3.0, 0.0]]), [[0.0, 2.0], [3.0, 0.0]]),
        (tf.sparse.from_dense([0, 0, 7]), [0, 0, 7]),
        (tf.ragged.constant([[1, 2], [3]]), [[1, 2], [3, 0]]),
        (np.array([1.5]), [1.5]),
    ],
)
def test_each_part_is_one_dense_array(part, expected):
    assert as_dense(part).numpy().tolist() == expected
