"""Attention of one step at a time, as decoding runs it. Pure Keras.

What is large in training is small here, and its shapes change with every step, for
which the kernels of matrix products, transpositions and softmax are prepared anew:
sums of products and plain powers take less.

Shapes: B batch, S steps, L steps of the cache, H heads, d width of a head.
"""

from keras import KerasTensor, ops

from keras_seq.layers.attention import FAR_BELOW

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
        The new cache, and which steps of it count: bool (B, 1, L), or None for all.
    """
    step = {"keys": keys, "values": values}
    if position is None:
        grown = {n: ops.concatenate([cache[n], step[n]], axis=2) for n in step}
        return grown, None
    places = ops.arange(ops.shape(cache["keys"])[2], dtype="int32")
    here = (places == position[:, None])[:, None, :, None]  # (B, 1, L, 1)
    after = {name: ops.where(here, step[name], cache[name]) for name in step}
    return after, (places <= position[:, None])[:, None]


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
        seen: bool (..., 1, S), which steps count; None: all.

    Returns:
        float (..., H, d), and the weights (..., H, S).
    """
    weights = softmax(ops.sum(query * keys, axis=-1), seen)
    return ops.sum(weights[..., None] * values, axis=-2), weights


def softmax(scores: KerasTensor, counts: KerasTensor | None) -> KerasTensor:
    """`masked_softmax` of few numbers, faster without its kernel.

    Args:
        scores: float (..., S).
        counts: bool, of a shape that broadcasts; None: all.

    Returns:
        float (..., S), computed in float32; exactly 0 where a place does not count.

    Example:

    >>> counts = ops.array([[True, True, False], [False, False, False]])
    >>> ops.convert_to_numpy(softmax(ops.ones((2, 3)), counts)).tolist()
    [[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    """
    wide = ops.cast(scores, "float32")
    if counts is not None:
        wide = ops.where(counts, wide, FAR_BELOW)
    powers = ops.exp(wide - ops.max(wide, axis=-1, keepdims=True))
    if counts is not None:
        powers = ops.where(counts, powers, 0.0)
    # The largest power is 1, unless no place counts.
    sums = ops.maximum(ops.sum(powers, axis=-1, keepdims=True), 1e-6)
    return ops.cast(powers / sums, scores.dtype)
