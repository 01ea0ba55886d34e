"""A picture's file to its caption, as one graph: what the SavedModel holds.

Shapes: B batch, K captions, T tokens, H and W places of the grid, F features.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.decoding.attended import attention_weights
from keras_seq.decoding.beam_search import Advance, beam_search
from keras_seq.decoding.beams import State
from keras_seq.decoding.candidates import likeliest
from keras_seq.images.pictures import decode_pictures, read_pixels
from keras_seq.models import captioning
from keras_seq.models.embeddings import tied_vectors
from keras_seq.serving.by_length import answers_in_batches
from keras_seq.serving.checks import checked_range, checked_shapes
from keras_seq.serving.exported import Exported
from keras_seq.serving.graph import Proofs, answered
from keras_seq.text.pair_batches import END_ID
from keras_seq.text.reversible import ReversibleTokenizer

BEAM_WIDTH, LENGTH_PENALTY = 4, 1.0
PROVEN = {"beam_width": 2, "length_penalty": 0.6}
File = tuple[str, bytes]  # how to name it in a message, and what it holds
Signature = Callable[..., Mapping[str, tf.Tensor]]


class Captioner(tf.Module):
    """Files of pictures in; captions out, how likely they are, what they looked at.

    Args:
        model: from `build_captioning_model`, with or without its encoder.
        coder: of the captions, as the model was trained with.
        encoder: from pictures to the model's features; None where the model reads
            pictures itself.
        most_tokens: of a caption.

    Attributes:
        traced: signatures by name, as one graph each.

    Example:

    >>> from keras_seq.models.image_encoder import build_image_encoder
    >>> from keras_seq.text.coders import Bytes
    >>> reads = build_image_encoder((8, 8, 3), (4,))
    >>> model = captioning.build_captioning_model((4, 4, 4), 258, 4, 4, encoder=reads)
    >>> red = tf.io.encode_png(tf.constant([[[255, 0, 0]]], tf.uint8))
    >>> sorted(Captioner(model, Bytes(), most_tokens=5)(red[None]))
    ['caption', 'log_probability']
    """

    def __init__(
        self,
        model: keras.Model,
        coder: ReversibleTokenizer,
        encoder: keras.Model | None = None,
        *,
        most_tokens: int,
    ) -> None:
        super().__init__()
        self.model, self.coder, self.encoder = model, coder, encoder
        self.most_tokens = most_tokens
        places = model.get_layer("places")
        self._places = keras.Model(model.inputs[0], places.output)
        grid = places.input.shape[1:-1]
        self._grid = (1,) * (2 - len(grid)) + tuple(grid)  # H, W
        self.traced = {
            name: tf.function(call, input_signature=specs)
            for name, (call, specs) in self.signatures().items()
        }

    def __call__(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """Writes captions by a search with four beams.

        Args:
            image: string (B,), bytes of JPEG or PNG files.

        Returns:
            caption string (B,); log_probability float32 (B,), of all its tokens.
        """
        found, *_ = self._search(self._read(image), BEAM_WIDTH, LENGTH_PENALTY)
        count = tf.shape(image)[0]
        return {name: found[name][:count] for name in ("caption", "log_probability")}

    def describe(
        self, image: tf.Tensor, beam_width: tf.Tensor, length_penalty: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Writes several captions, and shows what each token of the best looked at.

        Args:
            image: string (B,), bytes of JPEG or PNG files.
            beam_width: int32 (), K, 1 or more; 1 is greedy search.
            length_penalty: float32 (), 0 or more: larger values make longer captions.

        Returns:
            As `__call__`; captions string (B, K) and log_probabilities float32 (B, K),
            the best first; tokens string (B, T), "" behind each row; attention float32
            (B, T, H, W) over the picture, 0 where there is none.
        """
        beam_width = checked_range("beam_width", beam_width, 1, 1000)
        length_penalty = checked_range("length_penalty", length_penalty, 0, 10)
        read = self._read(image)
        found, ids, state = self._search(read, beam_width, length_penalty)
        steps = self._grid[0] * self._grid[1]
        # Without attention the mean is the one place, and nothing is looked at.
        attention = attention_weights(self._advance(), *state, ids, tf.constant(steps))
        shape = tf.concat([tf.shape(ids), self._grid], axis=0)
        answer = {
            **found,
            "tokens": self.coder.shown(ids),
            "attention": tf.reshape(attention, shape),
        }
        count = tf.shape(image)[0]
        return {name: values[:count] for name, values in answer.items()}

    def features(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        """The mean of a picture's features, which baselines compare: float32 (B, F)."""
        count = tf.shape(image)[0]
        return {"features": self.pooled(self._read(image))[:count]}

    def pooled(self, read: tf.Tensor) -> tf.Tensor:
        """The same, of what the model reads: float32 (B, ...) to (B, F)."""
        return tf.reduce_mean(self._places(read, training=False), axis=1)

    def _read(self, image: tf.Tensor) -> tf.Tensor:
        """What the model reads of files: pixels, or their features."""
        (image,) = checked_shapes({"image": (image, ["B"])}, "the bytes of B files")
        reader = self.model if self.encoder is None else self.encoder
        height, width = reader.inputs[0].shape[1:3]
        pixels = decode_pictures(image, height, width)
        # Convolutions and searches want a row; an empty batch gets one.
        missing = tf.maximum(1 - tf.shape(pixels)[0], 0)
        pixels = tf.pad(pixels, [[0, missing], [0, 0], [0, 0], [0, 0]])
        if self.encoder is None:
            return pixels
        return tf.cast(self.encoder(pixels, training=False), tf.float32)

    def _search(
        self,
        read: tf.Tensor,
        beam_width: int | tf.Tensor,
        length_penalty: float | tf.Tensor,
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor, tuple[State, State]]:
        """Captions, ids of the best (B, T), and the state at first."""
        state = captioning.initial_state(self.model, read, self.most_tokens)
        found = beam_search(
            self._advance(),
            *state,
            beam_width=beam_width,
            max_new_tokens=tf.fill([tf.shape(read)[0]], self.most_tokens),
            end_id=END_ID,
            length_penalty=length_penalty,
            choose=likeliest(2 * beam_width, not_first=END_ID),
        )
        ids = found.token_ids  # (B, K, T)
        flat = self.coder.decode(tf.reshape(ids, [-1, tf.shape(ids)[2]]))
        captions = tf.reshape(tf.strings.strip(flat), tf.shape(ids)[:2])
        answer = {
            "caption": captions[:, 0],
            "log_probability": found.log_probability[:, 0],
            "captions": captions,
            "log_probabilities": found.log_probability,
        }
        longest = tf.reduce_max(tf.math.count_nonzero(ids[:, 0], 1))
        return answer, ids[:, 0, : tf.maximum(longest, 1)], state

    def _advance(self) -> Advance:
        """Goes on by one token; for the graph that it is made in."""
        vectors = tied_vectors(self.model)
        return functools.partial(captioning.advance_one, self.model, vectors=vectors)

    def signatures(self) -> dict[str, tuple]:
        """`serving_default(image)`, `describe` and `features`, for `export`."""
        image = tf.TensorSpec([None], tf.string, name="image")
        width = tf.TensorSpec([], tf.int32, name="beam_width")
        penalty = tf.TensorSpec([], tf.float32, name="length_penalty")
        return {
            "serving_default": (self.__call__, [image]),
            "describe": (self.describe, [image, width, penalty]),
            "features": (self.features, [image]),
        }

    def expected(self, files: Sequence[bytes]) -> Proofs:
        """Inputs and Python's answers of the signatures, for an export's proof."""
        image = tf.constant(list(files))
        chosen = {name: tf.constant(value) for name, value in PROVEN.items()}
        models = [self.model, *([] if self.encoder is None else [self.encoder])]
        return answered(
            models,
            {
                "serving_default": (self.__call__, {"image": image}),
                "describe": (self.describe, {"image": image, **chosen}),
                "features": (self.features, {"image": image}),
            },
        )


def answer_files(
    signature: Signature, files: Iterable[File], **given: Any
) -> Iterator[dict[str, Any]]:
    """Answers of a signature to any number of pictures, one by one, in order.

    Args:
        signature: of an export, or of a `Captioner`.
        files: how to name each in a message, and its bytes.
        given: what else the signature takes.

    Yields:
        What the signature answers to one of them: texts, numbers and arrays.

    Raises:
        UserError: A file is no picture; the line names it.
    """

    def ask(some: Sequence[File]) -> Mapping[str, tf.Tensor]:
        try:
            return signature(image=tf.constant([file for _, file in some]), **given)
        except tf.errors.InvalidArgumentError:
            for _ in read_pixels(some, 1, 1):  # which names the file
                pass
            raise

    return answers_in_batches(ask, files)


def describe_files(
    signature: Signature,
    files: Iterable[File],
    beam_width: int = BEAM_WIDTH,
    length_penalty: float = LENGTH_PENALTY,
) -> Iterator[dict[str, Any]]:
    """Answers of the signature `describe`, without their padding."""
    chosen = {
        "beam_width": tf.constant(beam_width, tf.int32),
        "length_penalty": tf.constant(length_penalty, tf.float32),
    }
    for answer in answer_files(signature, files, **chosen):
        there = np.isfinite(answer["log_probabilities"])
        captions = [text for text, is_one in zip(answer["captions"], there) if is_one]
        tokens = [token for token in answer["tokens"] if token]
        yield answer | {
            "captions": captions,
            "log_probabilities": answer["log_probabilities"][there].tolist(),
            "tokens": tokens,
            "attention": answer["attention"][: len(tokens)],
        }


def answer_export(
    exported: Exported,
    files: Iterable[File],
    beam_width: int = BEAM_WIDTH,
    length_penalty: float = LENGTH_PENALTY,
    several: bool = False,
    attention: bool = False,
) -> Iterator[dict[str, Any]]:
    """Answers of an export.

    Yields:
        caption and log_probability; with `several` captions and log_probabilities;
        with `attention` tokens and what each looked at, a list (T, H, W).
    """
    names = ["caption", "log_probability"]
    names += ["captions", "log_probabilities"] if several else []
    names += ["tokens", "attention"] if attention else []
    signature = exported.signature("describe")
    for answer in describe_files(signature, files, beam_width, length_penalty):
        answer["attention"] = answer["attention"].tolist()
        yield {name: answer[name] for name in names}
