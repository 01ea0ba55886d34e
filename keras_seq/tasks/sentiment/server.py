"""Raw input to readable answer, as one graph: what the tasks' SavedModels hold.

Each class joins preprocessing, a trained model and the decoding of its answer under the
task's frozen signature. It knows nothing of files or training.

Shapes: B batch, C classes.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.constants import OOV_ID
from keras_seq.serving.by_length import answers_in_order, as_text
from keras_seq.serving.checks import checked_shapes
from keras_seq.serving.graph import without_cudnn
from keras_seq.tasks.sentiment.scores import Named, as_target
from keras_seq.text.batches import CutTexts
from keras_seq.text.cleaning import clean_text
from keras_seq.text.tokenizer import Tokenizer

NOTHING_KNOWN = "the model knows no word of this text: its answer says nothing about it"
ORDER = "label labels number probability probabilities unknown words".split()


class TextClassifier(tf.Module):
    """Text in; label and probabilities out, or what else the target answers.

    Args:
        model: int32 (B, T) -> probabilities (B, C), or (B, 1) of the second of two
            classes, or a number (B, 1).
        tokenizer: as the model was trained with.
        target: what is answered; C names are classes, in the model's order.
        max_len: longer texts keep their first `max_len` tokens.

    Example:

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["good"])
    >>> model = keras.Sequential(
    ...     [keras.Input((None,), dtype="int32"), keras.layers.Embedding(3, 1),
    ...      keras.layers.GlobalAveragePooling1D(), keras.layers.Activation("sigmoid")])
    >>> model.layers[0].set_weights([np.array([[0.0], [-9.0], [9.0]])])
    >>> classify = TextClassifier(model, tokenizer, ["bad", "good"], max_len=10)
    >>> classify(tf.constant(["Good!", "what?"]))["label"].numpy().tolist()
    [b'good', b'bad']
    """

    def __init__(
        self,
        model: keras.Model,
        tokenizer: Tokenizer,
        target: Named,
        max_len: int,
    ) -> None:
        super().__init__()
        self.model = model
        self.table = tokenizer.table  # held here, so that a SavedModel keeps it
        self._encode = tokenizer.encode
        self._target = as_target(target)
        self._max_len = max_len
        self._traced = tf.function(
            self.__call__,
            input_signature=[tf.TensorSpec([None], tf.string, name="text")],
        )

    def __call__(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Classifies texts.

        Args:
            text: string (B,), UTF-8; B may be 0.

        Returns:
            What `Target.answers` returns: of classes label string (B,), the likeliest,
            probability float32 (B,), its own, and probabilities float32 (B, C). And of
            each text unknown int32 (B,), the words among those read that the model does
            not know; words int32 (B,), how many were read; and note string (B,), what
            there is to say where it knows none of them, else "".
        """
        (text,) = checked_shapes({"text": (text, ["B"])}, "B texts")
        token_ids = self._encode(text, self._max_len).to_tensor()  # (B, T)
        # Without a text there is no step either, and an LSTM needs one.
        missing = tf.maximum(1 - tf.shape(token_ids)[1], 0)
        token_ids = tf.pad(token_ids, [[0, 0], [0, missing]])
        outputs = tf.cast(self.model(token_ids, training=False), tf.float32)
        return self._target.answers(outputs) | _known_words(text, token_ids)

    def answer(self, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
        """`answer_texts` with this model, as one traced graph."""
        return answer_texts(self._traced, texts)

    def expected(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """What Python answers to one batch, for the proof of an export: on the CPU."""
        encoded = tf.constant([text.encode("utf-8", "replace") for text in texts])
        with without_cudnn([self.model]), tf.device("CPU"):
            return {name: v.numpy() for name, v in self(encoded).items()}

    def signatures(self) -> dict[str, tuple]:
        """`serving_default(text: string (B,))`, as `export` takes it."""
        return {
            "serving_default": (
                self.__call__,
                [tf.TensorSpec([None], tf.string, name="text")],
            )
        }


def answer_texts(
    signature: Callable[..., Mapping[str, tf.Tensor]],
    texts: Iterable[str],
    batch_size: int = 256,
    max_len: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Answers of a text signature to any number of texts, one by one, in order.

    Some thousand texts are read at a time, and those of like length asked together,
    which spares most of the padding.

    Args:
        signature: `load_exported(path).signature()`, or a `TextClassifier`.
        texts: raw texts.
        batch_size: B.
        max_len: tokens that the model reads of a text; how many are longer is said at
            the end. None says nothing.

    Yields:
        Each output's name with its value for one text: str, float, list of str or NumPy
        array. Words are counted as "unknown": "1 of 3".
    """
    cut = CutTexts(max_len)
    texts = texts if max_len is None else cut.counted(texts)
    encoded = (text.encode("utf-8", "replace") for text in texts)
    yield from answers_in_order(
        lambda some: signature(text=tf.constant(some)),
        encoded,
        _readable,
        batch_rows=batch_size,
        batch_steps=math.inf,  # of long texts the model reads the start alone
    )
    cut.log_count("input")


def _known_words(text: tf.Tensor, token_ids: tf.Tensor) -> dict[str, tf.Tensor]:
    """How many words were read of each text, and how many of them are not known."""
    words = tf.math.count_nonzero(token_ids, axis=1, dtype=tf.int32)
    unknown = tf.math.count_nonzero(token_ids == OOV_ID, axis=1, dtype=tf.int32)
    # A text without a word is encoded as an unknown one.
    empty = tf.equal(clean_text(text), "")
    words, unknown = tf.where(empty, 0, words), tf.where(empty, 0, unknown)
    note = tf.where(unknown < words, "", NOTHING_KNOWN)
    return {"unknown": unknown, "words": words, "note": note}


def _readable(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in a fixed order, texts decoded, words counted in one place."""
    names = [name for name in ORDER if name in answer]
    names += sorted(set(answer) - set(ORDER))
    answer = {name: _plain(answer[name]) for name in names}
    if "words" in answer:
        answer["unknown"] = f"{answer['unknown']} of {answer.pop('words')}"
    return answer


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype == object:
        return [as_text(each) for each in value if each]
    return as_text(value)
