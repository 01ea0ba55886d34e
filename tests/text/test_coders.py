"""Token coders: what is encoded comes back, in any language, also as a graph."""

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from keras_seq.text.coders import Bytes, Characters, Words, coder_from_json

TEXTS = ["To be, or not to be:\n", "謝謝 très bien\n", "не то\t👍🏽 नमस्ते\n"]
ALPHABET = sorted(set("".join(TEXTS)))


def encode_as_graph(coder, text: str) -> list[int]:
    graph = tf.function(
        coder.encode, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    return graph(tf.constant([text.encode("utf-8", "replace")])).to_list()[0]


@given(st.text(ALPHABET, max_size=60))
def test_known_characters_come_back(text: str):
    coder = Characters.fit(TEXTS)
    assert coder.text_of(coder.ids_of(text)) == text
    assert len(coder.ids_of(text)) == len(text)


@given(st.text(max_size=60))
def test_any_text_comes_back_from_bytes(text: str):
    coder = Bytes()
    encoded = text.encode("utf-8", "replace")
    assert coder.ids_of(text).tolist() == [2 + byte for byte in encoded]
    assert coder.text_of(coder.ids_of(text)) == encoded.decode("utf-8")


@given(st.binary(max_size=40))
def test_bytes_that_are_no_text_encode_and_decode_to_text(raw: bytes):
    for coder in (Bytes(), Characters.fit(TEXTS), Words.fit(TEXTS)):
        ids = coder.encode(tf.constant([raw])).to_tensor()
        coder.decode(ids)[0].numpy().decode("utf-8")


@given(st.lists(st.integers(0, 257), max_size=20))
def test_any_bytes_decode_to_valid_text(ids: list[int]):
    Bytes().text_of(ids).encode("utf-8")


def test_ids_are_in_the_order_of_frequency_and_do_not_depend_on_blocks():
    coder = Characters.fit(["abb", "bcc"])
    assert coder.tokens == (b"", "\ufffd".encode(), b"b", b"c", b"a")
    assert Characters.fit(["abbbcc"]).tokens == coder.tokens
    assert not coder.unknown_seen
    assert Characters.fit(["abbbcc"], max_tokens=2).unknown_seen
    assert Characters.fit(["abbbcc"], min_count=2).tokens[2:] == (b"b", b"c")


def test_unknown_characters_are_id_1():
    coder = Characters.fit(["ab"])
    assert coder.ids_of("axb").tolist() == [2, 1, 3]
    assert coder.text_of([2, 1, 3]) == "a\ufffdb"


def test_words_are_as_the_penn_treebank_has_them():
    coder = Words.fit([" no it was n't <unk> \n it was u.s. \n"])
    text = " it was u.s. \n <unk> n't \n"
    ids = coder.ids_of(text)
    words = [coder.tokens[token_id].decode() for token_id in ids]
    assert words == ["it", "was", "u.s.", "\n", "<unk>", "n't", "\n"]
    assert ids[4] == 1
    assert coder.text_of(ids) == "it was u.s.\n<unk> n't\n"


def test_a_line_end_is_a_token_wherever_the_text_is_cut():
    coder = Words.fit(TEXTS)
    whole = coder.ids_of("".join(TEXTS)).tolist()
    assert sum((coder.ids_of(text).tolist() for text in TEXTS), []) == whole


@pytest.mark.parametrize(
    "coder", [Bytes(), Characters.fit(TEXTS), Words.fit(TEXTS)], ids=lambda c: c.kind
)
def test_json_keeps_it_and_a_graph_gives_the_same_ids(coder):
    again = coder_from_json(coder.to_json())
    assert again.tokens == coder.tokens
    assert again.unknown_seen == coder.unknown_seen
    for text in (*TEXTS, "", "unknown: ξ"):
        ids = coder.ids_of(text).tolist()
        assert encode_as_graph(again, text) == ids
    batch = coder.encode(tf.constant(["to be", "", "not\n"]))
    assert batch.to_list() == [coder.ids_of(t).tolist() for t in ("to be", "", "not\n")]
