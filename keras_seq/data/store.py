"""Samples in a compact form: files are read once, and everything later reads this.

    texts   UTF-8, end to end, in a temporary file without a name that is mapped
    ends    int64 (N + 1,), where each text ends; the first one starts at 0
    codes   int32 (N,), the label of each sample as a position among its spellings
    lines   int64 (N,), where each sample stands in its file, for error messages

The file is gone with the last of the stores that share it, also after a crash. A part
of a store is an array of row numbers. This module needs no formats and no models.
"""

import contextlib
import errno
import hashlib
import mmap
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from keras_seq.data.copies import text_digests
from keras_seq.data.labels import unknown_label
from keras_seq.data.places import check_utf8, place_of
from keras_seq.errors import UserError

Samples = Iterable[tuple[str, str]]
Mapped = mmap.mmap | bytes

_ROWS = 4096  # rows that are looked up together
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def name_of(samples: Iterable[object]) -> str:
    """What to call samples in a message: a table's file, a split's part.

    Example:

    >>> name_of([("a film", "good")])
    'samples'
    """
    is_named = type(samples).__str__ is not object.__str__
    is_named = is_named and not isinstance(samples, list | tuple)
    return str(samples) if is_named else "samples"


class MappedFile:
    """Bytes that are appended to a temporary file without a name, then read there.

    Memory does not grow with them; the system's page cache keeps small ones in memory
    all the same.

    Raises:
        UserError: The disk has no room.

    Example:

    >>> with MappedFile() as file:
    ...     file.write(np.array([3, 4], np.int32))
    ...     mapped = file.mapped()
    >>> np.frombuffer(mapped, np.int32).tolist()
    [3, 4]
    """

    def __enter__(self) -> "MappedFile":
        self._file = tempfile.TemporaryFile()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise UserError(
                f"{tempfile.gettempdir()}: {error.strerror}; what was read of the data "
                "is kept there: make room, or name another folder in TMPDIR"
            ) from error

    def write(self, data: bytes | np.ndarray) -> None:
        """Appends."""
        self._file.write(data if isinstance(data, bytes) else data.data)

    def mapped(self) -> Mapped:
        """All that was written; valid after the file is closed."""
        self._file.flush()
        if not self._file.tell():  # nothing cannot be mapped
            return b""
        return mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)


def release(mapped: Mapped) -> None:
    """Pages that were read leave this process; who reads them again gets them again."""
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


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
    _texts: Mapped
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
        for start in range(0, len(self.rows), _ROWS):
            rows = self.rows[start : start + _ROWS]
            ends = zip(self._ends[rows].tolist(), self._ends[rows + 1].tolist())
            yield from (self._texts[begin:end] for begin, end in ends)
            release(self._texts)

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
        name_of_spelling = dict(zip(self.spellings, self.names))
        counts: dict[str, int] = {}
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
            label = self.names[codes[first]]
            raise unknown_label(self.place(first), label, label_names)
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


@runtime_checkable
class _Table(Protocol):
    """Samples that stand in files."""

    def rows(self) -> Iterator[tuple[Path, int, str, str]]: ...


def _rows(samples: Samples) -> Iterator[tuple[Path | None, int, str, str]]:
    """File, line, text and label of each; no file where they were given in Python."""
    if isinstance(samples, _Table):
        yield from samples.rows()
    else:
        for number, (text, label) in enumerate(samples, 1):
            yield None, number, text, label


def stored(samples: Samples) -> SampleStore:
    """Reads samples once; a store is returned as it is.

    Raises:
        UserError: A row cannot be read, or the disk has no room.
    """
    if isinstance(samples, SampleStore):
        return samples
    ends, codes, lines = array("q", [0]), array("i"), array("q")
    code_of: dict[str, int] = {}
    files: list[tuple[int, Path | None]] = []
    with MappedFile() as file:
        for path, line, text, label in _rows(samples):
            encoded = text.encode("utf-8", "replace")
            file.write(encoded)
            if not files or files[-1][1] is not path:
                files.append((len(codes), path))
            ends.append(ends[-1] + len(encoded))
            if label not in code_of:
                place = f"sample {line}" if path is None else place_of(path, line)
                check_utf8(place, "label", label)
                code_of[label] = len(code_of)
            codes.append(code_of[label])
            lines.append(line)
        texts = file.mapped()
    spellings = list(code_of)
    return SampleStore(
        name_of(samples),
        np.arange(len(codes)),
        spellings,
        [s.strip() for s in spellings] if isinstance(samples, _Table) else spellings,
        texts,
        np.array(ends, np.int64),
        np.array(codes, np.int32),
        np.array(lines, np.int64),
        files,
    )
