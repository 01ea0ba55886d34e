"""Texts of folders: a file a text, and the folder it lies in is its label."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from keras_seq.data.places import error_at, listed
from keras_seq.data.text_files import read_blocks
from keras_seq.log import log

SUFFIXES = (".txt", ".text", ".md", ".html")
UNLABELLED = ("unsup", "unlabeled", "unlabelled")  # as aclImdb has one
PARTS = ("train", "test", "valid", "validation", "dev")
_LARGEST = 1 << 26  # characters of a text


class LabelFolders:
    """(text, label) samples of `LABEL/x.txt`, read from the files on every pass.

    The labels take turns, so that the first rows hold all of them.

    Args:
        folder: holds a folder for each label.
        names: label by the folder's name, where it is another.
        encoding: of the files; None is UTF-8, or what a byte order mark says.

    Raises:
        UserError: The folder holds no labels, or parts that hold them.
    """

    def __init__(
        self,
        folder: Path,
        names: Mapping[str, str] | None = None,
        encoding: str | None = None,
    ) -> None:
        self._folder, self._encoding = folder, encoding
        names = names or {}
        self._files = {
            names.get(label.name, label.name): files
            for label in sorted(folder.iterdir())
            if label.is_dir()
            and not label.name.startswith(".")
            and label.name.lower() not in UNLABELLED
            and (files := _texts_in(label))
        }
        self._check()

    def _check(self) -> None:
        parts = [p for p in PARTS if any(self._folder.glob(f"{p}/*/"))]
        if parts and not set(self._files) - set(parts):
            what = f"holds the parts {listed(parts)}; give {self._folder / parts[0]}"
            raise error_at(self._folder, f"{what}, and the others by options of theirs")
        if not self._files:
            what = f"holds no LABEL/x.txt ({', '.join(SUFFIXES)}); name a file, or a "
            raise error_at(self._folder, f"{what}glob: {self._folder}/*.csv")
        for name in UNLABELLED:
            if (self._folder / name).is_dir():
                log.info(f"{self._folder / name}: left out, as it has no label")

    def __str__(self) -> str:
        return str(self._folder)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((text, label) for _, _, text, label in self.rows())

    def rows(self) -> Iterator[tuple[Path, int, str, str]]:
        """Yields (file, 1, text, label)."""
        count = 0
        for turn in itertools.zip_longest(*self._files.values()):
            for label, path in zip(self._files, turn):
                if path is not None:
                    count += 1
                    yield path, 1, self._text_of(path), label
        found = f"{count:,} texts in {len(self._files)} folders"
        log.info(f"{self._folder}: {found}")

    def _text_of(self, path: Path) -> str:
        text = next(read_blocks(path, _LARGEST, self._encoding), "")
        if not text.strip():
            raise error_at(path, "holds no text; remove the file")
        return text


def _texts_in(folder: Path) -> list[Path]:
    names = (p for p in folder.iterdir() if p.name.lower().endswith(SUFFIXES))
    return sorted(path for path in names if path.is_file())
