"""Asking a language model's signatures from Python.

Works with an export that was loaded and with a generator in process alike; knows named
signatures, and neither models nor files.

Shapes: B batch, T tokens.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_seq.errors import UserError

OPTIONS = {
    "max_new_tokens": tf.int32,
    "temperature": tf.float32,
    "top_k": tf.int32,
    "top_p": tf.float32,
    "seed": tf.int32,
}
DEFAULTS = {
    "max_new_tokens": 300,
    "temperature": 0.8,
    "top_k": 0,
    "top_p": 0.95,
    "seed": 0,
}
LARGEST = 2**31 - 1
RANGES = {
    "max_new_tokens": (0, 1_000_000),
    "temperature": (0, 100),
    "top_k": (0, LARGEST),
    "top_p": (0, 1),
    "seed": (0, LARGEST),
}


def as_inputs(prompt: Sequence[str], **options: Any) -> dict[str, tf.Tensor]:
    """A batch of prompts with all options as tensors; those not given are `DEFAULTS`.

    Args:
        prompt: B texts.
        options: `max_new_tokens`, `temperature`, `top_k`, `top_p`, `seed`.

    Returns:
        What `serving_default` takes.

    Raises:
        UserError: An option is out of its range.
        ValueError: There is no such option.
    """
    if set(options) - set(OPTIONS):
        raise ValueError(f"options are {sorted(options)}; expected of {list(OPTIONS)}")
    given = DEFAULTS | options
    for name, (low, high) in RANGES.items():
        if not low <= given[name] <= high:
            flag = "--" + name.replace("_", "-")
            raise UserError(f"{flag} is {given[name]}; expected {low} to {high}")
    encoded = [text.encode("utf-8", "replace") for text in prompt]
    tensors = {n: tf.constant(given[n], dtype) for n, dtype in OPTIONS.items()}
    return {"prompt": tf.constant(encoded, tf.string)} | tensors


def write_texts(
    signature: Callable[..., Mapping[str, tf.Tensor]],
    prompts: Sequence[str],
    **options: Any,
) -> list[dict[str, Any]]:
    """Texts that follow some prompts, in one batch.

    Args:
        signature: `load_exported(path).signature()`, or `TextGenerator.signature()`.
        prompts: B texts.
        options: `max_new_tokens`, `temperature`, `top_k`, `top_p`, `seed`.

    Returns:
        "text" and "unknown" of each prompt.
    """
    answers = signature(**as_inputs(prompts, **options))
    texts, unknown = answers["text"].numpy(), answers["unknown"].numpy()
    return [
        {"text": text.decode("utf-8"), "unknown": int(count)}
        for text, count in zip(texts, unknown)
    ]


def score_texts(
    signature: Callable[..., Mapping[str, tf.Tensor]], texts: Sequence[str]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Token ids of texts, and how likely each token is after those before it.

    Args:
        signature: `load_exported(path).signature("score_tokens")`, or a generator's.
        texts: B texts.

    Yields:
        For each text int32 (T,) and float64 (T,), in nats.
    """
    encoded = [text.encode("utf-8", "replace") for text in texts]
    scored = signature(text=tf.constant(encoded, tf.string))
    found = scored["token_ids"].numpy(), scored["log_probabilities"].numpy()
    for token_ids, each in zip(*found):
        length = np.count_nonzero(token_ids)  # ids of tokens are not 0
        yield token_ids[:length], each[:length].astype(np.float64)
