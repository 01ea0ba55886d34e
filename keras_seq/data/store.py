"""Samples in a compact form: files are read once, and everything later reads this.

    texts   UTF-8, end to end, in a temporary file without a name that is mapped
    ends    int64 (N + 1,), where each text ends; the first one starts at 0
    codes   int32 (N,), the label of each sample as a position among its spellings
    lines   int64 (N,), where each sample stands in its file, for error messages

The file is gone with the last of the stores that share it, also after a crash. A part
of a store is an array of row numbers. This module knows no formats and no models.
"""

import hashlib
import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from keras_seq.data.copies import text_digests
from keras_seq.data.tables import error_at, listed, place_of
from keras_seq.errors import UserError

Samples = Iterable[tuple[str, str]]

_ROWS = 4096  # rows that are handled together


def name_of(samples: Samples) -> str:
    """What to call samples in a message: a table's file, a split's part.

    Example:

    >>> name_of([("a film", "good")])
    'samples'
    """
    told = type(samples).__str__ is not object.__str__
    return str(samples) if told and not isinstance(samples, list | tuple) else "samples"


class MappedFile:
    """Bytes that are appended to a temporary file, then read as an array.

    Memory does not grow with them; the system's page cache keeps small ones in memory
    all the same.

    Raises:
        UserError: The disk has no room.

    Example:

    >>> with MappedFile() as file:
    ...     file.write(np.array([3, 4], np.int32))
    ...     mapped = file.array(np.int32)
    >>> mapped.tolist()
    [3, 4]
    """

    def __enter__(self) -> "MappedFile":
        self._file = tempfile.TemporaryFile()
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def write(self, data: bytes | np.ndarray) -> None:
        """Appends."""
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise UserError(
                f"{tempfile.gettempdir()}: {error.strerror}; the data is kept there "
                "while it is used: name a folder with room in the variable TMPDIR"
            ) from error

    def array(self, dtype: type) -> np.ndarray:
        """All that was written, (N,); valid after the file is closed."""
        size = self._file.tell() // np.dtype(dtype).itemsize
        # No bytes cannot be mapped.
        return np.memmap(self._file, dtype, "r", shape=size) if size else np.zeros(
            0, dtype
        )


