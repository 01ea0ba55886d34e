"""IMDB: film reviews in English, good or bad, downloaded once.

Maas et al. 2011, "Learning Word Vectors for Sentiment Analysis", ACL: 25,000 reviews to
train on and as many to test.
"""

from pathlib import Path

from keras_seq.data.archives import safe_extract
from keras_seq.data.download import Source, fetch, in_cache
from keras_seq.data.text_table import LabelFolders
from keras_seq.errors import UserError

# Size and SHA-256 as TensorFlow Datasets publishes them, in its file
# tensorflow_datasets/url_checksums/imdb_reviews.txt.
IMDB = Source(
    "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
    "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
    84_125_825,
)


def load_imdb(
    cache_dir: str | Path | None = None, source: Source = IMDB
) -> dict[str, LabelFolders]:
    """The 50,000 labelled film reviews of Maas et al. (2011), downloaded once.

    Args:
        cache_dir: Folder to keep archive and reviews in; by default `default_cache()`.
        source: Where the archive is.

    Returns:
        "train" and "test", each 25,000 samples with the labels "positive" and
        "negative" in equal numbers.

    Raises:
        UserError: The download fails; one line says why.
    """
    folder = in_cache(cache_dir)
    reviews = in_cache(folder, f"aclImdb-{source.sha256[:12]}", "aclImdb").parent
    if not reviews.is_dir():
        # Half of the archive's files are reviews without a label.
        safe_extract(
            fetch(*source, folder),
            reviews,
            keep=lambda name: "/unsup/" not in name and name.endswith(".txt"),
        )
    parts = ("train", "test")
    return {name: _reviews(reviews / "aclImdb" / name) for name in parts}


def _reviews(folder: Path) -> LabelFolders:
    names = {"neg": "negative", "pos": "positive"}
    if not all((folder / name).is_dir() for name in names):
        what = "holds no reviews; remove the folder above it and run again"
        raise UserError(f"{folder}: {what}")
    return LabelFolders(folder, names)
