"""Beam search on tables small enough to search by hand."""

import itertools

import numpy as np
import pytest

from keras_seq.decoding.beam import beam_search, log_softmax

# The likeliest first token (1) leads nowhere good: 0.6 * 0.4 < 0.4 * 0.9.
FIRST = np.log([[1e-9, 0.6, 0.4]])
THEN = np.log([[1 / 3, 1 / 3, 1 / 3], [0.3, 0.3, 0.4], [0.05, 0.9, 0.05]])


def advance(token_ids, states):
    return THEN[token_ids], states


def search(width: int, steps: int, **options):
    return beam_search(
        advance, [], FIRST, beam_width=width, max_new_tokens=steps, **options
    )


def test_a_wider_beam_finds_what_greedy_misses():
    assert search(1, 2)[0].token_ids == (1, 2)
    best = search(2, 2)[0]
    assert best.token_ids == (2, 1)
    assert np.exp(best.log_probability) == pytest.approx(0.36)


def test_a_beam_as_wide_as_all_paths_is_exhaustive():
    found = search(27, 3)
    table = {}
    for path in itertools.product(range(3), repeat=3):
        steps = [FIRST[0, path[0]], *(THEN[a, b] for a, b in zip(path, path[1:]))]
        table[path] = sum(steps)
    best = sorted(table, key=table.get, reverse=True)
    assert [beam.token_ids for beam in found[:5]] == best[:5]
    assert found[0].log_probability == pytest.approx(table[best[0]])


def test_an_end_token_ends_a_path_and_is_not_part_of_it():
    found = search(2, 5, end_id=1)[0]
    # Ended at once: 0.6 beats all that goes on.
    assert found.token_ids == ()
    assert np.exp(found.log_probability) == pytest.approx(0.6)


def test_a_length_penalty_favours_longer_paths():
    plain = search(3, 2, end_id=1)
    longer = search(3, 2, end_id=1, length_penalty=5.0)
    assert plain[0].token_ids == ()
    assert len(longer[0].token_ids) > 0


def test_states_go_with_their_paths():
    """A state holds the path so far; logits ask that the same token never repeats."""

    def strict(token_ids, states):
        seen = states["seen"].numpy() if hasattr(states["seen"], "numpy") else None
        seen = np.asarray(states["seen"] if seen is None else seen).copy()
        seen[np.arange(len(token_ids)), token_ids] = 1
        return np.where(seen > 0, -50.0, 0.0), {"seen": seen}

    found = beam_search(
        strict, {"seen": np.zeros((1, 4))}, np.zeros((1, 4)), beam_width=6,
        max_new_tokens=4,
    )  # fmt: skip
    assert all(len(set(beam.token_ids)) == 4 for beam in found)


def test_numbers_below_one_are_refused():
    for width, steps in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="expected 1 or more"):
            search(width, steps)


def test_log_softmax_does_not_overflow():
    assert log_softmax(np.array([1000.0, 1000.0])) == pytest.approx(np.log([0.5, 0.5]))
