"""Numbers out of whatever holds them: arrays, tensors, lists, tables of pandas.

Shapes: N samples.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

Nest = Any  # an array, or dicts and tuples of arrays
SCALARS = (bool, int, float, str, np.generic)


def as_arrays(name: str, value: Any) -> Nest:
    """What `fit` is given as arrays of N rows: floats in Keras' own float type.

    Lists of plain numbers are arrays; lists of arrays are one array an input or output,
    as Keras has it.

    Args:
        name: of the argument, for errors.
        value: an array, tensor, list, DataFrame, Series; or dicts, lists and tuples of
            them; None stays.

    Returns:
        The same structure, its lists tuples.

    Raises:
        ValueError: Something holds no numbers or texts; the message says where.

    Example:

    >>> as_arrays("x", {"a": [[1, 2], [3, 4]], "b": np.zeros(2)})["a"].shape
    (2, 2)
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        parts = ((key, as_arrays(f"{name}[{key!r}]", v)) for key, v in value.items())
        return dict(parts)
    if isinstance(value, list | tuple) and not _holds_scalars(value):
        return tuple(as_arrays(f"{name}[{i}]", v) for i, v in enumerate(value))
    if _is_table(value):
        return _from_table(name, value)
    return _from_array(name, value)


def leaves(name: str, nest: Nest) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of a structure, each with its name; None is none.

    Example:

    >>> [each for each, _ in leaves("x", {"a": np.ones(1), "b": (np.ones(1), None)})]
    ["x['a']", "x['b'][0]"]
    """
    if isinstance(nest, Mapping):
        for key, value in nest.items():
            yield from leaves(f"{name}[{key!r}]", value)
    elif isinstance(nest, tuple):
        for number, value in enumerate(nest):
            yield from leaves(f"{name}[{number}]", value)
    elif nest is not None:
        yield name, nest


def check_rows(**parts: Nest) -> int:
    """The number of rows N that all arrays have, given by the names of their arguments.

    Raises:
        ValueError: They differ, or there is none.

    Example:

    >>> check_rows(x=np.ones((3, 2)), y=np.ones(2))
    Traceback (most recent call last):
    ...
    ValueError: x has 3 rows, and y 2; expected one row a sample in each
    """
    named = [pair for name, nest in parts.items() for pair in leaves(name, nest)]
    first, rows = named[0][0], len(named[0][1])
    for name, array in named[1:]:
        if len(array) != rows:
            raise ValueError(
                f"{first} has {rows} rows, and {name} {len(array)}; expected one row a "
                "sample in each"
            )
    if not rows:
        raise ValueError(f"{first} has no rows; there is nothing to train on")
    return rows


def check_indexes(**parts: Any) -> None:
    """Checks that tables of pandas name their rows in the same order.

    Raises:
        ValueError: Two have the same row labels in another order: rows would be
            matched by position.
    """
    tables = [(name, part.index) for name, part in parts.items() if _is_table(part)]
    for name, index in tables[1:]:
        first, wanted = tables[0]
        if not index.equals(wanted) and index.sort_values().equals(
            wanted.sort_values()
        ):
            raise ValueError(
                f"{first} and {name} have the same index in another order; order them "
                f"alike ({name}.loc[{first}.index]), or give to_numpy() of both to "
                "match rows by position"
            )


def _holds_scalars(value: list | tuple) -> bool:
    while isinstance(value, list | tuple) and len(value):
        value = value[0]
    return isinstance(value, SCALARS) or isinstance(value, list | tuple)


def _is_table(value: Any) -> bool:
    module = type(value).__module__
    return module.partition(".")[0] == "pandas" and hasattr(value, "index")


def _from_table(name: str, table: Any) -> np.ndarray:
    """A DataFrame as (N, columns), a Series as (N, 1), as Keras has them."""
    if table.ndim == 1:
        return _column(name, table)[:, np.newaxis]
    columns = [
        _column(f"{name}: column {label!r}", table.iloc[:, number])
        for number, label in enumerate(table.columns)
    ]
    if not columns:
        raise ValueError(f"{name} is a DataFrame without columns")
    return np.stack(columns, axis=1)


def _column(name: str, column: Any) -> np.ndarray:
    if getattr(column.dtype, "kind", "O") not in "biuf":
        raise ValueError(
            f"{name} holds {column.dtype}, no numbers; leave it out, or encode it as "
            "numbers first"
        )
    if missing := int(column.isna().sum()):
        raise ValueError(f"{name} lacks {missing} values; fill them in, or drop rows")
    # NumPy's own type for one of pandas that knows missing values.
    dtype = np.dtype(getattr(column.dtype, "numpy_dtype", column.dtype))
    return _standard(np.asarray(column.to_numpy(dtype=dtype)))


def _from_array(name: str, value: Any) -> np.ndarray:
    if isinstance(value, tf.RaggedTensor):
        raise ValueError(f"{name} is a RaggedTensor; pad it: {name}.to_tensor()")
    if isinstance(value, tf.SparseTensor) or hasattr(value, "tocoo"):
        raise ValueError(
            f"{name} is a sparse {type(value).__name__}; make it dense first"
        )
    if not hasattr(value, "__array__") and not isinstance(value, list | tuple):
        raise ValueError(
            f"{name} is a {type(value).__name__}; expected arrays, tensors, lists of "
            "numbers, a DataFrame, a tf.data.Dataset or a keras.utils.PyDataset"
        )
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of several lengths
        raise ValueError(
            f"{name} has rows of different lengths; pad them to one "
            "(keras_seq.pad_sequences)"
        ) from error
    if not array.ndim:
        raise ValueError(f"{name} is a single {array.dtype} and no array of samples")
    return _standard(_checked(name, array))


def _checked(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "USO":
        if all(isinstance(each, str | bytes) for each in array.ravel()):
            return array.astype(object)
    elif array.dtype.kind in "biuf" or array.dtype.name.startswith("bfloat"):
        return array
    raise ValueError(f"{name} holds {array.dtype}; expected numbers")


def _standard(array: np.ndarray) -> np.ndarray:
    """Floats of any width become those that Keras computes with, as it does itself."""
    floating = array.dtype.kind == "f" or array.dtype.name.startswith("bfloat")
    return array.astype(keras.config.floatx()) if floating else array
