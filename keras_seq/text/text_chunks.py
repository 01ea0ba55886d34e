"""Any number of texts as tensors of bounded size."""

from collections.abc import Iterable, Iterator

import tensorflow as tf

# Texts, or bytes, cleaned in one call: fast, and a bound on memory.
_CHUNK_TEXTS, _CHUNK_BYTES = 1024, 4 << 20


def chunks_of(texts: Iterable[str] | Iterable[bytes]) -> Iterator[tf.Tensor]:
    """Texts as string (B,) tensors, in order.

    Args:
        texts: any iterable of strings, or of their UTF-8 bytes.

    Raises:
        ValueError: `texts` is one string, or holds what is no string.

    Example:

    >>> [chunk.numpy().tolist() for chunk in chunks_of(["good", "bad"])]
    [[b'good', b'bad']]
    """
    if isinstance(texts, (str, bytes)):
        raise ValueError("texts is one string; expected an iterable: put it in a list")
    chunk, size = [], 0
    for text in texts:
        chunk.append(_as_bytes(text))
        size += len(chunk[-1])
        if len(chunk) == _CHUNK_TEXTS or size >= _CHUNK_BYTES:
            yield tf.constant(chunk)
            chunk, size = [], 0
    if chunk:
        yield tf.constant(chunk)


def _as_bytes(text: str | bytes) -> bytes:
    """UTF-8; a lone surrogate, which UTF-8 cannot hold, becomes "?"."""
    if isinstance(text, str):
        return text.encode("utf-8", "replace")
    if isinstance(text, bytes):
        return text
    raise ValueError(
        f"texts holds {text!r}, a {type(text).__name__}; expected strings alone: leave "
        "out or fill in missing texts first"
    )
