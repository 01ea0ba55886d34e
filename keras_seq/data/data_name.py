"""What to call data in the names of folders: short, readable, and safe on any disk."""

import re
from pathlib import PurePath
from typing import Any

from keras_seq.data.in_memory import described

LONGEST = 40  # characters
NAMELESS = "data"
_PACKED = (".gz", ".bz2", ".xz", ".zip")
_IN_MEMORY = re.compile(r"(\w+) in memory\b")  # of `described`
_LONGEST_PATH = 4096  # what is longer, or has several lines, is a text


def data_name(data: Any) -> str:
    """Names data by its first file, folder or corpus, or by its kind in memory.

    Args:
        data: as scripts take it: one path or several, a name, or a table in memory; or
            what `described` made of it.

    Returns:
        Letters, digits, `-`, `_` and `.`, at most 40 of them and digits never alone,
        since a folder with a number for its name is a version of a model.

    Example:

    >>> data_name("data/reviews.csv.gz"), data_name("prices/*.csv"), data_name("imdb")
    ('reviews', 'prices', 'imdb')
    >>> data_name(["AAPL.csv", "MSFT.csv"]), data_name("2024.csv")
    ('AAPL-and-1-more', 'data-2024')
    """
    found = described(data)
    if isinstance(found, list | tuple):
        first = data_name(found[0]) if found else NAMELESS
        return first if len(found) < 2 else f"{first}-and-{len(found) - 1}-more"
    text = str(found)
    if kind := _IN_MEMORY.match(text):
        return kind[1]
    if len(text) > _LONGEST_PATH or "\n" in text:
        return "text"
    path = PurePath(text)
    while path.suffix.lower() in _PACKED:
        path = path.with_suffix("")
    for name in (path.stem, *(each.name for each in path.parents)):
        if clean := re.sub(r"[^\w.-]+", "-", name).strip("-._")[:LONGEST]:
            return f"{NAMELESS}-{clean}" if clean.isdigit() else clean
    return NAMELESS
