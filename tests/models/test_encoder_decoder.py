"""Builders of encoder-decoders, held to the same promises: one record each."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
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
from keras_seq.training.model_file import load_model, portable
from tests.model_contract import run_under_jax

VOCAB_SIZE = 20
SOURCE = np.array([[3, 4, 5, 6], [7, 8, 0, 0], [9, 3, 4, 0]], "int32")
TARGET = np.array([[0, 9, 8, 7, 3], [0, 4, 5, 0, 0], [0, 11, 12, 13, 0]], "int32")
FOLLOWING = np.array([[9, 8, 7, 3, 2], [4, 5, 2, 0, 0], [11, 12, 13, 2, 0]], "int32")


@dataclass(frozen=True)
class Record:
    """One builder with its arguments.

    Attributes:
        name: what pytest calls it.
        module: with the functions of one step.
        build: makes the model.
        sizes: its integer arguments by name, each of which must be checked.
    """

    name: str
    module: ModuleType
    build: Callable[..., keras.Model]
    sizes: dict[str, int]
    options: dict[str, Any] = field(default_factory=dict)

    def model(self, **changes: Any) -> keras.Model:
        return self.build(**(self.sizes | self.options | changes))


VOCABULARIES = {"source_vocab_size": VOCAB_SIZE, "target_vocab_size": VOCAB_SIZE}
RNN = VOCABULARIES | {"embedding_dim": 6, "rnn_units": 8}
ATTENTION = VOCABULARIES | {"model_dim": 8, "num_heads": 2, "num_layers": 2}


def recurrent(name: str, sizes: dict[str, int] | None = None, **options: Any) -> Record:
    build = translation.build_translation_model
    return Record(name, translation, build, RNN | (sizes or {}), options)


def attentive(name: str, **options: Any) -> Record:
    return Record(name, transformer, transformer.build_transformer, ATTENTION, options)


RECORDS = [
    recurrent("documented"),
    recurrent("additive", attention="additive"),
    recurrent("dot", attention="dot", cell="gru"),
    recurrent(
        "general_fed", {"num_layers": 2}, attention="general", input_feeding=True,
        bidirectional=True, dropout=0.1,
    ),
    recurrent(
        "additive_tied", {"num_layers": 2}, attention="additive", bidirectional=True,
        cell="gru", tie_embeddings=True,
    ),
    recurrent("simple_rnn", cell="simple_rnn", bidirectional=True),
    attentive("transformer"),
    attentive(
        "transformer_pre_norm", pre_norm=True, tie_embeddings=True, activation="gelu",
        dropout=0.1,
    ),
]  # fmt: skip
every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)


def one_by_one(
    record: Record, model: keras.Model, source: np.ndarray = SOURCE
) -> tuple[np.ndarray, Any]:
    fixed, moving = record.module.initial_state(model, source, TARGET.shape[1])
    logits, weights = [], None
    for step in range(TARGET.shape[1]):
        each, moving, weights = record.module.advance_one(
            model, TARGET[:, step], fixed, moving
        )
        logits.append(np.array(each))
    return np.stack(logits, axis=1), weights


@every_record
def test_step_by_step_equals_all_at_once(record: Record):
    model = record.model()
    stepped, weights = one_by_one(record, model)
    assert stepped == pytest.approx(np.array(model([SOURCE, TARGET])), abs=1e-5)
    if weights is not None:
        weights = np.array(weights)
        assert weights.sum(axis=1) == pytest.approx(1, abs=1e-5)
        assert np.all(weights[SOURCE == 0] == 0)


@every_record
def test_padding_does_not_reach_the_answer(record: Record):
    model = record.model()
    together = np.array(model([SOURCE, TARGET]))
    alone = np.array(model([SOURCE[1:2, :2], TARGET[1:2, :3]]))
    assert alone[0] == pytest.approx(together[1, :3], abs=1e-5)


@every_record
def test_a_source_of_padding_alone_gives_numbers(record: Record):
    model = record.model()
    nothing = np.zeros_like(SOURCE)
    assert np.isfinite(np.array(model([nothing, TARGET]))).all()
    _, weights = one_by_one(record, model, nothing)
    assert weights is None or not np.any(weights)


@every_record
def test_no_step_sees_what_comes_behind_it(record: Record):
    model = record.model()
    changed = TARGET.copy()
    changed[:, 3:] = 15
    before, after = (np.array(model([SOURCE, ids])) for ids in (TARGET, changed))
    assert after[:, :3] == pytest.approx(before[:, :3], abs=1e-6)
    assert np.abs(after[:, 3:] - before[:, 3:]).max() > 1e-4


@every_record
def test_it_overfits_and_every_weight_moves(record: Record):
    model = record.model(dropout=0.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.Adam(0.01), loss)
    before = [np.array(weight) for weight in model.trainable_weights]
    first = model.train_on_batch([SOURCE, TARGET], FOLLOWING)
    for _ in range(150):
        last = model.train_on_batch([SOURCE, TARGET], FOLLOWING)
    assert last < 0.25 * first
    for weight, old in zip(model.trainable_weights, before):
        assert np.any(np.array(weight) != old), weight.path


@every_record
def test_saved_and_loaded_it_answers_the_same(record: Record, tmp_path: Path):
    model = record.model()
    portable(model).save(tmp_path / "model.keras")
    expected = np.array(model([SOURCE, TARGET]))
    # A Transformer has no layer of ours that Keras has a twin for.
    for loaded in (
        keras.models.load_model(tmp_path / "model.keras"),
        load_model(tmp_path / "model.keras"),
    ):
        assert np.array(loaded([SOURCE, TARGET])) == pytest.approx(expected, abs=1e-6)
        assert one_by_one(record, loaded)[0] == pytest.approx(expected, abs=1e-5)


@every_record
def test_an_exported_search_answers_as_python_does(record: Record, tmp_path: Path):
    model = record.model()
    # Far from uniform, so that no two hypotheses are equal but for rounding.
    model.set_weights([weight * 3 for weight in model.get_weights()])

    def translate(source_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        limits = tf.fill([tf.shape(source_ids)[0]], 6)
        found = beam_search(
            functools.partial(record.module.advance_one, model),
            *record.module.initial_state(model, source_ids, 6),
            beam_width=3, max_new_tokens=limits, end_id=2, length_penalty=0.6,
        )  # fmt: skip
        return {"token_ids": found.token_ids, "score": found.score}

    spec = tf.TensorSpec([None, None], tf.int32, name="source_ids")
    module = tf.Module()
    module.model = model
    save_signatures(module, {"serving_default": (translate, [spec])}, tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    answers = served(source_ids=tf.constant(SOURCE))
    python = translate(tf.constant(SOURCE))
    assert np.array_equal(answers["token_ids"], python["token_ids"])
    assert np.array(answers["score"]) == pytest.approx(np.array(python["score"]), 1e-4)
    for row, ids in enumerate(SOURCE):  # as each alone, without its padding
        alone = served(source_ids=tf.constant(ids[None, : np.count_nonzero(ids)]))
        assert np.array_equal(alone["token_ids"][0], answers["token_ids"][row])


@every_record
def test_a_wrong_size_is_refused_by_name(record: Record):
    for name in record.sizes:
        for wrong in (0, -1, 2.5, True):
            with pytest.raises(ValueError, match=name):
                record.model(**{name: wrong})


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
    model = RECORDS[0].model()
    kernel = model.get_layer("decoder").rnns[0].cell.kernel
    assert kernel.shape[0] == RNN["embedding_dim"] + RNN["rnn_units"]


def test_recomputed_blocks_have_the_same_gradients():
    gradients = []
    for recompute in (False, True):
        keras.utils.set_random_seed(0)
        model = RECORDS[-1].model(recompute=recompute, dropout=0.0)

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


def test_every_builder_runs_under_a_second_backend(root: Path):
    script = """
import keras
from tests.models.test_encoder_decoder import RECORDS, SOURCE, TARGET
assert keras.backend.backend() == "jax"
for record in RECORDS:
    answer = record.model().predict([SOURCE, TARGET], verbose=0)
    assert answer.shape == (3, 5, 20), record.name
"""
    run_under_jax(root, script)
