"""Transcripts to the numbers that a CTC model writes, and back.

Id 0 is CTC's blank; the symbols count from 1.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from keras_seq.data.labels import clean_label

BLANK_ID = 0


class Alphabet:
    """The symbols of a language, or whole words where every utterance is one label.

    Args:
        symbols: distinct, in order; the first has the id 1.
        separator: what stands between two symbols of a transcript: nothing between
            characters, a space between words.

    Raises:
        ValueError: There is no symbol, or one is empty or stands twice.

    Example:

    >>> alphabet = Alphabet.of(["no", "on top"])
    >>> alphabet.symbols, alphabet.num_classes
    ([' ', 'n', 'o', 'p', 't'], 6)
    >>> alphabet.encode("top"), alphabet.decode([5, 3, 4])
    (array([5, 3, 4], dtype=int32), 'top')
    """

    def __init__(self, symbols: Sequence[str], separator: str = "") -> None:
        if not symbols or len(set(symbols)) != len(symbols) or not all(symbols):
            raise ValueError(
                f"symbols are {list(symbols)!r}; expected one or more, distinct and "
                "not empty: the blank is not among them"
            )
        self.symbols = list(symbols)
        self.separator = separator
        self._ids = {symbol: number for number, symbol in enumerate(symbols, 1)}

    @classmethod
    def of(
        cls,
        transcripts: Iterable[str],
        unit: Literal["character", "word"] = "character",
    ) -> "Alphabet":
        """The alphabet of transcripts, which are those of the train part.

        Args:
            transcripts: texts.
            unit: what one symbol is.

        Raises:
            ValueError: The transcripts hold nothing.
        """
        separator = " " if unit == "word" else ""
        found = {s for text in transcripts for s in _cut(text, separator)}
        return cls(sorted(found), separator)

    @property
    def num_classes(self) -> int:
        """The symbols and the blank."""
        return len(self.symbols) + 1

    def unknown(self, transcript: str) -> list[str]:
        """What of a transcript is not in the alphabet, each once, in order."""
        parts = _cut(transcript, self.separator)
        return [part for part in dict.fromkeys(parts) if part not in self._ids]

    def encode(self, transcript: str, skip_unknown: bool = False) -> np.ndarray:
        """The ids of a transcript: int32 (U,).

        Args:
            transcript: a text.
            skip_unknown: leave out what is not in the alphabet.

        Raises:
            ValueError: The transcript has other symbols.
        """
        unknown = self.unknown(transcript)
        if unknown and not skip_unknown:
            raise ValueError(f"{transcript!r} has {unknown}, not in the alphabet")
        parts = _cut(transcript, self.separator)
        ids = [self._ids[part] for part in parts if part in self._ids]
        return np.array(ids, np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """The transcript of ids from 1; spaces are tidied as in the references."""
        symbols = (self.symbols[number - 1] for number in ids)
        return clean_label(self.separator.join(symbols))

    def to_dict(self) -> dict[str, Any]:
        """What `from_dict` reads, fit for JSON."""
        return {"symbols": self.symbols, "separator": self.separator}

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "Alphabet":
        """The alphabet that `to_dict` wrote.

        Example:

        >>> Alphabet.from_dict(Alphabet(["yes"], " ").to_dict()).decode([1, 1])
        'yes yes'
        """
        return cls(facts["symbols"], facts["separator"])


def needed_frames(ids: np.ndarray) -> int:
    """The fewest frames that CTC can write ids in: a blank parts equal neighbours.

    Graves et al. 2006, "Connectionist temporal classification", section 3.1.

    Example:

    >>> needed_frames(np.array([3, 5, 5, 2]))
    5
    """
    return len(ids) + int(np.count_nonzero(ids[1:] == ids[:-1]))


def _cut(transcript: str, separator: str) -> list[str]:
    text = clean_label(transcript)
    return text.split(separator) if separator and text else list(text)
