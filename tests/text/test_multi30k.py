"""Multi30k by name: from a server on this machine."""

import gzip
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keras_seq.data.download import Source
from keras_seq.errors import UserError
from keras_seq.text.multi30k import SOURCES, load_multi30k


@pytest.fixture
def sources(tmp_path: Path):
    served = tmp_path / "served"
    served.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(served))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found = {}
    for name in SOURCES:
        packed = gzip.compress(f"{name} 1\n{name} 2\n".encode())
        (served / f"{name}.gz").write_bytes(packed)
        digest = hashlib.sha256(packed).hexdigest()
        url = f"http://127.0.0.1:{server.server_port}/{name}.gz"
        found[name] = Source(url, digest, len(packed))
    yield found
    server.shutdown()
    server.server_close()


def test_both_directions_come_from_the_same_files(sources, tmp_path: Path):
    cache = tmp_path / "cache"
    parts = load_multi30k(cache_dir=cache, sources=sources)
    assert {n: p[0][:2] for n, p in parts.items()} == {
        "train": ("train.de 1", "train.en 1"),
        "validation": ("val.de 1", "val.en 1"),
        "test": ("test_2016_flickr.de 1", "test_2016_flickr.en 1"),
    }
    gone = {
        n: s._replace(url="http://127.0.0.1:9/" + s.url.rsplit("/", 1)[1])
        for n, s in sources.items()
    }
    turned = load_multi30k(reverse=True, cache_dir=cache, sources=gone)
    assert turned["train"][1][:2] == ("train.en 2", "train.de 2")


def test_another_content_is_refused(sources, tmp_path: Path):
    wrong = sources | {"val.en": sources["val.en"]._replace(sha256="0" * 64)}
    with pytest.raises(UserError, match="val.en.gz: the file's SHA-256 is"):
        load_multi30k(cache_dir=tmp_path / "cache", sources=wrong)


def test_every_file_has_a_checksum_of_its_own():
    assert len({source.sha256 for source in SOURCES.values()}) == 6
    assert all(s.url.startswith("https://") and s.size for s in SOURCES.values())
