"""The loop over scripted models: their answers can be read off a table."""

import numpy as np
import pytest

from keras_seq.decoding.loop import generate, read_prompts
from keras_seq.decoding.samplers import suppress

#                    0     1     2     3
FOLLOWS = np.array(
    [
        [0.0, 9.0, 0.0, 0.0],  # 0: then 1
        [0.0, 0.0, 9.0, 0.0],  # 1: then 2
        [0.0, 0.0, 0.0, 9.0],  # 2: then 3
        [9.0, 0.0, 0.0, 0.0],  # 3: then 0
    ],
    "float32",
)


def follow(token_ids, states):
    """Knows the last token alone; its state counts what it has read."""
    return FOLLOWS[np.asarray(token_ids)], states + 1


def written(prompts, advance=follow, states=None, **options) -> list[list[int]]:
    states = np.zeros(len(prompts), "float32") if states is None else states
    tokens = generate(advance, states, prompts, **options)
    return np.stack(list(tokens), axis=1).tolist()


def test_greedy_follows_the_script():
    found = written([[0], [2]], max_new_tokens=5, temperature=0.0)
    assert found == [[1, 2, 3, 0, 1], [3, 0, 1, 2, 3]]


def test_prompts_of_unequal_length_are_read_to_their_own_end():
    logits, states = read_prompts(follow, np.zeros(3), [[0, 1, 2], [3], [1, 1]])
    assert np.array(states).tolist() == [3, 1, 2]
    assert np.argmax(np.array(logits), axis=1).tolist() == [3, 0, 2]


def test_a_row_writes_as_it_would_alone():
    options = {"max_new_tokens": 12, "temperature": 3.0, "seed": 5}
    together = written([[0, 1], [2]], **options)
    assert written([[0, 1]], **options)[0] == together[0]


def test_same_seed_same_tokens():
    options = {"max_new_tokens": 20, "temperature": 5.0}
    first = written([[0]], seed=1, **options)
    assert written([[0]], seed=1, **options) == first
    assert written([[0]], seed=2, **options) != first
    assert written([[0]], seed=1, **options | {"max_new_tokens": 6})[0] == first[0][:6]


def test_tokens_come_one_at_a_time():
    read = []

    def advance(token_ids, states):
        read.append(int(token_ids[0]))
        return follow(token_ids, states)

    tokens = generate(advance, np.zeros(1), [[0]], max_new_tokens=9, temperature=0.0)
    assert int(next(tokens)[0]) == 1
    assert read == [0]


def test_repetition_penalty_leaves_the_circle():
    plain = written([[0]], max_new_tokens=4, temperature=0.0)
    assert plain == [[1, 2, 3, 0]]
    flat = np.array([[2.0, 1.9, 1.8]] * 3, "float32")
    found = written(
        [[0]],
        lambda ids, s: (flat[ids], s),
        max_new_tokens=3,
        temperature=0.0,
        repetition_penalty=1.5,
    )
    assert found == [[1, 2, 0]]


def test_logits_may_be_changed():
    found = written(
        [[0]],
        max_new_tokens=1,
        temperature=0.0,
        change=lambda logits: suppress(logits, [1]),
    )
    assert found == [[0]]


def test_an_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="a prompt is empty"):
        written([[0], []], max_new_tokens=1)
