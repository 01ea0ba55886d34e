"""Any text in any script becomes ids, the same in Python, tf.data and a SavedModel."""

import gzip
import json
import os
import random
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keras_seq.constants import OOV_ID, PAD_ID
from keras_seq.text.tokenizer import (
    Tokenizer,
    clean_text,
    pad_sequences,
    preprocess_text,
)

ENGLISH = [
    "The film isn't bad: it's GOOD!",
    "Not good, not bad...",
    "A good film_2",
    "?",
]
MIXED = ENGLISH + [
    "Très ÉMOUVANT",
    "这部电影很好。",
    "いい映画だ",
    "หนังดีมาก",
    "ISTANBUL İ",
]


def cleaned(text: str | bytes) -> str:
    return clean_text(tf.constant([text])).numpy()[0].decode()


def fitted(texts: list[str], **options: object) -> Tokenizer:
    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(texts)
    return tokenizer


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Good<br /><br/>FILM <a href='x y'>no", "good film no"),
        ("a <b and c> d, 3<4 and 5>2", "a b and c d 3 4 and 5 2"),  # no tags
        ("snake_case 9/10 &amp; &#39;", "snake case 9 10 amp 39"),
        (
            "'Tis a''b ''so'' don\u2019t rock'n'roll dogs' ' '",
            "tis a b so don't rock'n'roll dogs",
        ),
        ("ÉTÉ", "été"),
        ("ÉTÉ ÄÖÜ ΑΣ ЖУК İI", "été äöü ας жук ii"),
        ("cafe\u0301, nai\u0308ve", "cafe\u0301 nai\u0308ve"),  # marks stay in the word
        ("won\u00adder می\u200cخواهم \u200bx\u200by", "wonder میخواهم x y"),
        ("这部iPhone很好。2003年", "这 部 iphone 很 好 2003 年"),
        ("いい映画ラーー、ﾊﾞｽ", "い い 映 画 ラ ー ー ﾊ ﾞ ｽ"),
        ("หนังดีมาก", "ห นั ง ดี ม า ก"),  # a vowel sign is never alone
        ("영화가 좋다", "영화가 좋다"),
        (
            "love\u2764\ufe0f \U0001f44d\U0001f3fd\U0001f600!! \u2605\u2605",
            "love \u2764 \U0001f44d \U0001f600 \u2605 \u2605",
        ),
        ("a\x00b \x01c\x85d", "a b c d"),
        (b"caf\xe9 \xff\xfe GOOD\xc3", "caf good"),
        (b"\xed\xa0\x80 ok", "ok"),  # a lone surrogate
        ("", ""),
        (" \t\n...!?<br />' '' ", ""),
    ],
)
def test_tokens_by_eye(text: str | bytes, tokens: str) -> None:
    assert cleaned(text) == tokens


@given(st.text(st.characters(max_codepoint=127)))
@example("I'm 'x' <i>")
def test_plain_english_takes_the_short_way_to_the_same_tokens(text: str) -> None:
    assert cleaned(text + " \u00e9") == f"{cleaned(text)} \u00e9".strip()


@given(st.one_of(st.text(), st.binary()))
@example("' \ufffd'")
def test_cleaning_is_stable_and_leaves_single_spaces(text: str | bytes) -> None:
    once = cleaned(text.encode("utf-8", "replace") if isinstance(text, str) else text)
    assert once == " ".join(once.split(" ")).strip("' ") and "  " not in once
    assert cleaned(once) == once


