"""Every builder of `tests/model_contract.py`, held to the same promises."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.serving.graph import save_signatures
from tests.model_contract import (
    FRAME_RECORDS,
    RECORDS,
    WINDOW_RECORDS,
    FrameRecord,
    Record,
    WindowRecord,
    run_under_jax,
)

LENGTHS = (7, 3, 1, 5)
every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda r: r.name)


@every_record
def test_output_has_the_promised_shape_and_dtype(record: Record):
    model = record.model()
    for steps in (1, 9) if record.fixed_batch else (1, 3, 9):
        answer = model(record.token_ids((steps,) * 4, steps))
        shape = tuple(steps if size is None else size for size in record.output)
        assert answer.shape == (4, *shape)
        assert answer.dtype == tf.float32


@every_record
def test_batch_size_and_length_are_not_baked_in(record: Record):
    expected = (record.fixed_batch, *record.output)
    assert record.model().output_shape == expected
    if record.fixed_batch is None:
        assert record.model()(record.token_ids((2,) * 7, 2)).shape[0] == 7


@every_record
def test_every_layer_and_input_is_named(record: Record):
    model = record.model()
    assert model.inputs[0].name == "token_ids"
    assert not model.compiled
    # Automatic names count up from one model to the next; given ones stay.
    names, again = (
        [layer.name for layer in each.layers if layer.weights]
        for each in (model, record.model())
    )
    assert names == again


@every_record
def test_every_trainable_weight_moves_in_one_step(record: Record):
    model = record.compiled()
    before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    token_ids = record.token_ids((7,) * 4, 7)
    for _ in range(8):  # n-grams and states take turns in training
        model.train_on_batch(token_ids, targets(record, 7))
    for weight, old in zip(model.trainable_weights, before):
        assert np.any(keras.ops.convert_to_numpy(weight) != old), weight.path


@every_record
def test_it_overfits_four_samples(record: Record):
    model = record.compiled()
    token_ids, wanted = record.token_ids((7,) * 4, 7), targets(record, 7)
    first = model.evaluate(token_ids, wanted, batch_size=4, verbose=0)
    for _ in range(150):
        model.train_on_batch(token_ids, wanted)
    last = model.evaluate(token_ids, wanted, batch_size=4, verbose=0)
    assert last < 0.35 * first


@every_record
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
    keras.utils.set_random_seed(5)
    first = record.model().get_weights()
    keras.utils.set_random_seed(5)
    again = record.model().get_weights()
    keras.utils.set_random_seed(6)
    other = record.model().get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other))


@every_record
def test_padding_does_not_reach_the_answer(record: Record):
    model = record.model()
    # At their start, weights of n-grams are zero, and would prove nothing.
    model.set_weights([w + 0.1 for w in model.get_weights()])
    padded = record.token_ids(LENGTHS, 12)
    together = np.array(model(padded))
    for row, length in enumerate(LENGTHS):
        if record.fixed_batch:
            model.get_layer("rnn").reset_state()
            alone = np.array(model(np.repeat(padded[row : row + 1, :length], 4, 0)))[0]
            assert alone == pytest.approx(together[row, :length], abs=1e-6)
        else:
            alone = np.array(model(padded[row : row + 1, :length]))[0]
            each_step = record.output[0] is None
            answer = together[row, :length] if each_step else together[row]
            assert alone == pytest.approx(answer, abs=1e-6)


@every_record
def test_saved_and_loaded_it_answers_the_same(record: Record, tmp_path: Path):
    model = record.model()
    model.set_weights([w + 0.1 for w in model.get_weights()])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    token_ids = record.token_ids((7, 3, 1, 5), 7)
    assert np.array(loaded(token_ids)) == pytest.approx(np.array(model(token_ids)))


@every_record
def test_exported_it_answers_the_same(record: Record, tmp_path: Path):
    model = record.model()
    spec = tf.TensorSpec([record.fixed_batch, None], tf.int32, name="token_ids")
    module = tf.Module()
    module.model = model

    def answer(token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"answer": model(token_ids, training=False)}

    save_signatures(module, {"serving_default": (answer, [spec])}, tmp_path / "1")
    token_ids = tf.constant(record.token_ids((7, 3, 1, 5), 7))
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    served = loaded.signatures["serving_default"](token_ids=token_ids)["answer"]
    if record.fixed_batch:
        model.get_layer("rnn").reset_state()
    assert served.numpy() == pytest.approx(model(token_ids).numpy(), abs=1e-6)


@pytest.mark.parametrize(
    "record", [*RECORDS, *WINDOW_RECORDS, *FRAME_RECORDS], ids=lambda r: r.name
)
def test_a_wrong_size_is_refused_by_name(record: Record | WindowRecord | FrameRecord):
    for name in record.sizes:
        for wrong in (0, -1, 2.5, True):
            with pytest.raises(ValueError, match=name):
                record.model(**{name: wrong})


def test_every_builder_runs_under_a_second_backend(root: Path):
    script = """
import keras
from tests.model_contract import RECORDS
assert keras.backend.backend() == "jax"
for record in RECORDS:
    answer = record.model().predict(record.token_ids((4,) * 4, 4), verbose=0)
    assert answer.shape[0] == 4, record.name
"""
    run_under_jax(root, script)


def targets(record: Record, steps: int) -> np.ndarray:
    """Class numbers: (4,), or (4, T) where every step has an answer."""
    if record.output[0] is None:
        return np.arange(4 * steps).reshape(4, steps) % record.output[-1]
    return np.arange(4) % max(2, record.output[-1])
