"""Beam search on scripted models: against exhaustive search, and row by row."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_seq.decoding.beam_search import beam_search
from keras_seq.decoding.candidates import group_size, likeliest

# The likeliest first token (1) leads nowhere good: 0.6 * 0.4 < 0.4 * 0.9.
TABLE = np.log([[1e-9, 0.6, 0.4], [0.3, 0.3, 0.4], [0.05, 0.9, 0.05]]).astype("float32")


def by_last(table):
    """A model whose logits depend on the last token alone."""
    return lambda ids, fixed, moving: (ops.take(table, ids, axis=0), moving, None)


def search(width: int, steps, *, table=TABLE, advance=None, moving=(), **options):
    found = beam_search(
        advance or by_last(table),
        (),
        moving,
        beam_width=width,
        max_new_tokens=np.atleast_1d(steps),
        **options,
    )
    return [
        [tuple(np.array(ids)[:length].tolist()) for ids, length in zip(*row)]
        for row in zip(np.array(found.token_ids), np.array(found.lengths))
    ], found


def all_paths(rng, vocab_size: int, steps: int, end_id: int, penalty: float):
    """A random model of whole paths, and the score of each that ends in time."""
    logits = {}

    def following(path):
        if path not in logits:
            drawn = rng.normal(size=vocab_size) * 2
            logits[path] = drawn - np.log(np.exp(drawn).sum())
        return logits[path]

    scores = {}
    for length in range(steps):
        for path in itertools.product(range(vocab_size), repeat=length):
            if end_id not in path:
                each = [following(path[:n])[t] for n, t in enumerate(path)]
                total = sum(each) + following(path)[end_id]
                scores[path] = total / ((5 + length) / 6) ** penalty
    return following, scores


def scripted(following, steps: int, vocab_size: int):
    """`advance` of a model of whole paths: its state is the path."""

    def logits(step, paths):
        rows = [following(tuple(p[: int(s) - 1])) for s, p in zip(step, paths)]
        return np.array(rows, "float32")

    def advance(ids, fixed, moving):
        step, paths = moving  # (N,), (N, steps)
        here = ops.arange(steps)[None] == step[:, None] - 1
        paths = ops.where(here, ids[:, None], paths)
        step = step + 1
        out = tf.numpy_function(logits, [step, paths], tf.float32)
        return tf.ensure_shape(out, [None, vocab_size]), (step, paths), None

    return advance, (np.zeros(1, "int32"), np.zeros((1, steps), "int32"))


def test_a_wider_beam_finds_what_greedy_misses():
    assert search(1, 2)[0][0][0] == (1, 2)
    paths, found = search(2, 2)
    assert paths[0][0] == (2, 1)
    assert np.exp(found.log_probability[0, 0]) == pytest.approx(0.36)
    assert not np.array(found.finished).any()


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.5])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_as_wide_as_all_paths_is_exhaustive(seed: int, penalty: float):
    following, scores = all_paths(np.random.default_rng(seed), 3, 4, 2, penalty)
    advance, moving = scripted(following, 4, 3)
    paths, found = search(
        8, 4, advance=advance, moving=moving, end_id=2, length_penalty=penalty
    )
    best = sorted(scores, key=scores.get, reverse=True)
    assert paths[0][:5] == best[:5]
    expected = [scores[path] for path in best[:5]]
    assert np.array(found.score[0, :5]) == pytest.approx(expected, abs=1e-4)
    assert np.array(found.finished[0, :5]).all()


def test_stopping_early_loses_nothing():
    """Ending at once is likelier than all else; the length makes the long path best."""
    steps = 8
    table = np.full((10, 10), -30.0, "float32")
    table[0, [9, 1]] = np.log([0.55, 0.45])
    for token in range(1, steps):
        table[token, token + 1] = 0.0
    table[steps, 9] = 0.0
    for width in (1, 2):
        paths, found = search(width, 20, table=table, end_id=9, length_penalty=1.0)
        assert paths[0][0] == tuple(range(1, steps + 1))
        expected = np.log(0.45) / (13 / 6)
        assert float(found.score[0, 0]) == pytest.approx(expected, abs=1e-4)


def test_an_end_token_ends_a_path_and_is_not_part_of_it():
    paths, found = search(2, 5, end_id=1)
    assert paths[0][0] == ()  # ended at once: 0.6 beats all that goes on
    assert np.exp(found.log_probability[0, 0]) == pytest.approx(0.6)


def test_a_length_penalty_changes_the_answer():
    short, _ = search(3, 4, end_id=1)
    longer, _ = search(3, 4, end_id=1, length_penalty=5.0)
    assert short[0][0] == () and len(longer[0][0]) > 0


def test_finished_hypotheses_rank_before_cut_off_ones():
    table = np.log(np.array([[0.9, 0.1], [0.5, 0.5]], "float32"))
    paths, found = search(2, 3, table=table, end_id=1)
    # Cut off, 0 0 0 has 0.73; () has 0.1, but it is whole.
    assert paths[0][0] == ()
    assert np.array(found.finished).tolist() == [[True, True]]


def test_a_row_answers_as_it_would_alone():
    """Rows of other limits and other models beside it change nothing."""
    tables = np.random.default_rng(1).normal(size=(5, 4, 4)).astype("float32") * 2
    limits = np.array([3, 9, 1, 6, 2])

    def advance(ids, fixed, moving):
        logits = ops.take(ops.reshape(tables, (-1, 4)), fixed * 4 + ids, axis=0)
        return logits, moving, None

    def run(rows):
        return beam_search(
            advance,
            np.array(rows, "int32"),
            (),
            beam_width=3,
            max_new_tokens=limits[rows],
            end_id=3,
            length_penalty=0.7,
        )

    together = run([0, 1, 2, 3, 4])
    for row, limit in enumerate(limits):
        for name, alone in run([row])._asdict().items():
            at_once = np.array(getattr(together, name))[row]
            alone = np.array(alone)[0]
            if name == "token_ids":
                at_once = at_once[:, :limit]
            assert alone == pytest.approx(at_once, rel=1e-6), name


def test_states_go_with_their_paths():
    """Logits ask that no token repeats, which takes each path's own state."""

    def advance(ids, fixed, moving):
        seen = ops.maximum(moving, ops.one_hot(ids, 5))
        return logits - 50 * seen, seen, None

    # Token 0 starts, so four more are left.
    logits = np.log([[0.1, 0.3, 0.25, 0.2, 0.15]]).astype("float32")
    moving = np.zeros((1, 5), "float32")
    paths, _ = search(4, 4, advance=advance, moving=moving)
    assert all(len({0, *path}) == 5 for path in paths[0])


