"""Raw texts as weighted terms, of which linear baselines are made.

Terms are words and pairs of words, or runs of characters where no space ends a word.
What is learned of them is kept as arrays. Nothing here knows what the texts are
answered with.

Shapes: N texts, V terms.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from keras_seq.evaluation.fitted import packed, unpacked

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer

# In fewer texts than these, terms that occur once are worth keeping.
PRUNE_FROM_ROWS = 1000
# The solver holds some 25 copies of its weights: this is about a gigabyte.
MAX_WEIGHTS = 5_000_000
PREDICT_ROWS = 10_000
MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")
# Thai, Lao, Myanmar, Khmer, Hiragana, Katakana and Han: no space ends their words.
UNSPACED = re.compile(
    r"[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    r"\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uaa60-\uaa7f\uf900-\ufaff"
    r"\uff66-\uff9f\U00020000-\U0003ffff]"
)


class TfidfTerms:
    """What every baseline on TF-IDF has: its terms, and a bound on the train part.

    Args:
        max_rows: Of more train texts, a seeded subsample of so many is used.
        seed: Of the subsample.

    Attributes:
        note: What of the train part was not used, or "".
        vectorizer_: texts to terms, fitted.
    """

    vectorizer_: "TfidfVectorizer"

    def __init__(self, max_rows: int = 100_000, *, seed: int = 0) -> None:
        if max_rows < 1:
            raise ValueError(f"max_rows is {max_rows}; expected 1 or more")
        self.max_rows = max_rows
        self.seed = seed
        self.note = ""

    def _subsample(
        self, texts: Iterable[str], labels: np.ndarray
    ) -> tuple[list[str], np.ndarray, str]:
        chosen, note = np.ones(len(labels), dtype=bool), ""
        if len(labels) > self.max_rows:
            rng = np.random.default_rng(self.seed)
            chosen[rng.permutation(len(labels))[self.max_rows :]] = False
            cut = f"{self.max_rows:,} of {len(labels):,} rows"
            note = f"fitted on {cut}, drawn at random"
        kept, count = [], 0
        for count, text in enumerate(texts, start=1):
            if count <= len(labels) and chosen[count - 1]:
                kept.append(text)
        if count != len(labels):
            raise ValueError(
                f"{count} texts and {len(labels)} labels; expected one label a text"
            )
        return kept, labels[chosen], note

    def _fit_terms(
        self, texts: list[str], num_outputs: int
    ) -> tuple["csr_matrix | None", str]:
        """The TF-IDF matrix float32 (N, V), None where there is no term; and a note.

        Args:
            texts: N raw texts.
            num_outputs: weights that each term will have.
        """
        most = MAX_WEIGHTS // num_outputs
        self.vectorizer_ = tfidf_vectorizer(
            _is_unspaced(texts),
            min_df=2 if len(texts) >= PRUNE_FROM_ROWS else 1,
            max_features=most,
        )
        try:
            features = self.vectorizer_.fit_transform(texts)
        except ValueError:  # as scikit-learn says that no term is left
            return None, ""
        is_cut = features.shape[1] == most
        return features, f"of its terms the commonest {most:,}" if is_cut else ""

    def _features(self, texts: Iterable[str]) -> Iterator["csr_matrix"]:
        """Terms of some thousand texts after the other: float32 (n, V)."""
        texts = iter(texts)
        while block := list(islice(texts, PREDICT_ROWS)):
            yield self.vectorizer_.transform(block)

    def _term_arrays(self) -> dict[str, np.ndarray]:
        return {
            "terms": packed(self.vectorizer_.get_feature_names_out()),
            "idf": self.vectorizer_.idf_,
            "unspaced": np.array(self.vectorizer_.analyzer == "char"),
        }

    def _read_terms(self, arrays: Mapping[str, np.ndarray]) -> None:
        terms = enumerate(unpacked(arrays["terms"]))
        self.vectorizer_ = tfidf_vectorizer(bool(arrays["unspaced"]))
        self.vectorizer_.vocabulary_ = {term: number for number, term in terms}
        self.vectorizer_.idf_ = arrays["idf"]


def _clean(text: str) -> str:
    # One kind of space: character terms are kept in a file, one a line.
    return " ".join(MARKUP.sub(" ", text.lower()).split())


def _is_unspaced(texts: Sequence[str]) -> bool:
    """Whether most letters of some thousand texts are of scripts without spaces."""
    some = texts[:: max(1, len(texts) // 1000)]
    beginnings = "".join(_clean(text[:2000]) for text in some)
    letters = sum(map(str.isalpha, beginnings))
    return 2 * len(UNSPACED.findall(beginnings)) > letters


@cache
def _word_pattern() -> str:
    """Letters, digits and marks: without the marks, Hindi falls apart at its vowels."""
    # Beyond U+FFFF no script in wide use has marks, and `re` has no fast set.
    chars = (chr(code) for code in range(0x300, 0x10000))
    marks = "".join(char for char in chars if unicodedata.category(char)[0] == "M")
    return rf"\w+(?:[{marks}]+\w*)*"


def tfidf_vectorizer(unspaced: bool, **settings: int) -> "TfidfVectorizer":
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        analyzer="char" if unspaced else "word",
        ngram_range=(1, 3) if unspaced else (1, 2),
        token_pattern=None if unspaced else _word_pattern(),
        preprocessor=_clean,
        sublinear_tf=True,
        dtype=np.float32,
        **settings,
    )
