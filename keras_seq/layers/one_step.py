"""Parts of a Transformer for one step at a time, as decoding runs it. Pure Keras.

What is large in training is small here: the number of operations counts. Shapes change
with every step, too, and the kernel of a softmax is prepared anew for each: plain
powers take less.

Shapes: B batch, S steps, L steps of the cache, H heads, d width of a head.
"""

from keras import KerasTensor, layers, ops

from keras_seq.layers.attention import FAR_BELOW
from keras_seq.small_ops import matmul

Cache = dict[str, KerasTensor]


def with_step(
    cache: Cache, position: KerasTensor | None, keys: KerasTensor, values: KerasTensor
) -> tuple[Cache, KerasTensor | None]:
    """The cache (B, H, L, d) with keys and values (B, H, 1, d) of one more step.

    Args:
        cache: "keys" and "values".
        position: int32 (B,), where to put them; None: behind all others.
        keys, values: float (B, H, 1, d).

    Returns:
        The new cache, and which steps of it count: bool (B, 1, 1, L), or None for all.
    """
    step = {"keys": keys, "values": values}
    if position is None:
        grown = {n: ops.concatenate([cache[n], step[n]], axis=2) for n in step}
        return grown, None
    places = ops.arange(ops.shape(cache["keys"])[2], dtype="int32")
    here = (places == position[:, None])[:, None, :, None]  # (B, 1, L, 1)
    after = {name: ops.where(here, step[name], cache[name]) for name in step}
    return after, (places <= position[:, None])[:, None, None]


def attend_once(
    query: KerasTensor,
    keys: KerasTensor,
    values: KerasTensor,
    seen: KerasTensor | None,
) -> tuple[KerasTensor, KerasTensor]:
    """softmax(q K^T) V of one query a row.

    Args:
        query: float (..., H, 1, d), scaled.
        keys: float (..., H, S, d), of a shape that broadcasts.
        values: likewise.
        seen: bool (..., 1, 1, S), which steps count; None: all.

    Returns:
        float (..., H, 1, d), and the weights (..., H, 1, S).
    """
    weights = softmax(matmul(query, keys, transpose_second=True), seen)
    return matmul(weights, values), weights


def softmax(scores: KerasTensor, counts: KerasTensor | None) -> KerasTensor:
    """`masked_softmax` of few numbers, faster without its kernel.

    Args:
        scores: float (..., S), above FAR_BELOW / 4.
        counts: bool, of a shape that broadcasts; None: all.

    Returns:
        float (..., S), computed in float32; exactly 0 where a place does not count.

    Example:

    >>> counts = ops.array([[True, True, False], [False, False, False]])
    >>> ops.convert_to_numpy(softmax(ops.ones((2, 3)), counts)).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    wide = ops.cast(scores, "float32")
    if counts is None:
        powers = ops.exp(wide - ops.max(wide, axis=-1, keepdims=True))
        sums = ops.sum(powers, axis=-1, keepdims=True)
    else:
        wide = wide + ops.where(counts, 0.0, FAR_BELOW)
        # No less than any that counts: where none does, all powers are 0.
        highest = ops.maximum(ops.max(wide, axis=-1, keepdims=True), FAR_BELOW / 2)
        powers = ops.exp(wide - highest)
        # The largest power is 1, unless no place counts.
        sums = ops.maximum(ops.sum(powers, axis=-1, keepdims=True), 1e-6)
    return ops.cast(powers / sums, scores.dtype)


def normalized(x: KerasTensor, norm: layers.LayerNormalization) -> KerasTensor:
    """The same as `norm(x)` of the last axis, in two thirds of the operations.

    Args:
        x: float (B, D).
        norm: with scale and offset.

    Example:

    >>> norm, x = layers.LayerNormalization(), ops.array([[1.0, 2.0, 6.0]])
    >>> expected = norm(x)
    >>> bool(ops.all(ops.abs(normalized(x, norm) - expected) < 1e-6))
    True
    """
    wide = ops.cast(x, "float32")
    wide = wide - ops.mean(wide, axis=-1, keepdims=True)
    variance = ops.mean(ops.square(wide), axis=-1, keepdims=True)
    scale = ops.rsqrt(variance + norm.epsilon) * ops.cast(norm.gamma, "float32")
    return ops.cast(wide * scale + ops.cast(norm.beta, "float32"), x.dtype)
