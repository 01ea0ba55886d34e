"""Features: those of tf.signal, alone as in a batch, and fitted on train only."""

import numpy as np
import pytest
import soxr
import tensorflow as tf

from keras_seq.audio.log_mel import RANGE, SAME, WARPS, LogMel

LENGTHS = np.array([8000, 2711, 150, 4000, 0], "int32")


def sounds(loud_padding: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    waveform = rng.normal(0, 0.1, (len(LENGTHS), LENGTHS.max()))
    for row, length in zip(waveform, LENGTHS):
        row[length:] *= loud_padding
    return waveform.astype("float32")


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_log_energies_are_those_of_tf_signal(rate: int):
    extractor = LogMel(rate, num_features=40)
    waveform = tf.constant(sounds()[:1])
    found, frames = extractor.log_energies(waveform, tf.constant([8000]))
    spectrum = tf.signal.stft(
        waveform, extractor.frame_length, extractor.frame_step, extractor.fft_length
    )
    matrix = tf.signal.linear_to_mel_weight_matrix(
        40, extractor.fft_length // 2 + 1, rate, 20.0, rate / 2
    )
    expected = tf.math.log(tf.tensordot(tf.abs(spectrum) ** 2, matrix, 1) + 1e-7)
    assert int(frames[0]) == expected.shape[1]
    assert found.numpy() == pytest.approx(expected.numpy(), abs=1e-3)


@pytest.mark.parametrize("normalize", ["utterance", "fitted", "peak"])
def test_a_clip_alone_is_the_same_clip_in_a_padded_batch(normalize: str):
    extractor = LogMel(8000, 40, normalize)
    together, frames = extractor(tf.constant(sounds(9.0)), tf.constant(LENGTHS))
    for row, length in enumerate(LENGTHS):
        one = tf.constant(sounds()[row : row + 1, :length])
        alone, count = extractor(one, tf.constant([length]))
        assert int(count[0]) == int(frames[row]) == extractor.frame_counts([length])[0]
        real = together[row, : int(frames[row])].numpy()
        assert alone[0, : len(real)].numpy() == pytest.approx(real, abs=1e-5)
        assert not together[row, len(real) :].numpy().any()


def test_a_loud_neighbour_changes_nothing():
    # Keras' MelSpectrogram clips against the loudest sound of the whole batch.
    extractor = LogMel(8000)
    waveform = sounds()
    before = extractor(tf.constant(waveform), tf.constant(LENGTHS))[0][1].numpy()
    waveform[0] *= 9
    after = extractor(tf.constant(waveform), tf.constant(LENGTHS))[0][1].numpy()
    assert np.array_equal(before, after)


def test_utterances_are_normalised_over_their_real_frames():
    features, frames = LogMel(8000)(tf.constant(sounds()), tf.constant(LENGTHS))
    real = features[1, : int(frames[1])].numpy()
    assert real.mean(axis=0) == pytest.approx(np.zeros(80), abs=1e-5)
    assert real.std(axis=0) == pytest.approx(np.ones(80), abs=0.05)


def test_fitted_numbers_are_those_of_the_batches_they_were_fitted_on():
    extractor = LogMel(8000, 20, "fitted")
    extractor.fit([(sounds(loud_padding=50.0), LENGTHS)])
    features, frames = extractor(tf.constant(sounds()), tf.constant(LENGTHS))
    real = np.concatenate([f[:n] for f, n in zip(features.numpy(), frames.numpy())])
    assert real.mean(axis=0) == pytest.approx(np.zeros(20), abs=1e-4)
    assert real.std(axis=0) == pytest.approx(np.ones(20), abs=1e-3)
    again = LogMel.from_dict(extractor.to_dict())
    assert np.array_equal(
        again(tf.constant(sounds()), tf.constant(LENGTHS))[0], features
    )


def test_by_its_peak_a_recording_is_the_same_at_any_level():
    extractor = LogMel(8000, 20, "peak")
    waveform, lengths = tf.constant(sounds()), tf.constant(LENGTHS)
    loud, frames = extractor.log_energies(waveform, lengths)
    quiet, _ = extractor.log_energies(0.2 * waveform, lengths)
    for row, count in enumerate(frames.numpy()):
        if count:
            assert loud[row, :count].numpy().max() == 0
            near = pytest.approx(loud[row, :count].numpy(), abs=2e-2)
            assert quiet[row, :count].numpy() == near
    extractor.fit([(sounds(), LENGTHS)])
    again = LogMel.from_dict(extractor.to_dict())
    assert np.array_equal(again(waveform, lengths)[0], extractor(waveform, lengths)[0])


def test_far_below_its_peak_a_recording_is_flat_and_silence_is_no_peak():
    extractor = LogMel(8000, 20, "peak")
    sound = np.concatenate([tone(1000), np.zeros(4000, np.float32)])
    energies, frames = extractor.log_energies(tf.constant(sound[None]), [len(sound)])
    assert energies[0, -1].numpy() == pytest.approx(np.full(20, -RANGE), abs=1e-6)
    silence, _ = extractor.log_energies(tf.zeros((1, 4000)), [4000])
    assert silence.numpy() == pytest.approx(np.full((1, 48, 20), -np.log(1e4)), 1e-4)


def tone(hertz: float, rate: int = 8000, seconds: float = 1.0) -> np.ndarray:
    time = np.arange(int(rate * seconds)) / rate
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype("float32")


def test_no_change_is_no_change():
    extractor = LogMel(8000)
    waveform, lengths = tf.constant(sounds()), tf.constant(LENGTHS)
    plain = extractor(waveform, lengths)[0].numpy()
    same = extractor(waveform, lengths, tf.ones(5), tf.fill([5], SAME))[0].numpy()
    assert same == pytest.approx(plain, abs=1e-5)


@pytest.mark.parametrize("factor", [0.88, 1.12])
def test_tempo_and_warp_together_are_the_sound_played_faster(factor: float):
    extractor = LogMel(8000)
    sound = np.concatenate([tone(500), tone(1200), tone(800)])
    faster = soxr.resample(sound, 8000 * factor, 8000, quality="VHQ")
    expected, frames = extractor.log_energies(
        tf.constant(faster[None]), tf.constant([len(faster)])
    )
    found, count = extractor.log_energies(
        tf.constant(sound[None]),
        tf.constant([len(sound)]),
        tf.constant([factor], tf.float32),
        tf.constant([WARPS.index(factor)]),
    )
    assert abs(int(count[0]) - int(frames[0])) <= 1
    steps = min(found.shape[1], expected.shape[1])
    # The loudest band of each frame, but where one tone turns into the next.
    own, wanted = (x[0, :steps].numpy().argmax(1) for x in (found, expected))
    assert np.mean(np.abs(own - wanted) <= 1) > 0.95
    # Without the warp a tone stays where it was.
    unwarped, _ = extractor.log_energies(
        tf.constant(sound[None]),
        tf.constant([len(sound)]),
        tf.constant([factor], tf.float32),
        tf.constant([SAME]),
    )
    assert np.mean(np.abs(unwarped[0, :steps].numpy().argmax(1) - wanted) <= 1) < 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((300,), "sample_rate is 300"),
        ((8000, 0), "num_features 0"),
        ((8000, 80, "batch"), "normalize is 'batch'"),
    ],
)
def test_misuse_is_told(arguments: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        LogMel(*arguments)
