"""Splits: stratified, seeded, and no text on two sides."""

from collections import Counter

import numpy as np
import pytest

from keras_seq.data.sources import read_table, split_samples
from keras_seq.data.splits import check_classes_differ, digests_by_label
from keras_seq.data.store import stored
from keras_seq.errors import UserError

SHARE = {"a": 0.6, "b": 0.3, "c": 0.1}
PARTS = ("train", "validation", "test")


def make(rows: int = 2000) -> list[tuple[str, str]]:
    """Distinct texts, 60, 30 and 10 % of them a, b and c, sorted by label."""
    labels = [label for label, share in SHARE.items() for _ in range(int(rows * share))]
    return [(f"Text {number} of {rows}", label) for number, label in enumerate(labels)]


def lists(parts) -> dict[str, list[tuple[str, str]]]:
    return {name: list(part) for name, part in parts.items()}


@pytest.mark.parametrize(("test", "validation"), [(0.1, 0.1), (0.25, 0.05), (0.5, 0.3)])
def test_every_label_has_its_share_in_every_part(test: float, validation: float):
    parts = lists(split_samples(make(), test=test, validation=validation))
    assert tuple(parts) == PARTS
    assert sorted(sum(parts.values(), [])) == sorted(make())
    shares = {"test": test, "validation": validation, "train": 1 - test - validation}
    for name, share in shares.items():
        counts = Counter(label for _, label in parts[name])
        assert counts == {label: round(2000 * share * s) for label, s in SHARE.items()}


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    first, again, other = (
        lists(split_samples(make(), seed=seed)) for seed in (3, 3, 4)
    )
    assert first == again
    shared = set(first["test"]) & set(other["test"])
    assert len(first["test"]) == len(other["test"]) == 200
    assert len(shared) < 50


def test_the_split_depends_on_the_text_and_not_on_where_it_stands():
    forward = lists(split_samples(make()))
    backward = lists(split_samples(make()[::-1]))
    assert {n: sorted(p) for n, p in forward.items()} == {
        n: sorted(p) for n, p in backward.items()
    }


def test_parts_can_be_read_again_when_what_they_came_of_is_gone():
    samples = make()
    part = split_samples(iter(samples))["validation"]
    kept = list(part)
    samples.clear()
    assert list(part) == kept and len(part) == len(kept) == 200


def test_a_text_never_stands_in_two_parts():
    """Case, spaces, repetition and even another label do not part a text."""
    samples = make(1000)
    samples += [(f" {text.upper()}\n", label) for text, label in samples[::2]]
    samples += [(text + " ", "b") for text, _ in samples[:300]]
    parts = lists(split_samples(samples, test=0.2, validation=0.2))
    texts = [
        {" ".join(text.lower().split()) for text, _ in part} for part in parts.values()
    ]
    assert sum(map(len, texts)) == len(set.union(*texts)) == 1000
    assert sum(map(len, parts.values())) == len(samples)
    assert len(parts["test"]) == pytest.approx(0.2 * len(samples), abs=5)
    assert len(parts["validation"]) == pytest.approx(0.2 * len(samples), abs=5)


@pytest.mark.parametrize("seed", range(5))
def test_a_text_that_outweighs_a_part_stays_in_train(seed: int):
    samples = make(500) + [("the same everywhere", "a")] * 400
    parts = lists(split_samples(samples, seed=seed))
    assert ("the same everywhere", "a") not in parts["test"] + parts["validation"]
    assert len(parts["test"]) == pytest.approx(90, abs=2)
    assert len(parts["validation"]) == pytest.approx(90, abs=2)


def test_many_rare_labels_fill_a_part_and_all_are_met_in_train():
    samples = [(f"text {n}", f"label {n // 4}") for n in range(400)]
    samples += [("alone", "label alone")]
    parts = lists(split_samples(samples))
    assert len(parts["test"]) == pytest.approx(40, abs=2)
    assert len(parts["validation"]) == pytest.approx(40, abs=2)
    assert len({label for _, label in parts["train"]}) == 101


def test_a_label_with_one_text_is_met_in_train():
    samples = make(200) + [(f"alone {n}", f"label {n}") for n in range(30)]
    parts = split_samples(samples, test=0.5, validation=0.3)
    assert len({label for _, label in parts["train"]}) == 33


def test_a_label_without_a_text_of_its_own_is_met_in_train():
    guests = [(text, f"guest {n}") for n, (text, _) in enumerate(make(100)[:40])]
    parts = split_samples(make(100) + guests, test=0.4, validation=0.3)
    assert len({label for _, label in parts["train"]}) == 43


def test_a_part_that_the_user_brings_is_not_cut():
    parts = lists(split_samples(make(), test=0, validation=0.1))
    assert {name: len(part) for name, part in parts.items()} == {
        "train": 1800,
        "validation": 200,
    }


@pytest.mark.parametrize("limit", [30, 100, 777, 1999])
def test_a_limit_takes_evenly_from_every_part_and_label(limit: int):
    whole, parts = lists(split_samples(make())), split_samples(make(), limit=limit)
    limited = lists(parts)
    assert limit - 18 <= sum(map(len, limited.values())) <= limit
    for name in PARTS:
        assert set(limited[name]) <= set(whole[name])
        assert {label for _, label in limited[name]} == set(SHARE)
        counts = Counter(label for _, label in limited[name])
        for label, count in Counter(label for _, label in whole[name]).items():
            assert abs(counts[label] - count * limit / 2000) <= 1 + 18 * count / 2000
    assert list(parts["train"]) == limited["train"]


def test_too_few_rows_are_an_error_that_says_so(tmp_path):
    path = tmp_path / "few.csv"
    path.write_text("text,label\n" + "".join(f"t{n},{n % 2}\n" for n in range(4)))
    with pytest.raises(UserError) as caught:
        split_samples(read_table(path))
    message = "few.csv: 4 rows are too few for a test part of 0.1; bring more rows, or"
    assert message in str(caught.value)


@pytest.mark.parametrize("texts", [1, 200])
def test_labels_that_contradict_each_other_are_the_reason_for_too_few(texts: int):
    samples = [(f"text {n % texts}", label) for n in range(200) for label in "ab"]
    said = f"samples: {texts} texts stand under several labels"
    with pytest.raises(UserError, match=said):
        split_samples(samples)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": 1.0}, r"test=1.0: a share of the rows is in \[0, 1\)"),
        ({"validation": -0.1}, "validation=-0.1: a share"),
        ({"test": 0.5, "validation": 0.5}, "leave nothing to train on"),
        ({"limit": 0}, "limit=0: use at least one row"),
    ],
)
def test_shares_that_make_no_sense_are_refused(options: dict, message: str):
    with pytest.raises(ValueError, match=message) as caught:
        split_samples(make(100), **options)
    assert not isinstance(caught.value, UserError)


def test_digests_stand_by_label_in_the_order_of_the_samples():
    found = digests_by_label(stored(make(100)[::-1]), seed=5)
    assert {label: len(x) for label, x in found.items()} == {"a": 60, "b": 30, "c": 10}
    assert list(found) == ["a", "b", "c"]
    each = stored(make(100)[::-1]).digests(seed=5)
    assert np.concatenate([found["c"], found["b"], found["a"]]).tolist() == list(each)
    assert len(set(each)) == 100


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "samples: no rows, so there is nothing to learn from"),
        ([("a", "x"), ("b", "x")], "samples: every row has the label 'x'; a class"),
    ],
)
def test_what_cannot_be_learned_is_refused(samples: list, message: str):
    with pytest.raises(UserError, match=message):
        check_classes_differ(stored(samples))
