"""Copies: which samples of one part also stand in another, found by digests.

Two texts are copies when they differ in punctuation, case, white space or the way their
characters are encoded, and in nothing else. Only digests are kept, 8 bytes a sample.
Needs no formats; `log_copies` says what was found and refuses what measures nothing.
"""

import functools
import hashlib
import re
import string
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_seq.errors import UserError
from keras_seq.log import log

if TYPE_CHECKING:
    from keras_seq.data.store import SampleStore

KEPT = 1 << 20  # digests that an export has of what trained it
MOST = 0.5  # a part of which more stands in train measures nothing
# Symbols that separate words; + < = > $ carry meaning and stay.
_SEPARATORS = "|~"
_NO_LETTERS = re.compile(r"(?:[^\w]|_)+")


def _is_dropped(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind[0] in "PZ" or kind in ("Cc", "Cf", "Sk") or character in _SEPARATORS


_ASCII = {
    ord(c): None for c in string.punctuation + string.whitespace if _is_dropped(c)
}


_ASCII_BYTES = bytes(_ASCII)


@functools.lru_cache(4096)
def _kept(run: str) -> str:
    return "".join(c for c in run if not _is_dropped(c))


def copy_key(text: str) -> str:
    """What copies of a text share: its letters, digits and symbols, case folded.

    A text of punctuation alone keeps it.

    Example:

    >>> copy_key("Don't  stop!") == copy_key("dont stop") == "dontstop"
    True
    >>> copy_key("... !")
    '...!'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        key = folded.translate(_ASCII)
    else:
        key = _NO_LETTERS.sub(lambda run: _kept(run[0]), folded)
    return key or "".join(folded.split())


class Digest:
    """A text's 64-bit digest, the same for all copies of it, keyed by a seed.

    Example:

    >>> Digest(0)("A film.") == Digest(0)("a  FILM ") != Digest(1)("A film")
    True
    """

    def __init__(self, seed: int) -> None:
        self._keyed = hashlib.blake2b(digest_size=8, key=str(seed).encode())

    def __call__(self, text: str) -> int:
        return int.from_bytes(
            self.of_key(copy_key(text).encode("utf-8", "replace")), "little"
        )

    def of_key(self, key: bytes) -> bytes:
        """Of what `copy_key` returned, as UTF-8: 8 bytes."""
        hashed = self._keyed.copy()
        hashed.update(key)
        return hashed.digest()


def text_digests(texts: Iterable[bytes], seed: int) -> np.ndarray:
    """`Digest` of many texts in UTF-8, at a third of the time where they are ASCII.

    Returns:
        uint64 (N,).

    Example:

    >>> bool(text_digests([b"A film."], 0)[0] == Digest(0)("A film."))
    True
    """
    of_key, digests = Digest(seed).of_key, bytearray()
    for text in texts:
        key = text.isascii() and text.lower().translate(None, _ASCII_BYTES)
        digests += of_key(key or copy_key(text.decode()).encode("utf-8", "replace"))
    return np.frombuffer(digests, "<u8")


def count_copies(digests: np.ndarray, others: np.ndarray) -> int:
    """How many samples of one part also stand in another.

    Args:
        digests: uint64 (N,), one a sample.
        others: uint64 (M,).

    Example:

    >>> count_copies(np.array([3, 3, 4], "u8"), np.array([9, 3], "u8"))
    2
    """
    return int(np.isin(digests, others).sum())


def save_digests(path: Path, digests: np.ndarray) -> None:
    """Writes digests of what trained a model: distinct, the lowest million of them.

    Args:
        path: file, by habit with the suffix .npy.
        digests: uint64 (N,).
    """
    with open(path, "wb") as file:
        np.save(file, np.unique(digests)[:KEPT])


def log_trained(name: str, digests: np.ndarray, path: Path, what: str) -> None:
    """Says how much of what is evaluated has trained the model; refuses nothing.

    Older exports have no file of digests.
    """
    if not path.exists():
        return
    trained = np.load(path, allow_pickle=False)
    if len(trained) == KEPT:  # what lies above is not known
        digests = digests[digests <= trained[-1]]
    copied = count_copies(digests, trained)
    if copied:
        found = counted(copied, len(digests), what)
        log.info(
            f"{name}: {found} trained this model: its score flatters",
        )


def log_copies(
    name: str, part: str, found: str, share: float, other: str, refuse: bool = True
) -> None:
    """Says how much of a part stands elsewhere, too, and refuses too much of it.

    Args:
        name: of the part's data, such as its file.
        part: "test" or "validation".
        found: what of it are copies, as `counted` has it.
        share: of the part, from 0 to 1; at 0 nothing is said.
        other: where the copies stand: "train", or "validation".
        refuse: more than half is an error; else it is said and no more.

    Raises:
        UserError: More than half of the part are copies.

    Example:

    >>> log_copies("test.csv", "test", counted(3, 4, "texts"), 3 / 4, "train")
    Traceback (most recent call last):
    ...
    keras_seq.errors.UserError: test.csv: 3 of 4 texts (75 %) of the test part also \
stand in train; with more than half of it known, a score measures nothing: give data \
that is not in train with --test-data, or leave the option out
    """
    if not share:
        return
    line = f"{name}: {found} of the {part} part also stand in {other}"
    if refuse and share > MOST:
        raise UserError(
            f"{line}; with more than half of it known, a score measures nothing: give "
            f"data that is not in {other} with --{part}-data, or leave the option out"
        )
    log.info(f"{line}: its score flatters")


def log_copies_between(stores: "Mapping[str, SampleStore]", what: str) -> None:
    """Compares parts that are files of their own, and refuses too many copies.

    Args:
        stores: "train", and "validation" or "test" where the user brings them. The
            train file whole: its validation part chooses the weights that are kept.
        what: the samples' plural, such as "sentences".

    Raises:
        UserError: More than half of a part stands in train.
    """
    own = [part for part in ("validation", "test") if part in stores]
    pairs = [(part, "train") for part in own]
    if len(own) == 2:
        pairs.append(("test", "validation"))
    for part, other in pairs:
        store = stores[part]
        copied = count_copies(store.digests(), stores[other].digests())
        found = counted(copied, len(store), what)
        share, is_train = copied / len(store), other == "train"
        log_copies(store.name, part, found, share, other, refuse=is_train)


def counted(copied: int, total: int, what: str) -> str:
    """As "3 of 4 texts (75 %)".

    Example:

    >>> counted(1, 1000, "texts")
    '1 of 1,000 texts (less than 1 %)'
    """
    return f"{copied:,} of {total:,} {what} ({percent(copied / total)})"


def percent(share: float) -> str:
    """A share as percent; never 0 % of something, nor 100 % of what lacks something.

    Example:

    >>> percent(0.001), percent(0.999), percent(1.0)
    ('less than 1 %', '99 %', '100 %')
    """
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{100 if share == 1 else min(99, round(100 * share))} %"
