"""Where recordings and their transcripts are: manifests, folders and zip archives.

    train.csv            file,transcript,...      beside the files, or beside train.zip
    yes/a.wav no/b.wav   the folder is the label; `trees` has the other folders

Each also inside a zip archive, which is read in place.
"""

import glob
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_seq.audio.kaldi import SCP, read_kaldi
from keras_seq.audio.manifests import (
    FILE_COLUMNS,
    ManifestFormat,
    SoundReader,
    log_other_parts,
    manifest_of,
    read_manifest,
)
from keras_seq.audio.recording import PARTS, Recording, part_named
from keras_seq.audio.trees import read_tree
from keras_seq.data.file_places import FolderFiles, ZipFiles
from keras_seq.data.in_memory import Table, as_file
from keras_seq.data.places import check_utf8, exists, log_once, user_path
from keras_seq.data.table_format import AS_FOUND, TableFormat
from keras_seq.data.tables import error_at
from keras_seq.log import log

__all__ = [
    "FILE_COLUMNS",
    "Recording",
    "SoundReader",
    "find_recordings",
    "log_parts",
    "part_named",
]


def find_recordings(
    data: Table,
    file_column: str | None = None,
    transcript_column: str | None = None,
    any_parts: bool = False,
    table_format: TableFormat = AS_FOUND,
) -> list[Recording]:
    """Lists recordings without decoding them.

    Args:
        data: A manifest (CSV, TSV, JSON Lines, Parquet), a folder, a zip archive, a
            glob, or a list of those; or a DataFrame or a list of (file, transcript),
            whose files lie in the working directory where their paths are relative.
            Folders may be LibriSpeech's, Kaldi's, Common Voice's, Speech Commands', or
            hold x.txt for x.wav. Rows with start and end are pieces of a file.
        file_column: Of a manifest; by default found by its usual names.
        transcript_column: Likewise.
        any_parts: The data is scored, not cut: a manifest's column of parts may say
            what it likes, else a word that names no part is an error; and so is a
            folder whose sounds are all of one label.
        table_format: Separator, encoding, and what else a manifest leaves open.

    Returns:
        One or more recordings, in the order of the data.

    Raises:
        UserError: Something is missing, of no known kind, or holds no recording.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("no", "yes"):
    ...     (folder / name).mkdir()
    ...     _ = (folder / name / "a.wav").write_bytes(b"RIFF")
    >>> [(r.transcript, r.read()) for r in find_recordings(folder)]
    [('no', b'RIFF'), ('yes', b'RIFF')]
    """
    given = ManifestFormat(file_column, transcript_column, any_parts, table_format)
    found = []
    for path in _expand(as_file(data, ("file", "transcript"))):
        if path.is_dir():
            found += read_tree(FolderFiles(path), given)
        elif path.name == SCP:
            found += read_kaldi(FolderFiles(path.parent), "")
        elif path.suffix.lower() == ".zip":
            manifest, archive = manifest_of(path), ZipFiles(path)
            if manifest is None:
                found += read_tree(archive, given)
            else:
                found += read_manifest(manifest, [archive], given)
        else:
            log_other_parts(path)
            found += read_manifest(path, None, given)
    for recording in found:
        check_utf8(recording.place, "transcript", recording.transcript)
    if found:
        log_once(f"{found[0].place} and others: {len(found):,} recordings")
    return found


def log_parts(recordings: Sequence[Recording]) -> None:
    """One line where what is scored names several parts, or one that is not known."""
    words = Counter(r.part for r in recordings if r.part)
    if len(words) > 1 or not words.keys() <= set(PARTS.values()):
        shown = ", ".join(f"{word!r} {count:,}" for word, count in words.most_common(8))
        log.info(
            f"{recordings[0].place} and others: the column of parts says {shown}; all "
            f"{len(recordings):,} recordings are scored",
        )


def _expand(data: str | Path | Sequence[str | Path]) -> Iterator[Path]:
    for given in [data] if isinstance(data, str | Path) else data:
        path = user_path(given)
        if exists(path):
            yield path
        elif any(sign in str(path) for sign in "*?["):
            matches = sorted(glob.glob(str(path), recursive=True))
            if not matches:
                raise error_at(path, "matches no file")
            yield from map(Path, matches)
        else:
            raise error_at(path, "no such file or folder")
