"""The best paths through the potentials of a linear chain; pure Keras, in the graph.

Takes potentials, never a model: what `layers.crf.CRF` answers, or anything that scores
pairs of neighbouring tags. Forney 1973, "The Viterbi algorithm".

Shapes: B batch, T time steps, C tags, N best paths.
"""

from keras import KerasTensor, ops

UNREACHED = -1e30  # where fewer than N paths exist


def viterbi_decode(potentials: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
    """The path with the highest score.

    Args:
        potentials: float (B, T, C, C): score of tag j at step t after tag i. A path
            starts from tag 0 of no step.

    Returns:
        Tags int32 (B, T), and scores float (B,). Of equal paths, that with the lower
        tag at the last place where they differ.

    Example:

    >>> potentials = ops.array([[[[0.0, 1.0], [-9, -9]], [[0, 2], [3, 0]]]])
    >>> tags, score = viterbi_decode(potentials)
    >>> ops.convert_to_numpy(tags).tolist(), float(score[0])
    ([[1, 0]], 4.0)
    """
    tags, scores = viterbi_n_best(potentials, 1)
    return tags[:, 0], scores[:, 0]


def viterbi_n_best(
    potentials: KerasTensor, n_best: int | KerasTensor
) -> tuple[KerasTensor, KerasTensor]:
    """The N paths with the highest scores, the best first.

    Args:
        potentials: float (B, T, C, C), as `viterbi_decode` takes them.
        n_best: N; under TensorFlow also an int32 tensor, for a graph that is asked.

    Returns:
        Tags int32 (B, N, T), and scores float (B, N), falling. Where a row has fewer
        than N paths, the rest have scores below -1e29.

    Raises:
        ValueError: `n_best` is below 1.
    """
    if isinstance(n_best, int) and n_best < 1:
        raise ValueError(f"n_best is {n_best}; expected 1 or more")
    num_tags = potentials.shape[-1]
    steps = ops.transpose(potentials, (1, 0, 2, 3))  # (T, B, C, C)
    batch = ops.shape(steps)[1]
    # A state is a tag and the rank of a path that ends in it: (B, C N).
    states = num_tags * n_best
    begin = ops.where(ops.arange(states) == 0, 0.0, UNREACHED)
    begin = ops.broadcast_to(ops.cast(begin, potentials.dtype), (batch, states))

    def step(scores: KerasTensor, pairs: KerasTensor) -> tuple:
        # Score of each tag j after each state: (B, C j, C i, N) to (B, C, C N).
        pairs = ops.transpose(pairs, (0, 2, 1))[..., None]
        before = ops.reshape(scores, (batch, 1, num_tags, n_best))
        every = ops.reshape(pairs + before, (batch, num_tags, states))
        best, origin = ops.top_k(every, n_best)  # (B, C, N) each
        best = ops.maximum(best, UNREACHED)  # or it falls without an end
        flat = (batch, states)
        # Keras' scan on TensorFlow stacks outputs of the carry's dtype alone.
        origin = ops.cast(origin, best.dtype)
        return ops.reshape(best, flat), ops.reshape(origin, flat)

    scores, origins = ops.scan(step, begin, steps)  # (B, C N), (T, B, C N)
    origins = ops.cast(origins, "int32")
    scores, last = ops.top_k(scores, n_best)  # (B, N)

    def back(state: KerasTensor, origin: KerasTensor) -> tuple:
        return ops.take_along_axis(origin, state, axis=1), state

    _, path = ops.scan(back, ops.cast(last, "int32"), origins, reverse=True)
    return ops.transpose(path // n_best, (1, 2, 0)), scores  # (B, N, T)