@dataclass(frozen=True)
class SampleStore:
    """(text, label) samples that can be read again and again, whole or a part of them.

    Attributes:
        name: what messages call it.
        rows: int64 (N,), the numbers of its samples in what was read.
        spellings: labels as they are written, in order of their first occurrence.
        names: the class that each spelling is of.

    Example:

    >>> store = stored([("fine", "1"), ("poor", "0"), ("good", "1.0")])
    >>> store = store.renamed({"1.0": "1"})
    >>> list(store), store.label_counts
    ([('fine', '1'), ('poor', '0'), ('good', '1')], {'0': 1, '1': 2})
    >>> list(store.part(np.array([2]), "last"))
    [('good', '1')]
    """

    name: str
    rows: np.ndarray
    spellings: list[str]
    names: list[str]
    _texts: np.ndarray
    _ends: np.ndarray
    _codes: np.ndarray
    _lines: np.ndarray
    _files: list[tuple[int, Path | None]]
    _digests: dict[int, np.ndarray] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        codes = self._codes[self.rows]
        return zip(self.texts(), (self.names[code] for code in codes))

    def texts(self) -> Iterator[str]:
        """The texts, in order."""
        return (text.decode() for text in self.encoded_texts())

    def encoded_texts(self) -> Iterator[bytes]:
        """The texts as UTF-8, in order."""
        view = memoryview(self._texts)
        for start in range(0, len(self.rows), _ROWS):
            rows = self.rows[start : start + _ROWS]
            ends = zip(self._ends[rows].tolist(), self._ends[rows + 1].tolist())
            yield from (bytes(view[begin:end]) for begin, end in ends)

    def place(self, number: int) -> str:
        """Where a sample stands, its number counted from 0."""
        row = self.rows[number]
        path = [path for first, path in self._files if first <= row][-1]
        line = int(self._lines[row])
        return f"sample {line}" if path is None else place_of(path, line)

    @property
    def spelling_counts(self) -> dict[str, int]:
        """Samples of each label as it is written."""
        counts = np.bincount(self._codes[self.rows], minlength=len(self.spellings))
        return {s: int(n) for s, n in zip(self.spellings, counts) if n}

    @property
    def label_counts(self) -> dict[str, int]:
        """Samples of each label, labels in order."""
        name_of_spelling, counts = dict(zip(self.spellings, self.names)), {}
        for spelling, count in self.spelling_counts.items():
            name = name_of_spelling[spelling]
            counts[name] = counts.get(name, 0) + count
        return dict(sorted(counts.items()))

    def label_ids(self, label_names: Sequence[str]) -> np.ndarray:
        """Labels as positions in `label_names`: int32 (N,).

        Raises:
            UserError: A label is not among them; the first one is named.

        Example:

        >>> stored([("fine", "yes"), ("poor", "no")]).label_ids(["no", "yes"])
        array([1, 0], dtype=int32)
        """
        number_of = {name: number for number, name in enumerate(label_names)}
        numbers = np.array([number_of.get(name, -1) for name in self.names], np.int32)
        codes = self._codes[self.rows]
        found = numbers[codes] if len(numbers) else codes
        if len(found) and found.min() < 0:
            first = int(found.argmin())
            known, label = listed(list(label_names)), self.names[codes[first]]
            what = f"label {label!r} was not in training, only: {known}"
            raise error_at(self.place(first), what)
        return found

    def digests(self, seed: int = 0) -> np.ndarray:
        """uint64 (N,), the same for copies of a text; taken once a seed."""
        if seed not in self._digests:
            every = replace(self, rows=np.arange(len(self._codes)))
            self._digests[seed] = text_digests(every.encoded_texts(), seed)
        return self._digests[seed][self.rows]

    def fingerprint(self) -> str:
        """SHA-256 over labels and texts in their order, as hex digits."""
        names = list(self.label_counts)
        content = hashlib.sha256(repr(names).encode("utf-8", "backslashreplace"))
        content.update(np.diff(self._ends)[self.rows].data)
        content.update(self.label_ids(names).data)
        for text in self.encoded_texts():
            content.update(text)
        return content.hexdigest()

    def part(self, numbers: np.ndarray, name: str) -> "SampleStore":
        """Some of the samples, by their numbers counted from 0."""
        return replace(self, rows=self.rows[numbers], name=name)

    def renamed(self, names: Mapping[str, str]) -> "SampleStore":
        """The samples under other labels: name by spelling, others as they are."""
        named = zip(self.spellings, self.names)
        return replace(self, names=[names.get(*pair) for pair in named])


def stored(samples: Samples) -> SampleStore:
    """Reads samples once; a store is returned as it is.

    Args:
        samples: (text, label) pairs, or a table.

    Raises:
        UserError: A row cannot be read, or the disk has no room.
    """
    if isinstance(samples, SampleStore):
        return samples
    is_table = hasattr(samples, "rows")
    unplaced = ((None, n, *pair) for n, pair in enumerate(samples, 1))
    rows = samples.rows() if is_table else unplaced
    lengths, codes, lines = ([np.zeros(0, kind)] for kind in (np.int64, np.int32, int))
    code_of, files, count = {}, [], 0
    with MappedFile() as file:
        while chunk := list(itertools.islice(rows, _ROWS)):
            paths, numbers, texts, labels = zip(*chunk)
            encoded = [text.encode("utf-8", "replace") for text in texts]
            file.write(b"".join(encoded))
            lengths.append(np.fromiter(map(len, encoded), np.int64, len(chunk)))
            codes.append(
                np.array([code_of.setdefault(x, len(code_of)) for x in labels], "i4")
            )
            lines.append(np.array(numbers))
            for row, path in enumerate(paths, count):
                if not files or files[-1][1] is not path:
                    files.append((row, path))
            count += len(chunk)
        mapped = file.array(np.uint8)
    spellings = list(code_of)
    return SampleStore(
        name_of(samples), np.arange(count), spellings,
        [label.strip() for label in spellings] if is_table else spellings,
        mapped, np.cumsum(np.concatenate([[0], *lengths])), np.concatenate(codes),
        np.concatenate(lines), files,
    )  # fmt: skip
