"""Downloads against a local server that can break off, lie, and refuse."""

import errno
import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keras_seq.audio.downloads import (
    LIBRISPEECH_DEV_CLEAN,
    load_librispeech_dev_clean,
)
from keras_seq.data import archives, download
from keras_seq.data.archives import safe_extract
from keras_seq.data.download import default_cache, fetch
from keras_seq.data.imdb import IMDB, load_imdb
from keras_seq.errors import UserError
from keras_seq.series.tickers import fetch_ticker
from keras_seq.text.multi30k import load_multi30k

BODY = bytes(range(256)) * 4096  # 1 MiB: several chunks
SHA256 = hashlib.sha256(BODY).hexdigest()


class Server(ThreadingHTTPServer):
    """Gives `body`; at most `most` bytes an answer; keeps the Range of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.most, self.knows_ranges, self.status = BODY, None, True, None
        self.ranges: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}/some/file.bin"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server, asked = self.server, self.headers.get("Range")
        server.ranges.append(asked)
        start = 0
        if asked and server.knows_ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if server.status or start >= len(server.body):
            self.send_error(server.status or 416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(server.body) - start))
        self.end_headers()
        end = len(server.body) if server.most is None else start + server.most
        self.wfile.write(server.body[start:end])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"file.bin.lock"}


def test_a_file_comes_once_with_progress_on_stderr(server, tmp_path, capsys):
    path = fetch(server.url, SHA256, len(BODY), tmp_path / "new")
    assert path == tmp_path / "new" / "file.bin"
    assert path.read_bytes() == BODY
    assert fetch(server.url, SHA256, len(BODY), tmp_path / "new") == path
    assert server.ranges == [None]
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "file.bin: 100 % of 1.0 MB"
    assert names(path.parent) == {"file.bin"}


def test_an_interrupted_transfer_goes_on_where_it_stopped(server, tmp_path):
    server.most = 500_000
    path = fetch(server.url, SHA256, len(BODY), tmp_path)
    assert path.read_bytes() == BODY
    assert server.ranges == [None, "bytes=500000-", "bytes=1000000-"]


def test_what_an_earlier_run_left_is_continued(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(BODY[:12345])
    assert fetch(server.url, SHA256, len(BODY), tmp_path).read_bytes() == BODY
    assert server.ranges == ["bytes=12345-"]


def test_a_server_without_ranges_starts_over(server, tmp_path):
    server.knows_ranges = False
    (tmp_path / "file.bin.part").write_bytes(BODY[:12345])
    assert fetch(server.url, SHA256, len(BODY), tmp_path).read_bytes() == BODY


def test_a_damaged_file_in_the_cache_is_downloaded_again(server, tmp_path):
    (tmp_path / "file.bin").write_bytes(BODY[::-1])
    assert fetch(server.url, SHA256, len(BODY), tmp_path).read_bytes() == BODY


def test_a_server_that_stops_answering_leaves_what_came(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(BODY[:500_000])
    server.most = 0
    with pytest.raises(UserError) as caught:
        fetch(server.url, SHA256, len(BODY), tmp_path)
    message = "the connection closed; 0.5 MB of 1.0 MB are here, run again to go on"
    assert message in str(caught.value)
    assert names(tmp_path) == {"file.bin.part"}
    assert len(server.ranges) == 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (BODY[::-1], f"expected {SHA256}; it was removed, run again"),
        (BODY[:-1], "the server's file has 1,048,575 bytes, expected 1,048,576; it is"),
        (BODY + b"x", "the server's file has 1,048,577 bytes, expected 1,048,576; it"),
    ],
)
def test_another_file_never_gets_the_name(server, tmp_path, body: bytes, message: str):
    server.body = body
    with pytest.raises(UserError) as caught:
        fetch(server.url, SHA256, len(BODY), tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "file.bin").exists()
    server.body = BODY
    assert fetch(server.url, SHA256, len(BODY), tmp_path).read_bytes() == BODY


def test_a_file_that_is_gone_is_not_asked_for_again(server, tmp_path):
    server.status = 404
    with pytest.raises(UserError, match="the server answered 404 Not Found; 0.0 MB of"):
        fetch(server.url, SHA256, len(BODY), tmp_path)
    assert len(server.ranges) == 1


def test_no_connection_is_one_line(server, tmp_path):
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match="cannot be downloaded: .*refused"):
        fetch(url, SHA256, len(BODY), tmp_path)


def test_a_full_disk_says_how_much_is_needed_and_where(server, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(download, "_receive", full)
    with pytest.raises(UserError, match="no room on the disk for 1.0 MB; KERAS_"):
        fetch(server.url, SHA256, len(BODY), tmp_path)


def test_the_cache_can_be_put_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_SEQ_CACHE", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("KERAS_SEQ_CACHE")
    assert default_cache() == Path.home() / ".cache" / "keras_seq"


def make_tar(path: Path, *members: tarfile.TarInfo | tuple[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            text = ""
            if isinstance(member, tuple):
                name, text = member
                member = tarfile.TarInfo(name)
                member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, target, 0o777
    return member


MALICIOUS = {
    "absolute": ("/etc/evil", "x"),
    "parent": ("a/../../evil", "x"),
    "backslash": ("..\\evil", "x"),
    "symbolic link": special("a/link", tarfile.SYMTYPE, "../.."),
    "link inside": special("a/link", tarfile.SYMTYPE, "good.txt"),
    "hard link": special("a/link", tarfile.LNKTYPE, "good.txt"),
    "device": special("a/device", tarfile.CHRTYPE),
    "pipe": special("a/pipe", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("case", MALICIOUS)
def test_a_malicious_archive_leaves_nothing(tmp_path: Path, case: str):
    folder = tmp_path / "deep" / "out"
    archive = make_tar(tmp_path / "a.tar.gz", ("good.txt", "good"), MALICIOUS[case])
    with pytest.raises(UserError, match="a.tar.gz: member .* it was not unpacked"):
        safe_extract(archive, folder)
    assert list((tmp_path / "deep").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar.gz", "deep"}


def test_a_good_archive_appears_whole_and_once(tmp_path: Path, monkeypatch):
    folder = special("a", tarfile.DIRTYPE)
    archive = make_tar(tmp_path / "a.tar.gz", folder, ("a/b.txt", "b"), ("./c", "c"))
    out = safe_extract(archive, tmp_path / "out", keep=lambda name: name != "./c")
    assert [str(p.relative_to(out)) for p in sorted(out.rglob("*"))] == ["a", "a/b.txt"]
    assert (out / "a" / "b.txt").read_text() == "b"
    monkeypatch.setattr(archives, "_unpack", None)
    assert safe_extract(archive, out) == out


def test_a_damaged_archive_leaves_nothing(tmp_path: Path):
    archive = make_tar(tmp_path / "a.tar.gz", ("a", "x" * 10_000), ("b", "y" * 10_000))
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(UserError, match="a.tar.gz: not a sound archive"):
        safe_extract(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize("where", [20_000, 30_000])
def test_a_scrambled_archive_leaves_nothing(tmp_path: Path, where: int):
    """Bytes that unpack to something else, and bytes that do not unpack."""
    archive = make_tar(tmp_path / "a.tar.gz", ("a", str(list(range(20_000)))))
    packed = bytearray(archive.read_bytes())
    packed[where : where + 1000] = b"\xff" * 1000
    archive.write_bytes(packed)
    with pytest.raises(UserError, match="a.tar.gz: not a sound archive"):
        safe_extract(archive, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.tar.gz"]


@pytest.mark.parametrize("name", ["file.bin", "file.bin.part", "file.bin.lock"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_in_the_cache_is_not_followed(
    name: str, is_there: bool, server: Server, tmp_path: Path
):
    elsewhere = tmp_path / "elsewhere"
    if is_there:
        elsewhere.write_bytes(BODY)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / name).symlink_to(elsewhere)
    with pytest.raises(UserError, match=f"{name}: is a link, and caches follow none"):
        fetch(server.url, SHA256, len(BODY), tmp_path / "cache")
    assert elsewhere.exists() == is_there and not server.ranges
    assert not is_there or elsewhere.read_bytes() == BODY


def test_the_cache_itself_may_lie_on_another_disk(server: Server, tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "cache").symlink_to(tmp_path / "disk")
    assert fetch(server.url, SHA256, len(BODY), tmp_path / "cache").read_bytes() == BODY


CORPORA = [
    (load_imdb, f"aclImdb-{IMDB.sha256[:12]}"),
    (load_librispeech_dev_clean, f"librispeech-{LIBRISPEECH_DEV_CLEAN.sha256[:12]}"),
    (load_multi30k, "multi30k"),
    (partial(fetch_ticker, "aapl.us"), "stooq"),
]


@pytest.mark.parametrize(("load", "name"), CORPORA)
def test_a_folder_of_a_corpus_that_is_a_link(load: Callable, name: str, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=f"{name}: is a link, and caches follow none"):
        load(cache_dir=tmp_path)
    assert not list((tmp_path / "elsewhere").iterdir())
