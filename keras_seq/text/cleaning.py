r"""Raw text to tokens one space apart: what a token is, said once, as graph ops.

The tokenizer fits and encodes with it and the SavedModel carries it. Nothing here knows
of vocabularies or ids. A token is one of:

- a run of letters, marks and digits, lower-cased, with single apostrophes inside it;
- a character, with the marks that follow it, of a script written without spaces: only
  a dictionary could tell the words;
- a symbol: emoji and stars say much in a review. Skin tones are dropped.

All else parts tokens, the underscore too; of the entity `&amp;` the word `amp` is left.
Accents are compared as they are encoded, for core TensorFlow has no NFC: where composed
and combining ones are mixed, call `unicodedata.normalize("NFC", text)` on all inputs.
"""

from collections.abc import Iterable, Iterator

import tensorflow as tf

# Patterns are RE2. \p{So}: symbols but those of mathematics and money.
_TAG = r"</?[a-z][a-z0-9]*(?:\s[^<>]*=[^<>]*)?\s*/?>"
_TOKEN = r"\p{L}\p{M}\p{N}\p{So}"
_SINGLE = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\x{30FC}\x{FF70}\x{FF9E}\x{FF9F}"  # kana marks
    r"\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{So}"
)
# Soft hyphen, joiners, direction marks, emoji variation, keycap, skin tone and tag:
# they stand inside a word or an emoji and must not cut it. Zero-width space does cut.
_INVISIBLE = (
    r"\x{AD}\x{200C}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FE00}-\x{FE0F}"
    r"\x{20E3}\x{FEFF}\x{1F3FB}-\x{1F3FF}\x{E0020}-\x{E007F}"
)
_UNICODE_PASSES = (
    (rf"[{_INVISIBLE}]", ""),
    (r"[\x{2018}\x{2019}\x{2BC}\x{FF07}]", "'"),
    (r"\x{FFFD}", " "),  # stands where a byte was not UTF-8
    (rf"[{_SINGLE}]\p{{M}}*", r" \0 "),
)
# A pass costs by its matches, so none of these matches a single space between words.
_PASSES = (
    (rf"(?:{_TAG}|[^{_TOKEN}' ])(?:{_TAG}|[^{_TOKEN}])*", " "),
    (r" [ ']+|'+ [ ']*|''+|^'|'$", " "),  # an apostrophe stays inside a word alone
)

# Texts, or bytes, cleaned in one call: fast, and a bound on memory.
_CHUNK_TEXTS, _CHUNK_BYTES = 1024, 4 << 20


def clean_text(texts: tf.Tensor) -> tf.Tensor:
    """Lower-cases, and leaves the tokens of each text, one space apart.

    The one definition of a token (see above), in graph ops alone. Markup such as
    `<br />`, punctuation, NUL and bytes that are not UTF-8 become spaces.

    Args:
        texts: string (B,), UTF-8.

    Returns:
        string (B,); empty where a text has no token.

    Example:

    >>> cleaned = clean_text(tf.constant(["It's GREAT!<br />10/10", "ÉTÉ 很好。"]))
    >>> [text.decode() for text in cleaned.numpy()]
    ["it's great 10 10", 'été 很 好']
    """
    texts = tf.strings.lower(texts)
    # Plain English, found in one scan, is spared half of the work.
    rest = tf.where(~tf.strings.regex_full_match(texts, r"[\x00-\x7F]*"))
    folded = _fold_unicode(tf.gather_nd(texts, rest))
    texts = _replace(tf.tensor_scatter_nd_update(texts, rest, folded), _PASSES)
    return tf.strings.strip(texts)


def _fold_unicode(texts: tf.Tensor) -> tf.Tensor:
    # Lower-casing would end a text at its first NUL, and read this letter by the locale
    # of the process: a server elsewhere must not answer otherwise.
    texts = _replace(texts, [(r"\x00", " "), ("\u0130", "i")])
    return _replace(tf.strings.lower(texts, encoding="utf-8"), _UNICODE_PASSES)


def _replace(texts: tf.Tensor, passes: Iterable[tuple[str, str]]) -> tf.Tensor:
    for pattern, rewrite in passes:
        texts = tf.strings.regex_replace(texts, pattern, rewrite)
    return texts


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
        if not isinstance(text, (str, bytes)):
            raise ValueError(
                f"texts holds {text!r}, a {type(text).__name__}; expected strings "
                "alone: leave out or fill in missing texts first"
            )
        # A lone surrogate, which UTF-8 cannot hold, becomes "?".
        chunk.append(text.encode("utf-8", "replace") if isinstance(text, str) else text)
        size += len(chunk[-1])
        if len(chunk) == _CHUNK_TEXTS or size >= _CHUNK_BYTES:
            yield tf.constant(chunk)
            chunk, size = [], 0
    if chunk:
        yield tf.constant(chunk)
