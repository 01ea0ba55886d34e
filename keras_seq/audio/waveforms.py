"""Audio files to samples: any format and rate in, 16 bits at one rate out.

libsndfile reads the formats (WAV, FLAC, OGG, MP3 and more), soxr resamples. This
module says what is wrong with a file; whose file it is, it does not know.

Shapes: N samples.
"""

import contextlib
import io
import os
import struct
import wave
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_seq.audio.recording import Piece
from keras_seq.errors import UserError

if TYPE_CHECKING:
    import soundfile

FULL = 32768  # what 16 bits count up to
# A peak below this is the noise of rounding, not sound.
SILENT_PEAK = 8
# So many samples in a row at full scale are a wave that was cut off.
CLIPPED_RUN = 4
# What a recording may be: a header can promise anything, and a small file can unpack
# into any length.
RATES = 1_000, 768_000
MOST_SECONDS = 3_600
MOST_SAMPLES = 1 << 28
MOST_CHUNKS = 100  # of a WAV file, in front of its sound
ENDLESS = 0x7FFF0000  # lengths from here on mean that the length was not known
_UNREADABLE = (OSError, ValueError, TypeError, MemoryError, OverflowError)
_BLOCK = 1 << 20  # samples of all channels that are unpacked at a time
_PAST_END = 0.1  # seconds by which a piece may be longer than its file
_KEPT = 0.95  # of the sound that the header of an MP3 promises; encoders count roughly


class Audio(NamedTuple):
    """One recording.

    Attributes:
        samples: int16 (N,), one channel.
        problem: why nothing can be learnt from it, or None.
        remark: what is odd about it and bearable, or None.
    """

    samples: np.ndarray
    problem: str | None
    remark: str | None


def read_audio(content: bytes, sample_rate: int, piece: Piece | None = None) -> Audio:
    """Decodes a file, mixes its channels and resamples it.

    Args:
        content: the bytes of a file.
        sample_rate: of the answer, in hertz.
        piece: of the file; None is the whole of it.

    Returns:
        The recording. 16-bit samples of one channel at the rate come out as they are.
        What is cut short, longer than an hour or of no rate of sound has a problem.

    Raises:
        UserError: The extra `speech` is not installed.

    Example:

    >>> audio = read_audio(wav_bytes(np.arange(-300, 300, dtype=np.int16), 8000), 8000)
    >>> len(audio.samples), audio.problem
    (600, None)
    >>> read_audio(b"no audio", 8000).problem
    'unreadable (Format not recognised)'
    """
    soundfile = _soundfile()
    none = np.zeros(0, np.int16)
    content, cut = _mended_wav(content)
    if cut is not None and piece is None:
        return Audio(none, cut, None)
    try:
        with quiet_decoder(), soundfile.SoundFile(io.BytesIO(content)) as file:
            rate = file.samplerate
            sound, problem = _read(file, piece, sample_rate)
    except (soundfile.SoundFileError, *_UNREADABLE) as error:
        reason = str(error).rstrip(".").rsplit(": ", 1)[-1] or "no audio"
        return Audio(none, f"unreadable ({reason})", None)
    if problem is None and not np.isfinite(sound).all():
        problem = "samples are not finite"
    if problem is not None:
        return Audio(none, problem, None)
    clipped = _is_clipped(sound)
    if rate != sample_rate:
        import soxr

        sound = soxr.resample(sound, rate, sample_rate, quality="HQ")
    samples = np.clip(np.round(sound * FULL), -FULL, FULL - 1).astype(np.int16)
    return Audio(samples, *_findings(samples, rate, sample_rate, clipped))