def test_coverage_favours_what_has_read_the_whole_source():
    """Token 0 looks at step 0, token 1 at step 1; the third source step is padding."""

    def advance(ids, fixed, moving):
        logits = ops.log(np.array([[0.5, 0.1, 0.4]] * 3, "float32"))
        weights = ops.one_hot(ids, 3)  # of the token that was read
        return ops.take(logits, ids, axis=0), moving, weights

    options = {"advance": advance, "end_id": 2}
    mask = np.array([[True, True, False]])
    plain, _ = search(4, 3, **options)
    covered, _ = search(
        4, 3, **options, coverage_penalty=1.0, source_mask=mask, length_penalty=0.1
    )
    assert plain[0][0] == ()
    assert 1 in covered[0][0]


def test_fewer_hypotheses_than_beams_are_said_to_be_none():
    table = np.log(np.array([[0.5, 0.5], [0.5, 0.5]], "float32"))
    paths, found = search(3, 1, table=table, end_id=1)
    assert paths[0] == [(), (0,), ()]
    assert np.array(found.log_probability)[0].tolist() == pytest.approx(
        [np.log(0.5), np.log(0.5), -np.inf]
    )
    assert np.array(found.finished).tolist() == [[True, False, False]]


@pytest.mark.parametrize("vocab_size", [5, 258, 400])
def test_the_likeliest_of_a_large_vocabulary_are_those_of_all(vocab_size: int):
    """Equal ones in the order of their places, whatever the groups."""
    assert (group_size(vocab_size) > 1) == (vocab_size == 400)
    rng = np.random.default_rng(0)
    logits = rng.integers(0, 60, size=(7, 3, vocab_size)).astype("float32")
    so_far = rng.integers(-9, 0, size=(7, 3)).astype("float32")
    values, places = likeliest(8)(ops.array(logits), ops.array(so_far), 0)
    flat = (logits + so_far[..., None]).reshape(7, -1)
    expected = np.argsort(-flat, axis=1, kind="stable")[:, :8]
    assert np.array_equal(places, expected)
    assert np.array_equal(values, np.take_along_axis(flat, expected, axis=1))


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_search_for_the_best_alone_stops_sooner_with_the_same_best(penalty: float):
    sooner = 0
    for seed in range(8):
        drawn = np.random.default_rng(seed).normal(size=(6, 6)).astype("float32") * 2
        found, steps = [], []
        for num_best in (None, 1):
            calls: list[int] = []

            def advance(ids, fixed, moving, calls=calls, drawn=drawn):
                calls.append(1)
                return ops.take(drawn, ids, axis=0), moving, None

            options = {"end_id": 5, "length_penalty": penalty, "num_best": num_best}
            paths, _ = search(4, 12, advance=advance, **options)
            found.append(paths[0][0])
            steps.append(len(calls))
        assert found[0] == found[1]
        sooner += steps[1] < steps[0]
    assert sooner > 0


