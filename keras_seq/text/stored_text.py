"""Running text in a compact form: read once, and everything later reads this.

    data      UTF-8, end to end, in a temporary file without a name that is mapped
    ends      int64 (M + 1,), characters up to the end of each block; the first is 0
    places    int64 (M + 1,), the same in bytes

The file is gone with the last of the texts that share it, also after a crash. Memory
does not grow with a text. This module knows neither formats of files nor tokens.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from keras_seq.data.store import Mapped, MappedFile, name_of, release

_AS_GIVEN = "surrogatepass"  # JSON has halves of characters


@dataclass(frozen=True, eq=False)
class StoredText:
    """Blocks of text that can be read again and again, whole or a stretch of them.

    Attributes:
        name: what messages call it.
        start: number of its first character in what was read.
        end: number of the first character behind it.

    Example:

    >>> text = stored_text(["to be ", "or not"])
    >>> text.size, list(text), list(text.part(3, 8))
    (12, ['to be ', 'or not'], ['be ', 'or'])
    """

    name: str
    start: int
    end: int
    _data: Mapped
    _ends: np.ndarray
    _places: np.ndarray

    def __str__(self) -> str:
        return self.name

    @property
    def size(self) -> int:
        """Characters."""
        return self.end - self.start

    def __iter__(self) -> Iterator[str]:
        first = int(np.searchsorted(self._ends, self.start, "right")) - 1
        last = int(np.searchsorted(self._ends, self.end))
        for number in range(first, last):
            before = int(self._ends[number])
            begin, end = self._places[number : number + 2].tolist()
            block = self._data[begin:end].decode("utf-8", _AS_GIVEN)
            release(self._data)
            if piece := block[max(0, self.start - before) : self.end - before]:
                yield piece

    def part(self, start: int, end: int) -> "StoredText":
        """From one of its characters to another; blocks are cut where they were."""
        return replace(
            self,
            name=f"{self.name}, characters {start} to {end}",
            start=self.start + start,
            end=self.start + end,
        )


def stored_text(corpus: Iterable[str], name: str | None = None) -> StoredText:
    """Reads a text once; what is stored is returned as it is.

    Args:
        corpus: blocks of text.
        name: what messages call it; default what it calls itself.

    Raises:
        UserError: It cannot be read, or the disk has no room.
    """
    if isinstance(corpus, StoredText):
        return corpus
    ends, places = array("q", [0]), array("q", [0])
    with MappedFile() as file:
        for block in filter(None, corpus):
            encoded = block.encode("utf-8", _AS_GIVEN)
            file.write(encoded)
            ends.append(ends[-1] + len(block))
            places.append(places[-1] + len(encoded))
        data = file.mapped()
    arrays = np.array(ends, np.int64), np.array(places, np.int64)
    return StoredText(name or name_of(corpus), 0, ends[-1], data, *arrays)
