"""What encoder-decoders promise beside what every builder does: one step at a time.

Their records stand in `tests/model_contract.py`, with the promises of every builder.
"""

import functools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.decoding.beam_search import beam_search
from keras_seq.models import transformer, translation
from keras_seq.serving.graph import save_signatures
from tests.model_contract import PAIRS, RNN, Captions, Pairs, attentive, recurrent

READERS = [record for record in PAIRS if not isinstance(record, Captions)]
every_record = pytest.mark.parametrize("record", PAIRS, ids=lambda r: r.name)
every_reader = pytest.mark.parametrize("record", READERS, ids=lambda r: r.name)
SOURCE, TARGET = PAIRS[0].inputs()


def steps_of(record: Pairs) -> ModuleType:
    """With `initial_state` and `advance_one`."""
    return sys.modules[record.build.__module__]


def one_by_one(
    record: Pairs, model: keras.Model, source: np.ndarray
) -> tuple[np.ndarray, Any]:
    fixed, moving = steps_of(record).initial_state(model, source, TARGET.shape[1])
    logits, weights = [], None
    for step in range(TARGET.shape[1]):
        each, moving, weights = steps_of(record).advance_one(
            model, TARGET[:, step], fixed, moving
        )
        logits.append(np.array(each))
    return np.stack(logits, axis=1), weights


@every_record
def test_step_by_step_equals_all_at_once(record: Pairs):
    model, source = record.model(), record.inputs()[0]
    stepped, weights = one_by_one(record, model, source)
    assert stepped == pytest.approx(np.array(model([source, TARGET])), abs=1e-5)
    if weights is not None:
        weights = np.array(weights)
        assert weights.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert isinstance(record, Captions) or np.all(weights[source == 0] == 0)


@every_reader
def test_a_cache_that_grows_and_shared_sources_change_nothing(record: Pairs):
    """Two beams of each sentence, which read different tokens."""
    model, steps = record.model(), steps_of(record)
    fixed, moving = steps.initial_state(model, SOURCE)
    moving = keras.tree.map_structure(lambda x: np.repeat(x, 2, axis=0), moving)
    tokens = np.repeat(TARGET, 2, axis=0)
    tokens[1::2, 1:] = tokens[1::2, :0:-1]
    expected = np.array(model([np.repeat(SOURCE, 2, axis=0), tokens]))
    for step in range(TARGET.shape[1]):
        ids = tokens[:, step]
        logits, moving, weights = steps.advance_one(model, ids, fixed, moving)
        assert np.array(logits) == pytest.approx(expected[:, step], abs=1e-5)
        assert weights is None or np.shape(weights) == (len(ids), SOURCE.shape[1])


@every_reader
def test_a_source_of_padding_alone_gives_numbers(record: Pairs):
    model = record.model()
    nothing = np.zeros_like(SOURCE)
    assert np.isfinite(np.array(model([nothing, TARGET]))).all()
    _, weights = one_by_one(record, model, nothing)
    assert weights is None or not np.any(weights)


@every_record
def test_no_step_sees_what_comes_behind_it(record: Pairs):
    model, source = record.model(), record.inputs()[0]
    changed = TARGET.copy()
    changed[:, 3:] = 15
    before, after = (np.array(model([source, ids])) for ids in (TARGET, changed))
    assert after[:, :3] == pytest.approx(before[:, :3], abs=1e-6)
    assert np.abs(after[:, 3:] - before[:, 3:]).max() > 1e-4