@pytest.mark.parametrize(
    "unit", ["a", "a ", "<a ", "'", "好", "\u0301", "é'", "\x00", "\U0001f600"]
)
def test_100_000_characters_are_a_text_like_any_other(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    tokenizer = fitted([text, "good"])
    row = tokenizer.texts_to_sequences([text])[0]
    assert len(row) == max(1, len(cleaned(text).split()))
    assert tokenizer.encode(tf.constant([text]), max_len=7).row_lengths()[0] <= 7


def classic(
    texts: list[str], num_words: int | None
) -> tf.keras.preprocessing.text.Tokenizer:
    peer = tf.keras.preprocessing.text.Tokenizer(num_words, oov_token="<OOV>")
    peer.fit_on_texts(texts)
    return peer


WORD = st.from_regex(r"[A-Za-c0-3]+('[a-c]+)?", fullmatch=True)
GAP = st.text(
    sorted(set(string.punctuation + " \t\n") - set("<'")), min_size=1, max_size=3
)
PLAIN = st.lists(
    st.lists(st.tuples(WORD, GAP).map("".join), max_size=9).map("".join), min_size=1
)


@settings(deadline=None)
@given(PLAIN, st.one_of(st.none(), st.integers(3, 9)))
@example(ENGLISH, None)
def test_ids_are_those_of_the_classic_tokenizer(
    texts: list[str], num_words: int | None
) -> None:
    ours, peer = fitted(texts, num_words=num_words), classic(texts, num_words)
    assert ours.word_index == peer.word_index
    assert list(ours.word_counts.items()) == list(peer.word_counts.items())
    rows = peer.texts_to_sequences([*texts, "a zzz b"])
    assert ours.texts_to_sequences([*texts, "a zzz b"]) == [
        row or [OOV_ID] for row in rows
    ]


@pytest.mark.real_data
@pytest.mark.parametrize("num_words", [None, 2000])
def test_ids_of_real_reviews_are_those_of_the_classic_tokenizer(
    data_dir: Path, num_words: int | None
) -> None:
    with gzip.open(data_dir / "sentiment_en" / "imdb_train.jsonl.gz", "rt") as file:
        texts = [json.loads(next(file))["text"] for _ in range(300)]
    words = [cleaned(text) for text in texts]
    ours, peer = fitted(texts, num_words=num_words), classic(words, num_words)
    assert ours.word_index == peer.word_index
    assert ours.texts_to_sequences(texts) == peer.texts_to_sequences(words)


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1), st.one_of(st.none(), st.integers(3, 9)))
def test_every_text_becomes_ids_of_the_vocabulary(
    texts: list[str], num_words: int | None
) -> None:
    tokenizer = fitted(texts, num_words=num_words)
    rows = tokenizer.texts_to_sequences(texts)
    assert len(rows) == len(texts)
    assert all(
        row and OOV_ID <= min(row) <= max(row) < tokenizer.vocab_size for row in rows
    )
    if num_words is None:
        again = tokenizer.sequences_to_texts(rows)
        assert again == [
            cleaned(text.encode("utf-8", "replace")) or "<OOV>" for text in texts
        ]


def test_a_string_that_utf_8_cannot_hold_is_read_as_far_as_it_goes() -> None:
    tokenizer = fitted(["good \ud800film", b"caf\xe9"])
    assert list(tokenizer.word_index) == ["<OOV>", "good", "film", "caf"]
    assert tokenizer.texts_to_sequences(["\udfffgood"]) == [[2]]


def test_encoding_is_one_in_python_and_in_tf_data() -> None:
    tokenizer = fitted(MIXED, num_words=20)
    dataset = tf.data.Dataset.from_tensor_slices(MIXED).batch(2)
    rows = [row for ragged in dataset.map(tokenizer.encode) for row in ragged.to_list()]
    assert rows == tokenizer.texts_to_sequences(MIXED)
    cut = tokenizer.encode(tf.constant(MIXED), max_len=3)
    assert cut.dtype == tf.int32 and cut.to_list() == [row[:3] for row in rows]


LOAD = """
import json, sys, tensorflow as tf
sys.modules["keras_seq"] = None  # importing it fails, installed or not
texts = json.load(open(sys.argv[2]))
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
print(json.dumps(serve(text=tf.constant(texts))["token_ids"].numpy().tolist()))
"""


@pytest.mark.parametrize("locale", ["C", "tr_TR.UTF-8"])
def test_a_saved_model_encodes_with_tensorflow_alone(
    tmp_path: Path, locale: str
) -> None:
    module = tf.Module()
    module.tokenizer = fitted(MIXED, num_words=30)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def serve(text: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"token_ids": module.tokenizer.encode(text).to_tensor(PAD_ID)}

    tf.saved_model.save(module, tmp_path / "model", signatures=serve)
    texts = MIXED + ["", "unknown GOOD \x00 film", "好" * 500]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    argv = [tmp_path / "model", tmp_path / "texts.json"]
    environment = os.environ | {"LC_ALL": locale}
    answer = subprocess.check_output(
        [sys.executable, "-I", "-c", LOAD, *argv], env=environment, cwd=tmp_path
    )
    expected = pad_sequences(module.tokenizer.texts_to_sequences(texts))
    assert json.loads(answer) == expected.tolist()


