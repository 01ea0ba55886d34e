"""fastText's format: a text a line, its labels in it as words `__label__...`."""

from collections.abc import Iterator
from pathlib import Path

from keras_seq.data.places import error_at, place_of
from keras_seq.data.text_files import opened, read_lines

PREFIX = "__label__"
COLUMNS = ["label", "text"]


def is_fasttext(path: Path) -> bool:
    """Whether a file begins with a label."""
    with opened(path) as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(PREFIX.encode())


def read_labelled_lines(
    path: Path, encoding: str | None = None
) -> Iterator[tuple[int, list[object]]]:
    """(line, [labels, text]); several labels are joined by `|`.

    Raises:
        UserError: A line has no label.
    """
    for number, line in enumerate(read_lines(path, encoding), start=1):
        words = line.split()
        if not words:
            continue
        labels = [word.removeprefix(PREFIX) for word in words if _is_label(word)]
        if not labels:
            raise error_at(place_of(path, number), f"no word {PREFIX}...; add a label")
        yield number, ["|".join(labels), " ".join(w for w in words if not _is_label(w))]


def _is_label(word: str) -> bool:
    return word.startswith(PREFIX) and word != PREFIX
