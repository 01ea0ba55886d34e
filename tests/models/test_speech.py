"""The speech builder: the tutorial's layers, exact frame counts, no padding heard."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_seq.models.speech import answered_frames, build_speech_model
from keras_seq.training.model_file import portable
from tests.fork_server import bare

SMALL = {"num_features": 5, "lstm_units": 6}
VARIANTS = [
    {"bidirectional": True},
    {"subsampling": 2, "logits": True},
    {"bidirectional": True, "subsampling": 4, "logits": True},
    {"bidirectional": True, "subsampling": 8, "cell": "gru", "num_layers": 1},
]
variants = pytest.mark.parametrize("options", VARIANTS, ids=str)


def test_positional_arguments_alone_give_the_documented_model():
    model = build_speech_model(29)
    kinds = [layers.LSTM, layers.Dropout] * 2 + [layers.Dense]
    assert list(map(isinstance, model.layers[1:], kinds)) == [True] * 5
    first, drop, second, drop_again, dense = model.layers[1:]
    for lstm in (first, second):
        assert (lstm.units, lstm.return_sequences) == (256, True)
        assert (lstm.dropout, lstm.recurrent_dropout) == (0.0, 0.0)
    assert drop.rate == drop_again.rate == 0.2
    assert (dense.units, dense.activation) == (29, keras.activations.softmax)
    weights = 4 * 256 * (80 + 256 + 1) + 4 * 256 * (256 + 256 + 1) + 29 * 257
    assert model.count_params() == weights
    assert model.input_shape == (None, None, 80)


def loud_padding(lengths: np.ndarray) -> np.ndarray:
    """float32 (B, T, F); behind each end stands noise, not zeros."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(len(lengths), lengths.max(), 5))
    for row, length in zip(features, lengths):
        row[length:] *= 1000
    return features.astype("float32")


@variants
def test_a_clip_alone_is_the_same_clip_in_a_padded_batch(options: dict):
    model = build_speech_model(7, **SMALL, **options)
    model.set_weights([weight + 0.05 for weight in model.get_weights()])
    lengths = np.array([21, 8, 13, 1, 16], "int32")
    features = loud_padding(lengths)
    together = np.array(model([features, lengths]))
    for row, length in enumerate(lengths):
        one = [features[row : row + 1, :length], lengths[row : row + 1]]
        alone = np.array(model(one))[0]
        assert len(alone) == answered_frames(int(length), options.get("subsampling", 1))
        assert alone == pytest.approx(together[row, : len(alone)], abs=1e-5)


@pytest.mark.parametrize("subsampling", [1, 2, 4, 8])
def test_frame_counts_follow_the_subsampling_exactly(subsampling: int):
    model = build_speech_model(
        3, num_features=2, lstm_units=2, subsampling=subsampling, bidirectional=True
    )
    for frames in range(1, 20):
        answer = model([np.zeros((1, frames, 2), "float32"), np.array([frames])])
        assert answer.shape[1] == answered_frames(frames, subsampling)


def test_all_variants_load_without_keras_seq(tmp_path):
    features, lengths = loud_padding(np.array([9, 4])), np.array([9, 4], "int32")
    np.savez(tmp_path / "in.npz", features=features, lengths=lengths)
    for number, options in enumerate(VARIANTS):
        model = build_speech_model(7, **SMALL, **options)
        portable(model).save(tmp_path / f"{number}.keras")
        np.save(tmp_path / f"{number}.npy", model([features, lengths]))
    script = """
import sys, keras, numpy
given = numpy.load("in.npz")
for number in range(int(sys.argv[1])):
    model = keras.models.load_model(f"{number}.keras")
    answer = model([given["features"], given["lengths"]])
    assert numpy.allclose(answer, numpy.load(f"{number}.npy"), atol=1e-5), number
assert "keras_seq" not in sys.modules
"""
    done = bare().run(["-c", script, str(len(VARIANTS))], cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("frames", [9, 10, 11, 12, 13])
def test_the_last_frame_is_heard_in_the_last_answer(frames: int):
    model = build_speech_model(
        7, **SMALL, bidirectional=True, subsampling=4, logits=True
    )
    features = loud_padding(np.array([frames]))
    changed = features.copy()
    changed[0, -1] += 3
    before, after = (
        np.array(model([x, np.array([frames])]))[0, -1] for x in (features, changed)
    )
    assert np.abs(before - after).max() > 1e-4


def test_a_loss_of_whole_transcripts_is_not_weighed_by_a_mask():
    model = build_speech_model(7, **SMALL, bidirectional=True, logits=True)
    answer = model([np.zeros((2, 6, 5), "float32"), np.array([6, 2])])
    assert getattr(answer, "_keras_mask", None) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "num_classes is 0"),
        ({"lstm_units": True}, "lstm_units is True"),
        ({"dropout": 1.0}, "dropout is 1.0; expected a rate"),
        ({"cell": "rnn"}, "cell is 'rnn'; expected 'lstm' or 'gru'"),
        ({"subsampling": 3}, "subsampling is 3; expected 1, 2, 4 or 8"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        build_speech_model(**{"num_classes": 7, **arguments})


def test_a_blank_alone_spells_nothing():
    with pytest.raises(ValueError, match="num_classes is 1; .* and CTC's blank"):
        build_speech_model(1)
