"""Sound while it is spoken: chunks in, the transcript so far out.

A recording in chunks of any size gets the transcript of the whole file: features and
convolutions are computed again over the few frames that both sides of a cut see, and
recurrent layers go on from their states. Only a model that reads forwards, with fitted
normalisation, can do this. One recording at a time.

Shapes: N samples, T frames, S subsampling, U units.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from keras_seq.decoding.ctc import best_path
from keras_seq.models.speech import KERNEL
from keras_seq.serving.checks import checked_finite, checked_shapes, checked_values
from keras_seq.tasks.speech.server import SpeechRecognizer, checked_waveform

State = dict[str, tf.Tensor]


def can_stream(recognizer: SpeechRecognizer) -> bool:
    """Whether a model can answer before the recording has ended."""
    both_ways = any(
        isinstance(layer, layers.Bidirectional) for layer in recognizer.model.layers
    )
    return not both_ways and recognizer.extractor.normalize == "fitted"


class SpeechStream(tf.Module):
    """The pair `init` and `step` of a streaming model.

    Args:
        recognizer: with a model that reads forwards.

    Raises:
        ValueError: The model needs to know the end of a recording.
    """

    def __init__(self, recognizer: SpeechRecognizer) -> None:
        super().__init__()
        if not can_stream(recognizer):
            raise ValueError(
                "the model is bidirectional or normalises by recording; build it with "
                "bidirectional=False and LogMel(normalize='fitted')"
            )
        self.recognizer = recognizer
        model, self._extractor = recognizer.model, recognizer.extractor
        self._subsampling = recognizer.subsampling
        recurrent = [layer for layer in model.layers if isinstance(layer, layers.RNN)]
        self._early = keras.Model(model.inputs, recurrent[0].input)
        # The same cells, so the same weights; these layers give their states back.
        self._recurrent = [
            layers.RNN(layer.cell, return_sequences=True, return_state=True)
            for layer in recurrent
        ]
        self._sizes = [keras.tree.flatten(layer.cell.state_size) for layer in recurrent]
        self._last = model.layers[-1]
        # Frames on each side of its own that a convolved frame sees.
        self._ahead = KERNEL // 2 * (self._subsampling - 1)
        self._behind = -(-self._ahead // self._subsampling)

    def init(self) -> State:
        """The state before the first chunk; `step` takes it and gives the next."""
        state = {
            "samples": tf.zeros([0], tf.float32),
            "answered": tf.constant(0, tf.int32),
            "previous_id": tf.constant(0, tf.int32),
            "text": tf.constant(""),
            "log_probability": tf.constant(0.0),
        }
        for layer, sizes in enumerate(self._sizes):
            for part, size in enumerate(sizes):
                state[f"state_{layer}_{part}"] = tf.zeros([1, size], tf.float32)
        return state

    def step(self, chunk: tf.Tensor, is_last: tf.Tensor, **state: tf.Tensor) -> State:
        """Reads a chunk.

        Args:
            chunk: float32 (N,), the next samples, from -1 to 1; N may be 0.
            is_last: bool (); True answers what is left, and ends the recording.
            state: of `init` or of the step before.

        Returns:
            The next state, with transcript string () of all that was said so far.
        """
        chunk, is_last, state = self._checked(chunk, is_last, state)
        count = tf.shape(chunk)[0]
        chunk = checked_waveform(chunk[None], count[None])[0][0]
        samples = tf.concat([state["samples"], chunk], axis=0)
        answered = state["answered"]
        behind = tf.minimum(answered, self._behind)
        frames = self._extractor.frame_counts(tf.shape(samples)[:1])[0]
        # Only a whole sound that is shorter than a frame counts as one.
        too_short = tf.shape(samples)[0] < self._extractor.frame_length
        frames = tf.where(too_short & (~is_last | (answered > 0)), 0, frames)
        fresh = frames - behind * self._subsampling  # frames not yet answered
        new = tf.where(
            is_last,
            -(-fresh // self._subsampling),
            (fresh - self._ahead - 1) // self._subsampling + 1,
        )
        # At the end of a recording whose last frame was answered nothing is left.
        new = tf.maximum(new, 0)
        logs, states = tf.cond(
            new > 0,
            lambda: self._read(samples, frames, behind, new, state),
            lambda: (tf.zeros([1, 0, self._last.units]), self._states(state)),
        )
        ids, written, score = best_path(logs, new[None])
        first = tf.concat([state["previous_id"][None], ids[0, :1]], axis=0)
        again = (new > 0) & (first[0] == first[-1])
        written &= ~(again & (tf.range(tf.shape(ids)[1]) == 0))[None]
        added = self._joined(state["text"], ids, written)
        text = tf.strings.join([state["text"], added])
        kept = tf.minimum(answered + new, self._behind)
        drop = (behind + new - kept) * self._subsampling * self._extractor.frame_step
        nexts = {
            f"state_{i}_{j}": s
            for i, row in enumerate(states)
            for j, s in enumerate(row)
        }
        last_id = tf.concat([state["previous_id"][None], ids[0]], axis=0)[-1]
        return nexts | {
            "samples": samples[drop:],
            "answered": answered + new,
            "previous_id": last_id,
            "text": text,
            "transcript": tf.strings.strip(tf.strings.regex_replace(text, " +", " ")),
            "log_probability": state["log_probability"] + score[0],
        }

    def _checked(
        self, chunk: tf.Tensor, is_last: tf.Tensor, state: State
    ) -> tuple[tf.Tensor, tf.Tensor, State]:
        """The inputs of a step, in the shapes and ranges of `init` and `step`."""
        shapes = {name: value.shape.as_list() for name, value in self.init().items()}
        shapes["samples"] = ["samples"]
        given = {"chunk": (chunk, ["N"]), "is_last": (is_last, [])}
        given |= {name: (state[name], shape) for name, shape in shapes.items()}
        chunk, is_last, *values = checked_shapes(given, "what `init` or `step` gave")
        state = dict(zip(shapes, values))
        for name, value in state.items():
            if value.dtype.is_floating:
                axes = ("row", "place")[2 - value.shape.rank :]
                state[name] = checked_finite(name, value, axes=axes)
        for name, end in (("answered", 2**31), ("previous_id", self._last.units)):
            right = (state[name] >= 0) & (tf.cast(state[name], tf.int64) < end)
            expected = f"0 to {end - 1:,}"
            state[name] = checked_values(name, state[name], right, expected)
        return chunk, is_last, state

    def _states(self, state: State) -> list[list[tf.Tensor]]:
        return [
            [state[f"state_{layer}_{part}"] for part in range(len(sizes))]
            for layer, sizes in enumerate(self._sizes)
        ]

    def _read(
        self,
        samples: tf.Tensor,
        frames: tf.Tensor,
        behind: tf.Tensor,
        new: tf.Tensor,
        state: State,
    ) -> tuple[tf.Tensor, list[list[tf.Tensor]]]:
        """Log probabilities (1, new, C) and the recurrent states behind them."""
        features, _ = self._extractor(samples[None], tf.shape(samples)[:1])
        inputs: Any = [features, frames[None]]
        if len(self.recognizer.model.inputs) == 1:
            inputs = features
        x = self._early(inputs, training=False)[:, behind : behind + new]
        states = []
        for layer, before in zip(self._recurrent, self._states(state)):
            x, *after = layer(x, initial_state=before, training=False)
            states.append(after)
        answer = tf.cast(self._last(x), tf.float32)
        return self.recognizer.log_softmax(answer), states

    def _joined(self, text: tf.Tensor, ids: tf.Tensor, written: tf.Tensor) -> tf.Tensor:
        """New symbols as text (), with the separator before them where one is due."""
        alphabet = self.recognizer.alphabet
        chosen = tf.boolean_mask(ids[0], written[0])
        symbols = tf.gather(tf.constant(["", *alphabet.symbols]), chosen)
        added = tf.strings.reduce_join(symbols, separator=alphabet.separator)
        due = (text != "") & (added != "")
        return tf.where(due, tf.strings.join([alphabet.separator, added]), added)

    def signatures(self) -> dict[str, tuple]:
        """`init` and `step` with their TensorSpecs, as `export` takes them."""
        state = self.init()
        specs = [
            tf.TensorSpec([None], tf.float32, "chunk"),
            tf.TensorSpec([], tf.bool, "is_last"),
        ]
        for name, value in state.items():
            shape = [None] if name == "samples" else value.shape
            specs.append(tf.TensorSpec(shape, value.dtype, name))

        def step(chunk, is_last, *values):
            return self.step(chunk, is_last, **dict(zip(state, values)))

        return {"init": (self.init, []), "step": (step, specs)}
