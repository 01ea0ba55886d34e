"""Batches of tagged sentences: what is read, what is padding, in which order."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.errors import UserError
from keras_seq.text.sample_sentences import load_sample_sentences
from keras_seq.text.sentences import Sentence
from keras_seq.text.tagged import PIECE, WordEncoder, make_tagged_dataset

SENTENCES = [
    Sentence(("The", "dog", "barks"), ("D", "N", "V")),
    Sentence(("the", "ox"), ("D", "N")),
    Sentence(("Dog",), ("N",)),
]
NAMES = ["D", "N", "V"]


@pytest.fixture(scope="module")
def encoder() -> WordEncoder:
    return WordEncoder.fit([s.words for s in SENTENCES], word_length=4)


def test_rare_words_are_unknown_and_spellings_share_an_id(encoder: WordEncoder):
    ids, characters, features = encoder.encode(tf.constant(["DOG", "the", "ox", "cat"]))
    assert ids.numpy().tolist() == [3, 2, 1, 1] and encoder.words == ("the", "dog")
    assert characters.shape == (4, 4) and features.shape == (4, 8)


def test_batches_hold_what_the_encoder_says_and_nothing_at_padding(encoder):
    (read, tags), (last, _) = make_tagged_dataset(
        SENTENCES, encoder, NAMES, batch_size=2
    )
    assert [array.shape for array in read] == [(2, 2), (2, 2, 4), (2, 2, 8)]
    assert tags.numpy().tolist() == [[1, -1], [0, 1]]
    for array in read:
        assert not array.numpy()[0, 1].any()
    expected = encoder.encode(tf.constant(SENTENCES[0].words))
    assert all(np.array_equal(a[0], b) for a, b in zip(last, expected))


def test_word_ids_alone_are_one_tensor():
    plain = WordEncoder.fit([s.words for s in SENTENCES], with_features=False)
    for ids, tags in make_tagged_dataset(SENTENCES, plain, NAMES):
        assert ids.shape == tags.shape == (3, 3) and ids.dtype == tf.int32


def test_an_epoch_has_every_sentence_once_and_can_be_entered(encoder: WordEncoder):
    sentences = load_sample_sentences(count=50)
    names = sorted({tag for s in sentences for tag in s.tags})
    encoder = WordEncoder.fit([s.words for s in sentences])
    data = make_tagged_dataset(sentences, encoder, names, batch_size=8, shuffle=True)
    first, second = ([tags.numpy() for _, tags in data] for _ in range(2))
    words = [
        (tags >= 0).sum()
        for tags in (np.concatenate([t.ravel() for t in e]) for e in (first, second))
    ]
    assert words == [sum(len(s.words) for s in sentences)] * 2
    entered = [tags.numpy() for _, tags in data.starting_at(1, 2).take(3)]
    assert all(np.array_equal(a, b) for a, b in zip(entered, second[2:5]))


def test_a_long_sentence_is_trained_on_in_pieces_and_named(
    encoder: WordEncoder, capsys: pytest.CaptureFixture
):
    size = 2 * PIECE + 1
    long = Sentence(("dog",) * size, ("N",) * size, Path("a.conll"), range(7, 7 + size))
    data = make_tagged_dataset([long], encoder, NAMES)
    assert [tags.numpy().shape for _, tags in data] == [(3, PIECE)]
    assert sum((tags.numpy() >= 0).sum() for _, tags in data) == size
    capsys.readouterr()
    make_tagged_dataset([SENTENCES[0], long, SENTENCES[1], long], encoder, NAMES)
    said = capsys.readouterr().err
    assert "a.conll: 2 of 4 sentences (50 %) have more than 250 words" in said
    assert "the first at a.conll:7" in said
    make_tagged_dataset([Sentence(("dog",) * PIECE, ("N",) * PIECE)], encoder, NAMES)
    assert capsys.readouterr().err == ""


def test_other_data_has_another_fingerprint(encoder: WordEncoder):
    prints = {
        make_tagged_dataset(some, encoder, NAMES).data_fingerprint
        for some in (
            SENTENCES,
            SENTENCES[:2],
            [SENTENCES[2]._replace(tags=("V",))],
            [SENTENCES[2]],
        )
    }
    assert len(prints) == 4


def test_an_encoder_is_its_json(encoder: WordEncoder):
    again = WordEncoder.from_json(encoder.to_json())
    words = tf.constant(["dog", "Ox", "很"])
    assert all(map(np.array_equal, encoder.encode(words), again.encode(words)))
    assert WordEncoder([]).vocab_size == 2


def test_what_cannot_be_batched_is_refused(encoder: WordEncoder):
    with pytest.raises(UserError, match="no sentence"):
        make_tagged_dataset([], encoder, NAMES)
    with pytest.raises(UserError, match="sentence:1: tag 'X' was not in training"):
        make_tagged_dataset([Sentence(("a",), ("X",))], encoder, NAMES)


def test_the_sample_hides_what_decides():
    from keras_seq.evaluation.taggers import BackoffTagger

    sentences = load_sample_sentences(seed=0)
    tagger = BackoffTagger().fit((s.words, s.tags) for s in sentences)
    fresh = load_sample_sentences(seed=1)
    right = [a == b for s in fresh for a, b in zip(s.tags, tagger.tag(s.words))]
    assert np.mean(right) < 0.8
    assert sentences == load_sample_sentences(seed=0) != fresh
