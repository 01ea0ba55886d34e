"""Words of a raw text with their places, and features of a word: graph ops.

The SavedModel of a tagger carries all of it, so nothing here is Python at serving time.
A word is a run of letters, marks and digits; a character of a script that is written
without spaces; or a run of one symbol. As treebanks have it, `don't` is `do n't` and
`it's` is `it 's`; points, commas and the like inside numbers and addresses stay there.

Sentences are tensors of all words one after the other and how many a row has, so that
a signature takes rows of unlike lengths.

Shapes: B texts, N words of all rows, T words of a row, L characters, K features.
"""

import functools
import itertools
import sys
import unicodedata
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

NUM_CHARACTERS = 2048  # ids of characters; scripts beyond Greek and Cyrillic share some
AFFIXES = (-1, -2, -3, -4, 1, 2, 3)  # characters of suffixes, and of prefixes
NUM_FEATURES = len(AFFIXES) + 1  # K: affixes, and the shape
BUCKETS = 4000  # ids of one feature
# Scripts without spaces, by the names that Unicode gives their characters.
_UNSPACED = ("CJK ", "HIRAGANA", "KATAKANA", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
_SPACE, _LETTER, _MARK, _SINGLE, _SYMBOL = range(5)
_SHAPES = (
    (r"\p{Lu}+", "X"),
    (r"\p{Ll}+", "x"),
    (r"\p{Nd}+", "0"),
    (r"[\p{Lo}\p{M}]+", "c"),
)


@functools.cache
def _classes() -> tuple[np.ndarray, np.ndarray]:
    """Where runs of code points of one class begin, and their classes."""
    every = np.fromiter(map(_class_of, range(sys.maxunicode + 1)), np.int32)
    starts = np.flatnonzero(np.r_[True, every[1:] != every[:-1]])
    return starts.astype(np.int32), every[starts]


def _class_of(code: int) -> int:
    character = chr(code)
    kind = unicodedata.category(character)
    if kind[0] == "Z" or kind in ("Cc", "Cs") or code in (0x200B, 0xFEFF):
        return _SPACE
    if kind[0] == "M" or kind == "Cf":  # joiners and soft hyphens stay inside words
        return _MARK
    if kind[0] not in "LN":
        return _SYMBOL
    name = unicodedata.name(character, "")
    return _SINGLE if name.startswith(_UNSPACED) else _LETTER


def split_words(
    texts: tf.Tensor,
) -> tuple[tf.RaggedTensor, tf.RaggedTensor, tf.RaggedTensor]:
    """The words of texts in any script, and where they stand.

    Args:
        texts: string (B,), UTF-8; other bytes become U+FFFD.

    Returns:
        Words, ragged string (B, None); and where each begins and ends, ragged int32
        (B, None), in code points of the text.

    Example:

    >>> words, starts, ends = split_words(tf.constant(["Don't pay $3.50!", "很好"]))
    >>> [[w.decode() for w in row] for row in words.to_list()]
    [['Do', "n't", 'pay', '$', '3.50', '!'], ['很', '好']]
    >>> starts.to_list()[0], ends.to_list()[1]
    ([0, 2, 6, 10, 11, 15], [1, 2])
    """
    # Spaces around each text keep neighbours of one from reaching into another.
    spaced = tf.strings.join([" ", texts, "    "])
    codes = tf.strings.unicode_decode(spaced, "UTF-8", errors="replace")
    flat, rows = codes.flat_values, tf.cast(codes.value_rowids(), tf.int32)
    first = tf.cast(codes.row_starts(), tf.int32)
    places = tf.range(tf.size(flat)) - tf.gather(first, rows) - 1
    starts, kinds = _classes()
    kind = tf.gather(kinds, tf.searchsorted(starts, flat, side="right") - 1)
    begins = _begins(flat, kind)
    inside = tf.not_equal(kind, _SPACE)
    number = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    letters = tf.RaggedTensor.from_value_rowids(
        flat[inside], number[inside], nrows=tf.reduce_sum(tf.cast(begins, tf.int32))
    )
    words = tf.strings.unicode_encode(letters, "UTF-8")
    begin = places[begins]
    ends = begin + tf.cast(letters.row_lengths(), tf.int32)
    return tuple(
        tf.RaggedTensor.from_value_rowids(
            values, rows[begins], nrows=tf.size(texts), validate=False
        )
        for values in (words, begin, ends)
    )


def _begins(codes: tf.Tensor, kind: tf.Tensor) -> tf.Tensor:
    """Whether a word begins at a character: bool, as long as the codes."""
    codes = tf.where(tf.equal(codes, ord("’")), ord("'"), codes)

    def near(values: tf.Tensor, by: int) -> tf.Tensor:
        return tf.roll(values, -by, axis=0)

    def one_of(characters: str, by: int = 0) -> tf.Tensor:
        wanted = tf.constant([ord(c) for c in characters])
        return tf.reduce_any(near(codes, by)[:, None] == wanted, axis=-1)

    before, after = near(kind, -1), near(kind, 1)
    letter, was_letter = kind == _LETTER, (before == _LETTER) | (before == _MARK)
    same = (letter & was_letter) | (kind == _MARK)
    same |= (kind == _SYMBOL) & (before == _SYMBOL) & (codes == near(codes, -1))
    begins = (kind != _SPACE) & ((before == _SPACE) | ~same)
    digits = one_of("0123456789", -1) & one_of("0123456789", 1)
    between = was_letter & (after == _LETTER)
    joined = between & (one_of("._@'") | one_of(",:") & digits)
    # English: n't, 's, 'm, 'd, 're, 've and 'll are words of their own.
    over, later = near(kind, 2) != _LETTER, near(kind, 3) != _LETTER
    quote = between & one_of("'")
    negated = quote & one_of("nN", -1) & one_of("tT", 1) & over
    clitic = quote & one_of("sSmMdD", 1) & over
    two = one_of("rRvV", 1) & one_of("eE", 2) | one_of("lL", 1) & one_of("lL", 2)
    clitic |= quote & two & later
    address = one_of("@#") & (before == _SPACE) & (after == _LETTER)
    begins &= ~(joined & ~clitic)
    begins &= ~near(joined | address, -1)
    return begins | near(negated & (near(before, -1) == _LETTER), 1)


def normal_form(words: tf.Tensor) -> tf.Tensor:
    """A word as vocabularies have it: lower-cased, every digit 0.

    Example:

    >>> normal_form(tf.constant(["Été", "3.50"])).numpy()[1]
    b'0.00'
    """
    lower = tf.strings.lower(_sound(words), encoding="utf-8")
    return tf.strings.regex_replace(lower, r"\p{Nd}", "0")


def word_shape(words: tf.Tensor) -> tf.Tensor:
    """Runs of capitals, small letters, digits and other letters, one sign each.

    Example:

    >>> word_shape(tf.constant(["McDonald's", "B-52"])).numpy().tolist()
    [b"XxXx'x", b'X-0']
    """
    shape = _sound(words)
    for pattern, sign in _SHAPES:
        shape = tf.strings.regex_replace(shape, pattern, sign)
    return shape


def affix_ids(words: tf.Tensor) -> tf.Tensor:
    """Hashed suffixes, prefixes and shape of words.

    Args:
        words: string (N,).

    Returns:
        int32 (N, K), from 1 to K * BUCKETS, each feature with ids of its own.
    """
    codes = tf.strings.unicode_decode(normal_form(words), "UTF-8", errors="replace")
    columns = []
    for size in AFFIXES:
        part = codes[:, :size] if size > 0 else codes[:, size:]
        columns.append(tf.strings.unicode_encode(part, "UTF-8"))
    columns.append(word_shape(words))
    return tf.stack(
        [
            1
            + number * BUCKETS
            + tf.cast(tf.strings.to_hash_bucket_fast(column, BUCKETS), tf.int32)
            for number, column in enumerate(columns)
        ],
        axis=-1,
    )


def character_ids(words: tf.Tensor, length: int) -> tf.Tensor:
    """Numbers of the characters of words; a long word keeps its two ends.

    Args:
        words: string (N,).
        length: L, 2 or more.

    Returns:
        int32 (N, L), from 1 to NUM_CHARACTERS, zeros behind each word.

    Example:

    >>> character_ids(tf.constant(["ab", "abcdef"]), 4).numpy().tolist()
    [[98, 99, 0, 0], [98, 99, 102, 103]]
    """
    codes = tf.strings.unicode_decode(_sound(words), "UTF-8", errors="replace")
    sizes = tf.cast(codes.row_lengths(), tf.int32)[:, None]
    columns = tf.range(length)[None]
    from_end = sizes - length + columns
    columns = tf.where((columns >= length // 2) & (sizes > length), from_end, columns)
    dense = codes.to_tensor()
    present = columns < sizes
    last = tf.maximum(tf.shape(dense)[1] - 1, 0)
    dense = tf.pad(dense, [[0, 0], [0, 1]])  # of words without a character, too
    ids = tf.gather(dense, tf.minimum(columns, last), batch_dims=1)
    return tf.where(present, 1 + ids % NUM_CHARACTERS, 0)


def _sound(words: tf.Tensor) -> tf.Tensor:
    """Without NUL, where TensorFlow's lower-casing would end the word."""
    words = tf.strings.unicode_transcode(words, "UTF-8", "UTF-8", errors="replace")
    return tf.strings.regex_replace(words, r"\x00", " ")


def flat_words(sentences: Sequence[Sequence[str]]) -> dict[str, tf.Tensor]:
    """Sentences as a signature takes them.

    Returns:
        words string (N,), UTF-8; row_lengths int32 (B,).

    Example:

    >>> {name: each.numpy().tolist() for name, each in flat_words([["a"], []]).items()}
    {'words': [b'a'], 'row_lengths': [1, 0]}
    """
    words = [word.encode("utf-8", "replace") for word in itertools.chain(*sentences)]
    counts = [len(row) for row in sentences]
    return {
        "words": tf.constant(words, tf.string, shape=[len(words)]),
        "row_lengths": tf.constant(counts, tf.int32, shape=[len(counts)]),
    }


def rows_of_words(words: tf.Tensor, row_lengths: tf.Tensor) -> tf.RaggedTensor:
    """The rows of `flat_words`: ragged string (B, None).

    Raises:
        InvalidArgumentError: The two do not fit.

    Example:

    >>> rows_of_words(tf.constant(["a", "b"]), tf.constant([0, 2])).to_list()
    [[], [b'a', b'b']]
    """
    fits = tf.debugging.assert_equal(
        tf.reduce_sum(row_lengths),
        tf.size(words),
        "row_lengths do not add up to the words",
    )
    counts = tf.debugging.assert_non_negative(row_lengths)
    with tf.control_dependencies([op for op in (fits, counts) if op is not None]):
        return tf.RaggedTensor.from_row_lengths(words, row_lengths, validate=False)


def padded_rows(
    rows: tf.RaggedTensor, values: tf.Tensor, steps: tf.Tensor
) -> tf.Tensor:
    """What each word of rows has, (N, ...), as rows (B, T, ...) with "" or 0 behind.

    Example:

    >>> rows = tf.ragged.constant([["a"], ["b", "c"]])
    >>> padded_rows(rows, tf.constant([1, 2, 3]), 3).numpy().tolist()
    [[1, 0, 0], [2, 3, 0]]
    """
    dense = rows.with_flat_values(values).to_tensor()
    sizes = [(0, 0)] * (len(dense.shape) - 2)
    steps = tf.cast(steps, tf.int32)
    return tf.pad(
        dense,
        [(0, 0), (0, steps - tf.shape(dense)[1]), *sizes],
        constant_values="" if dense.dtype == tf.string else 0,
    )
