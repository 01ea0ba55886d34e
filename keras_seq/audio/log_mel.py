"""Waveform to log-mel frames, as one graph that training and SavedModel share.

A frame depends on its own samples alone, and normalisation on the real frames of its
own recording or on numbers fitted before: what else is in a batch changes nothing.

Shapes: B batch, N samples, T frames, F mel bands, W warps.
"""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import tensorflow as tf

FRAME_SECONDS = 0.025
STEP_SECONDS = 0.010
LOWEST_HERTZ = 20.0
# Power below this is taken for silence: the noise of 16-bit rounding lies there.
FLOOR = 1e-7
# What lies further below a recording's loudest band is its room and microphone; and
# silence has no peak to be measured by. As natural logarithms of power.
RANGE = np.log(1e6)
LOWEST_PEAK = np.log(FLOOR) + np.log(1e4)
# Keeps the variance of a recording of silence from being divided by.
MIN_VARIANCE = 1e-2
# How far voices differ: training has frequencies times these.
WARPS = tuple(np.round(np.arange(0.80, 1.2001, 0.04), 2).tolist())
SAME = WARPS.index(1.0)


class LogMel:
    """Log energies in mel bands, 100 frames a second, normalised.

    Args:
        sample_rate: of the waveforms, in hertz.
        num_features: F.
        normalize: "utterance" gives each recording mean 0 and variance 1 in every
            band; "fitted" uses the numbers of `fit`, so that a frame can be answered
            before the recording has ended; "peak" first measures each recording by its
            loudest band, down to 60 dB below it, and then uses the numbers of `fit`.

    Raises:
        ValueError: The rate is below 4000 Hz or there is no band.

    Example:

    >>> extractor = LogMel(8000, num_features=20)
    >>> waveforms = tf.random.normal((2, 4000))
    >>> features, frames = extractor(waveforms, tf.constant([4000, 360]))
    >>> features.shape, frames.numpy()
    (TensorShape([2, 48, 20]), array([48,  3], dtype=int32))
    """

    def __init__(
        self,
        sample_rate: int,
        num_features: int = 80,
        normalize: Literal["utterance", "fitted", "peak"] = "utterance",
    ) -> None:
        if sample_rate < 4000 or num_features < 1:
            raise ValueError(
                f"sample_rate is {sample_rate} and num_features {num_features}; "
                "expected 4000 Hz or more, and a band"
            )
        if normalize not in ("utterance", "fitted", "peak"):
            raise ValueError(
                f"normalize is {normalize!r}; expected 'utterance', 'fitted' or 'peak'"
            )
        self.sample_rate, self.num_features = int(sample_rate), num_features
        self.normalize = normalize
        self.frame_length = round(FRAME_SECONDS * sample_rate)
        self.frame_step = round(STEP_SECONDS * sample_rate)
        self.fft_length = 1 << (self.frame_length - 1).bit_length()
        self.mean = np.zeros(num_features, np.float32)
        self.deviation = np.ones(num_features, np.float32)

    def frame_counts(self, lengths: Any, tempo: Any = 1.0) -> Any:
        """Whole frames in so many samples; a shorter sound is one frame, none is none.

        Args:
            lengths: int (B,), samples; a NumPy array or a tensor.
            tempo: float (B,) or scalar, how much faster it is played.

        Returns:
            int32 (B,), of the same kind.
        """
        if isinstance(lengths, tf.Tensor):
            past = tf.maximum(lengths - self.frame_length, 0)
            step = tf.cast(self.frame_step * tempo, tf.float32)
            more = tf.cast(tf.floor(tf.cast(past, tf.float32) / step), tf.int32)
            return tf.where(lengths > 0, 1 + more, 0)
        lengths = np.asarray(lengths)
        past = np.maximum(lengths - self.frame_length, 0).astype(np.float32)
        step = np.float32(self.frame_step * np.asarray(tempo, np.float32))
        more = np.floor(past / step).astype(np.int32)
        return np.where(lengths > 0, 1 + more, 0).astype(np.int32)

    def __call__(
        self,
        waveform: tf.Tensor,
        lengths: tf.Tensor,
        tempo: tf.Tensor | None = None,
        warp: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Frames of recordings; those behind a recording's end are zeros.

        Args:
            waveform: float32 (B, N), samples from -1 to 1.
            lengths: int32 (B,), real samples of each.
            tempo: float32 (B,), how much faster each is played; None as it is.
            warp: int32 (B,), position in `WARPS`; None as it is.

        Returns:
            float32 (B, T, F) with T of at least 1, and int32 (B,) frame counts.
        """
        features, frames = self.log_energies(waveform, lengths, tempo, warp)
        real = tf.sequence_mask(frames, tf.shape(features)[1], tf.float32)[..., None]
        if self.normalize != "utterance":
            return (features - self.mean) / self.deviation * real, frames
        count = tf.maximum(tf.reduce_sum(real, axis=1, keepdims=True), 1)
        mean = tf.reduce_sum(features * real, axis=1, keepdims=True) / count
        centred = (features - mean) * real
        variance = tf.reduce_sum(centred**2, axis=1, keepdims=True) / count
        return centred * tf.math.rsqrt(variance + MIN_VARIANCE), frames

    def log_energies(
        self,
        waveform: tf.Tensor,
        lengths: tf.Tensor,
        tempo: tf.Tensor | None = None,
        warp: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """`__call__` before mean and variance; what is behind the end means nothing."""
        # A sound shorter than a frame would take in what stands behind its end.
        waveform *= tf.sequence_mask(lengths, tf.shape(waveform)[1], tf.float32)
        missing = tf.maximum(self.frame_length - tf.shape(waveform)[1], 0)
        waveform = tf.pad(waveform, [[0, 0], [0, missing]])
        if tempo is None:
            frames = self.frame_counts(lengths)
            cut = tf.signal.frame(waveform, self.frame_length, self.frame_step)
        else:
            frames = self.frame_counts(lengths, tempo)
            cut = self._faster_frames(waveform, frames, tempo)
        window = tf.signal.hann_window(self.frame_length)
        spectrum = tf.signal.rfft(cut * window, [self.fft_length])
        power = tf.math.real(spectrum * tf.math.conj(spectrum))  # (B, T, fft / 2 + 1)
        if warp is None:
            bands = tf.tensordot(power, self._bands(SAME), 1)
        else:
            every = tf.constant(np.stack([self._bands(w) for w in range(len(WARPS))]))
            bands = tf.matmul(power, tf.gather(every, warp))
        energies = tf.math.log(bands + FLOOR)
        if self.normalize == "peak":
            energies = _below_peak(energies, frames)
        return energies, frames

    def _faster_frames(
        self, waveform: tf.Tensor, frames: tf.Tensor, tempo: tf.Tensor
    ) -> tf.Tensor:
        """Frames whose starts are further apart: float32 (B, T, frame_length)."""
        number = tf.range(tf.maximum(tf.reduce_max(frames), 1), dtype=tf.int32)
        step = tf.cast(self.frame_step * tempo, tf.float32)[:, None]  # (B, 1)
        starts = tf.cast(tf.floor(tf.cast(number, tf.float32) * step), tf.int32)
        places = starts[..., None] + tf.range(self.frame_length)  # (B, T, L)
        places = tf.minimum(places, tf.shape(waveform)[1] - 1)
        return tf.gather(waveform, places, batch_dims=1)

    def _bands(self, warp: int) -> np.ndarray:
        """Weights of each frequency in each band: float32 (fft / 2 + 1, F).

        For the warp 1 they are `tf.signal.linear_to_mel_weight_matrix`. Other warps
        move each frequency, bent so that the highest stays: Jaitly and Hinton 2013,
        "Vocal Tract Length Perturbation", equation 1.
        """
        top = self.sample_rate / 2
        hertz = np.linspace(0, top, self.fft_length // 2 + 1)
        factor = WARPS[warp]
        bend = 0.8 * top * min(factor, 1) / factor
        above = top - (top - factor * bend) / (top - bend) * (top - hertz)
        mel = _mel(np.where(hertz <= bend, factor * hertz, above))
        edges = np.linspace(_mel(LOWEST_HERTZ), _mel(top), self.num_features + 2)
        rise = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
        fall = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
        return np.maximum(0, np.minimum(rise, fall)).astype(np.float32)

    def fit(self, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> "LogMel":
        """Finds mean and deviation of every band, on the train part alone.

        Args:
            batches: float32 (B, N) and int32 (B,), as `__call__` takes them.

        Returns:
            Itself.
        """
        count, total, squares = 0, 0.0, 0.0
        for waveform, lengths in batches:
            features, frames = self.log_energies(
                tf.constant(waveform), tf.constant(lengths)
            )
            real = tf.sequence_mask(frames, tf.shape(features)[1])
            values = tf.boolean_mask(features, real).numpy().astype(np.float64)
            count += len(values)
            total, squares = total + values.sum(0), squares + (values**2).sum(0)
        mean = total / max(count, 1)
        variance = np.maximum(squares / max(count, 1) - mean**2, MIN_VARIANCE)
        self.mean = np.broadcast_to(mean, self.num_features).astype(np.float32)
        self.deviation = np.sqrt(np.broadcast_to(variance, self.num_features)).astype(
            np.float32
        )
        return self

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads, fit for JSON."""
        return {
            "sample_rate": self.sample_rate,
            "num_features": self.num_features,
            "normalize": self.normalize,
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
        }

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "LogMel":
        """The feature extractor that `to_dict` wrote.

        Example:

        >>> LogMel.from_dict(LogMel(8000).to_dict()).frame_step
        80
        """
        names = ("sample_rate", "num_features", "normalize")
        extractor = cls(*(facts[name] for name in names))
        extractor.mean = np.array(facts["mean"], np.float32)
        extractor.deviation = np.array(facts["deviation"], np.float32)
        return extractor


def _below_peak(energies: tf.Tensor, frames: tf.Tensor) -> tf.Tensor:
    """Log energies from 0, a recording's highest, down to -`RANGE`: (B, T, F)."""
    real = tf.sequence_mask(frames, tf.shape(energies)[1])[..., None]
    present = tf.where(real, energies, LOWEST_PEAK)
    peak = tf.maximum(tf.reduce_max(present, [1, 2], keepdims=True), LOWEST_PEAK)
    return tf.maximum(energies - peak, -RANGE)


def _mel(hertz: Any) -> Any:
    """Hertz on the mel scale, as HTK and tf.signal have it."""
    return 1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0)
