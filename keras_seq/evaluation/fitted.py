"""Fitted baselines in a file, as arrays alone: without pickle, safe to read."""

from collections.abc import Callable, Container, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_seq.errors import UNREADABLE, UserError

SURROGATES = "surrogatepass"  # half a character may stand in a text


def packed(texts: Iterable[str]) -> np.ndarray:
    """Texts without line ends as bytes: an array of strings pads to the longest.

    Example:

    >>> unpacked(packed(["a", "b c"]))
    ['a', 'b c']
    """
    return np.frombuffer("\n".join(texts).encode("utf-8", SURROGATES), np.uint8)


def unpacked(array: np.ndarray) -> list[str]:
    """What `packed` was given; one empty text where that was nothing."""
    return array.tobytes().decode("utf-8", SURROGATES).split("\n")


def save_fitted(path: Path, baselines: Mapping[str, Any]) -> None:
    """Writes what each baseline's `to_arrays` gives to a .npz file.

    Args:
        path: of the file.
        baselines: by name; a name holds no "/".
    """
    arrays = {
        f"{name}/{key}": values
        for name, baseline in baselines.items()
        for key, values in baseline.to_arrays().items()
    }
    with open(path, "wb") as file:
        np.savez_compressed(file, **arrays)


def load_fitted(
    path: Path, kind_of: Callable[[str], Any], skip: Container[str] = ()
) -> dict[str, Any]:
    """Reads what `save_fitted` wrote.

    Args:
        path: of the file.
        kind_of: from a baseline's name to its class, which has `from_arrays`.
        skip: names of baselines that are not read.

    Returns:
        Baselines by name, in the order of the file.

    Raises:
        UserError: The file is missing, or holds something else.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for place in file.files:
                name, _, key = place.partition("/")
                if name in skip:
                    continue
                found.setdefault(name, {})[key] = file[place]
        return {name: kind_of(name).from_arrays(own) for name, own in found.items()}
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{path}: no baselines can be read ({reason})") from error
