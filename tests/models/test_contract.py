"""Every builder of `tests/model_contract.py`, held to the same promises."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.serving.graph import save_signatures, without_cudnn
from keras_seq.training.model_file import load_model, portable
from tests.model_contract import LENGTHS, RECORDS, Record, run_under_jax

EMBEDDING = [record for record in RECORDS if "vocab_size" in record.sizes]
every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)


def with_weights(record: Record) -> keras.Model:
    """At their start, weights of n-grams are zero, and would prove nothing."""
    model = record.model()
    model.set_weights([weight + 0.1 for weight in model.get_weights()])
    return model


def answer(record: Record, model: keras.Model, inputs: list[np.ndarray]) -> np.ndarray:
    """From the first state on, where a model keeps one."""
    if record.fixed_batch:
        model.get_layer("rnn").reset_state()
    return np.array(model(inputs if len(inputs) > 1 else inputs[0]))


@every_record
def test_output_has_the_promised_shape_and_dtype(record: Record):
    model = record.model()
    assert model.output_shape == (record.fixed_batch, *record.output)
    for steps in (1, 9) if record.fixed_batch else (1, 3, 9):
        found = answer(record, model, record.inputs((steps,) * 4, steps))
        assert found.shape == (4, *record.shape(steps))
        assert found.dtype == np.float32
    if record.fixed_batch is None:
        assert answer(record, model, record.inputs((2,) * 7, 2)).shape[0] == 7


@every_record
def test_every_layer_and_input_is_named(record: Record):
    model = record.model()
    count = len(model.inputs)
    assert tuple(each.name for each in model.inputs) == record.input_names[:count]
    assert not model.compiled
    # Automatic names count up from one model to the next; given ones stay.
    names, again = (
        [layer.name for layer in each.layers if layer.weights]
        for each in (model, record.model())
    )
    assert names == again


@every_record
def test_it_overfits_four_samples_and_every_weight_moves(record: Record):
    keras.utils.set_random_seed(1)  # some beginnings end in a local minimum
    model = record.without_dropout()
    model.compile(keras.optimizers.Adam(0.02), record.loss(), jit_compile=False)
    inputs, wanted = record.inputs(), record.targets()
    inputs = inputs if len(inputs) > 1 else inputs[0]
    before = [np.array(weight) for weight in model.trainable_weights]
    first = model.evaluate(inputs, wanted, batch_size=4, verbose=0)
    for _ in range(200):
        model.train_on_batch(inputs, wanted)
    last = model.evaluate(inputs, wanted, batch_size=4, verbose=0)
    assert last < record.fitted * first
    for weight, old in zip(model.trainable_weights, before):
        assert np.any(np.array(weight) != old), weight.path


@pytest.mark.parametrize("record", EMBEDDING, ids=lambda r: r.name)
def test_its_embedding_starts_from_given_vectors(record: Record):
    shape = record.sizes["vocab_size"], record.sizes["embedding_dim"]
    vectors = np.random.default_rng(1).normal(size=shape).astype("float32")
    embedding = record.model(embeddings=vectors).get_layer("embedding")
    assert embedding.trainable
    np.testing.assert_array_equal(embedding.get_weights()[0], vectors)
    for wrong in (vectors[1:], vectors[:, 1:], vectors[None], "vectors.txt"):
        with pytest.raises(ValueError, match=r"embeddings has shape \(.*expected \("):
            record.model(embeddings=wrong)
    with pytest.raises(ValueError, match="embeddings hold NaN"):
        record.model(embeddings=np.where(vectors > 0, np.nan, vectors))


@every_record
def test_same_seed_same_weights(record: Record):
    found = []
    for seed in (5, 5, 6):
        keras.utils.set_random_seed(seed)
        found.append(record.model().get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(found[0], found[1]))
    assert any(not np.array_equal(a, b) for a, b in zip(found[0], found[2]))


@every_record
def test_a_row_is_answered_alone_as_among_others(record: Record):
    model, inputs = with_weights(record), record.inputs()
    together = answer(record, model, inputs)
    for row in range(len(LENGTHS)):
        rows = record.alone(inputs, row)
        if record.fixed_batch:
            rows = [np.repeat(part, record.fixed_batch, axis=0) for part in rows]
        alone = answer(record, model, rows)[0]
        expected = together[row]
        if record.output[0] is None:
            expected = expected[: len(alone)]
        assert alone == pytest.approx(expected, abs=1e-5)


@every_record
def test_saved_loaded_and_exported_it_answers_the_same(record: Record, tmp_path: Path):
    model, inputs = with_weights(record), record.inputs()
    expected = pytest.approx(answer(record, model, inputs), abs=1e-5)
    portable(model).save(tmp_path / "model.keras")
    for load in (keras.models.load_model, load_model):
        assert answer(record, load(tmp_path / "model.keras"), inputs) == expected
    module = tf.Module()
    module.model = model
    specs = [
        tf.TensorSpec([record.fixed_batch, *each.shape[1:]], each.dtype, each.name)
        for each in model.inputs
    ]

    def serve(*given: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"answer": model(list(given) if len(given) > 1 else given[0])}

    if record.fixed_batch:
        model.get_layer("rnn").reset_state()
    with without_cudnn([model]):
        save_signatures(module, {"serving_default": (serve, specs)}, tmp_path / "1")
    served = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    given = {spec.name: tf.constant(each) for spec, each in zip(specs, inputs)}
    assert served(**given)["answer"].numpy() == expected


@every_record
def test_a_wrong_size_is_refused_by_name(record: Record):
    for name in record.sizes:
        for wrong in (0, -1, 2.5, True):
            with pytest.raises(ValueError, match=name):
                record.model(**{name: wrong})


def test_every_builder_runs_under_a_second_backend(root: Path):
    script = """
