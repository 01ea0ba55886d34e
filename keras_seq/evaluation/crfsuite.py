"""A CRF over hand-made features, by python-crfsuite: the baseline of entities.

Okazaki 2007, "CRFsuite: a fast implementation of conditional random fields". It sees
words and tags of the train part, and nothing of networks.
"""

import importlib.util
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_seq.evaluation.taggers import shape_of

MOST_WORDS = 20_000_000  # of all iterations together
ITERATIONS = 100
# Weights of |w| and of w * w, chosen on a tenth of WNUT-17's train part.
PENALTIES = {"c1": 0.01, "c2": 0.1}
WINDOW = (-2, -1, 0, 1, 2)


def has_crfsuite() -> bool:
    """Whether python-crfsuite is installed."""
    return importlib.util.find_spec("pycrfsuite") is not None


class CrfsuiteTagger:
    """A linear-chain CRF whose features are written by hand.

    Words, affixes, shapes and signs of a word and of its neighbours, and pairs of
    neighbouring words; weights are fitted by L-BFGS with an elastic net.

    Example:

    >>> tagger = CrfsuiteTagger()
    >>> tagger.fit([(["Ada", "ran"], ["B-person", "O"])] * 9)   # doctest: +SKIP
    >>> tagger.tag(["Ada", "sang"])   # doctest: +SKIP
    ['B-person', 'O']
    """

    name = "crfsuite"

    def fit(
        self, sentences: Iterable[tuple[Sequence[str], Sequence[str]]]
    ) -> "CrfsuiteTagger":
        """Fits the weights, in fewer iterations over much data.

        Raises:
            ImportError: python-crfsuite is not installed.
        """
        import pycrfsuite

        trainer, size = pycrfsuite.Trainer(verbose=False), 0
        for words, tags in sentences:
            trainer.append(list(hand_made_features(words)), list(tags))
            size += len(words)
        steps = max(10, min(ITERATIONS, MOST_WORDS // max(1, size)))
        trainer.set_params(
            PENALTIES | {"max_iterations": steps, "feature.possible_transitions": True}
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "model")
            trainer.train(str(path))
            self._open(path.read_bytes())
        return self

    def _open(self, content: bytes) -> None:
        import pycrfsuite

        self._content, self._tagger = content, pycrfsuite.Tagger()
        self._tagger.open_inmemory(content)

    def tag(self, words: Sequence[str]) -> list[str]:
        """A tag for every word."""
        return self._tagger.tag(list(hand_made_features(words)))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that the tagger is."""
        return {"model": np.frombuffer(self._content, np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "CrfsuiteTagger":
        """The tagger that `to_arrays` wrote.

        Raises:
            ImportError: python-crfsuite is not installed.
        """
        tagger = cls()
        tagger._open(arrays["model"].tobytes())
        return tagger


def hand_made_features(words: Sequence[str]) -> Iterator[list[str]]:
    """What the CRF sees of each word of a sentence.

    Example:

    >>> first, _ = hand_made_features(["In", "Ulm"])
    >>> [each for each in first if each.startswith("1:")]
    ['1:w=ulm', '1:shape=Xx', '1:title']
    """
    words = [_sound(word) for word in words]
    near = [_near(word) for word in words]
    for at, word in enumerate(words):
        lower = word.lower()
        found = ["bias"]
        found += [f"suffix={lower[-size:]}" for size in (1, 2, 3, 4)]
        found += [f"prefix={lower[:size]}" for size in (1, 2, 3)]
        found += [f"first={word[:1]}", f"word={word}"]
        for by in WINDOW:
            place = at + by
            inside = 0 <= place < len(words)
            found += [f"{by}:{each}" for each in (near[place] if inside else ["edge"])]
        found += [
            f"{by}&{by + 1}={'|'.join(near[at + i][0] for i in (by, by + 1))}"
            for by in (-1, 0)
            if 0 <= at + by and at + by + 1 < len(words)
        ]
        yield found


def _near(word: str) -> list[str]:
    """What neighbours see of a word; its lower-cased form is the first."""
    signs = {
        "title": word.istitle(),
        "upper": word.isupper() and len(word) > 1,
        "digit": any(map(str.isdigit, word)),
        "at": word.startswith("@"),
        "hash": word.startswith("#"),
        "link": word.startswith(("http", "www.")),
    }
    return [
        f"w={word.lower()}",
        f"shape={shape_of(word)}",
        *(name for name, holds in signs.items() if holds),
    ]


def _sound(word: str) -> str:
    """What the library's strings can hold: they are UTF-8 and end at a NUL."""
    return word.replace("\0", " ").encode("utf-8", "replace").decode()
