"""Attention of one step at a time, as decoding runs it. Pure Keras.

What is large in training is small here, and calls cost more than arithmetic: products
of vectors where they are faster than those of many small matrices.

Shapes: B batch, M rows of a memory, K = B / M rows of x that share one, S steps, L
steps of the cache, H heads, d width of a head.
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


def attend_cache(
    query: KerasTensor, cache: Cache, seen: KerasTensor | None
) -> KerasTensor:
    """softmax(q K^T) V of one query a row, each with a cache of its own.

    Args:
        query: float (B, H, 1, d), scaled.
        cache: of `with_step`.
        seen: likewise.

    Returns:
        float (B, H, d).
    """
    weights = softmax(ops.sum(query * cache["keys"], axis=-1), seen)  # (B, H, L)
    return ops.sum(weights[..., None] * cache["values"], axis=-2)


def attend_shared(query: KerasTensor, memory: Cache) -> tuple[KerasTensor, KerasTensor]:
    """The same of a memory that several rows share.

    Args:
        query: float (M, K, H, d), scaled.
        memory: "keys" and "values" float (M, H, S, d), "mask" bool (M, S).

    Returns:
        float (M, K, H, d), and the weights (M, H, K, S).
    """
    query = ops.transpose(query, (0, 2, 1, 3))
    scores = ops.matmul(query, ops.swapaxes(memory["keys"], 2, 3))
    weights = softmax(scores, ops.cast(memory["mask"], "bool")[:, None, None])
    x = ops.matmul(weights, memory["values"])  # (M, H, K, d)
    return ops.transpose(x, (0, 2, 1, 3)), weights


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