import functools
import keras
import numpy as np
from keras_seq.decoding.beam_search import beam_search
from keras_seq.layers.scaling import level_scaling, returns_scaling
from keras_seq.losses import ctc_loss, ctc_targets
from keras_seq.models import transformer
from keras_seq.models.forecaster import build_forecaster
from tests.model_contract import RECORDS, STEPS
assert keras.backend.backend() == "jax"
for record in RECORDS:
    inputs, model = record.inputs(), record.model()
    # Compiled as one: alone, each operation of each shape is compiled for itself.
    answer = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    assert answer.shape == (4, *record.shape(STEPS)), record.name
targets = ctc_targets(keras.ops.array([3, 1]), keras.ops.array([[1, 2], [3, 0]]))
assert ctc_loss(targets, keras.ops.zeros((2, 3, 4))).shape == (2,)
windows = abs(next(r for r in RECORDS if r.name == "stock").inputs()[0]) + 1
for scaling in (level_scaling(12, 5, 2, mean=[1.0] * 3, deviation=[2.0] * 3),
                returns_scaling(12, 5, 2, volatility=[0.1] * 2, mean=[1.0],
                                deviation=[2.0], logs=[True])):
    network = keras.Sequential([keras.Input(scaling.encode.output_shape[1:]),
                                keras.layers.Flatten(), keras.layers.Dense(10)])
    learner, forecaster = build_forecaster(network, scaling)
    assert forecaster(windows).shape == (4, 5, 2, 1)
record = next(r for r in RECORDS if r.name == "transformer_pre_norm")
(source, target), model = record.inputs(), record.model()
fixed, moving = transformer.initial_state(model, source, 3)
for step in range(2):
    ids = target[:, step]
    logits, moving, _ = transformer.advance_one(model, ids, fixed, moving)
assert np.allclose(logits, model([source, target])[:, 1], atol=1e-5)
found = beam_search(functools.partial(transformer.advance_one, model), *
                    transformer.initial_state(model, source, 3), beam_width=2,
                    max_new_tokens=keras.ops.array([3] * 4), end_id=2)
assert found.token_ids.shape == (4, 2, 3)
"""
    run_under_jax(root, script)
