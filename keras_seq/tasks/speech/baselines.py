"""Cheap ways to transcribe that a network must beat to be worth its time.

The most frequent transcript; and where every utterance is one label, logistic
regression on mean features. They see log-mel features and labels of the train part, and
nothing of networks.

Shapes: K utterances, T frames, F bands.
"""

import collections
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_seq.evaluation.baselines import MAX_STEPS, fitted_or_stopped
from keras_seq.evaluation.fitted import load_fitted, packed, unpacked


class MostFrequentBaseline:
    """Writes the most frequent transcript of the train part, whatever it is given.

    Example:

    >>> MostFrequentBaseline().fit([], ["no", "yes", "no"]).predict([None])
    ['no']
    """

    name = "most_frequent"
    note = ""

    def fit(
        self, features: Sequence[np.ndarray], transcripts: Sequence[str]
    ) -> "MostFrequentBaseline":
        """Counts the transcripts; the features are not looked at."""
        del features
        counts = collections.Counter(transcripts)
        self.transcript_ = min(counts, key=lambda text: (-counts[text], text))
        return self

    def predict(self, features: Sequence[np.ndarray]) -> list[str]:
        """The transcript, once an utterance."""
        return [self.transcript_] * len(features)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` reads."""
        return {"transcript": packed([self.transcript_])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "MostFrequentBaseline":
        """The fitted baseline that `to_arrays` took apart."""
        baseline = cls()
        (baseline.transcript_,) = unpacked(arrays["transcript"])
        return baseline


class MeanFeaturesBaseline:
    """Logistic regression on each utterance's mean, spread and thirds of its bands.

    Example:

    >>> quiet, loud = np.zeros((9, 40)), np.ones((9, 40))
    >>> baseline = MeanFeaturesBaseline().fit([quiet, loud] * 3, ["no", "yes"] * 3)
    >>> baseline.predict([loud, quiet])
    ['yes', 'no']
    """

    name = "mean_features_logistic"
    note = ""

    def fit(
        self, features: Sequence[np.ndarray], transcripts: Sequence[str]
    ) -> "MeanFeaturesBaseline":
        """Learns weights from float (T, F) each, and their labels."""
        from sklearn.linear_model import LogisticRegression

        rows = np.stack([_summary(each) for each in features])
        self.mean_, self.scale_ = rows.mean(0), rows.std(0) + 1e-6
        fitted = LogisticRegression(C=0.1, max_iter=MAX_STEPS)
        inputs = (rows - self.mean_) / self.scale_
        self.note = fitted_or_stopped(fitted, inputs, transcripts)
        self.labels_ = fitted.classes_.tolist()
        self.coef_, self.intercept_ = fitted.coef_, fitted.intercept_
        if len(self.labels_) == 2:  # scikit-learn keeps the second class alone
            half = np.array([[-0.5], [0.5]])  # so that a softmax is its sigmoid
            self.coef_, self.intercept_ = (
                half * self.coef_,
                half[:, 0] * self.intercept_,
            )
        return self

    def predict(self, features: Sequence[np.ndarray]) -> list[str]:
        """The likeliest label, once an utterance."""
        rows = np.stack([_summary(each) for each in features])
        logits = (rows - self.mean_) / self.scale_ @ self.coef_.T + self.intercept_
        return [self.labels_[number] for number in logits.argmax(axis=1)]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` reads."""
        names = ("coef", "intercept", "mean", "scale")
        arrays = {name: getattr(self, f"{name}_") for name in names}
        return arrays | {"labels": packed(self.labels_), "note": packed([self.note])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "MeanFeaturesBaseline":
        """The fitted baseline that `to_arrays` took apart."""
        baseline = cls()
        baseline.labels_ = unpacked(arrays["labels"])
        baseline.mean_, baseline.scale_ = arrays["mean"], arrays["scale"]
        baseline.coef_, baseline.intercept_ = arrays["coef"], arrays["intercept"]
        baseline.note = unpacked(arrays["note"])[0] if "note" in arrays else ""
        return baseline


def _summary(log_energies: np.ndarray) -> np.ndarray:
    """float64 (5 F,): mean, spread, and the means of three thirds."""
    thirds = np.array_split(log_energies, 3)
    means = [t.mean(0) if len(t) else log_energies.mean(0) for t in thirds]
    return np.concatenate([log_energies.mean(0), log_energies.std(0), *means])


BASELINES = (MostFrequentBaseline, MeanFeaturesBaseline)
FORMER = ("nearest_template",)  # that exports of earlier versions hold


def fit_speech_baselines(
    features: Sequence[np.ndarray], transcripts: Sequence[str], is_isolated: bool
) -> dict[str, Any]:
    """Fits the baselines on the train part.

    Args:
        features: K arrays float (T, F), log-mel frames before normalisation.
        transcripts: K texts.
        is_isolated: every utterance is one label; else the commonest transcript is all.

    Returns:
        Name to fitted baseline.
    """
    kinds = BASELINES if is_isolated and len(set(transcripts)) > 1 else BASELINES[:1]
    return {kind.name: kind().fit(features, transcripts) for kind in kinds}


def load_speech_baselines(path: Path) -> dict[str, Any]:
    """Reads what `save_fitted` wrote of them.

    Raises:
        UserError: The file is missing, or holds something else.
    """
    kind_of = {kind.name: kind for kind in BASELINES}.__getitem__
    return load_fitted(path, kind_of, skip=FORMER)