@pytest.mark.parametrize(("rows", "goods"), [(3000, 2), (200, 20_000)])
def test_fit_holds_few_texts_at_a_time(
    monkeypatch: pytest.MonkeyPatch, rows: int, goods: int
) -> None:
    pulled, done = 0, 0

    def stream() -> Iterator[str]:
        nonlocal pulled
        for pulled in range(1, rows + 1):
            yield "good " * goods + f"word{pulled % 50}"

    def watch(texts: tf.Tensor) -> tf.Tensor:
        nonlocal done
        assert pulled - done == len(texts) < 2000
        assert tf.reduce_sum(tf.strings.length(texts)) < 8_000_000
        done = pulled
        return clean_text(texts)

    monkeypatch.setattr("keras_seq.text.tokenizer.clean_text", watch)
    counts = fitted(stream()).word_counts
    assert done == rows
    assert counts["good"] == goods * rows and counts["word7"] == rows / 50


def test_fitting_is_deterministic_and_may_go_on() -> None:
    texts = [" ".join(random.choices("abcdefghij", k=20)) for _ in range(3000)]
    once, parts = fitted(texts), fitted(texts[:100])
    parts.fit_on_texts(texts[100:])
    assert once.to_json() == fitted(iter(texts)).to_json() == parts.to_json()
    assert once.texts_to_sequences(texts) == parts.texts_to_sequences(texts)


@pytest.mark.parametrize("num_words", [None, 6])
def test_json_keeps_all(num_words: int | None) -> None:
    tokenizer = fitted(MIXED, num_words=num_words, oov_token="film")
    again = Tokenizer.from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert again.vocab_size == tokenizer.vocab_size == num_words or num_words is None
    assert (
        again.word_index == tokenizer.word_index and again.word_index["film"] == OOV_ID
    )
    assert again.texts_to_sequences(MIXED) == tokenizer.texts_to_sequences(MIXED)
    again.fit_on_texts(["new"])
    assert again.word_counts["new"] == 1 and "new" not in tokenizer.word_counts


def test_padding_follows_and_the_first_ids_stay() -> None:
    padded = pad_sequences([[5, 2], [7, 8, 9, 4], [3]])
    assert padded.dtype == np.int32
    assert padded.tolist() == [[5, 2, 0, 0], [7, 8, 9, 4], [3, 0, 0, 0]]
    assert pad_sequences(iter([[7, 8, 9, 4]]), 2).tolist() == [[7, 8]]
    assert pad_sequences([], 3).shape == (0, 3) and pad_sequences([]).shape == (0, 0)


def test_preprocess_text_pads_to_max_len_and_keeps_max_words() -> None:
    padded, tokenizer = preprocess_text(iter(ENGLISH), max_words=4, max_len=5)
    assert padded.dtype == np.int32 and tokenizer.vocab_size == 4
    # "good" occurs three times; "film", "bad" and "not" twice, in this order.
    assert padded.tolist() == [
        [1, 3, 1, 1, 1],
        [1, 2, 1, 1, 0],
        [1, 2, 3, 1, 0],
        [1, 0, 0, 0, 0],
    ]
    assert preprocess_text(["good"])[0].shape == (1, 100)


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda: Tokenizer(num_words=2), "num_words is 2; expected more than 2"),
        (lambda: Tokenizer(oov_token=None), "oov_token is None; expected a name"),
        (lambda: fitted("good film"), "texts is one string; expected an iterable"),
        (lambda: preprocess_text("good film"), "texts is one string"),
        (lambda: fitted(["a", float("nan")]), "texts holds nan, a float; expected str"),
        (lambda: pad_sequences([[1]], 0), "max_len is 0; expected 1 or more"),
        (lambda: fitted(["a"]).encode(tf.constant(["a"]), 0), "max_len is 0"),
    ],
)
def test_misuse_says_what_came_and_how_to_mend_it(misuse: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        misuse()
