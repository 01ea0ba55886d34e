"""Raw text to its translation, as one graph: what the SavedModel holds.

Shapes: B batch, S source tokens, T target tokens.
"""

import functools
import itertools
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_seq.decoding.attended import attention_weights
from keras_seq.decoding.beam_search import Advance, beam_search
from keras_seq.models import transformer, translation
from keras_seq.models.embeddings import tied_vectors
from keras_seq.serving.by_length import answers_in_order
from keras_seq.serving.checks import checked_shapes
from keras_seq.serving.exported import Exported
from keras_seq.serving.graph import answered
from keras_seq.text.pair_batches import END_ID, with_end
from keras_seq.text.reversible import ReversibleTokenizer

BEAM_WIDTH, LENGTH_PENALTY = 4, 1.0
MOST_SOURCE = 250  # tokens that are read of a text
MORE, TIMES = 10, 2  # a translation has at most so many tokens more, so often as many
SHOWN = ("source_tokens", "target_tokens", "attention")
PROVEN = {"beam_width": 2, "length_penalty": 0.6}
Signature = Callable[..., Mapping[str, tf.Tensor]]


class Translator(tf.Module):
    """Texts in; their translations, how likely they are, and where they come from.

    Args:
        model: from `build_transformer` or `build_translation_model`.
        coder: of both sides, as the model was trained with.

    Example:

    >>> from keras_seq.models.transformer import build_transformer
    >>> from keras_seq.text.coders import Bytes
    >>> coder = Bytes()
    >>> model = build_transformer(coder.vocab_size, coder.vocab_size, 4, 1, 1)
    >>> answer = Translator(model, coder)(tf.constant(["Hund", ""]))
    >>> sorted(answer), answer["translation"].numpy()[1]
    (['cut', 'log_probability', 'translation'], b'')
    """

    def __init__(self, model: keras.Model, coder: ReversibleTokenizer) -> None:
        super().__init__()
        self.model, self.coder = model, coder
        self._steps = transformer if model.name == "transformer" else translation
        self._traced = {
            name: tf.function(call, input_signature=specs)
            for name, (call, specs) in self.signatures().items()
        }

    def __call__(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Translates texts by a search with four beams.

        Args:
            text: string (B,), UTF-8.

        Returns:
            translation string (B,); log_probability float32 (B,), of all its tokens;
            cut int32 (B,), tokens of the source that are too many and were not read.
        """
        return self.search(text, BEAM_WIDTH, LENGTH_PENALTY)[0]

    def translate(
        self, text: tf.Tensor, beam_width: tf.Tensor, length_penalty: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Translates texts, and shows what each token looked at.

        Args:
            text: string (B,), UTF-8.
            beam_width: int32 (), 1 or more; 1 is greedy search.
            length_penalty: float32 (), 0 or more: larger values make longer answers.

        Returns:
            As `__call__`; source_tokens string (B, S) and target_tokens string (B, T),
            "" behind each row; attention float32 (B, T, S), 0 where there is none.
        """
        checks = [
            tf.debugging.assert_positive(beam_width, "beam_width is below 1"),
            tf.debugging.assert_non_negative(length_penalty, "length_penalty below 0"),
        ]
        with tf.control_dependencies([each for each in checks if each is not None]):
            beam_width = tf.identity(beam_width)
        answer, source_ids, ids = self.search(text, beam_width, length_penalty)
        fixed, moving = self._steps.initial_state(
            self.model, source_ids, tf.shape(ids)[1]
        )
        steps = tf.shape(source_ids)[1]
        attention = attention_weights(self._advance(), fixed, moving, ids, steps)
        return answer | {
            "source_tokens": self._shown(source_ids),
            "target_tokens": self._shown(ids),
            "attention": attention,
        }

    def search(
        self,
        text: tf.Tensor,
        beam_width: int | tf.Tensor,
        length_penalty: float | tf.Tensor,
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        """The answer, source ids (B, S) and target ids (B, T), padded with 0."""
        (text,) = checked_shapes({"text": (text, ["B"])}, "B texts")
        text, count = tf.strings.strip(text), tf.shape(text)[0]
        # Of no text a search would have no length: an empty one stands in.
        rows = self.coder.encode(tf.pad(text, [[0, tf.cast(count == 0, tf.int32)]]))
        lengths = tf.cast(rows.row_lengths(), tf.int32)
        rows = with_end(rows[:, : MOST_SOURCE - 1])
        source_ids = rows.to_tensor()
        limits = TIMES * tf.cast(rows.row_lengths(), tf.int32) + MORE
        found = beam_search(
            self._advance(),
            *self._steps.initial_state(self.model, source_ids),
            beam_width=beam_width,
            max_new_tokens=limits,
            end_id=END_ID,
            length_penalty=length_penalty,
            num_best=1,
            leave_out=True,
        )
        empty = lengths == 0
        ids = tf.where(empty[:, None], 0, found.token_ids[:, 0])
        ids = ids[:, : tf.maximum(tf.reduce_max(tf.math.count_nonzero(ids, 1)), 1)]
        answer = {
            "translation": tf.strings.strip(self.coder.decode(ids)),
            "log_probability": tf.where(empty, 0.0, found.log_probability[:, 0]),
            "cut": tf.maximum(lengths - (MOST_SOURCE - 1), 0),
        }
        answer = {name: values[:count] for name, values in answer.items()}
        return answer, source_ids, ids

    def _advance(self) -> Advance:
        """Goes on by one token; for the graph that it is made in."""
        vectors = tied_vectors(self.model)
        return functools.partial(self._steps.advance_one, self.model, vectors=vectors)

    def _shown(self, ids: tf.Tensor) -> tf.Tensor:
        """Tokens without the end."""
        return self.coder.shown(tf.where(ids == END_ID, 0, ids))

    def signatures(self) -> dict[str, tuple]:
        """`serving_default(text)` and `translate`, for `export`."""
        text = tf.TensorSpec([None], tf.string, name="text")
        width = tf.TensorSpec([], tf.int32, name="beam_width")
        penalty = tf.TensorSpec([], tf.float32, name="length_penalty")
        return {
            "serving_default": (self.__call__, [text]),
            "translate": (self.translate, [text, width, penalty]),
        }

    def answer(self, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
        """`answer_texts` with this model, as one traced graph."""
        return answer_texts(self._traced["serving_default"], texts)

    def attend(self, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
        """The same, with tokens and attention."""
        return answer_texts(
            self._traced["translate"], texts, BEAM_WIDTH, LENGTH_PENALTY
        )

    def expected(self, texts: Sequence[str]) -> dict:
        """Inputs and Python's answers of the signatures, for an export's proof."""
        text = tf.constant(_bytes(texts))
        chosen = {name: tf.constant(value) for name, value in PROVEN.items()}
        return answered(
            [self.model],
            {
                "serving_default": (self.__call__, {"text": text}),
                "translate": (self.translate, {"text": text, **chosen}),
            },
        )


def answer_texts(
    signature: Signature,
    texts: Iterable[str],
    beam_width: int | None = None,
    length_penalty: float | None = None,
) -> Iterator[dict[str, Any]]:
    """Answers of a signature to any number of texts, one by one, in order.

    The signature is the default one of `load_exported(path)`, or its "translate", which
    takes width and penalty.

    Yields:
        translation, log_probability and cut; of "translate" also source_tokens,
        target_tokens and attention, without their padding.
    """
    given = {}
    if beam_width is not None:
        given["beam_width"] = tf.constant(beam_width, tf.int32)
        given["length_penalty"] = tf.constant(length_penalty, tf.float32)

    def ask(some: Sequence[str]) -> Mapping[str, tf.Tensor]:
        return signature(text=tf.constant(_bytes(some)), **given)

    return answers_in_order(ask, texts, _plain)


def answer_export(
    exported: Exported,
    texts: Iterable[str],
    beam_width: int = BEAM_WIDTH,
    length_penalty: float = LENGTH_PENALTY,
    attention: bool = False,
) -> Iterator[dict[str, Any]]:
    """Answers of an export, and what of each text it could not read.

    Yields:
        translation and log_probability; where there are any, unknown_characters, which
        no source of train has, and tokens_not_read of a text that is too long; with
        `attention` the tokens and weights.
    """
    plain = (beam_width, length_penalty) == (BEAM_WIDTH, LENGTH_PENALTY)
    asked, shown = itertools.tee(texts)
    answers = answer_texts(exported.signature(), asked)
    if attention or not plain:
        ask = exported.signature("translate")
        answers = answer_texts(ask, asked, beam_width, length_penalty)
    known = {*exported.metadata["source_characters"], *" \t"}
    for text, answer in zip(shown, answers):
        found = {n: answer[n] for n in ("translation", "log_probability")}
        composed = unicodedata.normalize("NFC", text)
        unknown = "".join(dict.fromkeys(c for c in composed if c not in known))
        found |= {"unknown_characters": unknown} if unknown else {}
        found |= {"tokens_not_read": answer["cut"]} if answer["cut"] else {}
        yield found | ({n: answer[n] for n in SHOWN} if attention else {})


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    answer = {
        "translation": row["translation"].decode("utf-8", "replace"),
        "log_probability": float(row["log_probability"]),
        "cut": int(row["cut"]),
    }
    if "attention" in row:
        source, target = (
            [token.decode("utf-8", "replace") for token in row[name] if token]
            for name in ("source_tokens", "target_tokens")
        )
        weights = row["attention"][: len(target), : len(source)]
        answer |= {
            "source_tokens": source,
            "target_tokens": target,
            "attention": weights.tolist(),
        }
    return answer


def _bytes(texts: Sequence[str]) -> list[bytes]:
    composed = (unicodedata.normalize("NFC", text).strip() for text in texts)
    return [text.encode("utf-8", "replace") for text in composed]
