"""Cheap classifiers of raw texts that a network must beat to be worth its time.

They know nothing of tokenizers or networks: they see the raw texts and the labels of
the train part, and of the test part nothing but the texts they are asked about.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_seq.evaluation.bootstrap import checked_labels
from keras_seq.evaluation.tfidf_terms import TfidfTerms

# Inverse strength of the L2 penalty. On held-out parts of train files alone (IMDB by
# movie, rt-polarity, ChnSentiCorp hotels, waimai): 10 is within 0.2 points of the best
# of 1, 3, 10, 30 and 100 on each; scikit-learn's own 1 loses up to 2.4 points.
INVERSE_REGULARIZATION = 10.0
MAX_STEPS = 300  # of the solver


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


class TfidfBaseline(TfidfTerms):
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
        features, fewer_terms = self._fit_terms(texts, self.num_classes_)
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
        blocks = [np.zeros((0, self.num_classes_))]
        for features in self._features(texts):
            # A class that the subsample missed keeps probability 0.
            scored = np.zeros((features.shape[0], self.num_classes_))
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