def _mended_wav(content: bytes) -> tuple[bytes, str | None]:
    """A WAV file whose header says how much there is, and why it cannot be learnt from
    whole, or None; what is no WAV file comes back as it is.

    A programme that writes to a pipe cannot go back to its header: such a file promises
    nothing, or more than any file holds, and is read to its end. One that promises more
    than there is has been cut short.

    Example:

    >>> header = b"RIFF" + bytes(4) + b"WAVEdata"
    >>> _mended_wav(header + struct.pack("<I", 8) + bytes(6))[1]
    'cut short: 6 of 8 bytes of sound are there'
    >>> _mended_wav(header + bytes(4) + bytes(6))[0][16:20]
    b'\\x06\\x00\\x00\\x00'
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return content, None
    start = _data_start(content)
    if start is None:
        return content, None
    (promised,) = struct.unpack_from("<I", content, start - 4)
    there = len(content) - start
    # An empty sound of a whole file: what follows are other chunks.
    is_whole = struct.unpack_from("<I", content, 4)[0] + 8 == len(content)
    if promised == 0 and there and not is_whole or there < promised >= ENDLESS:
        return content[: start - 4] + struct.pack("<I", there) + content[start:], None
    if promised > there:
        what = f"{there:,} of {promised:,} bytes of sound are there"
        return content, f"cut short: {what}"
    return content, None


def _data_start(content: bytes) -> int | None:
    place = 12
    for _ in range(MOST_CHUNKS):
        if place + 8 > len(content):
            return None
        if content[place : place + 4] == b"data":
            return place + 8
        (size,) = struct.unpack_from("<I", content, place + 4)
        place += 8 + size + size % 2
    return None


def source_rate(content: bytes) -> int | None:
    """The sample rate that a file states, or None where it cannot be one of sound."""
    soundfile = _soundfile()
    try:
        with quiet_decoder(), soundfile.SoundFile(io.BytesIO(content)) as file:
            rate = file.samplerate
    except (soundfile.SoundFileError, OSError, ValueError, TypeError):
        return None
    return rate if RATES[0] <= rate <= RATES[1] else None


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


@contextlib.contextmanager
def quiet_decoder() -> Iterator[None]:
    """Keeps what the decoders' C code remarks about a file off the terminal.

    libmpg123 writes lines to descriptor 2 that name no file; what is wrong with a file
    is answered in words instead.
    """
    try:
        terminal = os.dup(2)
    except OSError:  # a process without an error output
        yield
        return
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _read(
    file: "soundfile.SoundFile", piece: Piece | None, sample_rate: int
) -> tuple[np.ndarray, str | None]:
    """float32 (N,) of a file or a piece of it, block by block, and what is wrong."""
    rate, promised = file.samplerate, file.frames
    if not RATES[0] <= rate <= RATES[1]:
        return np.zeros(0), f"no rate of sound: the file says {rate:,} Hz"
    most = int(min(MOST_SECONDS * rate, MOST_SAMPLES * min(1, rate / sample_rate)))
    wanted = promised
    if piece is not None:
        first = round(piece.start * rate)
        last = promised if piece.end is None else round(piece.end * rate)
        if first >= promised or last > promised + _PAST_END * rate:
            what = f"from {piece.start:g} to {last / rate:g} s of {promised / rate:g} s"
            return np.zeros(0), f"the piece lies outside its file: {what}"
        file.seek(first)
        wanted = min(last, promised) - first
    sound = _mixed(file, min(wanted, most + 1))
    if len(sound) > most:
        return np.zeros(0), f"longer than can be used: more than {most / rate:,.0f} s"
    is_rough = file.format == "MP3"
    if len(sound) < wanted * (_KEPT if is_rough else 1):
        what = f"{len(sound) / rate:,.1f} of {wanted / rate:,.1f} s are there"
        return np.zeros(0), f"cut short: {what}"
    return sound, None


def _mixed(file: "soundfile.SoundFile", wanted: int) -> np.ndarray:
    """float32 (N,), the mean of the channels of the next samples there are."""
    size, blocks, count = max(1, _BLOCK // file.channels), [], 0
    while count < wanted:
        block = file.read(min(size, wanted - count), dtype="float32", always_2d=True)
        if not len(block):
            break
        blocks.append(block.mean(axis=1))
        count += len(block)
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


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
            f"wrong rate: recorded at {rate} Hz, the model takes {sample_rate} Hz, and "
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
