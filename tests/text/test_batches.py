"""Batches: every sample once, little padding, the same order for the same seed."""

import numpy as np
import pytest

from keras_seq.errors import UserError
from keras_seq.text.batches import EncodedSamples, make_text_dataset, plan_batches
from keras_seq.text.tokenizer import Tokenizer

NAMES = ["no", "yes"]
SAMPLES = [("w " * (1 + n % 9) + f"x{n}", NAMES[n % 2]) for n in range(50)]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(text for text, _ in SAMPLES)
    return tokenizer


def batches(tokenizer: Tokenizer, **options) -> list[tuple[list, list]]:
    dataset = make_text_dataset(SAMPLES, tokenizer, NAMES, batch_size=8, **options)
    return [(ids.numpy().tolist(), y.numpy().tolist()) for ids, y in dataset]


@pytest.mark.parametrize("seed", [None, 3])
def test_each_sample_stands_in_one_batch(seed: int | None):
    lengths = np.random.default_rng(0).integers(1, 99, 1003)
    plan = plan_batches(lengths, 8, seed=seed)
    assert sorted(np.concatenate(plan)) == list(range(1003))
    assert len(plan) == 126


def test_batches_hold_samples_of_like_length():
    lengths = np.random.default_rng(0).integers(1, 500, 6400)
    padded = sum(lengths[b].max() * len(b) for b in plan_batches(lengths, 32, seed=1))
    at_random = sum(b.max() * len(b) for b in lengths.reshape(-1, 32))
    assert padded < 1.1 * lengths.sum() < 0.7 * at_random


def test_order_is_a_function_of_seed_and_epoch():
    lengths = np.arange(1, 200)

    def order(**choice: int) -> list[int]:
        return np.concatenate(plan_batches(lengths, 8, **choice)).tolist()

    assert order(seed=1, epoch=4) == order(seed=1, epoch=4)
    assert order(seed=1, epoch=4) != order(seed=1, epoch=5)
    assert order(seed=1, epoch=4) != order(seed=2, epoch=4)


def test_epochs_differ_and_runs_do_not(tokenizer: Tokenizer):
    options = {"batch_size": 8, "shuffle": True, "seed": 1}
    runs = []
    for _ in range(2):
        dataset = make_text_dataset(SAMPLES, tokenizer, NAMES, **options)
        runs.append([[y.numpy().tolist() for _, y in dataset] for _ in range(2)])
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]


def test_ids_labels_and_padding_are_those_of_the_samples(tokenizer: Tokenizer):
    expected = sorted(
        (tokenizer.texts_to_sequences([text])[0], NAMES.index(label))
        for text, label in SAMPLES
    )
    found = batches(tokenizer, shuffle=True)
    rows = [
        ([i for i in row if i], label)
        for ids, labels in found
        for row, label in zip(ids, labels)
    ]
    assert sorted(rows) == expected
    for ids, _ in found:
        assert any(row[-1] for row in ids)  # padded to the longest, no further


def test_cardinality_is_known_and_no_sample_is_dropped(tokenizer: Tokenizer):
    dataset = make_text_dataset(SAMPLES, tokenizer, NAMES, batch_size=8)
    assert len(dataset) == 7 == len(list(dataset))


def test_long_texts_keep_their_first_tokens(tokenizer: Tokenizer):
    whole = EncodedSamples(SAMPLES, tokenizer, NAMES)
    cut = EncodedSamples(SAMPLES, tokenizer, NAMES, max_len=3)
    assert cut.lengths.max() == 3
    assert cut.tokens(8).tolist() == whole.tokens(8)[:3].tolist()


def test_an_unknown_label_is_named(tokenizer: Tokenizer):
    with pytest.raises(UserError, match="sample 1: label 'maybe' was not in training"):
        make_text_dataset([("a", "maybe")], tokenizer, NAMES)


def test_no_sample_is_an_error_in_words(tokenizer: Tokenizer):
    with pytest.raises(UserError, match="there is no sample"):
        make_text_dataset([], tokenizer, NAMES)
