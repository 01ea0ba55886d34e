"""Batches of sound: true frame counts, and augmentation that can be repeated."""

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.audio.alphabet import Alphabet, needed_frames
from keras_seq.audio.augment import (
    Augmentation,
    add_noise,
    colour_features,
    draw_changes,
    mask_features,
)
from keras_seq.audio.batches import make_audio_dataset
from keras_seq.audio.log_mel import LogMel
from keras_seq.audio.utterances import Utterances
from keras_seq.errors import UserError

STRONG = Augmentation(
    tempo=0.1,
    warp=0.2,
    gain=6,
    colour=0.5,
    noise_share=0.7,
    time_masks=2,
    band_masks=2,
)
WORDS = ["ab", "b", "aab", "ba", "a", "bb", "abab"]


@pytest.fixture(scope="module")
def utterances() -> Utterances:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1500, 5000, len(WORDS)).astype("int32")
    samples = (rng.normal(size=lengths.sum()) * 3000).astype("int16")
    texts = [(f"{n}.wav", word, "") for n, word in enumerate(WORDS)]
    return Utterances(8000, samples, np.cumsum(lengths) - lengths, lengths, texts)


def dataset(utterances: Utterances, **options) -> tf.data.Dataset:
    options = {"subsampling": 4, "batch_size": 3} | options
    alphabet, extractor = Alphabet.of(WORDS), LogMel(8000, 20)
    return make_audio_dataset(utterances, alphabet, extractor, **options)


def test_targets_hold_the_frames_of_the_answer_and_the_transcript(
    utterances: Utterances,
):
    alphabet, found = Alphabet.of(WORDS), []
    for (features, frames), targets in dataset(utterances):
        assert features.shape[1] == frames.numpy().max()
        answered = targets[:, 0].numpy()
        assert np.array_equal(answered, -(-frames.numpy() // 4))
        found += [alphabet.decode(row[row > 0]) for row in targets[:, 1:].numpy()]
    assert sorted(found) == sorted(WORDS)


def as_rows(batches: tf.data.Dataset) -> list[tuple]:
    return [(features.numpy(), targets.numpy()) for (features, _), targets in batches]


def test_a_seed_fixes_order_and_augmentation_of_every_epoch(utterances: Utterances):
    one, two = (dataset(utterances, augmentation=STRONG, seed=5) for _ in range(2))
    first, again = as_rows(one), as_rows(two)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(first, again))
    second = as_rows(one)
    assert any(
        a[0].shape != b[0].shape or (a[0] != b[0]).any() for a, b in zip(first, second)
    )
    third = as_rows(one.starting_at(1, 1).take(2))
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(second[1:], third))


def test_what_happens_to_a_sample_does_not_depend_on_its_batch():
    alone = draw_changes(STRONG, 1, 2, np.array([40]))
    among = draw_changes(STRONG, 1, 2, np.array([3, 40, 7]))
    for own, other in zip(alone, among):
        assert np.array_equal(own[0], other[1])
    assert len({*among.tempo, *draw_changes(STRONG, 1, 3, np.array([40])).tempo}) == 4


def test_speed_never_makes_a_transcript_impossible(utterances: Utterances):
    # Just enough frames as it is: 17 of them are 5, which "abab" and "aa" can be.
    lengths = np.full(len(WORDS), 200 + 16 * 80, "int32")
    texts = [("", "abab", ""), ("", "aaa", "")] * 10
    starts, lengths = np.zeros(20, "int32"), np.repeat(lengths[:1], 20)
    tight = Utterances(8000, np.ones(2000, "int16"), starts, lengths, texts)
    faster = Augmentation(tempo=0.5)
    for (_, frames), targets in dataset(tight, augmentation=faster, seed=0):
        for row, count in zip(targets.numpy(), frames.numpy()):
            assert row[0] >= needed_frames(row[1:][row[1:] > 0])
            assert row[0] == -(-count // 4)


def test_noise_has_its_level_and_leaves_padding_alone():
    rng = np.random.default_rng(0)
    waveform = rng.normal(0, 0.1, (2, 8000)).astype("float32")
    waveform[1, 3000:] = 0
    lengths = tf.constant([8000, 3000])
    changes = draw_changes(Augmentation(), 0, 0, np.arange(2))._replace(
        noise=np.float32([0.1, 0.0])
    )
    noisy = add_noise(tf.constant(waveform), lengths, changes).numpy()
    added = noisy - waveform
    decibels = 20 * np.log10(added[0].std() / waveform[0].std())
    assert decibels == pytest.approx(-20, abs=1.5)
    assert not added[1].any()


def test_gain_moves_all_log_energies_of_a_recording(utterances: Utterances):
    extractor = LogMel(8000, 20, normalize="fitted")
    louder, plain = (
        make_audio_dataset(
            utterances,
            Alphabet.of(WORDS),
            extractor,
            batch_size=len(utterances),
            augmentation=Augmentation(gain=gain),
        )
        for gain in (12, 0)
    )
    ((heard, frames), _), ((wanted, _), _) = *louder, *plain
    order = np.argsort(utterances.lengths)
    gains = draw_changes(Augmentation(gain=12), 0, 0, order).gain
    for row, count in enumerate(frames.numpy()):
        moved = (heard[row, :count] - wanted[row, :count]).numpy()
        assert moved == pytest.approx(2 * np.log(gains[row]), abs=0.01)
    many = draw_changes(Augmentation(gain=12), 0, 0, np.arange(200)).gain
    decibels = 20 * np.log10(many)
    assert -12 <= decibels.min() < -10 and 10 < decibels.max() <= 12


def test_colour_is_one_smooth_curve_in_every_real_frame():
    colour = np.float32([[0.5, 0, 0, 0], [0, -0.25, 0, 0]])
    changes = draw_changes(Augmentation(), 0, 0, np.arange(2))._replace(colour=colour)
    features = colour_features(tf.zeros((2, 9, 20)), tf.constant([9, 4]), changes)
    first, second = features.numpy()
    assert (first == first[0]).all() and not second[4:].any()
    assert first[0, 0] == pytest.approx(0.5, abs=0.01) == -first[0, -1]
    assert (np.diff(first[0]) < 0).all()
    assert second[0, [0, -1]] == pytest.approx(-0.25, abs=0.01)
    assert second[3, 9] == pytest.approx(0.25, abs=0.01)
    drawn = draw_changes(Augmentation(colour=0.8), 0, 0, np.arange(500)).colour
    assert drawn.std(axis=0) == pytest.approx([0.8, 0.4, 0.267, 0.2], rel=0.15)


def test_masks_blank_the_shares_that_were_drawn():
    features = tf.ones((1, 100, 20))
    changes = draw_changes(Augmentation(), 0, 0, np.arange(1))._replace(
        time_masks=np.float32([[[0.5, 0.6]]]), band_masks=np.float32([[[0.0, 0.25]]])
    )
    masked = mask_features(features, tf.constant([50]), changes).numpy()[0]
    assert np.flatnonzero(masked[:, 10] == 0).tolist() == [25, 26, 27, 28, 29]
    assert np.flatnonzero(masked[0] == 0).tolist() == [0, 1, 2, 3, 4]


def test_no_clip_is_told(utterances: Utterances):
    with pytest.raises(UserError, match="no recording to make batches of"):
        dataset(utterances.take([]))
