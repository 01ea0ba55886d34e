"""Cheap answers to raw texts that are no single class: several labels, or a number.

The same TF-IDF terms as `baselines.TfidfBaseline`, under other linear models. They know
nothing of networks, and are kept as arrays.

Shapes: N texts, C labels, V terms.
"""

from collections.abc import Iterable, Mapping
from itertools import islice

import numpy as np

from keras_seq.evaluation.baselines import (
    INVERSE_REGULARIZATION,
    MAX_STEPS,
    PREDICT_ROWS,
    TfidfBaseline,
    fitted_or_stopped,
)

PENALTY = 1.0  # of ridge: scikit-learn's own


class LabelShares:
    """Answers every text with how often each label stands in train.

    Example:

    >>> LabelShares().fit([], np.array([[1, 0], [1, 1]])).predict(["a"]).tolist()
    [[1.0, 0.5]]
    """

    name = "label_shares"
    note = ""

    def fit(self, texts: Iterable[str], labels: np.ndarray) -> "LabelShares":
        """Counts labels (N, C) of 0 and 1; the texts are not looked at."""
        del texts
        self.shares_ = np.asarray(labels, np.float64).mean(axis=0)
        return self

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """The shares, once a text: float64 (N, C)."""
        return np.tile(self.shares_, (sum(1 for _ in texts), 1))


class MeanNumber:
    """Answers every text with the mean of train.

    Example:

    >>> MeanNumber().fit([], np.array([1.0, 4.0])).predict(["a", "b"]).tolist()
    [2.5, 2.5]
    """

    name = "mean"
    note = ""

    def fit(self, texts: Iterable[str], numbers: np.ndarray) -> "MeanNumber":
        """Takes the mean of numbers (N,); the texts are not looked at."""
        del texts
        self.mean_ = float(np.mean(numbers))
        return self

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """The mean, once a text: float64 (N,)."""
        return np.full(sum(1 for _ in texts), self.mean_)


class _LinearTexts(TfidfBaseline):
    """Weights float64 (C, V) and constants (C,) on TF-IDF terms, and a trivial answer.

    `coef_` is None where the train texts hold no term.
    """

    def fit(self, texts: Iterable[str], targets: np.ndarray) -> "_LinearTexts":
        """Learns terms and weights from the train part.

        Args:
            texts: N raw texts, iterated once.
            targets: (N,) or (N, C).

        Returns:
            Itself.

        Raises:
            ValueError: There are not as many targets as texts.
        """
        targets = np.asarray(targets, np.float64)
        self.num_classes_ = 1 if targets.ndim == 1 else targets.shape[1]
        self.fallback_ = self.trivial().fit((), targets)
        texts, targets, cut = self._subsample(texts, targets)
        features, fewer_terms = self._fit_terms(texts)
        self.coef_, stopped = None, ""
        if features is not None:
            self.coef_, self.intercept_, stopped = self._weights(features, targets)
        self.note = "; ".join(filter(None, (cut, fewer_terms, stopped)))
        return self

    def _sums(self, texts: Iterable[str]) -> np.ndarray:
        """Weighted sums of terms: float64 (N, C)."""
        texts, blocks = iter(texts), [np.zeros((0, self.num_classes_))]
        while block := list(islice(texts, PREDICT_ROWS)):
            features = self.vectorizer_.transform(block)
            blocks.append(features @ self.coef_.T + self.intercept_)
        return np.concatenate(blocks)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that `predict` needs, as arrays of plain types."""
        note = np.frombuffer(self.note.encode(), np.uint8)
        arrays = {"note": note, "trivial": np.asarray(self._trivial())}
        if self.coef_ is not None:
            arrays |= self._term_arrays()
            arrays |= {"coef": self.coef_, "intercept": self.intercept_}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "_LinearTexts":
        """The fitted baseline that `to_arrays` took apart."""
        baseline = cls()
        baseline.note = bytes(arrays["note"]).decode()
        trivial = arrays["trivial"]
        baseline.num_classes_ = max(1, trivial.size)
        baseline.fallback_ = cls.trivial().fit((), trivial[np.newaxis])
        baseline.coef_ = None
        if "terms" in arrays:
            baseline._read_terms(arrays)
            baseline.coef_, baseline.intercept_ = arrays["coef"], arrays["intercept"]
        return baseline


class TfidfLabels(_LinearTexts):
    """One logistic regression a label, against the rest, on the TF-IDF of word pairs.

    Example:

    >>> texts, labels = ["good", "loud", "good loud", "dull"], [[1, 0], [0, 1], [1, 1],
    ...                                                         [0, 0]]
    >>> baseline = TfidfLabels().fit(texts, labels)
    >>> (baseline.predict(["good", "loud"]) > 0.5).tolist()
    [[True, False], [False, True]]
    """

    name = "tfidf_logistic"
    trivial = LabelShares

    def _weights(
        self, features: object, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, str]:
        from sklearn.linear_model import LogisticRegression

        coef, intercept, notes = [], [], set()
        for label in labels.T:
            share = np.clip(label.mean(), 1e-6, 1 - 1e-6)
            if len(np.unique(label)) < 2:  # nothing to tell apart
                coef.append(np.zeros(features.shape[1]))
                intercept.append(np.log(share / (1 - share)))
                continue
            one = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=MAX_STEPS)
            notes.add(fitted_or_stopped(one, features, label.astype(int)))
            coef.append(one.coef_[0])
            intercept.append(one.intercept_[0])
        return np.stack(coef), np.array(intercept), "; ".join(filter(None, notes))

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """Probabilities of the labels: float64 (N, C)."""
        from scipy.special import expit

        if self.coef_ is None:
            return self.fallback_.predict(texts)
        return expit(self._sums(texts))

    def _trivial(self) -> np.ndarray:
        return self.fallback_.shares_


class TfidfRidge(_LinearTexts):
    """Ridge regression on the TF-IDF of word pairs.

    Example:

    >>> baseline = TfidfRidge().fit(["good", "bad"] * 9, np.array([5.0, 1.0] * 9))
    >>> good, bad, _ = baseline.predict(["good", "bad", "new"])
    >>> bool(good > 4 > 2 > bad)
    True
    """

    name = "tfidf_ridge"
    trivial = MeanNumber

    def _weights(
        self, features: object, numbers: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, str]:
        from sklearn.linear_model import Ridge

        ridge = Ridge(alpha=PENALTY, solver="sparse_cg", tol=1e-6).fit(
            features.astype(np.float64), numbers
        )
        return ridge.coef_[np.newaxis], np.array([ridge.intercept_]), ""

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """Numbers: float64 (N,)."""
        if self.coef_ is None:
            return self.fallback_.predict(texts)
        return self._sums(texts)[:, 0]

    def _trivial(self) -> float:
        return self.fallback_.mean_
