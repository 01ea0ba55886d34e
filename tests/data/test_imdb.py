"""IMDB by name: its archive lies in the cache already."""

import hashlib
import tarfile
from pathlib import Path

from keras_seq.data.download import Source
from keras_seq.data.imdb import IMDB, load_imdb


def test_reviews_of_both_parts_have_labels_on_every_pass(tmp_path: Path):
    tree, cache = tmp_path / "aclImdb", tmp_path / "cache"
    for part in ("train", "test"):
        for folder in ("neg", "pos", "unsup"):
            (tree / part / folder).mkdir(parents=True)
            for number in range(2):
                review = tree / part / folder / f"{number}_7.txt"
                review.write_text(f"{part} {folder} {number}")
    (tree / "README").write_text("read")
    cache.mkdir()
    archive = cache / "in.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tree, "aclImdb")
    packed = archive.read_bytes()
    source = Source("in.tar.gz", hashlib.sha256(packed).hexdigest(), len(packed))
    for _ in range(2):
        parts = load_imdb(cache, source)
        assert sorted(parts) == ["test", "train"]
        assert list(parts["train"]) == list(parts["train"])
        assert list(parts["test"]) == [
            ("test neg 0", "negative"),
            ("test pos 0", "positive"),
            ("test neg 1", "negative"),
            ("test pos 1", "positive"),
        ]
        archive.unlink(missing_ok=True)  # what was unpacked is read again
    assert not {"unsup", "README"} & {path.name for path in cache.rglob("*")}


def test_the_published_archive_is_named_whole():
    url, sha256, size = IMDB
    assert url.startswith("https://") and url.endswith("/aclImdb_v1.tar.gz")
    assert (len(sha256), size) == (64, 84_125_825)
