"""What training changes about recordings: a function of seed, epoch and sample alone.

All random numbers are drawn here, per sample, so that an epoch can be repeated or
entered anywhere; the graph only applies them.

Shapes: B batch, N samples, T frames, F bands, M masks.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_seq.audio.log_mel import WARPS

NOISE_SAMPLES = 1 << 17
CURVES = 4  # cosines over the bands, the first half a period


class Augmentation(NamedTuple):
    """How strongly to change recordings; the default is none.

    Attributes:
        tempo: largest change of speed, as a share: 0.1 is from 0.9 to 1.1.
        warp: largest change of the voice's frequencies, as a share, 0.2 at most.
        gain: largest change of the level, in decibels.
        colour: how much the balance of the bands changes, in deviations of a feature.
        noise_share: of recordings that get noise.
        quietest_noise, loudest_noise: its level against the recording, in decibels.
        time_masks, band_masks: how many stretches of frames and of bands are blanked.
        longest_time_mask: as a share of the frames.
        widest_band_mask: as a share of the bands.
    """

    tempo: float = 0.0
    warp: float = 0.0
    gain: float = 0.0
    colour: float = 0.0
    noise_share: float = 0.0
    quietest_noise: float = -40.0
    loudest_noise: float = -15.0
    time_masks: int = 0
    longest_time_mask: float = 0.1
    band_masks: int = 0
    widest_band_mask: float = 0.2


class Changes(NamedTuple):
    """One draw for a batch, in the form that the graph takes.

    Attributes:
        tempo: float32 (B,).
        warp: int32 (B,), positions in `WARPS`.
        gain: float32 (B,), what samples are multiplied by.
        colour: float32 (B, CURVES), how much of each curve is added to the features.
        noise: float32 (B,), amplitude against the recording's own.
        noise_start: int32 (B,), where in the noise each starts.
        time_masks, band_masks: float32 (B, M, 2), start and end as shares.
    """

    tempo: np.ndarray
    warp: np.ndarray
    gain: np.ndarray
    colour: np.ndarray
    noise: np.ndarray
    noise_start: np.ndarray
    time_masks: np.ndarray
    band_masks: np.ndarray


CHANGES = Changes(
    tempo=tf.TensorSpec([None], tf.float32),
    warp=tf.TensorSpec([None], tf.int32),
    gain=tf.TensorSpec([None], tf.float32),
    colour=tf.TensorSpec([None, CURVES], tf.float32),
    noise=tf.TensorSpec([None], tf.float32),
    noise_start=tf.TensorSpec([None], tf.int32),
    time_masks=tf.TensorSpec([None, None, 2], tf.float32),
    band_masks=tf.TensorSpec([None, None, 2], tf.float32),
)


def draw_changes(
    how: Augmentation, seed: int, epoch: int, numbers: np.ndarray
) -> Changes:
    """Draws what happens to some samples in one epoch.

    Args:
        how: how strongly.
        seed: of the run.
        epoch: from 0.
        numbers: int (B,), the samples' numbers in the train part.

    Returns:
        Equal for equal arguments, whatever else is in the batch.

    Example:

    >>> how = Augmentation(tempo=0.1)
    >>> both = draw_changes(how, 0, 3, np.array([7, 8])).tempo
    >>> bool(both[1] == draw_changes(how, 0, 3, np.array([8])).tempo[0])
    True
    """
    drawn = zip(*(_draw(how, seed, epoch, number) for number in numbers))
    types = (np.int32 if spec.dtype == tf.int32 else np.float32 for spec in CHANGES)
    return Changes(*(np.array(each, dtype) for each, dtype in zip(drawn, types)))


def _draw(how: Augmentation, seed: int, epoch: int, number: int) -> tuple:
    rng = np.random.default_rng((seed, epoch, int(number)))
    tempo = 1 + how.tempo * rng.uniform(-1, 1)
    allowed = [i for i, w in enumerate(WARPS) if abs(w - 1) <= how.warp + 1e-6]
    warp = allowed[rng.integers(len(allowed))]
    gain = 10 ** (how.gain * rng.uniform(-1, 1) / 20)
    decibels = rng.uniform(how.quietest_noise, how.loudest_noise)
    is_noisy = rng.random() < how.noise_share
    noise = is_noisy * 10 ** (decibels / 20)
    start = rng.integers(NOISE_SAMPLES)
    times = _draw_masks(rng, how.time_masks, how.longest_time_mask)
    bands = _draw_masks(rng, how.band_masks, how.widest_band_mask)
    colour = how.colour * rng.normal(size=CURVES) / np.arange(1, CURVES + 1)
    return tempo, warp, gain, colour, noise, start, times, bands


def _draw_masks(rng: np.random.Generator, count: int, widest: float) -> np.ndarray:
    width = rng.uniform(0, widest, count)
    start = rng.uniform(0, 1, count) * (1 - width)
    return np.stack([start, start + width], axis=1)  # (M, 2)


def add_noise(waveform: tf.Tensor, lengths: tf.Tensor, changes: Changes) -> tf.Tensor:
    """Adds noise at a level relative to each recording's own: float32 (B, N), whose
    `lengths` int32 (B,) are real and zeros stand behind."""
    bank = tf.constant(_noise_bank())
    count = tf.cast(tf.maximum(lengths, 1), tf.float32)
    level = tf.sqrt(tf.reduce_sum(waveform**2, axis=1) / count) * changes.noise  # (B,)
    places = tf.range(tf.shape(waveform)[1])[None] + changes.noise_start[:, None]
    noise = tf.gather(bank, places % NOISE_SAMPLES)
    real = tf.sequence_mask(lengths, tf.shape(waveform)[1], tf.float32)
    return waveform + noise * level[:, None] * real


def _noise_bank() -> np.ndarray:
    """float32 (NOISE_SAMPLES,) of variance 1: white at first, ever darker after."""
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.normal(size=(4, NOISE_SAMPLES // 4)))
    place = np.maximum(np.arange(spectrum.shape[1]), 1.0)
    noise = np.fft.irfft(spectrum * place ** -(np.arange(4)[:, None] / 4))
    noise /= noise.std(axis=1, keepdims=True)
    return noise.ravel().astype(np.float32)


def colour_features(
    features: tf.Tensor, frames: tf.Tensor, changes: Changes
) -> tf.Tensor:
    """Adds a smooth curve over the bands, as another microphone would: (B, T, F), of
    normalised features with `frames` int32 (B,) real ones."""
    bands = features.shape[2]
    place = (np.arange(bands) + 0.5) / bands
    curves = np.cos(np.pi * np.arange(1, CURVES + 1)[:, None] * place)  # (CURVES, F)
    curve = tf.matmul(changes.colour, tf.constant(curves, tf.float32))  # (B, F)
    real = tf.sequence_mask(frames, tf.shape(features)[1], tf.float32)
    return features + curve[:, None] * real[:, :, None]


def mask_features(
    features: tf.Tensor, frames: tf.Tensor, changes: Changes
) -> tf.Tensor:
    """Blanks stretches of frames and of bands: float32 (B, T, F), `frames` (B,) real.

    Park et al. 2019, "SpecAugment", arXiv:1904.08779, without time warping. Zero is the
    mean of normalised features.
    """
    counts = tf.cast(frames, tf.float32)[:, None, None]  # (B, 1, 1)
    time_kept = _kept(changes.time_masks * counts, tf.shape(features)[1])  # (B, T)
    bands = features.shape[2]
    band_kept = _kept(changes.band_masks * tf.cast(bands, tf.float32), bands)
    return features * time_kept[:, :, None] * band_kept[:, None, :]


def _kept(masks: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """0 where a mask lies and 1 elsewhere: float32 (B, size)."""
    place = tf.cast(tf.range(size), tf.float32) + 0.5
    inside = (place >= masks[..., :1]) & (place < masks[..., 1:])  # (B, M, size)
    return tf.cast(~tf.reduce_any(inside, axis=1), tf.float32)
