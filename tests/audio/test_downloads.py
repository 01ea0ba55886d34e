"""Named corpora: fetched whole, read in place or from the unpacked tree."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from keras_seq.audio.downloads import (
    _LOADERS,
    load_librispeech_dev_clean,
    load_recordings,
    load_speech_commands_mini,
)
from keras_seq.data.download import Source
from keras_seq.errors import UserError


def in_cache(cache: Path, name: str, content: bytes) -> Source:
    """A source whose file is there already, so that no network is asked."""
    cache.mkdir(exist_ok=True)
    (cache / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Source(f"http://localhost:9/{name}", digest, len(content))


def test_speech_commands_are_read_from_the_archive_as_it_is(tmp_path: Path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("mini_speech_commands/README.md", "x")
        archive.writestr("mini_speech_commands/yes/a_nohash_0.wav", b"one")
        archive.writestr("mini_speech_commands/no/b_nohash_1.wav", b"two")
        archive.writestr("__MACOSX/mini_speech_commands/yes/._a.wav", b"shadow")
    source = in_cache(tmp_path, "mini.zip", content.getvalue())
    found = load_speech_commands_mini(tmp_path, source)
    said = {r.transcript: r.read() for r in found}
    assert said == {"no": b"two", "yes": b"one"} and len(found) == 2


def test_librispeech_is_unpacked_once(tmp_path: Path):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in {
            "LibriSpeech/dev-clean/84/121/84-121.trans.txt": b"84-121-0000 GO NOW\n",
            "LibriSpeech/dev-clean/84/121/84-121-0000.flac": b"sound",
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    source = in_cache(tmp_path, "dev.tar.gz", content.getvalue())
    (recording,) = load_librispeech_dev_clean(tmp_path, source)
    assert (recording.transcript, recording.speaker) == ("GO NOW", "84")
    (tmp_path / "dev.tar.gz").unlink()
    (again,) = load_librispeech_dev_clean(tmp_path, source)
    assert again.read() == b"sound"


def test_another_file_is_refused(tmp_path: Path):
    source = in_cache(tmp_path, "mini.zip", b"something else")
    (tmp_path / "mini.zip").write_bytes(b"SOMETHING ELSE")
    with pytest.raises(UserError, match="cannot be downloaded"):
        load_speech_commands_mini(tmp_path, source)


def test_data_is_a_name_or_a_path_or_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(_LOADERS, "speech_commands_mini", lambda: ["downloaded"])
    assert load_recordings("speech_commands_mini") == ["downloaded"]
    (tmp_path / "yes").mkdir()
    (tmp_path / "yes" / "a.wav").write_bytes(b"sound")
    (own,) = load_recordings(str(tmp_path))
    assert (own.transcript, own.read()) == ("yes", b"sound")
    assert load_recordings(seed=1)[0].place != load_recordings()[0].place
    with pytest.raises(UserError, match="no such file or folder"):
        load_recordings("speech_commands_maxi")
