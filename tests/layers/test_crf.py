"""The CRF against the enumeration of all paths, and against another implementation."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from keras_seq.decoding.viterbi import viterbi_decode, viterbi_n_best
from keras_seq.layers.crf import (
    CRF,
    crf_log_likelihood,
    crf_log_partition,
    crf_loss,
    crf_marginals,
)

RECORDED = Path(__file__).with_name("crf_recorded.json")


def layer_with(rng: np.random.Generator, num_tags: int, **options) -> CRF:
    crf = CRF(num_tags, **options)
    crf.build((None, None, num_tags))
    crf.set_weights([rng.normal(size=w.shape) for w in crf.get_weights()])
    return crf


def score_of(crf: CRF, logits: np.ndarray, path: tuple[int, ...]) -> float:
    """The sum of a path, by hand; `logits` (T, C) are steps that count alone."""
    start, transitions, end = (np.array(w, np.float64) for w in crf.get_weights())
    score = start[path[0]] + end[path[-1]]
    score += sum(logits[t, tag] for t, tag in enumerate(path))
    return score + sum(transitions[i, j] for i, j in itertools.pairwise(path))


def enumerated(crf: CRF, logits: np.ndarray) -> dict[tuple[int, ...], float]:
    paths = itertools.product(range(crf.num_tags), repeat=len(logits))
    return {path: score_of(crf, logits, path) for path in paths}


CASES = [(1, 1), (1, 3), (2, 4), (3, 3), (4, 4), (5, 2), (3, 5)]  # (tags, steps)


@pytest.mark.parametrize(("num_tags", "steps"), CASES)
def test_numbers_are_those_of_all_paths(num_tags: int, steps: int):
    rng = np.random.default_rng(num_tags * 10 + steps)
    crf = layer_with(rng, num_tags)
    logits = rng.normal(scale=2, size=(1, steps, num_tags)).astype(np.float32)
    scores = enumerated(crf, logits[0])
    total = np.logaddexp.reduce(list(scores.values()))
    potentials = crf(logits)
    assert float(crf_log_partition(potentials)[0]) == pytest.approx(total, abs=1e-4)
    marginals = np.zeros((steps, num_tags))
    for path, score in scores.items():
        marginals[np.arange(steps), path] += np.exp(score - total)
        tags = np.array([path])
        assert float(crf_log_likelihood(tags, potentials)[0]) == pytest.approx(
            score - total, abs=1e-4
        )
    np.testing.assert_allclose(crf_marginals(potentials)[0], marginals, atol=1e-5)
    ranked = sorted(scores, key=scores.get, reverse=True)
    best, score = viterbi_decode(potentials)
    assert tuple(np.array(best[0])) == ranked[0]
    assert float(score[0]) == pytest.approx(scores[ranked[0]], abs=1e-4)
    count = min(6, len(ranked))
    several, several_scores = viterbi_n_best(potentials, count)
    assert [tuple(path) for path in np.array(several[0])] == ranked[:count]
    np.testing.assert_allclose(
        several_scores[0], [scores[path] for path in ranked[:count]], atol=1e-4
    )


def test_a_graph_is_asked_for_any_number_of_paths():
    import tensorflow as tf

    crf = layer_with(np.random.default_rng(8), 3)
    logits = np.random.default_rng(9).normal(size=(1, 4, 3)).astype(np.float32)
    mask = np.array([[True, True, True, False]])
    scores = enumerated(crf, logits[0, :3])
    ranked = sorted(scores, key=scores.get, reverse=True)
    specs = [tf.TensorSpec([None, None, 3, 3]), tf.TensorSpec([], tf.int32)]
    traced = tf.function(viterbi_n_best, input_signature=specs)
    for count in (1, 5, 27, 30):
        paths, found = traced(crf(logits, mask=mask), tf.constant(count))
        assert paths.shape == (1, count, 4) and found.shape == (1, count)
        exist = min(count, 27)
        assert [tuple(p) for p in paths.numpy()[0, :exist, :3]] == ranked[:exist]
        # A path that goes through a masked step in another way breaks its rule.
        assert (found.numpy()[0, exist:] < scores[ranked[-1]] - 5000).all()


@pytest.mark.parametrize(
    "mask",
    ["11110", "11000", "10000", "00000", "00111", "10101", "01010", "11111"],
)
def test_masked_steps_count_for_nothing_wherever_they_stand(mask: str):
    rng = np.random.default_rng(7)
    crf = layer_with(rng, 3)
    counts = np.array([sign == "1" for sign in mask])
    logits = rng.normal(size=(1, 5, 3)).astype(np.float32)
    potentials = crf(logits, mask=counts[None])
    if not counts.any():
        assert float(crf_log_partition(potentials)[0]) == pytest.approx(0, abs=1e-5)
        return
    scores = enumerated(crf, logits[0, counts])
    total = np.logaddexp.reduce(list(scores.values()))
    assert float(crf_log_partition(potentials)[0]) == pytest.approx(total, abs=1e-4)
    best = max(scores, key=scores.get)
    assert tuple(np.array(viterbi_decode(potentials)[0][0])[counts]) == best
    tags = np.full((1, 5), -1)
    tags[0, counts] = best
    found = float(crf_log_likelihood(tags, potentials)[0])
    assert found == pytest.approx(scores[best] - total, abs=1e-4)
    sums = np.array(crf_marginals(potentials)).sum(axis=-1)
    np.testing.assert_allclose(sums, 1, atol=1e-5)


def test_a_batch_of_one_is_a_row_of_a_batch_of_many():
    rng = np.random.default_rng(1)
    crf = layer_with(rng, 4)
    lengths = [7, 1, 4, 0, 6]
    logits = rng.normal(size=(5, 7, 4)).astype(np.float32)
    mask = np.arange(7) < np.array(lengths)[:, None]
    tags = np.where(mask, rng.integers(4, size=(5, 7)), -1)
    together = crf(logits, mask=mask)
    for row, length in enumerate(lengths):
        if not length:
            continue
        alone = crf(logits[row : row + 1, :length])
        np.testing.assert_allclose(
            crf_log_likelihood(tags[row : row + 1, :length], alone)[0],
            crf_log_likelihood(tags, together)[row],
            atol=1e-5,
        )
        np.testing.assert_allclose(
            crf_marginals(alone)[0], crf_marginals(together)[row, :length], atol=1e-5
        )
        np.testing.assert_array_equal(
            viterbi_decode(alone)[0][0], viterbi_decode(together)[0][row, :length]
        )


def test_what_is_not_allowed_is_never_answered_and_has_no_probability():
    rng = np.random.default_rng(3)
    start, transitions = np.array([True, False, True]), np.ones((3, 3), bool)
    transitions[0, 1] = transitions[1, 2] = False
    allowed = start, transitions, np.array([True, True, False])
    crf = layer_with(rng, 3, allowed=allowed)
    logits = rng.normal(scale=5, size=(20, 6, 3)).astype(np.float32)
    potentials = crf(logits)
    for path in np.array(viterbi_decode(potentials)[0]):
        assert start[path[0]] and allowed[2][path[-1]]
        assert all(transitions[i, j] for i, j in itertools.pairwise(path))
    marginals = np.array(crf_marginals(potentials))
    assert marginals[:, 0, 1].max() == marginals[:, -1, 2].max() == 0
    illegal = np.zeros((20, 6), int)
    illegal[:, 3] = 1
    assert np.array(crf_log_likelihood(illegal, potentials)).max() < -1000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"num_tags": 0}, "num_tags is 0"),
        ({"num_tags": 2, "allowed": (np.ones(2), np.ones(4), np.ones(2))}, "shapes"),
        ({"num_tags": 1, "allowed": (np.zeros(1), np.ones((1, 1)), [1])}, "no tag"),
    ],
)
def test_what_makes_no_sense_is_a_value_error(options: dict, said: str):
    with pytest.raises(ValueError, match=said):
        CRF(**options)


def test_logits_of_another_size_are_refused():
    with pytest.raises(ValueError, match="logits have the shape"):
        CRF(3)(np.zeros((2, 4, 5), np.float32))


def tiny_tagger(mixed: bool = False) -> keras.Model:
    policy = "mixed_float16" if mixed else "float32"
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    x = keras.layers.Embedding(6, 8, mask_zero=True, dtype=policy)(token_ids)
    logits = keras.layers.Dense(3, dtype=policy)(x)
    return keras.Model(token_ids, CRF(3, name="crf")(logits))


def test_it_learns_what_only_neighbours_tell_and_survives_saving(tmp_path: Path):
    """The same word is tag 1 after word 2, else tag 0."""
    rng = np.random.default_rng(0)
    token_ids = rng.integers(2, 5, size=(256, 9)).astype(np.int32)
    token_ids[np.arange(256)[:, None], np.arange(9)] *= (
        np.arange(9) < rng.integers(3, 10, size=256)[:, None]
    )
    tags = np.where(token_ids == 2, 2, 0)
    tags[:, 1:] = np.where(
        (token_ids[:, :-1] == 2) & (token_ids[:, 1:] != 2), 1, tags[:, 1:]
    )
    tags = np.where(token_ids == 0, -1, tags)
    model = tiny_tagger()
    model.compile(keras.optimizers.Adam(0.05), crf_loss)
    model.fit(token_ids, tags, epochs=12, batch_size=32, verbose=0)
    found = np.array(viterbi_decode(model(token_ids))[0])
    assert (found == tags)[tags >= 0].mean() > 0.99
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(again(token_ids), model(token_ids))


def test_it_stays_float32_inside_mixed_precision():
    potentials = tiny_tagger(mixed=True)(np.array([[2, 3, 0]], np.int32))
    assert keras.backend.standardize_dtype(potentials.dtype) == "float32"


def test_numbers_are_those_that_another_implementation_gave():
    """`record_crf.py` beside this file made the records with pytorch-crf."""
    recorded = json.loads(RECORDED.read_text())
    for case in recorded["cases"]:
        crf = CRF(case["num_tags"])
        crf.build((None, None, case["num_tags"]))
        crf.set_weights(
            [np.array(case[name]) for name in ("start", "transitions", "end")]
        )
        mask = np.array(case["mask"], bool)
        potentials = crf(np.array(case["logits"], np.float32), mask=mask)
        tags = np.where(mask, case["tags"], -1)
        np.testing.assert_allclose(
            crf_log_likelihood(tags, potentials), case["log_likelihood"], atol=2e-4
        )
        best = np.array(viterbi_decode(potentials)[0])
        for row, path in enumerate(case["best_paths"]):
            assert best[row][mask[row]].tolist() == path


@pytest.mark.slow
def test_it_runs_under_jax():
    code = (
        "import keras, numpy as np\n"
        "from keras_seq.layers.crf import CRF, crf_loss, crf_marginals\n"
        "from keras_seq.decoding.viterbi import viterbi_decode\n"
        "assert keras.backend.backend() == 'jax'\n"
        "crf = CRF(2); p = crf(np.zeros((2, 3, 2), 'float32'))\n"
        "tags = np.zeros((2, 3), int)\n"
        "print(float(crf_loss(tags, p)[0]), viterbi_decode(p)[0].shape,"
        " float(crf_marginals(p).sum()))\n"
        "x = [keras.Input((None, 2)), keras.layers.Dense(2), crf]\n"
        "model = keras.Sequential(x)\n"
        "model.compile('adam', crf_loss)\n"
        "model.fit(np.ones((4, 3, 2)), np.ones((4, 3), int), verbose=0)\n"
    )
    environment = {"KERAS_BACKEND": "jax", "PATH": "", "HOME": ""}
    root = Path(__file__).resolve().parents[2]
    out = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    loss, rest = out.stdout.split(" ", 1)
    assert float(loss) == pytest.approx(3 * np.log(2), abs=1e-5)
    assert rest.strip() == "(2, 3) 6.0"


def test_gradients_of_the_partition_are_the_marginals():
    import tensorflow as tf

    crf = layer_with(np.random.default_rng(5), 3)
    logits = tf.constant(np.random.default_rng(6).normal(size=(2, 4, 3)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = ops.sum(crf_log_partition(crf(logits)))
    marginals = crf_marginals(crf(logits))
    np.testing.assert_allclose(tape.gradient(total, logits), marginals, atol=1e-5)


def test_one_word_has_marginals_in_a_graph_of_any_length():
    import tensorflow as tf

    crf = CRF(3)
    spec = tf.TensorSpec([None, None, 3], tf.float32)
    traced = tf.function(lambda x: crf_marginals(crf(x)), input_signature=[spec])
    logits = np.random.default_rng(0).normal(size=(2, 1, 3)).astype("float32")
    expected = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    assert traced(logits).numpy() == pytest.approx(expected, abs=1e-6)
    assert traced(np.zeros((0, 1, 3), "float32")).shape == (0, 1, 3)
