"""The loop that writes: reads prompts, then chooses one token after the other.

Takes a callable that advances states by a token; needs no model and no text. Exports of
text generation have the same loop as a graph.

Shapes: B batch, T tokens of a prompt, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_seq.constants import PAD_ID
from keras_seq.decoding.samplers import penalize_repetition, sample_next

State = Any  # any nesting of arrays (B, ...)
Advance = Callable[[Any, State], tuple[Any, State]]


def read_prompts(
    advance: Advance, states: State, prompts: Sequence[Sequence[int]]
) -> tuple[Any, State]:
    """Reads prompts of any lengths in one batch; each as it would be read alone.

    Args:
        advance: token ids int32 (B,) and states -> logits (B, V) and states.
        states: those of rows that have read nothing.
        prompts: B rows of ids, each with one at least.

    Returns:
        logits float (B, V) behind the last token of each row, and the states there.

    Raises:
        ValueError: A prompt is empty.

    Example:

    >>> counted = lambda ids, sums: (sums[:, None] + ids[:, None], sums + ids)
    >>> logits, sums = read_prompts(counted, np.zeros(2), [[1, 2], [5]])
    >>> ops.convert_to_numpy(sums).tolist()
    [3.0, 5.0]
    """
    lengths = np.array([len(prompt) for prompt in prompts])
    if not lengths.min():
        raise ValueError("a prompt is empty; start it with the id of a text's start")
    logits = None
    for step in range(lengths.max()):
        ids = np.array([p[step] if step < len(p) else PAD_ID for p in prompts], "int32")
        new_logits, new_states = advance(ids, states)
        if logits is None:
            logits, states = new_logits, new_states
            continue
        reading = step < lengths
        logits = _choose(reading, new_logits, logits)
        states = keras.tree.map_structure(
            lambda new, old: _choose(reading, new, old), new_states, states
        )
    return logits, states


def _choose(rows: np.ndarray, new: Any, old: Any) -> Any:
    return ops.where(rows.reshape([-1] + [1] * (len(new.shape) - 1)), new, old)


def generate(
    advance: Advance,
    states: State,
    prompts: Sequence[Sequence[int]],
    *,
    max_new_tokens: int,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    repetition_penalty: float = 1.0,
    seed: int = 0,
    change: Callable[[Any], Any] = lambda logits: logits,
) -> Iterator[np.ndarray]:
    """Yields the next token of every row, again and again.

    Args:
        advance: token ids int32 (B,) and states -> logits (B, V) and states.
        states: those of rows that have read nothing.
        prompts: B rows of ids, each with one at least.
        max_new_tokens: how many to yield.
        temperature: as `sample_next` takes it.
        top_k: likewise.
        top_p: likewise.
        repetition_penalty: as `penalize_repetition` takes it, for tokens of the prompt
            and since.
        seed: same seed, same tokens. Row b draws from stream b of it.
        change: what is done to logits before a choice, such as `suppress`.

    Yields:
        int32 (B,).

    Example:

    >>> follows = np.array([[0, 9, 0], [0, 0, 9], [9, 0, 0]])  # 0, then 1, 2, 0 ...
    >>> advance = lambda ids, states: (follows[ids], states)
    >>> tokens = generate(advance, [], [[0]], max_new_tokens=4, temperature=0.0)
    >>> [int(row[0]) for row in tokens]
    [1, 2, 0, 1]
    """
    draws = [np.random.default_rng((seed, row)) for row in range(len(prompts))]
    logits, states = read_prompts(advance, states, prompts)
    longest = max(map(len, prompts))
    seen = np.full((len(prompts), longest), -1, "int32")
    for row, prompt in enumerate(prompts):
        seen[row, : len(prompt)] = prompt
    for _ in range(max_new_tokens):
        logits = ops.cast(change(logits), "float32")
        if repetition_penalty != 1:
            logits = penalize_repetition(logits, seen, repetition_penalty)
        uniforms = np.array([draw.random() for draw in draws], "float32")
        # float32 may round up to 1.
        uniforms = np.minimum(uniforms, np.float32(1 - 2**-24))
        chosen = sample_next(
            logits, uniforms, temperature=temperature, top_k=top_k, top_p=top_p
        )
        ids = ops.convert_to_numpy(chosen)
        yield ids
        seen = np.concatenate([seen, ids[:, None]], axis=1)
        logits, states = advance(ids, states)
