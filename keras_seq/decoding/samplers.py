"""Scores of the next token to its id: greedy, temperature, top-k, top-p.

Keras ops alone, so the same lines run in NumPy-like Python and inside a SavedModel.
Randomness comes in as one number a row; who makes it decides what repeats. Nothing here
knows of models or text.

Shapes: B batch, T tokens so far, V vocabulary.
"""

from collections.abc import Sequence

from keras import KerasTensor, ops

NEVER = -1e9  # a logit whose token is not chosen, at any temperature in use


def sample_next(
    logits: KerasTensor,
    uniforms: KerasTensor,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> KerasTensor:
    """Chooses a token of each row.

    Tokens are kept by `top_k` and, of those, by `top_p`; a number in [0, 1) then picks
    one of them by their probabilities. Each option may be a tensor.

    Args:
        logits: float (B, V).
        uniforms: float (B,), in [0, 1).
        temperature: logits are divided by it; 0 takes the likeliest token.
        top_k: keep the k likeliest; 0 keeps all (Fan et al. 2018, arXiv:1805.04833).
        top_p: keep the fewest tokens whose probabilities reach it; 1 keeps all
            (Holtzman et al. 2020, arXiv:1904.09751).

    Returns:
        int32 (B,).

    Example:

    >>> logits = ops.log(ops.array([[0.1, 0.6, 0.3]]))
    >>> [int(sample_next(logits, ops.array([u]))[0]) for u in (0.05, 0.5, 0.9)]
    [0, 1, 2]
    >>> [int(sample_next(logits, ops.array([u]), top_k=2)[0]) for u in (0.05, 0.9)]
    [1, 2]
    >>> int(sample_next(logits, ops.array([0.9]), temperature=0.0)[0])
    1
    """
    temperature = ops.cast(temperature, logits.dtype)
    top_k, top_p = ops.cast(top_k, "int32"), ops.cast(top_p, logits.dtype)
    scaled = logits / ops.maximum(temperature, 1e-4)
    cut = ops.logical_or(top_k > 0, top_p < 1)
    # Sorting a large vocabulary costs more than all the rest.
    kept = ops.cond(cut, lambda: keep_likeliest(scaled, top_k, top_p), lambda: scaled)
    probabilities = ops.softmax(kept, axis=-1)
    sums = ops.cumsum(probabilities, axis=-1)  # (B, V)
    wanted = ops.expand_dims(uniforms * sums[:, -1], -1)  # sums round to less than 1
    chosen = ops.sum(ops.cast(sums <= wanted, "int32"), axis=-1)
    greedy = ops.cast(ops.argmax(logits, axis=-1), "int32")
    return ops.where(temperature > 0, ops.minimum(chosen, logits.shape[-1] - 1), greedy)


def keep_likeliest(
    logits: KerasTensor, top_k: KerasTensor, top_p: KerasTensor
) -> KerasTensor:
    """Logits of the tokens that top-k and then top-p keep; others become `NEVER`.

    Args:
        logits: float (B, V).
        top_k: int32 (); 0 keeps all.
        top_p: float (); 1 keeps all.

    Returns:
        float (B, V); at least one token is kept. Tokens as likely as the last one kept
        are kept, too.
    """
    ordered, _ = ops.top_k(logits, logits.shape[-1])  # (B, V), falling
    rank = ops.arange(logits.shape[-1], dtype="int32")
    inside = ops.logical_or(top_k <= 0, rank < top_k)
    ordered = ops.where(inside, ordered, NEVER)
    probabilities = ops.softmax(ordered, axis=-1)
    before = ops.cumsum(probabilities, axis=-1) - probabilities
    inside = ops.logical_and(inside, ops.logical_or(top_p >= 1, before < top_p))
    inside = ops.logical_or(inside, rank == 0)
    last = ops.min(ops.where(inside, ordered, -NEVER), axis=-1, keepdims=True)
    return ops.where(logits >= last, logits, NEVER)


def suppress(logits: KerasTensor, token_ids: Sequence[int]) -> KerasTensor:
    """Logits under which some tokens are never chosen.

    Args:
        logits: float (B, V).
        token_ids: ids in [0, V).

    Returns:
        float (B, V).

    Example:

    >>> suppress(ops.array([[0.5, 0.2]]), [0]).numpy().argmax()
    np.int64(1)
    """
    ids = ops.arange(logits.shape[-1])
    hit = ops.zeros_like(ids, dtype="bool")
    for token_id in token_ids:
        hit = ops.logical_or(hit, ids == token_id)
    return ops.where(hit, ops.cast(NEVER, logits.dtype), logits)


def penalize_repetition(
    logits: KerasTensor, token_ids: KerasTensor, penalty: float
) -> KerasTensor:
    """Logits that make tokens seen before less likely.

    Keskar et al. 2019, "CTRL", arXiv:1909.05858, section 4.1: positive logits of seen
    tokens are divided by the penalty, negative ones multiplied.

    Args:
        logits: float (B, V).
        token_ids: int32 (B, T), tokens so far; ids outside of [0, V) are none.
        penalty: 1 changes nothing; the paper takes 1.2.

    Returns:
        float (B, V).

    Example:

    >>> penalize_repetition(ops.array([[2.0, 2.0, -1.0]]), ops.array([[0, 2]]), 2.0)[0]
    <tf.Tensor: shape=(3,), dtype=float32, numpy=array([ 1.,  2., -2.], dtype=float32)>
    """
    hits = ops.one_hot(token_ids, logits.shape[-1], dtype="int32")  # (B, T, V)
    seen = ops.max(hits, axis=1) > 0
    lowered = ops.where(logits > 0, logits / penalty, logits * penalty)
    return ops.where(seen, lowered, logits)
