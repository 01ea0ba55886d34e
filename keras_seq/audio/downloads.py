"""Speech by whatever names it: a corpus from the net, a file, or made up."""

from collections.abc import Callable
from pathlib import Path

from keras_seq.audio.labels import check_several
from keras_seq.audio.recording import Recording
from keras_seq.audio.recordings import find_recordings
from keras_seq.audio.sample_speech import load_sample_speech
from keras_seq.data.archives import safe_extract
from keras_seq.data.download import Source, fetch, in_cache
from keras_seq.data.in_memory import Table
from keras_seq.data.table_format import AS_FOUND, TableFormat

# Its makers publish no checksum. Size and SHA-256 are those that independent projects
# record for the file at this address; a file that differs is refused, not repaired.
SPEECH_COMMANDS_MINI = Source(
    "https://storage.googleapis.com/download.tensorflow.org/data/"
    "mini_speech_commands.zip",
    "49650f2341b26d886b46b3f4fb8fed59e30300b17550f1ee4a768b3106cf93a0",
    182_082_353,
)
# SHA-256 as torchaudio has it, in its file torchaudio/datasets/librispeech.py; the
# corpus' own page, openslr.org/12, publishes MD5 alone:
# 42e2234ba48799c1f50f24a7926300a1. Size as TensorFlow Datasets has it.
LIBRISPEECH_DEV_CLEAN = Source(
    "https://www.openslr.org/resources/12/dev-clean.tar.gz",
    "76f87d090650617fca0cac8f88b9416e0ebf80350acb97b343a85fa903728ab3",
    337_926_286,
)


def load_speech_commands_mini(
    cache_dir: str | Path | None = None, source: Source = SPEECH_COMMANDS_MINI
) -> list[Recording]:
    """8,000 single words of one second, eight labels (Warden 2018, arXiv:1804.03209).

    Args:
        cache_dir: folder to keep the archive in; by default `default_cache()`.
        source: where the archive is.

    Returns:
        Recordings that are read from the archive as it is.

    Raises:
        UserError: The download fails; one line says why.
    """
    return find_recordings(fetch(*source, cache_dir))


def load_librispeech_dev_clean(
    cache_dir: str | Path | None = None, source: Source = LIBRISPEECH_DEV_CLEAN
) -> list[Recording]:
    """5.4 hours of read English, 40 speakers (Panayotov et al. 2015).

    Args:
        cache_dir: folder to keep archive and files in; by default `default_cache()`.
        source: where the archive is.

    Returns:
        Recordings with their speakers.

    Raises:
        UserError: The download fails; one line says why.
    """
    folder = in_cache(cache_dir)
    tree = in_cache(folder, f"librispeech-{source.sha256[:12]}")
    if not tree.is_dir():
        safe_extract(fetch(*source, folder), tree)
    return find_recordings(tree)


_LOADERS: dict[str, Callable[[], list[Recording]]] = {
    "speech_commands_mini": load_speech_commands_mini,
    "librispeech_dev_clean": load_librispeech_dev_clean,
}


def load_recordings(
    data: Table | None = None,
    file_column: str | None = None,
    transcript_column: str | None = None,
    seed: int = 0,
    any_parts: bool = False,
    table_format: TableFormat = AS_FOUND,
) -> list[Recording]:
    """Recordings of a named corpus, of the user's own data, or of generated speech.

    Args:
        data: Name of a corpus, downloaded when it is not there; else as
            `find_recordings` takes it; None generates the sample.
        file_column: Of a manifest.
        transcript_column: Likewise.
        seed: Of the sample.
        any_parts: As `find_recordings` has it; it allows for a single label, too.
        table_format: Likewise.

    Raises:
        UserError: The data is missing or of no known kind, the download fails, or every
            transcript is the same.

    Example:

    >>> len(load_recordings())
    600
    """
    if data is None:
        return load_sample_speech(seed)
    if isinstance(data, str) and data in _LOADERS:
        return _LOADERS[data]()
    columns = file_column, transcript_column
    found = find_recordings(data, *columns, any_parts, table_format)
    if not any_parts:
        check_several(found)
    return found
