"""The graph that answers: the best paths of whole sentences, and very long ones."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.models.tagging import build_tagging_model
from keras_seq.tasks.tagging.server import Tagger, best_paths
from keras_seq.text.tag_schemes import allowed_tags
from keras_seq.text.tagged import WordEncoder

NAMES = ["O", "B-x", "I-x"]
SENTENCES = [["a", "b", "a", "c"], ["b"], []]


@pytest.fixture(scope="module", params=[False, True], ids=["softmax", "crf"])
def tagger(request: pytest.FixtureRequest) -> Tagger:
    """An untrained network of random weights, with BIO2's rules where it has a CRF."""
    keras.utils.set_random_seed(5)
    encoder = WordEncoder(["a", "b"], with_features=False)
    rules = allowed_tags(NAMES, "bio2") if request.param else None
    model = build_tagging_model(4, 3, 4, 4, crf=request.param, allowed=rules)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return Tagger(model, encoder, NAMES)


def log_probabilities(tagger: Tagger, words: list[str]) -> dict[tuple[str, ...], float]:
    """Of every path, by enumeration."""
    (ids,) = tagger._encode(tf.constant(words))
    scores = tagger.model(ids[None]).numpy()[0].astype(np.float64)
    found = {}
    for path in itertools.product(range(3), repeat=len(words)):
        before = (0, *path)
        found[path] = sum(
            step[before[t], tag] if step.ndim == 2 else step[tag]
            for t, (step, tag) in enumerate(zip(scores, path))
        )
    total = np.logaddexp.reduce(list(found.values()))
    return {
        tuple(NAMES[tag] for tag in path): score - total
        for path, score in found.items()
        if score - total > -5000  # the rest break a rule
    }


@pytest.mark.parametrize("count", [1, 4, 200])
def test_the_best_paths_are_those_of_all(tagger: Tagger, count: int):
    answers = list(best_paths(tagger._traced["n_best"], SENTENCES, count))
    for words, paths in zip(SENTENCES[:2], answers):
        every = log_probabilities(tagger, words)
        ranked = sorted(every, key=every.get, reverse=True)[:count]
        assert [tuple(path["tags"]) for path in paths] == ranked
        assert [path["log_probability"] for path in paths] == pytest.approx(
            [every[path] for path in ranked], abs=1e-3
        )
    assert answers[2] == [{"tags": [], "log_probability": pytest.approx(0.0)}]


def test_the_first_path_is_the_answer(tagger: Tagger):
    answers = tagger.tag(SENTENCES)
    for answer, (best,) in zip(
        answers, best_paths(tagger._traced["n_best"], SENTENCES, 1)
    ):
        assert answer["tags"] == best["tags"]


@pytest.mark.parametrize("count", [0, -3])
def test_a_number_of_paths_below_one_is_refused(tagger: Tagger, count: int):
    with pytest.raises(tf.errors.InvalidArgumentError, match="count is below 1"):
        list(best_paths(tagger._traced["n_best"], [["a"]], count))


def test_a_sentence_of_5000_words_is_read_whole(tagger: Tagger):
    words = ["a", "b", "c", "d", "e"] * 1000
    (answer,) = tagger.tag([words])
    assert answer["words"] == words and len(answer["tags"]) == 5000
    # The words around a place where pieces would be cut are read as anywhere else.
    near = slice(100, 400)
    (part,) = tagger.tag([words[near]])
    assert answer["tags"][150:350] == part["tags"][50:250]
