"""Cheap answers to raw texts that are no single class: several labels, or a number.

The same TF-IDF terms as `baselines.TfidfBaseline`, under other linear models. They know
nothing of networks, and are kept as arrays.

Shapes: N texts, C labels, V terms.
"""

import abc
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from keras_seq.evaluation.baselines import (
    INVERSE_REGULARIZATION,
    MAX_STEPS,
    fitted_or_stopped,
)
from keras_seq.evaluation.tfidf_terms import TfidfTerms

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

PENALTY = 1.0  # of ridge: scikit-learn's own


class _TrainMean:
    """Answers every text with the mean of the train part's targets.

    Attributes:
        mean_: float64 () of numbers, (C,) of labels.
    """

    name: ClassVar[str]
    note = ""
    mean_: np.ndarray

    def fit(self, texts: Iterable[str], targets: np.ndarray) -> Self:
        """Takes the mean of targets (N,) or (N, C); the texts are not looked at."""
        del texts
        self.mean_ = np.asarray(targets, np.float64).mean(axis=0)
        return self

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """The mean, once a text: float64 (N,) or (N, C)."""
        count = sum(1 for _ in texts)
        return np.tile(self.mean_, (count, *(1 for _ in self.mean_.shape)))


class LabelShares(_TrainMean):
    """Answers every text with how often each label stands in train.

    Example:

    >>> LabelShares().fit([], np.array([[1, 0], [1, 1]])).predict(["a"]).tolist()
    [[1.0, 0.5]]
    """

    name = "label_shares"


class MeanNumber(_TrainMean):
    """Answers every text with the mean of train.

    Example:

    >>> MeanNumber().fit([], np.array([1.0, 4.0])).predict(["a", "b"]).tolist()
    [2.5, 2.5]
    """

    name = "mean"


class _LinearTexts(TfidfTerms, abc.ABC):
    """Weights and constants on TF-IDF terms; a trivial answer where there is no term.

    Attributes:
        fallback_: the trivial answer, fitted.
        coef_: float64 (C, V); None where the train texts hold no term.
        intercept_: float64 (C,).
    """

    name: ClassVar[str]
    trivial: ClassVar[type[_TrainMean]]
    fallback_: _TrainMean
    coef_: np.ndarray | None
    intercept_: np.ndarray

    @abc.abstractmethod
    def _fit_weights(self, features: "csr_matrix", targets: np.ndarray) -> str:
        """Sets `coef_` and `intercept_` from terms (N, V) and targets; a note or ""."""

    @abc.abstractmethod
    def _answers(self, sums: np.ndarray) -> np.ndarray:
        """What weighted sums float64 (N, C) say."""

    def fit(self, texts: Iterable[str], targets: np.ndarray) -> Self:
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
        self.fallback_ = self.trivial().fit((), targets)
        num_outputs = 1 if targets.ndim == 1 else targets.shape[1]
        kept, targets, cut = self._subsample(texts, targets)
        features, fewer_terms = self._fit_terms(kept, num_outputs)
        self.coef_, stopped = None, ""
        if features is not None:
            stopped = self._fit_weights(features, targets)
        self.note = "; ".join(filter(None, (cut, fewer_terms, stopped)))
        return self

    def predict(self, texts: Iterable[str]) -> np.ndarray:
        """Probabilities of labels float64 (N, C), or numbers (N,)."""
        if self.coef_ is None:
            return self.fallback_.predict(texts)
        blocks = [np.zeros((0, len(self.coef_)))]
        for features in self._features(texts):
            blocks.append(features @ self.coef_.T + self.intercept_)
        return self._answers(np.concatenate(blocks))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """All that `predict` needs, as arrays of plain types."""
        note = np.frombuffer(self.note.encode(), np.uint8)
        arrays = {"note": note, "trivial": np.asarray(self.fallback_.mean_)}
        if self.coef_ is not None:
            arrays |= self._term_arrays()
            arrays |= {"coef": self.coef_, "intercept": self.intercept_}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """The fitted baseline that `to_arrays` took apart."""
        baseline = cls()
        baseline.note = bytes(arrays["note"]).decode()
        baseline.fallback_ = cls.trivial()
        baseline.fallback_.mean_ = arrays["trivial"]
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

    def _fit_weights(self, features: "csr_matrix", targets: np.ndarray) -> str:
        from sklearn.linear_model import LogisticRegression

        coef, intercept, notes = [], [], set()
        for label in targets.T:
            share = np.clip(label.mean(), 1e-6, 1 - 1e-6)
            if len(np.unique(label)) < 2:  # nothing to tell apart
                coef.append(np.zeros(features.shape[1]))
                intercept.append(np.log(share / (1 - share)))
                continue
            one = LogisticRegression(C=INVERSE_REGULARIZATION, max_iter=MAX_STEPS)
            notes.add(fitted_or_stopped(one, features, label.astype(int)))
            coef.append(one.coef_[0])
            intercept.append(one.intercept_[0])
        self.coef_, self.intercept_ = np.stack(coef), np.array(intercept)
        return "; ".join(filter(None, notes))

    def _answers(self, sums: np.ndarray) -> np.ndarray:
        from scipy.special import expit

        return expit(sums)


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

    def _fit_weights(self, features: "csr_matrix", targets: np.ndarray) -> str:
        from sklearn.linear_model import Ridge

        ridge = Ridge(alpha=PENALTY, solver="sparse_cg", tol=1e-6).fit(
            features.astype(np.float64), targets
        )
        self.coef_ = ridge.coef_[np.newaxis]
        self.intercept_ = np.array([ridge.intercept_])
        return ""

    def _answers(self, sums: np.ndarray) -> np.ndarray:
        return sums[:, 0]