@every_record
def test_an_exported_search_answers_as_python_does(record: Pairs, tmp_path: Path):
    model, source = record.model(), record.inputs()[0]
    # Far from uniform, so that no two hypotheses are equal but for rounding.
    model.set_weights([weight * 3 for weight in model.get_weights()])

    def write(read: tf.Tensor) -> dict[str, tf.Tensor]:
        limits = tf.fill([tf.shape(read)[0]], 6)
        found = beam_search(
            functools.partial(steps_of(record).advance_one, model),
            *steps_of(record).initial_state(model, read, 6),
            beam_width=3,
            max_new_tokens=limits,
            end_id=2,
            length_penalty=0.6,
        )
        return {"token_ids": found.token_ids, "score": found.score}

    spec = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype, name="read")
    module = tf.Module()
    module.model = model
    save_signatures(module, {"serving_default": (write, [spec])}, tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    answers = served(read=tf.constant(source))
    python = write(tf.constant(source))
    assert np.array_equal(answers["token_ids"], python["token_ids"])
    assert np.array(answers["score"]) == pytest.approx(np.array(python["score"]), 1e-4)
    for row in range(len(source)):  # as each alone, without its padding
        alone = served(read=tf.constant(record.alone(record.inputs(), row)[0]))
        assert np.array_equal(alone["token_ids"][0], answers["token_ids"][row])


@pytest.mark.parametrize(
    "build, options, problem",
    [
        (recurrent, {"cell": "rnn"}, "cell is 'rnn'"),
        (recurrent, {"attention": "bilinear"}, "score is 'bilinear'"),
        (recurrent, {"input_feeding": True}, "input_feeding needs attention"),
        (recurrent, {"tie_embeddings": True, "source_vocab_size": 9}, "one vocabulary"),
        (attentive, {"tie_embeddings": True, "source_vocab_size": 9}, "one vocabulary"),
        (attentive, {"model_dim": 9}, "even multiple of num_heads"),
        (attentive, {"activation": "tanh"}, "activation is 'tanh'"),
        (attentive, {"dropout": 1.0}, "dropout is 1.0"),
    ],
)
def test_options_that_do_not_fit_are_refused(build, options, problem):
    with pytest.raises(ValueError, match=problem):
        build("any").model(**options)


def test_the_documented_model_reads_its_context_at_every_step():
    """The kernel of the decoder takes the token's vector and c, side by side."""
    model = PAIRS[0].model()
    kernel = model.get_layer("decoder").rnns[0].cell.kernel
    assert kernel.shape[0] == RNN["embedding_dim"] + RNN["rnn_units"]


def test_recomputed_blocks_have_the_same_gradients():
    gradients = []
    for recompute in (False, True):
        keras.utils.set_random_seed(0)
        model = PAIRS[-1].model(recompute=recompute, dropout=0.0)

        @tf.function
        def gradient(model=model):
            with tf.GradientTape() as tape:
                logits = model([SOURCE, TARGET], training=True)
                loss = tf.reduce_mean(logits[..., 3] ** 2)
            found = tape.gradient(loss, model.trainable_variables)
            return [tf.convert_to_tensor(each) for each in found]

        gradients.append(gradient())
    for plain, recomputed in zip(*gradients):
        assert np.array(recomputed) == pytest.approx(np.array(plain), abs=1e-6)
        assert np.any(np.array(plain) != 0)


BUILDERS = translation.build_translation_model, transformer.build_transformer


@pytest.mark.parametrize("build", BUILDERS)
def test_embeddings_start_from_given_vectors(build):
    options = {"num_heads": 2, "num_layers": 1} if build is BUILDERS[1] else {}
    units = () if build is BUILDERS[1] else (6,)
    source, target = (np.full((size, 4), size, "float32") for size in (7, 9))
    given = {"embeddings": source, "target_embeddings": target}
    model = build(7, 9, 4, *units, **options, **given)
    for name, vectors in (("source", source), ("target", target)):
        weights = model.get_layer(f"{name}_embedding").get_weights()[0]
        np.testing.assert_array_equal(weights, vectors)
    tied = build(9, 9, 4, *units, **options, tie_embeddings=True, embeddings=target)
    np.testing.assert_array_equal(tied.get_layer("embedding").get_weights()[0], target)
    with pytest.raises(ValueError, match="^target_embeddings has shape"):
        build(7, 9, 4, *units, **options, target_embeddings=source)
    with pytest.raises(ValueError, match="tied ones are given as embeddings"):
        build(9, 9, 4, *units, **options, tie_embeddings=True, target_embeddings=target)
