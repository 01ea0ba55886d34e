"""Operations on few numbers, many in a row, as a loop that decodes runs them.

On TensorFlow without what is added to each: `keras.ops.take` maps negative indices
first, five operations more, and oneDNN prepares a kernel for each new shape of a
product of stacks of matrices, which takes longer than the product. On other backends
they are those of `keras.ops`.
"""

import keras
from keras import KerasTensor, ops


def take(x: KerasTensor, places: KerasTensor) -> KerasTensor:
    """Rows at places, which are 0 or more.

    Args:
        x: (B, ...).
        places: int, of any shape.

    Returns:
        (*shape of the places, ...).

    Example:

    >>> [int(n) for n in take(ops.array([5, 6, 7]), ops.array([2, 0]))]
    [7, 5]
    """
    if keras.backend.backend() != "tensorflow":
        return ops.take(x, places, axis=0)
    import tensorflow as tf

    return tf.gather(x, places)


def take_by_row(x: KerasTensor, places: KerasTensor) -> KerasTensor:
    """Of each row, values at places of its own, which are 0 or more.

    Args:
        x: (B, J, ...).
        places: int32 (B, C).

    Returns:
        (B, C, ...).

    Example:

    >>> rows = ops.array([[5, 6, 7], [8, 9, 0]])
    >>> ops.convert_to_numpy(take_by_row(rows, ops.array([[2, 0], [1, 1]]))).tolist()
    [[7, 5], [9, 9]]
    """
    if keras.backend.backend() != "tensorflow":
        shape = ops.shape(x)
        starts = ops.arange(shape[0], dtype="int32")[:, None] * shape[1]
        flat = ops.reshape(x, (shape[0] * shape[1], *shape[2:]))
        return ops.take(flat, places + starts, axis=0)
    import tensorflow as tf

    return tf.gather(x, places, batch_dims=1)


def matmul(
    x: KerasTensor, y: KerasTensor, transpose_second: bool = False
) -> KerasTensor:
    """Products of stacks of matrices.

    Args:
        x: float (..., A, B).
        y: float (..., B, C), of the same dtype; what is in front broadcasts.
        transpose_second: y is (..., C, B).

    Returns:
        float (..., A, C).

    Example:

    >>> row = ops.array([[[1.0, 2.0]]])
    >>> float(matmul(row, row, transpose_second=True)[0, 0, 0])
    5.0
    """
    if keras.backend.backend() != "tensorflow":
        return ops.matmul(x, ops.swapaxes(y, -2, -1) if transpose_second else y)
    import tensorflow as tf

    # The third version is Eigen's: oneDNN has none of its own.
    return tf.raw_ops.BatchMatMulV3(x=x, y=y, Tout=x.dtype, adj_y=transpose_second)
