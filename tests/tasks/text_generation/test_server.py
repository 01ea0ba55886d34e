"""Generation as a graph: rows alone, seeds, streaming, and scores, on known models."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keras_seq.decoding.draws import prompt_key, uniforms
from keras_seq.decoding.loop import generate
from keras_seq.decoding.samplers import suppress
from keras_seq.errors import UserError
from keras_seq.models.recurrent_states import advance_one, initial_states
from keras_seq.models.text_generation import build_text_generation_model
from keras_seq.tasks.text_generation.client import score_texts, write_texts
from keras_seq.tasks.text_generation.server import TextGenerator
from keras_seq.text.coders import Bytes, Characters, Words
from keras_seq.text.reversible import ReversibleTokenizer
from keras_seq.text.subwords import Subwords
from tests.tasks.text_generation.streamed import streamed

GREEDY = {"temperature": 0.0}


def scripted(text: str, coder: ReversibleTokenizer) -> TextGenerator:
    """A model that knows one thing: which token follows which in a text.

    Its state after a token is that token's own, so its answers can be read off `text`.
    """
    size = coder.vocab_size
    model = build_text_generation_model(size, size, size, cell="simple_rnn")
    out, bias = np.zeros((size, size)), np.zeros(size)
    ids = [0, *coder.ids_of(text)]
    for token, following in zip(ids, ids[1:]):
        out[token, following] = 20
    once = np.eye(size) * 9  # tanh(9) is 1
    model.set_weights([np.eye(size), once, np.zeros((size, size)), bias, out, bias])
    return TextGenerator(model, coder)


CIRCLE = "abcdefa"  # after a comes b ... after f comes a


@pytest.fixture(scope="module")
def circle() -> TextGenerator:
    return scripted(CIRCLE, Characters.fit([CIRCLE]))


@pytest.fixture(scope="module")
def untrained() -> TextGenerator:
    """Every option on; its answers depend on all it has read."""
    keras.utils.set_random_seed(3)
    coder = Characters.fit(["abcdefghijklmnop \n谢大家"])
    model = build_text_generation_model(
        coder.vocab_size, 8, 16, num_layers=2, tie_embeddings=True, layer_norm=True
    )
    model.set_weights([w * 2 for w in model.get_weights()])
    return TextGenerator(model, coder)


def test_greedy_text_is_the_script(circle: TextGenerator):
    answers = write_texts(
        circle.signature(), ["", "c", "abcde"], max_new_tokens=8, **GREEDY
    )
    texts = [answer["text"] for answer in answers]
    assert texts == ["abcdefab", "cdefabcde", "abcdefabcdefa"]


def test_no_new_tokens_give_the_prompt(circle: TextGenerator):
    assert write_texts(circle.signature(), ["ab"], max_new_tokens=0) == [
        {"text": "ab", "unknown": 0}
    ]


def test_unknown_characters_are_left_out_of_reading_kept_in_the_text_and_counted(
    circle: TextGenerator,
):
    answers = write_texts(circle.signature(), ["b?ξ"], max_new_tokens=3, **GREEDY)
    assert answers == [{"text": "b?ξcde", "unknown": 2}]


def test_an_unknown_token_that_training_knew_is_read():
    coder = Characters.fit(["abb" * 5 + "x"], min_count=2)
    assert coder.unknown_seen
    generator = scripted("axb", coder)  # after x, which is unknown, comes b
    answers = write_texts(generator.signature(), ["ay"], max_new_tokens=1, **GREEDY)
    assert answers == [{"text": "ayb", "unknown": 1}]


def test_neither_padding_nor_unknown_is_written():
    coder = Characters.fit(["ab"])
    generator = scripted("a", coder)
    generator.model.set_weights(
        [np.zeros_like(w) for w in generator.model.get_weights()[:-1]]
        + [np.array([50.0, 40.0, 0.0, 0.0])]
    )
    options = {"max_new_tokens": 60, "temperature": 1.0, "top_p": 1.0}
    text = write_texts(generator.signature(), [""], **options)[0]["text"]
    assert len(text) == 60 and set(text) == {"a", "b"}


@settings(max_examples=20)
@given(st.lists(st.text("abcdefgh 谢?\n", max_size=20), min_size=1, max_size=4))
@example(["", "a", "abcabcabcabcabc", "谢谢"])
@pytest.mark.slow
def test_prompts_in_one_batch_answer_as_each_would_alone(untrained, prompts):
    options = {"max_new_tokens": 12, "seed": 4, "top_k": 9}
    together = write_texts(untrained.signature(), prompts, **options)
    for prompt, answer in zip(prompts, together):
        assert write_texts(untrained.signature(), [prompt], **options) == [answer]


def test_same_seed_same_text_and_a_shorter_one_is_its_start(untrained: TextGenerator):
    def write(seed: int, tokens: int = 40) -> str:
        options = {"max_new_tokens": tokens, "seed": seed, "temperature": 1.0}
        return write_texts(untrained.signature(), ["ab"], **options)[0]["text"]

    assert write(1) == write(1) != write(2)
    assert write(1, 10) == write(1)[:12]


SAMPLED = [{"top_k": 3}, {"top_p": 0.6}, {"temperature": 2.0}]


@pytest.mark.parametrize("options", SAMPLED)
def test_streamed_pieces_are_the_text(untrained: TextGenerator, options: dict):
    options = {"max_new_tokens": 25, "seed": 9} | options
    init, step = untrained.signature("init"), untrained.signature("step")
    pieces = streamed(init, step, "谢 ab", **options)
    whole = write_texts(untrained.signature(), ["谢 ab"], **options)[0]["text"]
    assert len(pieces) == 25 and "谢 ab" + "".join(pieces) == whole


def test_the_graph_writes_what_the_loop_in_python_writes(untrained: TextGenerator):
    coder, model = untrained.coder, untrained.model
    prompts = ["abc", "", "谢谢大家 a"]
    tokens = generate(
        lambda ids, states: advance_one(model, ids, states),
        initial_states(model, 3),
        [[0, *coder.ids_of(prompt)] for prompt in prompts],
        max_new_tokens=15,
        temperature=0.0,
        change=lambda logits: suppress(logits, [0, 1]),
    )
    rows = np.stack(list(tokens), axis=1)
    expected = [p + coder.text_of(row) for p, row in zip(prompts, rows)]
    answers = write_texts(untrained.signature(), prompts, max_new_tokens=15, **GREEDY)
    assert [answer["text"] for answer in answers] == expected


def test_scores_are_sums_over_every_token(untrained: TextGenerator):
    texts = ["abc", "", "谢" * 150, "a?"]
    scored = untrained.signature("score")(text=tf.constant(texts))
    each = list(score_texts(untrained.signature("score_tokens"), texts))
    for row, text in enumerate(texts):
        ids = untrained.coder.ids_of(text)
        inputs = np.concatenate([[0], ids[:-1]])[: len(ids)]
        expected = np.zeros(0)
        if len(ids):
            logits = np.array(untrained.model(inputs[None]))[0]
            log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
            expected = log_p[np.arange(len(ids)), ids]
        assert each[row][0].tolist() == ids.tolist()
        assert each[row][1] == pytest.approx(expected, abs=1e-4)
        assert float(scored["log_probability"][row]) == pytest.approx(
            expected.sum(), rel=1e-4, abs=1e-4
        )
        assert int(scored["tokens"][row]) == len(ids)
        mean = expected.mean() if len(ids) else 0.0
        perplexity = float(scored["perplexity"][row])
        assert perplexity == pytest.approx(np.exp(-mean), rel=1e-4)


def test_words_and_bytes_and_subwords_write_text():
    words = Words.fit(["to be or\nnot to be"])
    found = write_texts(
        scripted("not to be or\n", words).signature(),
        ["not"],
        max_new_tokens=3,
        **GREEDY,
    )
    assert [each["text"] for each in found][0] == "not to be or"
    for coder in (Bytes(), Subwords([(b"\xe8", b"\xb0")])):
        # 谢 is three bytes, of which one token may end in the middle.
        found = write_texts(
            scripted("谢大家。", coder).signature(), ["谢"], max_new_tokens=7, **GREEDY
        )
        found[0]["text"].encode("utf-8")
        assert found[0]["text"].startswith("谢")


def test_a_stream_yields_whole_characters():
    generator = scripted("好a", Bytes())
    init, step = generator.signature("init"), generator.signature("step")
    assert streamed(init, step, "", max_new_tokens=4, **GREEDY) == ["好", "a"]


def test_random_numbers_are_even_and_of_seed_prompt_and_step():
    keys = prompt_key(tf.constant(["a", "b"]))
    found = uniforms(tf.constant(1), keys, tf.range(4000)).numpy()
    assert found.min() >= 0 and found.max() < 1
    for row in found:
        counts = np.histogram(row, bins=10, range=(0, 1))[0]
        assert abs(counts - 400).max() < 100
    assert abs(np.corrcoef(found)[0, 1]) < 0.06
    assert abs(np.corrcoef(found[0, 1:], found[0, :-1])[0, 1]) < 0.06
    one = uniforms(tf.constant(1), keys[1:], tf.constant([17])).numpy()
    assert one[0, 0] == found[1, 17]


def test_options_out_of_range_are_one_line(circle: TextGenerator):
    for name, value in (("temperature", -1.0), ("top_p", 2.0), ("max_new_tokens", -1)):
        flag = "--" + name.replace("_", "-")
        with pytest.raises(UserError, match=f"{flag} is {value}; expected 0 to"):
            write_texts(circle.signature(), ["a"], **{name: value})
    with pytest.raises(ValueError, match="options are"):
        write_texts(circle.signature(), ["a"], tempo=1)
