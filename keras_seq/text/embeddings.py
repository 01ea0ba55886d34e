"""Pretrained word vectors as the matrix that a builder's embedding starts from.

The file is read once, a line at a time: memory grows with the vocabulary alone. Which
ids there are, the tokenizer says; nothing here knows a model.

Shapes: V vocabulary, E embedding.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_seq.constants import OOV_ID, PAD_ID
from keras_seq.data.places import error_at, user_path
from keras_seq.log import log
from keras_seq.text.interface import TextTokenizer, token_texts
from keras_seq.text.vector_files import numbers_of, read_vectors


def load_embeddings(
    path: str | Path, tokenizer: TextTokenizer | Sequence[str], *, seed: int = 0
) -> np.ndarray:
    """Vectors of the words of a tokenizer, from a file in GloVe's or fastText's format.

    A word takes the vector of its own spelling, else that of its lower-cased one; of a
    word that stands twice in the file, the first. Padding is zeros. Words without a
    vector, and the unknown word, get random numbers as large as those of the file (Kim
    2014, arXiv:1408.5882). How many words have one is logged. The matrix is where the
    embedding starts: it is trained on, unless `model.get_layer("embedding").trainable`
    is set to False.

    Args:
        path: text, a word a line and then its numbers, with or without a first line
            "count size"; plain, .gz, or a .zip of one file.
        tokenizer: of words, fitted; or the words themselves, by id: 0 is padding, 1
            the unknown word.
        seed: of the random numbers.

    Returns:
        float32 (V, E), as builders take it as `embeddings=`, with `embedding_dim=E`.

    Raises:
        UserError: The file is missing, binary or damaged, named with its line; or it
            has a vector of none of the words. Numbers are checked where they are used.

    Example:

    >>> import tempfile
    >>> from keras_seq.text import Tokenizer
    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["Good film"])
    >>> path = Path(tempfile.mkdtemp(), "vectors.txt")
    >>> _ = path.write_text("the 0.5 0.1\\ngood 0.25 -1\\n")
    >>> matrix = load_embeddings(path, tokenizer)
    >>> matrix.shape, matrix[2].tolist()
    ((4, 2), [0.25, -1.0])
    """
    path = user_path(path)
    if isinstance(tokenizer, TextTokenizer):
        words = token_texts(tokenizer)
    else:
        words = list(tokenizer)
    rows, found = _rows_of(path, words)
    matrix = _with_random_rows(rows, found, seed)
    _log_coverage(path, words, found, getattr(tokenizer, "word_counts", None))
    return matrix


class GivenEmbeddings(NamedTuple):
    """Word vectors as a task takes them; empty where none are given.

    Attributes:
        options: `embeddings` and `embedding_dim` of a builder.
        fingerprints: SHA-256 of what was taken from the file, for `begin_run`.
    """

    options: dict[str, Any] = {}
    fingerprints: dict[str, str] = {}

    @classmethod
    def load(
        cls, path: Path | None, tokenizer: TextTokenizer | Sequence[str]
    ) -> "GivenEmbeddings":
        """`load_embeddings`, or nothing where `path` is None."""
        if path is None:
            return cls()
        matrix = load_embeddings(path, tokenizer)
        digest = hashlib.sha256(repr(matrix.shape).encode() + matrix.tobytes())
        options = {"embeddings": matrix, "embedding_dim": matrix.shape[1]}
        return cls(options, {"embeddings": digest.hexdigest()})


def _rows_of(path: Path, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Vectors float32 (V, E), zeros where there is none; and which there are, (V,)."""
    exact, lowered = _ids_by_spelling(words)
    rank = np.zeros(len(words), np.int8)  # 1: of the lower-cased word, 2: of its own
    rows = np.zeros((len(words), 0), np.float32)
    for row in read_vectors(path):
        own = [i for i in exact.get(row.word, ()) if rank[i] < 2]
        others = [i for i in lowered.get(row.word, ()) if rank[i] < 1]
        if own or others:
            values = numbers_of(path, row)
            if not rows.shape[1]:
                rows = np.zeros((len(words), len(values)), np.float32)
            rows[own + others] = values
            rank[others], rank[own] = 1, 2
    if not rank.any():
        what = f"has a vector of none of the {len(words) - OOV_ID - 1:,} words of the "
        raise error_at(path, what + "vocabulary; is it of their language?")
    return rows, rank > 0


def _ids_by_spelling(
    words: Sequence[str],
) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Ids by the word as it is, and by its lower-cased form where that is another."""
    exact: dict[str, list[int]] = {}
    lowered: dict[str, list[int]] = {}
    for number, word in enumerate(words):
        if number == PAD_ID or not word.strip():
            continue
        exact.setdefault(word, []).append(number)
        if word.lower() != word:
            lowered.setdefault(word.lower(), []).append(number)
    return exact, lowered


def _with_random_rows(rows: np.ndarray, found: np.ndarray, seed: int) -> np.ndarray:
    """Draws the rows that were not found, as wide as those that were."""
    missing = ~found
    missing[PAD_ID] = False
    # A uniform draw of the same variance; where all numbers are equal, a small one.
    width = np.sqrt(3) * rows[found].std() or 0.05
    shape = int(missing.sum()), rows.shape[1]
    rows[missing] = np.random.default_rng(seed).uniform(-width, width, shape)
    return rows


def _log_coverage(
    path: Path,
    words: Sequence[str],
    found: np.ndarray,
    counts: Mapping[str, int] | None,
) -> None:
    size, num = max(1, len(words) - OOV_ID - 1), int(found[OOV_ID + 1 :].sum())
    said = f"{path}: vectors of {num:,} of {size:,} words ({num / size:.1%})"
    if counts:
        covered = sum(counts.get(w, 0) for w, has in zip(words, found) if has)
        said += f", which are {covered / sum(counts.values()):.1%} of the running words"
    log.info(f"{said}; the others start from random numbers")
