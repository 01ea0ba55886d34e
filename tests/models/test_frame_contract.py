"""Every builder of frames in `tests/model_contract.py`, held to the same promises."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_seq.losses import ctc_loss, ctc_loss_of_probabilities, ctc_targets
from keras_seq.models.speech import answered_frames
from keras_seq.serving.graph import save_signatures, without_cudnn
from tests.model_contract import FRAME_RECORDS, FrameRecord, run_under_jax

LENGTHS = (23, 9, 1, 16)
every_record = pytest.mark.parametrize("record", FRAME_RECORDS, ids=lambda r: r.name)


def compiled(record: FrameRecord) -> keras.Model:
    model = record.model(dropout=0.0)
    is_logits = record.options.get("logits", False)
    loss = ctc_loss if is_logits else ctc_loss_of_probabilities
    model.compile(keras.optimizers.Adam(0.02), loss)
    return model


def targets(record: FrameRecord, lengths: tuple[int, ...]) -> tf.Tensor:
    frames = answered_frames(np.array(lengths), record.options.get("subsampling", 1))
    return ctc_targets(frames, np.array([[1, 2], [2, 0], [3, 0], [2, 3]], "int32"))


@every_record
def test_output_has_the_promised_shape_and_dtype(record: FrameRecord):
    model = record.model()
    for steps in (1, 9, 16):
        answer = model(record.inputs((steps,) * 4, steps))
        kept = answered_frames(steps, record.options.get("subsampling", 1))
        assert answer.shape == (4, kept, 4) and answer.dtype == tf.float32
    assert model.output_shape == (None, None, 4)
    assert not model.compiled


@every_record
def test_every_trainable_weight_moves_in_one_step(record: FrameRecord):
    model = compiled(record)
    before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    model.train_on_batch(record.inputs(LENGTHS, 23), targets(record, LENGTHS))
    for weight, old in zip(model.trainable_weights, before):
        assert np.any(keras.ops.convert_to_numpy(weight) != old), weight.path


@every_record
def test_it_overfits_four_samples(record: FrameRecord):
    model, wanted = compiled(record), targets(record, LENGTHS)
    inputs = record.inputs(LENGTHS, 23)
    first = model.evaluate(inputs, wanted, verbose=0)
    for _ in range(120):
        model.train_on_batch(inputs, wanted)
    assert model.evaluate(inputs, wanted, verbose=0) < 0.1 * first


@every_record
def test_same_seed_same_weights(record: FrameRecord):
    found = []
    for seed in (5, 5, 6):
        keras.utils.set_random_seed(seed)
        found.append(record.model().get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(found[0], found[1]))
    assert any(not np.array_equal(a, b) for a, b in zip(found[0], found[2]))


@every_record
def test_padding_does_not_reach_the_answer(record: FrameRecord):
    model = record.model()
    inputs = record.inputs(LENGTHS, 23)
    together = np.array(model(inputs))
    for row, length in enumerate(LENGTHS):
        one = [part[row : row + 1] for part in inputs]
        one[0] = one[0][:, :length]
        alone = np.array(model(one))[0]
        assert alone == pytest.approx(together[row, : len(alone)], abs=1e-5)


@every_record
def test_saved_exported_and_loaded_it_answers_the_same(
    record: FrameRecord, tmp_path: Path
):
    model = record.model()
    inputs = record.inputs(LENGTHS, 23)
    expected = pytest.approx(np.array(model(inputs)), abs=1e-5)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array(again(inputs)) == expected
    specs = [
        tf.TensorSpec([None, *part.shape[1:2], *part.shape[2:]], part.dtype, name)
        for part, name in zip(inputs, ("features", "lengths"))
    ]
    module = tf.Module()
    module.model = model
    with without_cudnn([model]):
        answer = {"serving_default": (lambda *x: {"answer": model(list(x))}, specs)}
        save_signatures(module, answer, tmp_path / "1")
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    given = {spec.name: tf.constant(part) for spec, part in zip(specs, inputs)}
    served = loaded.signatures["serving_default"](**given)
    assert served["answer"].numpy() == expected


def test_every_builder_runs_under_a_second_backend(root: Path):
    script = """
import keras
from keras_seq.losses import ctc_loss, ctc_targets
from tests.model_contract import FRAME_RECORDS
assert keras.backend.backend() == "jax"
for record in FRAME_RECORDS:
    answer = record.model().predict(record.inputs((9, 5), 9), verbose=0)
    assert answer.shape[0] == 2, record.name
targets = ctc_targets(keras.ops.array([3, 1]), keras.ops.array([[1, 2], [3, 0]]))
assert ctc_loss(targets, answer).shape == (2,)
"""
    run_under_jax(root, script)
