"""Kaldi's data folders: wav.scp, text, and where there are such, segments, utt2spk.

    wav.scp    FILE wav/a.wav          or, without segments, UTTERANCE wav/a.wav
    segments   UTTERANCE FILE 1.2 3.4
    text       UTTERANCE GO ON

Commands in wav.scp are never run.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

from keras_seq.audio.recording import Piece, Recording
from keras_seq.data.file_places import Files, FolderFiles
from keras_seq.data.places import error_at
from keras_seq.log import log

SCP = "wav.scp"
LEVELS = 4  # folders above, where paths of a recipe begin


def read_kaldi(files: Files, folder: str, part: str = "") -> list[Recording]:
    """The utterances of a data folder, in the order of its text.

    Args:
        files: that hold it.
        folder: its name in them; "" is the top.
        part: of all of them.

    Raises:
        UserError: A line cannot be read, is a command, or names what is not there.

    Example:

    >>> import tempfile
    >>> from pathlib import Path
    >>> root = Path(tempfile.mkdtemp())
    >>> for name, line in [("wav.scp", "u1 a.wav"), ("text", "u1 GO ON")]:
    ...     _ = (root / name).write_text(line)
    >>> _ = (root / "a.wav").write_bytes(b"RIFF")
    >>> [recording.transcript for recording in read_kaldi(FolderFiles(root), "")]
    ['GO ON']
    """
    data = _Folder(files, folder)
    sounds = {key: (path, place) for key, path, place in data.pairs(SCP)}
    pieces = dict(data.pieces()) if data.has("segments") else {}
    speakers = {key: who for key, who, _ in data.pairs("utt2spk", needed=False)}
    if not data.has("text"):
        what = f"no file text beside {SCP}: it has a line for each utterance"
        raise error_at(data.place(SCP), what)
    find = functools.cache(data.sound)
    last_read = functools.lru_cache(maxsize=1)(lambda read, name: read(name))
    found = []
    for key, transcript, place in data.pairs("text", empty=True):
        file, piece = pieces.get(key, (key, None))
        if pieces and piece is None:
            raise error_at(place, f"segments has no utterance {key!r}")
        if file not in sounds:
            raise error_at(place, f"{SCP} has no line {file!r}")
        read = functools.partial(last_read, *find(*sounds[file]))
        place, speaker = f"{place} {key}", speakers.get(key, "")
        found.append(Recording(place, transcript, read, speaker, part, piece))
    unsaid = len(set(pieces or sounds) - {r.place.rpartition(" ")[2] for r in found})
    if unsaid:
        what = f"{unsaid:,} sounds without a transcript left out"
        log.info(f"{data.place('text')}: {what}")
    if not found:
        raise error_at(data.place("text"), "holds no utterances")
    return found


class _Folder:
    """The lists of one data folder."""

    def __init__(self, files: Files, folder: str) -> None:
        self._files, self._folder = files, PurePosixPath(folder)
        self._names = set(files.names)

    def _name(self, name: str) -> str:
        return (self._folder / name).as_posix()

    def place(self, name: str) -> str:
        return self._files.place(self._name(name))

    def has(self, name: str) -> bool:
        return self._name(name) in self._names

    def pairs(
        self, name: str, needed: bool = True, empty: bool = False
    ) -> Iterator[tuple[str, str, str]]:
        """(key, rest of the line, place) of each line."""
        if not self.has(name) and not needed:
            return
        seen: set[str] = set()
        content = self._files.read(self._name(name))
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise error_at(self.place(name), "is no UTF-8") from error
        for number, line in enumerate(text.split("\n"), start=1):
            key, _, rest = line.strip().partition(" ")
            key, _, tabbed = key.partition("\t")
            rest = f"{tabbed} {rest}".strip()
            if not key:
                continue
            place = f"{self.place(name)}:{number}"
            if key in seen:
                raise error_at(place, f"a second line for {key!r}")
            if not rest and not empty:
                raise error_at(place, f"nothing stands behind {key!r}")
            seen.add(key)
            yield key, rest, place

    def pieces(self) -> Iterator[tuple[str, tuple[str, Piece]]]:
        for key, rest, place in self.pairs("segments"):
            words = rest.split()
            try:
                file, start, end = words[0], float(words[1]), float(words[2])
            except (IndexError, ValueError) as error:
                what = "expected UTTERANCE FILE START END, in seconds"
                raise error_at(place, what) from error
            if not 0 <= start < end < float("inf") and end != -1:
                what = f"a piece from {start:g} to {end:g} s"
                raise error_at(place, f"{what}; it has to end behind its begin")
            yield key, (file, Piece(start, None if end == -1 else end))

    def sound(self, path: str, place: str) -> tuple[Callable[[str], bytes], str]:
        """What reads a sound, and its name: beside the list, or from a folder above."""
        if path.endswith("|"):
            what = "is a command, which is not run; write its sound to a file"
            raise error_at(place, f"{what} and name that")
        if PurePosixPath(path.rpartition(":")[0]).suffix == ".ark":
            raise error_at(place, "names an archive of Kaldi; name a sound file")
        above = [self._folder, *self._folder.parents]
        for folder in above:
            if (folder / path).as_posix() in self._names:
                return self._files.read, (folder / path).as_posix()
        if isinstance(self._files, FolderFiles):
            top = self._files.path.absolute()
            for base in (top, *list(top.parents)[:LEVELS], type(top).cwd()):
                if (base / path).is_file():
                    return FolderFiles(base).read, path
        raise error_at(place, f"there is no file {path!r} beside it or above")


def kaldi_folders(names: Sequence[str]) -> list[str]:
    """Folders that hold a wav.scp, "" for the top.

    Example:

    >>> kaldi_folders(["data/train/wav.scp", "data/train/text", "wav/a.wav"])
    ['data/train']
    """
    found = [PurePosixPath(name) for name in names]
    parents = [path.parent.as_posix() for path in found if path.name == SCP]
    return ["" if parent == "." else parent for parent in parents]
