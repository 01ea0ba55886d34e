"""Cheap classifiers of raw texts that a network must beat to be worth its time.

They know nothing of tokenizers or networks: they see the raw texts and the labels of
the train part, and of the test part nothing but the texts they are asked about.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

import numpy as np

from keras_seq.evaluation.bootstrap import checked_labels

# Inverse strength of the L2 penalty. On held-out parts of train files alone (IMDB by
# movie, rt-polarity, ChnSentiCorp hotels, waimai): 10 is within 0.2 points of the best
# of 1, 3, 10, 30 and 100 on each; scikit-learn's own 1 loses up to 2.4 points.
INVERSE_REGULARIZATION = 10.0
# In fewer texts than these, terms that occur once are worth keeping.
PRUNE_FROM_ROWS = 1000
# The solver holds some 25 copies of its weights: this is about a gigabyte.
MAX_WEIGHTS = 5_000_000
MAX_STEPS = 300  # of the solver
PREDICT_ROWS = 10_000
SURROGATES = "surrogatepass"  # half a character may stand in a text
MARKUP = re.compile(r"</?[A-Za-z][^<>]*>")
# Thai, Lao, Myanmar, Khmer, Hiragana, Katakana and Han: no space ends their words.
UNSPACED = re.compile(
    r"[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff"
    r"\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uaa60-\uaa7f\uf900-\ufaff"
    r"\uff66-\uff9f\U00020000-\U0003ffff]"
)


class MajorityBaseline:
    """Answers every text with how often each class occurs in train.

    Its top class is the majority class, its log loss the entropy of the labels: what
    knowing nothing of the texts is worth.

    Example:

    >>> baseline = MajorityBaseline().fit(["good", "fine", "bad"], [1, 1, 0])
    >>> baseline.predict_proba(["awful"]).round(2)
    array([[0.33, 0.67]])
    """

    name = "majority"
    note = ""

    def fit(
        self, texts: Iterable[str], labels: Sequence[int] | np.ndarray
    ) -> "MajorityBaseline":
        """Counts the labels; the texts are not looked at.

        Args:
            texts: N raw texts.
            labels: int (N,), from 0 to C - 1.

        Returns:
            Itself.

        Raises:
            ValueError: The labels are not integers from 0 on.
        """
        del texts
        labels = checked_labels(labels)
        self.shares_ = np.bincount(labels) / len(labels)
        return self

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """The shares of the classes in train, once a text: float64 (N, C)."""
        return np.tile(self.shares_, (sum(1 for _ in texts), 1))


class TfidfBaseline:
    """Logistic regression on the TF-IDF of word pairs: seconds of work, hard to beat.

    Terms are words and pairs of words, or runs of one to three characters where the
    train texts are mostly in scripts written without spaces. Term counts are damped by
    a logarithm. No setting is tuned on the data at hand. A train part without a single
    term, or with one class, leaves the shares of the classes to answer with.

    Wang and Manning 2012, "Baselines and Bigrams", show how strong such models are.

    Args:
        max_rows: Of more train texts, a seeded subsample of so many is used.
        seed: Of the subsample.

    Attributes:
        note: What of the train part was not used, or "".

    Example:

    >>> texts = ["a good film", "good fun", "a bad film", "bad acting"]
    >>> baseline = TfidfBaseline().fit(texts, [1, 1, 0, 0])
    >>> baseline.predict_proba(["what a good cast", "bad"]).argmax(axis=1)
    array([1, 0])
    """

    name = "tfidf_logistic"

    def __init__(self, max_rows: int = 100_000, *, seed: int = 0) -> None:
        if max_rows < 1:
            raise ValueError(f"max_rows is {max_rows}; expected 1 or more")
        self.max_rows = max_rows
        self.seed = seed
        self.note = ""

    def fit(
        self, texts: Iterable[str], labels: Sequence[int] | np.ndarray
    ) -> "TfidfBaseline":
        """Learns terms and weights from the train part.

        Args:
            texts: N raw texts, iterated once; those left out are not kept in memory.
            labels: int (N,), from 0 to C - 1.

        Returns:
            Itself.

        Raises:
            ValueError: The labels are not integers from 0 on, or there are not as many
                as texts.
        """
        from sklearn.linear_model import LogisticRegression

        labels = checked_labels(labels)
        self.num_classes_ = int(labels.max()) + 1
        self.fallback_ = MajorityBaseline().fit((), labels)
        texts, labels, cut = self._subsample(texts, labels)
        features, fewer_terms = self._fit_terms(texts)
        self.classifier_, stopped = None, ""
        if features is not None and len(np.unique(labels)) > 1:
            self.classifier_ = LogisticRegression(
                C=INVERSE_REGULARIZATION, max_iter=MAX_STEPS
            )
            stopped = fitted_or_stopped(self.classifier_, features, labels)
        self.note = "; ".join(filter(None, (cut, fewer_terms, stopped)))
        return self

    def predict_proba(self, texts: Iterable[str]) -> np.ndarray:
        """Probabilities of the classes, in the order of their ids.

        Args:
            texts: N raw texts, any of which may be empty.

        Returns:
            float64 (N, C).
        """
        if self.classifier_ is None:
            return self.fallback_.predict_proba(texts)
        texts, blocks = iter(texts), [np.zeros((0, self.num_classes_))]
        while block := list(islice(texts, PREDICT_ROWS)):
            features = self.vectorizer_.transform(block)
            # A class that the subsample missed keeps probability 0.
            scored = np.zeros((len(block), self.num_classes_))
            scored[:, self.classifier_.classes_] = self.classifier_.predict_proba(
                features
            )
            blocks.append(scored)
        return np.concatenate(blocks)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that `predict_proba` needs, as arrays of plain types."""
        note = np.frombuffer(self.note.encode(), np.uint8)
        arrays: dict[str, np.ndarray]
        arrays = {"shares": self.fallback_.shares_, "note": note}
        if self.classifier_ is not None:
            arrays |= self._term_arrays() | {
                "coef": self.classifier_.coef_,
                "intercept": self.classifier_.intercept_,
                "classes": self.classifier_.classes_,
            }
        return arrays

    def _term_arrays(self) -> dict[str, np.ndarray]:
        terms = "\n".join(self.vectorizer_.get_feature_names_out())
        return {
            "terms": np.frombuffer(terms.encode("utf-8", SURROGATES), np.uint8),
            "idf": self.vectorizer_.idf_,
            "unspaced": np.array(self.vectorizer_.analyzer == "char"),
        }

    def _read_terms(self, arrays: Mapping[str, np.ndarray]) -> None:
        terms = arrays["terms"].tobytes().decode("utf-8", SURROGATES).split("\n")
        self.vectorizer_ = _vectorizer(bool(arrays["unspaced"]))
        self.vectorizer_.vocabulary_ = {term: i for i, term in enumerate(terms)}
        self.vectorizer_.idf_ = arrays["idf"]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "TfidfBaseline":
        """The fitted baseline that `to_arrays` took apart.

        Example:

        >>> fitted = TfidfBaseline().fit(["good", "bad"], [1, 0])
        >>> again = TfidfBaseline.from_arrays(fitted.to_arrays())
        >>> text = ["good film"]
        >>> bool((again.predict_proba(text) == fitted.predict_proba(text)).all())
        True
        """
        from sklearn.linear_model import LogisticRegression

        baseline = cls()
        baseline.fallback_ = MajorityBaseline()
        baseline.fallback_.shares_ = arrays["shares"]
        baseline.num_classes_ = len(arrays["shares"])
        baseline.classifier_ = None
        baseline.note = bytes(arrays["note"]).decode() if "note" in arrays else ""
        if "terms" in arrays:
            baseline._read_terms(arrays)
            baseline.classifier_ = LogisticRegression()
            baseline.classifier_.coef_ = arrays["coef"]
            baseline.classifier_.intercept_ = arrays["intercept"]
            baseline.classifier_.classes_ = arrays["classes"]
        return baseline

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

    def _fit_terms(self, texts: list[str]) -> tuple[Any | None, str]:
        """The sparse TF-IDF matrix float32 (N, V), or None where there is no term."""
        most = MAX_WEIGHTS // self.num_classes_
        self.vectorizer_ = _vectorizer(
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


def fitted_or_stopped(classifier: Any, features: Any, labels: Any) -> str:
    """Fits a scikit-learn classifier; a note where its solver ran out of steps."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        classifier.fit(features, labels)
    if not any(issubclass(one.category, ConvergenceWarning) for one in caught):
        return ""
    return f"its solver was stopped after {classifier.max_iter} steps, still improving"


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


def _vectorizer(unspaced: bool, **settings: Any) -> Any:
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
