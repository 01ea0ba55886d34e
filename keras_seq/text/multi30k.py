"""Multi30k: descriptions of pictures in German and English, downloaded once.

Elliott et al. 2016, "Multi30K: Multilingual English-German Image Descriptions",
arXiv:1605.00459: 29,000 pairs to train on, 1,014 to validate, and the test of 2016.
"""

from collections.abc import Mapping
from pathlib import Path

from keras_seq.data.download import Source, fetch, in_cache
from keras_seq.text.pairs import SentencePair, read_pairs

_AT = (
    "https://raw.githubusercontent.com/multi30k/dataset/"
    "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/"
)
_PARTS = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
# SHA-256 and size of each file as that commit has it.
SOURCES = {
    name: Source(f"{_AT}{name}.gz", sha256, size)
    for name, sha256, size in (
        (
            "train.de",
            "8506e50eaf610b55a8286d1ce85e4098dc2a0a0fce45b4827a5409d9897a81b4",
            626_835,
        ),
        (
            "train.en",
            "ffdb848427a3fccff4f5c9c848dff8b8b5745e8f464f44341b6c5c5288f265db",
            563_155,
        ),
        (
            "val.de",
            "9c3697bf5d18908e41df6a94b8a006ab64dbc66f38790865d6694136428a524d",
            24_435,
        ),
        (
            "val.en",
            "459836b7adfe4fd130d0a8c680e2860d6099fbea0fd1bdbbc7442bbc5afce59b",
            21_514,
        ),
        (
            "test_2016_flickr.de",
            "26ef35775a5540d27fc04e66063d59a180388beeede5121c0806dee0c79949e0",
            22_645,
        ),
        (
            "test_2016_flickr.en",
            "7771063a5bca8712e4c60941bcb128301aab5a3eecc66abbb5d150aa3133a55d",
            20_933,
        ),
    )
}


def load_multi30k(
    reverse: bool = False,
    cache_dir: str | Path | None = None,
    sources: Mapping[str, Source] = SOURCES,
) -> dict[str, list[SentencePair]]:
    """The pairs of Multi30k's first task, as people wrote them.

    Args:
        reverse: from English to German; else from German to English.
        cache_dir: folder to keep the files in; by default `default_cache()`.
        sources: where each file is, by its name without .gz.

    Returns:
        "train", "validation" and "test".

    Raises:
        UserError: The download fails; one line says why.
    """
    folder = in_cache(cache_dir, "multi30k")
    languages = ("en", "de") if reverse else ("de", "en")
    found = {}
    for part, name in _PARTS.items():
        own, other = (
            fetch(*sources[f"{name}.{language}"], folder) for language in languages
        )
        found[part] = read_pairs(own, other)
    return found
