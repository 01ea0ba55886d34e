"""Byte-pair subwords: the graph gives the ids of the package that trained them."""

import sys

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keras_seq.errors import UserError
from keras_seq.text import subwords
from keras_seq.text.coders import coder_from_json
from keras_seq.text.subwords import Subwords, split_pieces

TEXT = (
    "the theme of the other there, then; 1234 1234 times\n" * 8
    + "谢谢你们，谢谢大家。\n" * 8
    + "élève été naïve\n" * 4
)


@pytest.fixture(scope="module")
def trainer():
    return subwords.train_tokenizer([TEXT], 330)


@pytest.fixture(scope="module")
def coder(trainer) -> Subwords:
    return Subwords(subwords._merges_of(trainer))


@pytest.fixture(scope="module")
def encode(coder):
    return tf.function(coder.encode, input_signature=[tf.TensorSpec([None], tf.string)])


def as_trained(trainer, text: str) -> list[int]:
    """The package's own encoding of each piece."""
    encoded = tf.constant([text.encode("utf-8", "replace")])
    pieces = split_pieces(encoded).flat_values.numpy()
    return [i for p in pieces for i in trainer.encode(p.decode("latin-1")).ids]


MIXED = st.one_of(
    st.text(max_size=60),
    st.text("then mo1234谢你们大家é\n ", max_size=80),
    st.lists(st.sampled_from(TEXT.split()), max_size=12).map(" ".join),
)


@settings(max_examples=150)
@given(text=MIXED)
@example(text="")
@example(text="the" * 40 + "谢谢" * 40)
def test_the_graph_gives_the_trainers_ids(trainer, coder, encode, text: str):
    encoded = text.encode("utf-8", "replace")
    ids = encode(tf.constant([encoded])).to_list()[0]
    assert ids == as_trained(trainer, text)
    assert coder.text_of(ids) == encoded.decode("utf-8")


def test_a_vocabulary_is_the_trainers(trainer, coder):
    theirs = sorted(trainer.get_vocab(), key=trainer.get_vocab().get)[2:]
    assert [token.encode("latin-1") for token in theirs] == list(coder.tokens[2:])
    assert coder.vocab_size == trainer.get_vocab_size() > 258
    assert " the".encode() in coder.tokens and "谢谢".encode() in coder.tokens


def test_texts_of_a_batch_do_not_meet(encode):
    texts = ["the theme", "", "谢谢", "the"]
    alone = [encode(tf.constant([text])).to_list()[0] for text in texts]
    assert encode(tf.constant(texts)).to_list() == alone


def test_merges_go_by_rank_and_then_from_the_left():
    coder = Subwords([(b"b", b"c"), (b"a", b"b"), (b"a", b"a")])
    assert [coder.tokens[i] for i in coder.ids_of("abcab")] == [b"a", b"bc", b"ab"]
    assert [coder.tokens[i] for i in coder.ids_of("aaa")] == [b"aa", b"a"]


def test_two_ways_to_one_token_share_its_id():
    coder = Subwords([(b"a", b"b"), (b"b", b"c"), (b"ab", b"c"), (b"a", b"bc")])
    assert coder.tokens[258:] == (b"ab", b"bc", b"abc")
    assert [coder.tokens[i] for i in coder.ids_of("abc")] == [b"abc"]


def test_a_text_may_be_cut_behind_a_line_end(coder):
    parts = ["the theme\n", "\n", "  \n", " the\n"]
    whole = coder.ids_of("".join(parts)).tolist()
    assert sum((coder.ids_of(part).tolist() for part in parts), []) == whole


def test_long_pieces_are_cut():
    pieces = split_pieces(tf.constant(["x" * 40, "谢" * 20])).to_list()
    assert [len(p.decode()) for p in pieces[0]] == [16, 16, 8]
    assert [len(p.decode()) for p in pieces[1]] == [16, 4]


def test_json_keeps_the_merges(coder):
    again = coder_from_json(coder.to_json())
    assert again.tokens == coder.tokens
    assert again.ids_of(TEXT).tolist() == coder.ids_of(TEXT).tolist()


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(UserError, match=r"pip install 'keras_seq\[subwords\]'"):
        Subwords.fit(["a"], 300)
    with pytest.raises(ValueError, match="vocab_size is 257"):
        Subwords.fit(["a"], 257)
