"""Checks of a signature's inputs inside its graph: shapes, ranges and finite numbers.

A loaded SavedModel holds its callers to dtypes alone: it reads an array of any shape as
if it had the declared one. And TensorFlow's optimiser removes a check of a shape that
the signature declares. So the checks read their tensors through an operation that hides
the declared shape. They are TensorFlow operations, which any server has.
"""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

# Sizes of a tensor: a number, or a letter that stands for one size wherever it is used.
Dims = Sequence[int | str]


def checked_shapes(
    given: Mapping[str, tuple[tf.Tensor, Dims]], meaning: str = ""
) -> list[tf.Tensor]:
    """The tensors, or InvalidArgumentError at the first one of another shape.

    Args:
        given: name to a tensor and its sizes; a letter has the size that the first
            tensor with it has.
        meaning: what the letters and sizes are, for the message.

    Example:

    >>> (text,) = checked_shapes({"text": (tf.constant(["a", "b"]), ["B"])})
    >>> text.shape
    TensorShape([2])
    >>> checked_shapes({"window": (tf.zeros((1, 45, 5)), ["B", 20, 5])})
    Traceback (most recent call last):
    ...
    tensorflow.python.framework.errors_impl.InvalidArgumentError: ...
    """
    sizes: dict[str, tuple[str, tf.Tensor]] = {}
    found: list[tf.Tensor] = []
    for name, (tensor, dims) in given.items():
        hidden = _of_unknown_shape(tf.convert_to_tensor(tensor))
        with tf.control_dependencies(found[-1:]):  # in order, one line for one fault
            found.append(_checked_shape(name, hidden, dims, sizes, meaning))
    return found


def _of_unknown_shape(tensor: tf.Tensor) -> tf.Tensor:
    """The tensor behind an operation that no optimiser knows the shape of."""
    packed = tf.raw_ops.OptionalFromValue(components=[tensor])
    return tf.raw_ops.OptionalGetValue(
        optional=packed,
        output_types=[tensor.dtype],
        output_shapes=[tf.TensorShape(None)],
    )[0]


def _checked_shape(
    name: str,
    hidden: tf.Tensor,
    dims: Dims,
    sizes: dict[str, tuple[str, tf.Tensor]],
    meaning: str,
) -> tf.Tensor:
    shape = tf.shape(hidden)
    known = [
        sizes[dim][1] if dim in sizes else -1 if isinstance(dim, str) else dim
        for dim in dims
    ]
    wanted = tf.stack([tf.cast(size, tf.int32) for size in known]) if dims else shape
    fits = tf.cond(
        tf.equal(tf.size(shape), len(dims)),
        lambda: tf.reduce_all((wanted == shape) | (wanted == -1)),
        lambda: tf.constant(False),
    )

    def message() -> tf.Tensor:
        text = f"{name} has shape {{}}; expected {_shown(dims)}"
        text += f": {meaning}" if meaning else ""
        same = [dim for dim in dims if dim in sizes]
        of = ", ".join(f"{dim} = {{}} as in {sizes[dim][0]}" for dim in same)
        return _formatted(
            text + (f", where {of}" if of else ""),
            shape,
            *(sizes[dim][1] for dim in same),
        )

    with tf.control_dependencies([require(fits, message)]):
        tensor = tf.identity(hidden)
    # Not `tf.ensure_shape`: of what has one shape alone the optimiser drops the check.
    tensor.set_shape([dim if isinstance(dim, int) else None for dim in dims])
    for axis, dim in enumerate(dims):
        if isinstance(dim, str) and dim not in sizes:
            sizes[dim] = name, tf.shape(tensor)[axis]
    return tensor


def checked_values(
    name: str,
    tensor: tf.Tensor,
    right: tf.Tensor,
    expected: str,
    axes: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> tf.Tensor:
    """The tensor, or InvalidArgumentError that names its first wrong number.

    Args:
        name: of the tensor.
        tensor: numbers.
        right: bool, of the tensor's shape.
        expected: what a right one is.
        axes: what its axes are called, such as "window", "row", "column".
        columns: names of the last axis' places.

    Example:

    >>> top_p = tf.constant(0.9)
    >>> float(checked_values("top_p", top_p, top_p <= 1, "0 to 1")).__round__(2)
    0.9
    """

    def message() -> tf.Tensor:
        if not tensor.shape.rank:
            return _formatted(f"{name} is {{}}; expected {expected}", tensor)
        place = tf.where(tf.logical_not(right))[0]
        value = tf.gather_nd(tensor, place)
        words = ", ".join(f"{axis} {{}}" for axis in axes)
        parts = [place[axis] for axis in range(len(axes))]
        if columns:
            words += " ({})"
            parts.append(tf.gather(tf.constant(list(columns)), place[-1]))
        where = f" at {words} (counted from 0)" if words else ""
        return _formatted(f"{name} is {{}}{where}; expected {expected}", value, *parts)

    with tf.control_dependencies([require(tf.reduce_all(right), message)]):
        return tf.identity(tensor)


def checked_finite(name: str, tensor: tf.Tensor, **where: Sequence[str]) -> tf.Tensor:
    """The tensor, or InvalidArgumentError at its first NaN or infinity."""
    right = tf.math.is_finite(tensor)
    return checked_values(name, tensor, right, "a finite number", **where)


def checked_range(name: str, value: tf.Tensor, low: float, high: float) -> tf.Tensor:
    """A number (), or InvalidArgumentError where it is not from `low` to `high`."""
    # `not in` would let NaN through.
    right = (value >= tf.cast(low, value.dtype)) & (value <= tf.cast(high, value.dtype))
    return checked_values(name, value, right, f"{low:,} to {high:,}")


def require(fits: tf.Tensor, message: Callable[[], tf.Tensor]) -> tf.Tensor:
    """An operation that fails with a message, made only then, where `fits` is False."""

    def refuse() -> tf.Tensor:
        failed = tf.debugging.Assert(False, [message()])
        with tf.control_dependencies([] if failed is None else [failed]):
            return tf.constant(False)

    return tf.cond(fits, lambda: tf.constant(True), refuse)


def _formatted(template: str, *values: tf.Tensor) -> tf.Tensor:
    """Text () of a template with {} for each value; numbers as people write them."""
    pieces = template.split("{}")
    parts = [tf.constant(pieces[0])]
    for value, piece in zip(values, pieces[1:], strict=True):
        if value.dtype != tf.string:
            value = tf.strings.as_string(value, shortest=value.dtype.is_floating)
            if value.shape.rank != 0:
                value = tf.strings.reduce_join(value, separator=", ")
                value = tf.strings.join(["(", value, ")"])
        parts += [value, tf.constant(piece)]
    return tf.strings.join(parts)


def _shown(dims: Dims) -> str:
    return "(" + ", ".join(map(str, dims)) + ("," if len(dims) == 1 else "") + ")"