@pytest.mark.parametrize("graph", [False, True])
def test_rows_that_are_done_may_be_left_out(graph: bool):
    tables = np.random.default_rng(1).normal(size=(5, 4, 4)).astype("float32") * 2
    tables[1::2, :, 3] += 4  # these end early
    seen = []

    def every(ids, fixed, moving):
        logits = ops.take(tables.reshape(-1, 4), fixed * 4 + ids, axis=0)
        # What was read so far counts, so that states have to go with their paths.
        moving = moving + ops.cast(ids, "float32")[:, None]
        return logits - 0.1 * moving, moving, ops.one_hot(ids, 3)

    def those_that_go_on(ids, fixed, moving):
        seen.append(ids.shape[0])
        return every(ids, ops.repeat(fixed, 3, axis=0), moving)

    def run(rows, leave_out):
        return beam_search(
            those_that_go_on if leave_out else every,
            rows,
            ops.zeros((ops.shape(rows)[0], 1)),
            beam_width=3,
            max_new_tokens=ops.take(np.array([9, 3, 9, 6, 1], "int32"), rows, axis=0),
            end_id=3,
            length_penalty=0.7,
            coverage_penalty=0.3,
            source_mask=ops.ones((ops.shape(rows)[0], 3), dtype="bool"),
            leave_out=leave_out,
        )

    numbers = np.arange(5, dtype="int32")
    expected = run(numbers, False)
    if graph:
        spec = tf.TensorSpec([None], tf.int32)
        found = tf.function(lambda n: run(n, True), input_signature=[spec])(numbers)
    else:
        found = run(numbers, True)
        assert seen[0] == 15 and seen[-1] < 15
    for name, value in found._asdict().items():
        assert np.array(value) == pytest.approx(np.array(getattr(expected, name))), name


def test_in_a_graph_it_finds_the_same():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def traced(limits):
        return beam_search(
            by_last(TABLE),
            (),
            tf.zeros([tf.shape(limits)[0], 2]),
            beam_width=3,
            max_new_tokens=limits,
            end_id=0,
            length_penalty=0.6,
        )

    limits = np.array([2, 7, 4], "int32")
    eager = beam_search(
        by_last(TABLE),
        (),
        (),
        beam_width=3,
        max_new_tokens=limits,
        end_id=0,
        length_penalty=0.6,
    )
    for name, value in traced(limits)._asdict().items():
        assert np.array(value) == pytest.approx(np.array(getattr(eager, name))), name


@pytest.mark.parametrize(
    "options, problem",
    [
        ({"beam_width": 0}, "beam_width is 0"),
        ({"beam_width": 2, "length_penalty": -0.1}, "length_penalty is -0.1"),
        ({"beam_width": 2, "coverage_penalty": 0.2}, "source_mask"),
        ({"beam_width": 2, "choose": likeliest(4), "leave_out": True}, "leave_out"),
        ({"beam_width": 2, "num_best": 0}, "num_best is 0"),
        ({"beam_width": 2, "num_best": 3}, "num_best is 3"),
    ],
)
def test_impossible_numbers_are_refused(options, problem):
    with pytest.raises(ValueError, match=problem):
        beam_search(by_last(TABLE), (), (), max_new_tokens=np.array([2]), **options)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_width_and_penalty_may_be_tensors_of_a_graph(width: int):
    @tf.function(input_signature=[tf.TensorSpec([], tf.int32), tf.TensorSpec([])])
    def searched(width: tf.Tensor, penalty: tf.Tensor):
        return beam_search(
            by_last(TABLE),
            (),
            (),
            beam_width=width,
            length_penalty=penalty,
            max_new_tokens=tf.constant([4, 2]),
            end_id=2,
        )

    expected, numbers = search(width, [4, 2], end_id=2, length_penalty=0.7)
    found = searched(tf.constant(width), tf.constant(0.7))
    assert (np.array(numbers.token_ids) == found.token_ids.numpy()).all()
    assert found.score.numpy() == pytest.approx(np.array(numbers.score), abs=1e-5)
