"""Audio files to samples: any format and rate in, 16 bits at one rate out.

libsndfile reads the formats (WAV, FLAC, OGG, MP3 and more), soxr resamples. This
module says what is wrong with a file; whose file it is, it does not know.

Shapes: N samples.
"""

import io
import wave
from typing import NamedTuple

import numpy as np

from keras_seq.errors import UserError

FULL = 32768  # what 16 bits count up to
# A peak below this is the noise of rounding, not sound.
SILENT_PEAK = 8
# So many samples in a row at full scale are a wave that was cut off.
CLIPPED_RUN = 4


class Audio(NamedTuple):
    """One recording.

    Attributes:
        samples: int16 (N,), one channel.
        source_rate: of the file, in hertz.
        problem: why nothing can be learnt from it, or None.
        remark: what is odd about it and bearable, or None.
    """

    samples: np.ndarray
    source_rate: int
    problem: str | None
    remark: str | None


def read_audio(content: bytes, sample_rate: int) -> Audio:
    """Decodes a file, mixes its channels and resamples it.

    Args:
        content: the bytes of a file.
        sample_rate: of the answer, in hertz.

    Returns:
        The recording. 16-bit samples of one channel at the rate come out as they are.

    Raises:
        UserError: The extra `speech` is not installed.

    Example:

    >>> audio = read_audio(wav_bytes(np.arange(-300, 300, dtype=np.int16), 8000), 8000)
    >>> len(audio.samples), audio.source_rate, audio.problem
    (600, 8000, None)
    >>> read_audio(b"no audio", 8000).problem
    'unreadable (Format not recognised)'
    """
    soundfile = _soundfile()
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate = file.samplerate
            sound = file.read(dtype="float32", always_2d=True).mean(axis=1)
    except (soundfile.SoundFileError, OSError, ValueError, TypeError) as error:
        reason = str(error).rstrip(".").rsplit(": ", 1)[-1] or "no audio"
        return Audio(np.zeros(0, np.int16), 0, f"unreadable ({reason})", None)
    if not np.isfinite(sound).all():
        return Audio(np.zeros(0, np.int16), rate, "samples are not finite", None)
    clipped = _is_clipped(sound)
    if rate != sample_rate:
        import soxr

        sound = soxr.resample(sound, rate, sample_rate, quality="HQ")
    samples = np.clip(np.round(sound * FULL), -FULL, FULL - 1).astype(np.int16)
    return Audio(samples, rate, *_findings(samples, rate, sample_rate, clipped))


def source_rate(content: bytes) -> int | None:
    """The sample rate that a file states, or None when it cannot be read."""
    soundfile = _soundfile()
    try:
        return soundfile.info(io.BytesIO(content)).samplerate
    except (soundfile.SoundFileError, OSError, ValueError, TypeError):
        return None


def wav_bytes(samples: np.ndarray, sample_rate: int) -> bytes:
    """A WAV file of 16-bit samples, as the SavedModel takes it.

    Args:
        samples: int16 (N,).
        sample_rate: in hertz.
    """
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.asarray(samples).astype("<i2").tobytes())
    return content.getvalue()


def _findings(
    samples: np.ndarray, rate: int, sample_rate: int, clipped: bool
) -> tuple[str | None, str | None]:
    if not len(samples):
        return "zero length", None
    if np.abs(samples.astype(np.int32)).max() < SILENT_PEAK:
        return "silent", None
    remarks = []
    if rate < sample_rate:
        remarks.append(
            f"wrong rate: recorded at {rate} Hz, the model hears {sample_rate} Hz, and "
            "the upper part of its bands stays empty"
        )
    if clipped:
        remarks.append("clipped: waves are cut off at full scale")
    return None, "; ".join(remarks) or None


def _is_clipped(sound: np.ndarray) -> bool:
    full = np.abs(sound) >= 1 - 2 / FULL
    if np.count_nonzero(full) < CLIPPED_RUN:
        return False
    return bool(np.convolve(full, np.ones(CLIPPED_RUN), "valid").max() >= CLIPPED_RUN)


def _soundfile():
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise UserError(
            f"reading audio needs soundfile and soxr ({error}): "
            "python -m pip install 'keras_seq[speech]'"
        ) from error
    return soundfile
