"""The likeliest continuations, looked for on several paths at once.

Takes a callable that advances states by a token; knows no model and no text. For tasks
with one right answer; free text is livelier when it is sampled.

Shapes: K beams, V vocabulary.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops


class Beam(NamedTuple):
    """One finished or cut-off continuation.

    Attributes:
        token_ids: its tokens, without the end token.
        log_probability: sum over its tokens, the end token included.
    """

    token_ids: tuple[int, ...]
    log_probability: float


def beam_search(
    advance: Callable[[np.ndarray, Any], tuple[Any, Any]],
    states: Any,
    logits: Any,
    *,
    beam_width: int,
    max_new_tokens: int,
    end_id: int | None = None,
    length_penalty: float = 0.0,
) -> list[Beam]:
    """Finds continuations of one prompt with a high probability.

    Args:
        advance: token ids int32 (K,) and states -> logits (K, V) and states, any K.
        states: behind the prompt, any nesting of arrays (1, ...).
        logits: float (1, V), behind the prompt.
        beam_width: K, paths that are kept.
        max_new_tokens: longest continuation.
        end_id: token that ends one; None ends all at `max_new_tokens`.
        length_penalty: 0 compares sums; a > 0 divides by ((5 + tokens) / 6) ** a (Wu
            et al. 2016, arXiv:1609.08144), which favours longer ones.

    Returns:
        Up to K continuations, the best first.

    Raises:
        ValueError: A number is below 1.

    Example:

    >>> table = np.log([[0.6, 0.4, 1e-9], [0.5, 0.5, 1e-9], [1e-9, 0.1, 0.9]])
    >>> advance = lambda ids, states: (table[ids], states)
    >>> best = beam_search(
    ...     advance, [], table[:1], beam_width=2, max_new_tokens=2)[0]
    >>> best.token_ids, round(float(np.exp(best.log_probability)), 2)
    ((0, 0), 0.36)
    """
    if beam_width < 1 or max_new_tokens < 1:
        raise ValueError(
            f"beam_width is {beam_width} and max_new_tokens {max_new_tokens}; expected "
            "1 or more"
        )

    def worth(beam: Beam) -> float:
        return beam.log_probability / ((5 + len(beam.token_ids)) / 6) ** length_penalty

    live, done = [Beam((), 0.0)], []
    for step in range(max_new_tokens):
        scores = log_softmax(ops.convert_to_numpy(logits))
        scores = scores + np.array([[beam.log_probability] for beam in live])
        # Twice as many as are kept, since each may be an end.
        best = np.argsort(-scores, axis=None, kind="stable")[: 2 * beam_width]
        rows: list[int] = []
        grown: list[Beam] = []
        for row, token in zip(*np.unravel_index(best, scores.shape)):
            beam = Beam((*live[row].token_ids, int(token)), float(scores[row, token]))
            if token == end_id:
                done.append(beam._replace(token_ids=live[row].token_ids))
            elif len(grown) < beam_width:
                rows.append(int(row))
                grown.append(beam)
        live = grown
        done = sorted(done, key=worth, reverse=True)[:beam_width]
        if not live or step + 1 == max_new_tokens:
            break
        if len(done) == beam_width and not length_penalty:
            if done[-1].log_probability >= live[0].log_probability:
                break  # what grows only gets less likely
        states = keras.tree.map_structure(lambda each: ops.take(each, rows, 0), states)
        ids = np.array([beam.token_ids[-1] for beam in live], "int32")
        logits, states = advance(ids, states)
    return sorted([*done, *live], key=worth, reverse=True)[:beam_width]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logits (..., V) to log-probabilities.

    Example:

    >>> log_softmax(np.array([[0.0, 0.0]])).round(3)
    array([[-0.693, -0.693]])
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
