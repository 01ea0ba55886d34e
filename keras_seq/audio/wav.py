"""WAV files as graph ops: 16-bit PCM in, samples out, and words for what does not fit.

`tf.audio.decode_wav` stops a whole server's batch with remarks about byte offsets; this
says which file, what it is and what was expected.

Shapes: B batch, N samples.
"""

import tensorflow as tf

from keras_seq.audio.waveforms import ENDLESS, MOST_CHUNKS

MOST_SAMPLES = 1 << 27  # of a request, zeros behind each end counted
PCM, EXTENSIBLE = 1, 0xFFFE


def decode_wavs(wav: tf.Tensor, sample_rate: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Samples of WAV files, their channels mixed.

    What is cut short behind its header is answered as far as it goes, and what was
    written as a stream, of a length that its header does not know, to its end.

    Args:
        wav: string (B,), bytes of files.
        sample_rate: that each must have, in hertz.

    Returns:
        float32 (B, N) from -1 to 1, zeros behind each end, and int32 (B,) lengths.

    Raises:
        tf.errors.InvalidArgumentError: A file is no WAV, not 16-bit PCM or of another
            rate; the message says which and what it is. Or together they are longer
            than memory should hold.

    Example:

    >>> import numpy as np
    >>> from keras_seq.audio.waveforms import wav_bytes
    >>> file = wav_bytes(np.array([0, 16384], np.int16), 8000)
    >>> waveform, lengths = decode_wavs(tf.constant([file]), 8000)
    >>> waveform.numpy().tolist(), lengths.numpy().tolist()
    ([[0.0, 0.5]], [2])
    """
    samples, problem = tf.map_fn(
        lambda content: _decode(content, sample_rate),
        wav,
        fn_output_signature=(tf.RaggedTensorSpec([None], tf.float32), tf.string),
    )
    number = tf.strings.as_string(tf.range(tf.shape(wav)[0]))
    messages = tf.strings.join(["wav ", number, ": ", problem])
    messages = tf.boolean_mask(messages, problem != "")
    check = tf.debugging.Assert(
        tf.size(messages) == 0, [tf.strings.reduce_join(messages[:3], separator="; ")]
    )
    padded = samples.nrows() * tf.reduce_max(tf.concat([samples.row_lengths(), [0]], 0))
    too_many = "wav: {} samples, each file as long as the longest; at most "
    too_many += f"{MOST_SAMPLES}: ask for fewer, or for shorter ones"
    fits = tf.debugging.Assert(
        padded <= MOST_SAMPLES, [tf.strings.format(too_many, padded)]
    )
    with tf.control_dependencies([each for each in (check, fits) if each is not None]):
        lengths = tf.cast(samples.row_lengths(), tf.int32)
        return samples.to_tensor(), lengths


def _decode(content: tf.Tensor, sample_rate: int) -> tuple[tf.RaggedTensor, tf.Tensor]:
    """Samples of one file, and what is wrong with it or ""."""
    size = tf.cast(tf.strings.length(content), tf.int64)
    # Behind the end stand zeros, so that no header is cut off while it is read.
    bytes_ = tf.concat(
        [tf.io.decode_raw(content, tf.uint8), tf.zeros([64], tf.uint8)], axis=0
    )
    fmt, data, data_size = _find_chunks(bytes_, size)
    has_both = (fmt > 0) & (data > 0)
    fmt = tf.maximum(fmt, 0)
    tag, channels = _number(bytes_, fmt, 2), _number(bytes_, fmt + 2, 2)
    rate, bits = _number(bytes_, fmt + 4, 4), _number(bytes_, fmt + 14, 2)
    tag = tf.where(tag == EXTENSIBLE, _number(bytes_, fmt + 24, 2), tag)
    is_wav = (_text(bytes_, 0) == "RIFF") & (_text(bytes_, 8) == "WAVE")
    wanted = f"the model reads 16-bit PCM at {sample_rate} Hz"
    problem = tf.case(
        [
            (~is_wav, lambda: tf.constant(f"not a WAV file; {wanted}")),
            (~has_both, lambda: tf.constant(f"the WAV file is cut short; {wanted}")),
            (
                (tag != PCM) | (bits != 16) | (channels < 1),
                lambda: tf.strings.format(
                    "{}-bit samples of format {} in {} channels; " + wanted,
                    (bits, tag, channels),
                ),
            ),
            (
                rate != sample_rate,
                lambda: tf.strings.format("{} Hz; " + wanted + ": resample it", rate),
            ),
        ],
        default=lambda: tf.constant(""),
    )
    width = 2 * tf.maximum(channels, 1)
    count = tf.where(problem == "", data_size // width, 0)
    start = tf.where(problem == "", data, 0)
    raw = tf.reshape(bytes_[start : start + count * width], [-1, 2])
    values = tf.cast(tf.bitcast(raw, tf.int16), tf.float32) / 32768
    values = tf.reshape(values, [count, tf.maximum(channels, 1)])
    return (
        tf.RaggedTensor.from_row_lengths(tf.reduce_mean(values, axis=1), [count])[0],
        problem,
    )


def _find_chunks(
    bytes_: tf.Tensor, size: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Where format and data begin, -1 when they do not; and the bytes of data there.

    No more than `MOST_CHUNKS` chunks are looked at: each costs time, and no sound file
    has so many.
    """
    is_whole = _number(bytes_, tf.constant(4, tf.int64), 4) + 8 == size

    def step(place, fmt, data, data_size):
        name, length = _text(bytes_, place), _number(bytes_, place + 4, 4)
        inside = place + 8
        fmt = tf.where((name == "fmt ") & (length >= 16), inside, fmt)
        is_data = name == "data"
        data = tf.where(is_data, inside, data)
        there = size - inside
        endless = (length == 0) & ~is_whole | (length >= ENDLESS)
        found = tf.where(endless, there, tf.minimum(length, there))
        data_size = tf.where(is_data, found, data_size)
        return inside + length + length % 2, fmt, data, data_size

    none = tf.constant(-1, tf.int64)
    _, fmt, data, data_size = tf.while_loop(
        lambda place, fmt, data, data_size: (place + 8 <= size) & (data < 0),
        step,
        (tf.constant(12, tf.int64), none, none, tf.constant(0, tf.int64)),
        maximum_iterations=MOST_CHUNKS,
    )
    return fmt, data, data_size


def _number(bytes_: tf.Tensor, place: tf.Tensor, width: int) -> tf.Tensor:
    """A little-endian number without sign: int64 ()."""
    digits = tf.cast(bytes_[place : place + width], tf.int64)
    return tf.reduce_sum(digits * [256**power for power in range(width)])


def _text(bytes_: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """Four bytes as a string: ()."""
    # Every byte is a code point of its own here, so that any can be compared.
    return tf.strings.unicode_encode(
        tf.cast(bytes_[place : place + 4], tf.int32), "UTF-8"
    )
