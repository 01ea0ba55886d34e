"""Schemes of entities: recognised, repaired, and kept by a CRF."""

import itertools

import numpy as np
import pytest

from keras_seq.text.tag_schemes import (
    allowed_tags,
    entities_of,
    find_scheme,
    repair_tags,
)


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("B-x I-x O B-y", "bio2"),
        ("I-x I-x O I-y B-y", "bio1"),
        ("B-x E-x O S-y", "bioes"),
        ("B-x L-x O U-y", "bioes"),
        ("S-x", "bioes"),
        ("O O", None),
        ("NOUN VERB", None),
        ("B-x NOUN", None),
        ("B-x I-x O B-x O I-x", "bio2"),  # most begin with B: the last is a mistake
        ("B- I-", None),
    ],
)
def test_a_scheme_is_recognised(tags: str, scheme: str | None):
    assert find_scheme([tags.split()]) == scheme


@pytest.mark.parametrize(
    ("scheme", "tags", "repaired", "broken"),
    [
        ("bio2", "O I-x I-x", "O B-x I-x", 1),
        ("bio2", "B-x I-y", "B-x B-y", 1),
        ("bio1", "I-x I-x B-x O I-y", "B-x I-x B-x O B-y", 0),
        ("bioes", "B-x O I-y I-y", "S-x O B-y E-y", 3),
        ("bioes", "B-x I-x E-x S-y", "B-x I-x E-x S-y", 0),
        ("bioes", "B-x M-x L-x U-y", "B-x I-x E-x S-y", 0),
    ],
)
def test_repairs(scheme: str, tags: str, repaired: str, broken: int):
    assert repair_tags(tags.split(), scheme) == (repaired.split(), broken)


@pytest.mark.parametrize("scheme", ["bio2", "bioes"])
def test_repaired_tags_keep_their_entities_and_are_what_a_crf_allows(scheme: str):
    letters = "BI" if scheme == "bio2" else "BIES"
    names = ["O", *(f"{letter}-{kind}" for letter in letters for kind in "xy")]
    start, transitions, end = allowed_tags(names, scheme)
    allowed = 0
    for ids in itertools.product(range(len(names)), repeat=3):
        tags = [names[n] for n in ids]
        repaired, broken = repair_tags(tags, scheme)
        assert entities_of(repaired) == entities_of(tags)
        pairs = zip(ids, ids[1:])
        fits = (
            start[ids[0]] and end[ids[-1]] and all(transitions[a, b] for a, b in pairs)
        )
        assert fits == (broken == 0) == (repaired == tags)
        allowed += fits
    assert 0 < allowed < len(names) ** 3


def test_a_crf_answers_no_path_that_breaks_the_rules():
    from keras_seq.decoding.viterbi import viterbi_decode
    from keras_seq.layers.crf import CRF

    names = ["O", "B-x", "I-x", "B-y", "I-y"]
    logits = np.random.default_rng(0).normal(0, 5, (50, 7, 5)).astype("float32")
    paths, _ = viterbi_decode(CRF(5, allowed_tags(names, "bio2"))(logits))
    rows = [[names[n] for n in row] for row in np.array(paths)]
    assert all(repair_tags(row, "bio2")[1] == 0 for row in rows)
    free = [[names[n] for n in row] for row in logits.argmax(axis=-1)]
    assert any(repair_tags(row, "bio2")[1] for row in free)


def test_plain_tags_have_no_rules():
    assert allowed_tags(["NOUN", "VERB"], None) is None
