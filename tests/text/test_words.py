"""Words of raw texts, their places, and what is read of them."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq.text.words import (
    BUCKETS,
    NUM_CHARACTERS,
    NUM_FEATURES,
    affix_ids,
    character_ids,
    normal_form,
    split_words,
    word_shape,
)

CASES = {
    "I can't, won't.": "I|ca|n't|,|wo|n't|.",
    "It’s Ann's; they'll've": "It|’s|Ann|'s|;|they|'ll|'ve",
    "O'Brien l'homme": "O'Brien|l'homme",
    "$3,000.50 at 10:30 (v2.1)": "$|3,000.50|at|10:30|(|v2.1|)",
    "a.b@c.org @me #two e-mail": "a.b@c.org|@me|#two|e|-|mail",
    "wait... what?!": "wait|...|what|?|!",
    "我们在北京。OK吗": "我|们|在|北|京|。|OK|吗",
    "Être Ёлка ελλάδα": "Être|Ёлка|ελλάδα",
    "e\u0301te\u0301 नमस्ते": "e\u0301te\u0301|नमस्ते",
    "ภาษา": "ภ|า|ษ|า",
    "n't 'tis '": "n't|'|tis|'",
    "a\u00a0b\tc\n\u200bd": "a|b|c|d",
    "": "",
}


@pytest.mark.parametrize("text", CASES)
def test_words_of_any_script(text: str):
    words, starts, ends = split_words(tf.constant([text]))
    found = [word.decode() for word in words.to_list()[0]]
    assert "|".join(found) == CASES[text]
    places = zip(starts.to_list()[0], ends.to_list()[0])
    assert [text[start:end] for start, end in places] == found


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_places_hold_in_any_text_and_in_any_company(texts: list[str]):
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    words, starts, ends = (x.to_list() for x in split_words(tf.constant(texts)))
    for text, own, first, last in zip(texts, words, starts, ends):
        assert [text[a:b].encode() for a, b in zip(first, last)] == own
        assert all(a < b <= c for a, b, c in zip(first, last, [*first[1:], len(text)]))
        alone = split_words(tf.constant([text]))[0].to_list()[0]
        assert alone == own


def test_bytes_that_are_no_text_are_words_too():
    words, starts, _ = split_words(tf.constant([b"ok \xff\xfe", b"\x00"]))
    assert words.to_list()[0][0] == b"ok" and len(starts.to_list()) == 2


def test_normal_form_and_shape():
    words = tf.constant(["ÉTÉ", "B-52", "a\x00B"])
    assert normal_form(words).numpy().tolist() == ["été".encode(), b"b-00", b"a b"]
    shapes = word_shape(tf.constant(["McX", "3.5", "很好", "ß"])).numpy().tolist()
    assert shapes == [b"XxX", b"0.0", b"c", b"x"]


def test_affixes_are_alike_where_words_end_alike():
    first, second, other = affix_ids(
        tf.constant(["walking", "Talking", "talked"])
    ).numpy()
    same = (first == second).tolist()
    # Suffixes of one to four letters; prefixes and shape differ.
    assert same == [True, True, True, True, False, False, False, False]
    assert (first != other)[:4].all()


@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_ids_lie_in_their_ranges(words: list[str]):
    words = tf.constant([word.encode("utf-8", "replace") for word in words])
    features = affix_ids(words).numpy()
    assert features.shape == (len(words), NUM_FEATURES)
    assert (features // BUCKETS <= np.arange(1, NUM_FEATURES + 1)).all()
    assert features.min() >= 1 and features.max() <= NUM_FEATURES * BUCKETS
    characters = character_ids(words, 6).numpy()
    assert 0 <= characters.min() and characters.max() <= NUM_CHARACTERS


def test_a_long_word_keeps_its_two_ends():
    ids = character_ids(tf.constant(["abcdefgh", "abcd", "", "很"]), 4).numpy()
    assert ids[0].tolist() == [ord(c) + 1 for c in "abgh"]
    assert ids[1].tolist() == [ord(c) + 1 for c in "abcd"]
    assert ids[2].tolist() == [0] * 4 and (ids[3] > 0).tolist() == [True] + [False] * 3
