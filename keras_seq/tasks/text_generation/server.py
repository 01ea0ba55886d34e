"""Prompt to text as one graph: what the SavedModel of a language model holds.

Joins a token coder, a trained model and the loop that writes. A row answers as it would
alone: it reads its own prompt and no further, and draws its own random numbers, which
are a function of the seed, the prompt and the step. Nothing here knows of files or
training.

Shapes: B batch, P prompt tokens, N new tokens, T tokens of a text, V vocabulary.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.constants import OOV_ID, PAD_ID
from keras_seq.decoding.draws import prompt_key, uniforms
from keras_seq.decoding.samplers import sample_next, suppress
from keras_seq.models.recurrent_states import States, advance_one, initial_states
from keras_seq.serving.checks import checked_shapes
from keras_seq.serving.graph import without_cudnn
from keras_seq.tasks.text_generation.checks import checked_options, checked_state
from keras_seq.tasks.text_generation.client import OPTIONS, as_inputs
from keras_seq.tasks.text_generation.token_scores import log_probabilities
from keras_seq.text.reversible import ReversibleTokenizer, valid_text


class TextGenerator(tf.Module):
    """Prompts in, texts out; and how likely given texts are.

    Args:
        model: of `build_text_generation_model`, in float32.
        coder: as the model was trained with.
    """

    def __init__(self, model: keras.Model, coder: ReversibleTokenizer) -> None:
        super().__init__()
        self.model = model
        self.coder = coder  # its tables go into the SavedModel
        self._traced: dict[str, Callable] = {}

    def __call__(
        self,
        prompt: tf.Tensor,
        max_new_tokens: tf.Tensor,
        temperature: tf.Tensor,
        top_k: tf.Tensor,
        top_p: tf.Tensor,
        seed: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Writes on from prompts.

        Args:
            prompt: string (B,), UTF-8; "" starts a new text.
            max_new_tokens: int32 ().
            temperature: float32 (); 0 takes the likeliest token each time.
            top_k: int32 (); 0 keeps all tokens.
            top_p: float32 (); 1 keeps all tokens.
            seed: int32 (); same seed, same text.

        Returns:
            text string (B,), the prompt and what follows; unknown int32 (B,), tokens of
            the prompt that the model does not know.
        """
        (prompt,) = checked_shapes({"prompt": (prompt, ["B"])}, "B prompts")
        options = checked_options(
            max_new_tokens=max_new_tokens,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            seed=seed,
        )
        seed, max_new_tokens = options.pop("seed"), options.pop("max_new_tokens")
        token_ids, lengths, unknown = self._prompt(prompt)
        logits, states = self._read(token_ids, lengths)
        drawn = uniforms(seed, prompt_key(prompt), tf.range(max_new_tokens))  # (B, N)

        def write(step, logits, states, written):
            chosen = sample_next(_writable(logits), drawn[:, step], **options)
            logits, states = advance_one(self.model, chosen, states)
            return step + 1, logits, states, written.write(step + 1, chosen)

        # The first row is there for its shape, which an empty array would not have.
        written = tf.TensorArray(tf.int32, max_new_tokens + 1, element_shape=[None])
        written = written.write(0, tf.zeros_like(lengths))
        *_, written = tf.while_loop(
            lambda step, *_: step < max_new_tokens,
            write,
            (0, logits, states, written),
        )
        pieces = self.coder.piece(tf.transpose(written.stack()[1:]))  # (B, N)
        joined = tf.strings.reduce_join(pieces, axis=-1)
        return {"text": self.coder.tidy(valid_text(prompt) + joined)} | unknown

    def score(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """How likely texts are, each from its first token on.

        Args:
            text: string (B,), UTF-8.

        Returns:
            log_probability float32 (B,), in nats, of all its tokens; tokens int32 (B,);
            perplexity float32 (B,), of a token.
        """
        scored = self.score_tokens(text)
        tokens = tf.reduce_sum(tf.cast(scored["token_ids"] != PAD_ID, tf.int32), 1)
        total = tf.reduce_sum(scored["log_probabilities"], 1)
        counted = tf.cast(tf.maximum(tokens, 1), tf.float32)
        return {
            "log_probability": total,
            "tokens": tokens,
            "perplexity": tf.exp(-total / counted),
        }

    def score_tokens(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """How likely each token is after those before it.

        Args:
            text: string (B,), UTF-8.

        Returns:
            token_ids int32 (B, T), padded with 0; log_probabilities float32 (B, T), in
            nats, 0 at padding.
        """
        (text,) = checked_shapes({"text": (text, ["B"])}, "B texts")
        token_ids = self.coder.encode(text).to_tensor(PAD_ID)  # (B, T)
        found = log_probabilities(self.model, token_ids)
        return {"token_ids": token_ids, "log_probabilities": found}

    def init(self, prompt: tf.Tensor) -> dict[str, tf.Tensor]:
        """Reads prompts, for clients that take token after token from `step`.

        Args:
            prompt: string (B,), UTF-8.

        Returns:
            logits float32 (B, V), state_0, state_1 ... float32 (B, U), key int64 (B,)
            and position int32 (), to be handed to `step`; unknown int32 (B,).
        """
        (prompt,) = checked_shapes({"prompt": (prompt, ["B"])}, "B prompts")
        token_ids, lengths, unknown = self._prompt(prompt)
        logits, states = self._read(token_ids, lengths)
        carried = {"key": prompt_key(prompt), "position": tf.constant(0)}
        return {"logits": logits} | carried | _named(states) | unknown

    def step(
        self,
        key: tf.Tensor,
        logits: tf.Tensor,
        position: tf.Tensor,
        seed: tf.Tensor,
        temperature: tf.Tensor,
        top_k: tf.Tensor,
        top_p: tf.Tensor,
        **states: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        """Writes one token: the one that `serving_default` would write there.

        Args:
            key: as `init` gave it.
            logits: as `init`, or the step before, gave it; so the further ones.
            position: likewise.
            seed: int32 ().
            temperature: float32 ().
            top_k: int32 ().
            top_p: float32 ().
            states: state_0, state_1 ...

        Returns:
            piece string (B,), bytes to append, which may be a part of a character;
            token_id int32 (B,); and what the next step takes.
        """
        options = checked_options(
            seed=seed, temperature=temperature, top_k=top_k, top_p=top_p
        )
        sizes = _named(initial_states(self.model, 1))
        key, logits, position, *flat = checked_state(
            key,
            logits,
            position,
            [states[name] for name in sizes],
            (self.coder.vocab_size, *(size.shape[1] for size in sizes.values())),
        )
        drawn = uniforms(options.pop("seed"), key, position[None])[:, 0]
        chosen = sample_next(_writable(logits), drawn, **options)
        nested = tf.nest.pack_sequence_as(initial_states(self.model, 1), flat)
        logits, nested = advance_one(self.model, chosen, nested)
        carried = {"logits": logits, "key": key, "position": position + 1}
        piece = {"piece": self.coder.piece(chosen), "token_id": chosen}
        return piece | carried | _named(nested)

    def _prompt(
        self, prompt: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        """Ids int32 (B, P) behind a start, their numbers (B,), and the unknown ones."""
        token_ids = self.coder.encode(prompt)
        known = tf.not_equal(token_ids, OOV_ID)
        count = tf.reduce_sum(tf.cast(~known, tf.int32), axis=1)
        if not self.coder.unknown_seen:
            # The model has never read the unknown token: better none than noise.
            token_ids = tf.ragged.boolean_mask(token_ids, known)
        start = tf.fill([tf.shape(prompt)[0], 1], PAD_ID)
        token_ids = tf.concat([start, token_ids], axis=1)
        lengths = tf.cast(token_ids.row_lengths(), tf.int32)
        return token_ids.to_tensor(PAD_ID), lengths, {"unknown": count}

    def _read(self, token_ids: tf.Tensor, lengths: tf.Tensor) -> tuple:
        """Logits (B, V) and states behind each row's last token, not behind padding."""

        def read(step, logits, states):
            reading = (step < lengths)[:, None]
            read = advance_one(self.model, token_ids[:, step], states)
            kept = tf.nest.map_structure(
                lambda new, old: tf.where(reading, new, old),
                list(read),
                [logits, states],
            )
            return step + 1, *kept

        batch = tf.shape(token_ids)[0]
        logits = tf.zeros([batch, self.coder.vocab_size])
        _, logits, states = tf.while_loop(
            lambda step, *_: step < tf.shape(token_ids)[1],
            read,
            (0, logits, initial_states(self.model, batch)),
        )
        return logits, states

    def signatures(self) -> dict[str, tuple]:
        """All five, as `export` takes them."""

        def spec(shape: list, dtype: tf.DType, name: str) -> tf.TensorSpec:
            return tf.TensorSpec(shape, dtype, name=name)

        options = {name: spec([], dtype, name) for name, dtype in OPTIONS.items()}
        states = _named(initial_states(self.model, 1))
        carried = {
            "key": spec([None], tf.int64, "key"),
            "logits": spec([None, self.coder.vocab_size], tf.float32, "logits"),
            "position": spec([], tf.int32, "position"),
            **{n: options[n] for n in ("seed", "temperature", "top_k", "top_p")},
            **{n: spec([None, s.shape[1]], s.dtype, n) for n, s in states.items()},
        }
        names = list(carried)

        def step(*values: tf.Tensor) -> dict[str, tf.Tensor]:
            return self.step(**dict(zip(names, values)))

        prompt = spec([None], tf.string, "prompt")
        text = spec([None], tf.string, "text")
        return {
            "serving_default": (self.__call__, [prompt, *options.values()]),
            "score": (self.score, [text]),
            "score_tokens": (self.score_tokens, [text]),
            "init": (self.init, [prompt]),
            "step": (step, list(carried.values())),
        }

    def signature(self, name: str = "serving_default") -> Callable:
        """A signature as a traced function that takes keywords, as an export has it."""
        if name not in self._traced:
            function, specs = self.signatures()[name]
            with without_cudnn([self.model]):
                traced = tf.function(function, input_signature=specs)
                self._traced[name] = _by_keyword(traced.get_concrete_function(), specs)
        return self._traced[name]

    def expected(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """What Python answers to one batch, for the proof of an export: on the CPU."""
        with without_cudnn([self.model]), tf.device("CPU"):
            answers = self(**as_inputs(**inputs))
        return {name: value.numpy() for name, value in answers.items()}


def _by_keyword(function: Callable, specs: Sequence[tf.TensorSpec]) -> Callable:
    def call(**values: tf.Tensor) -> dict[str, tf.Tensor]:
        return function(*(values[spec.name] for spec in specs))

    return call


def _writable(logits: tf.Tensor) -> tf.Tensor:
    """Neither padding nor the unknown token is ever written."""
    return suppress(logits, (PAD_ID, OOV_ID))


def _named(states: States) -> dict[str, tf.Tensor]:
    flat = tf.nest.flatten(states)
    return {f"state_{number}": state for number, state in enumerate(flat)}
