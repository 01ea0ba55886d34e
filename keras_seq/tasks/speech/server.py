"""Sound to transcript, as one graph: what a speech SavedModel holds.

Joins reading, features, a trained model and greedy decoding under the frozen signature.

Shapes: B batch, N samples, T frames of the answer, C classes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.audio.alphabet import Alphabet
from keras_seq.audio.log_mel import LogMel
from keras_seq.audio.utterances import Utterances
from keras_seq.audio.wav import decode_wavs
from keras_seq.decoding.ctc import best_path
from keras_seq.models.speech import answered_frames
from keras_seq.serving.by_length import as_text
from keras_seq.serving.checks import checked_finite, checked_shapes
from keras_seq.serving.graph import Proofs, answered
from keras_seq.tasks.speech.labels import LinearLabels

# Samples of 16 bits that nobody divided reach further than sound ever does.
LOUDEST = 16.0

Answer = dict[str, tf.Tensor]


class SpeechRecognizer(tf.Module):
    """Recordings in; transcripts out.

    Args:
        model: from `build_speech_model`, with or without its softmax.
        extractor: as the model was trained with.
        alphabet: as the model was trained with.
        subsampling: S of the model.
        linear: answers with the network, where every utterance is one label.

    Example:

    >>> from keras_seq.models.speech import build_speech_model
    >>> model = build_speech_model(3, lstm_units=4, logits=True)
    >>> recognizer = SpeechRecognizer(model, LogMel(8000), Alphabet(["a", "b"]), 1)
    >>> sorted(recognizer.waveform(tf.zeros((1, 800)), tf.constant([800])))
    ['log_probability', 'transcript']
    """

    def __init__(
        self,
        model: keras.Model,
        extractor: LogMel,
        alphabet: Alphabet,
        subsampling: int = 1,
        linear: LinearLabels | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.extractor = extractor
        self.alphabet = alphabet
        self.subsampling = subsampling
        self.linear = linear
        self._traced = {
            name: tf.function(function, input_signature=specs)
            for name, (function, specs) in self.signatures().items()
        }

    def wav(self, wav: tf.Tensor) -> Answer:
        """Transcribes files.

        Args:
            wav: string (B,), bytes of WAV files: 16-bit PCM at the model's rate.

        Returns:
            transcript string (B,), and log_probability float32 (B,) of the likeliest
            path, 0 where there is no sound. With `linear` they are a label and its
            probability; where the network finds no symbol at all, it is empty.
        """
        (wav,) = checked_shapes({"wav": (wav, ["B"])}, "the bytes of B files")
        return self.waveform(*decode_wavs(wav, self.extractor.sample_rate))

    def waveform(self, waveform: tf.Tensor, lengths: tf.Tensor) -> Answer:
        """Transcribes samples at the model's rate.

        Args:
            waveform: float32 (B, N), from -1 to 1; what lies above is cut off.
            lengths: int32 (B,), real samples of each row.

        Returns:
            As `wav`.
        """
        waveform, lengths = checked_waveform(waveform, lengths)
        log_probabilities, frames = self._answer(waveform, lengths)
        ids, written, score = best_path(log_probabilities, frames)
        if self.linear is not None:
            has_symbols = tf.reduce_any(written, axis=1)
            scores = log_probabilities, frames
            label, certainty = self.linear.best(waveform, lengths, *scores)
            score = tf.where(has_symbols, certainty, score)
            ids, written = label[:, None], has_symbols[:, None]
        return {
            "transcript": self.spell(ids, written),
            "log_probability": score,
        }

    def frames(self, waveform: tf.Tensor, lengths: tf.Tensor) -> Answer:
        """Log probabilities of every frame, for decoders outside the graph.

        Args:
            waveform: as for `waveform`.
            lengths: likewise.

        Returns:
            log_probabilities float32 (B, T, C), and frames int32 (B,), the real ones.
        """
        waveform, lengths = checked_waveform(waveform, lengths)
        log_probabilities, frames = self._answer(waveform, lengths)
        return {"log_probabilities": log_probabilities, "frames": frames}

    def _answer(
        self, waveform: tf.Tensor, lengths: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        # Convolutions want a row; an empty batch gets one, and gives it back.
        rows = tf.shape(waveform)[0]
        missing = tf.maximum(1 - rows, 0)
        waveform = tf.pad(waveform, [[0, missing], [0, 0]])
        features, frames = self.extractor(waveform, tf.pad(lengths, [[0, missing]]))
        inputs = [features, frames] if len(self.model.inputs) > 1 else features
        answer = tf.cast(self.model(inputs, training=False), tf.float32)
        frames = answered_frames(frames, self.subsampling)
        return self.log_softmax(answer)[:rows], frames[:rows]

    def log_softmax(self, answer: tf.Tensor) -> tf.Tensor:
        """Log probabilities of what the model answers."""
        if self.model.layers[-1].name == "probabilities":
            answer = tf.math.log(tf.maximum(answer, keras.config.epsilon()))
        return tf.nn.log_softmax(answer)

    def spell(self, ids: tf.Tensor, written: tf.Tensor) -> tf.Tensor:
        """Transcripts string (B,) of ids int32 (B, T), where `written` is True."""
        chosen = tf.ragged.boolean_mask(ids, written)
        symbols = tf.gather(tf.constant(["", *self.alphabet.symbols]), chosen)
        text = tf.strings.reduce_join(
            symbols, axis=-1, separator=self.alphabet.separator
        )
        return tf.strings.strip(tf.strings.regex_replace(text, " +", " "))

    def signatures(self) -> dict[str, tuple]:
        """The functions with their TensorSpecs, as `export` takes them."""
        rows = [
            tf.TensorSpec([None, None], tf.float32, name="waveform"),
            tf.TensorSpec([None], tf.int32, name="lengths"),
        ]
        files = [tf.TensorSpec([None], tf.string, name="wav")]
        return {
            "serving_default": (self.wav, files),
            "waveform": (self.waveform, rows),
            "frames": (self.frames, rows),
        }

    def signature(self, name: str) -> Callable[..., Answer]:
        """A signature as one traced graph, as `load_exported(...).signature` gives."""
        return self._traced[name]

    def proofs(
        self, files: Sequence[bytes], batch: tuple[np.ndarray, np.ndarray]
    ) -> Proofs:
        """What signatures are asked, and Python's answers.

        Args:
            files: WAV files.
            batch: float32 (B, N) samples, and int32 (B,) of each row.

        Returns:
            Signature to inputs and answers, as `export` takes them.
        """
        waveform, lengths = batch
        given = {"waveform": tf.constant(waveform), "lengths": tf.constant(lengths)}
        asked: dict[str, tuple[Callable[..., Answer], dict[str, tf.Tensor]]] = {
            "serving_default": (self.wav, {"wav": tf.constant(list(files))}),
            "waveform": (self.waveform, given),
            "frames": (self.frames, given),
        }
        return answered([self.model], asked)


def checked_waveform(
    waveform: tf.Tensor, lengths: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The waveform float32 (B, N) from -1 to 1, zero behind each end, and the lengths.

    Raises:
        tf.errors.InvalidArgumentError: Samples are NaN, infinite or never divided by
            32768, a length is not within the row, or a shape does not fit.
    """
    waveform, lengths = checked_shapes(
        {"waveform": (waveform, ["B", "N"]), "lengths": (lengths, ["rows"])},
        "B recordings of N samples; lengths must have one number for each row",
    )
    size = tf.shape(waveform)[1]
    checks = [
        tf.debugging.Assert(
            tf.reduce_all((lengths >= 0) & (lengths <= size)),
            ["lengths must be from 0 to the samples of a row; got", lengths],
        ),
        tf.debugging.Assert(
            tf.shape(lengths)[0] == tf.shape(waveform)[0],
            ["lengths must have one number for each row of waveform"],
        ),
        tf.debugging.Assert(
            tf.reduce_all(~(tf.abs(waveform) > LOUDEST) | ~tf.math.is_finite(waveform)),
            ["waveform reaches far beyond -1 to 1; divide 16-bit samples by 32768"],
        ),
    ]
    waveform = checked_finite(
        "waveform holds NaN or infinity: a sample", waveform, axes=("row", "sample")
    )
    with tf.control_dependencies([check for check in checks if check is not None]):
        real = tf.sequence_mask(lengths, size, tf.float32)
        return tf.clip_by_value(waveform, -1.0, 1.0) * real, lengths


def answer_utterances(
    signature: Callable[..., Mapping[str, tf.Tensor]],
    utterances: Utterances,
    batch_size: int = 16,
) -> Iterator[dict[str, Any]]:
    """Answers of a waveform signature to utterances, in their order: each output's name
    with its value for one utterance.

    Utterances of like length are asked together, which spares most of the padding.
    """
    order = np.argsort(utterances.lengths, kind="stable")
    answers: list[dict[str, Any]] = [{}] * len(utterances)
    for start in range(0, len(order), batch_size):
        numbers = order[start : start + batch_size]
        waveform, lengths = utterances.batch(numbers)
        batch = signature(waveform=tf.constant(waveform), lengths=tf.constant(lengths))
        batch = {name: value.numpy() for name, value in batch.items()}
        for row, number in enumerate(numbers):
            answers[number] = {name: as_text(v[row]) for name, v in batch.items()}
    yield from answers
