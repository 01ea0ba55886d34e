"""Files that are whole or absent, and what strict JSON can hold of facts."""

import contextlib
import dataclasses
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Windows opens no folders, keeps their names by itself, and flushes no file that was
# opened to be read.
OPENS_FOLDERS = hasattr(os, "O_DIRECTORY")


@contextlib.contextmanager
def written_aside(path: Path, aside: Path | None = None) -> Iterator[Path]:
    """A path to write to; what was written there takes the file's place at the end.

    Whoever reads `path` finds the old file or the new one, never a part. An error
    leaves the old one.

    Args:
        path: the file.
        aside: where to write, in the same folder; by default a name of this process'
            own. Where one process alone writes, a fixed name lets it overwrite what a
            killed one left.

    Example:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "facts.txt")
    ...     with written_aside(path) as aside:
    ...         _ = aside.write_text("whole")
    ...     path.read_text(), os.listdir(folder)
    ('whole', ['facts.txt'])
    """
    aside = aside or path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield aside
        flush(aside)
        os.replace(aside, path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()
    flush(path.parent)


def flush(path: str | Path) -> None:
    """Waits until a file, or the list of names in a folder, is on the disk."""
    if not OPENS_FOLDERS and os.path.isdir(path):
        return
    descriptor = os.open(path, os.O_RDONLY if OPENS_FOLDERS else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def plain(value: Any, name: str = "metadata", *, shown: bool = False) -> Any:
    """Turn facts into what strict JSON can hold.

    Args:
        value: nested mappings with str keys, dataclasses, sequences, str, numbers,
            None, NumPy values and paths.
        name: how to call it in the error.
        shown: it is for people to read: bytes are text, and any key is one.

    Returns:
        A copy of dicts, lists and plain values; NaN and infinity are None, as JSON
        has no word for them and many readers stop at Python's `NaN`.

    Raises:
        ValueError: something else is in there; the message says where.

    Example:

    >>> import numpy as np
    >>> plain({"scores": np.array([0.5, np.nan]), "n": np.int64(3)})
    {'scores': [0.5, None], 'n': 3}
    """
    if hasattr(value, "tolist"):  # of NumPy, or of pandas
        value = value.tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    if isinstance(value, Mapping):
        for key in value:
            if not (shown or isinstance(key, str)):
                raise ValueError(f"{name} has the key {key!r}; keys must be str")
        return {
            str(key): plain(item, f"{name}[{key!r}]", shown=shown)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [
            plain(item, f"{name}[{i}]", shown=shown) for i, item in enumerate(value)
        ]
    if shown and isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, (str, int)):
        return value
    raise ValueError(f"{name} is a {type(value).__name__}, which JSON cannot hold")


def write_json(path: Path, value: Any) -> None:
    """Writes strict JSON, readable by people; whole or not at all."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    with written_aside(path) as aside:
        # Half of a pair, or a file name that is no UTF-8, becomes an escape of JSON.
        aside.write_bytes(f"{text}\n".encode("utf-8", "backslashreplace"))
