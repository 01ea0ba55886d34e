"""Cheap ways to transcribe that a network must beat to be worth its time.

The most frequent transcript; and where every clip is one label, the nearest template by
dynamic time warping, and logistic regression on mean features. They see log-mel
features and labels of the train part, and nothing of networks.

Shapes: K clips, T frames, F bands, M cepstral coefficients.
"""

import collections
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_seq.evaluation.baselines import MAX_STEPS, fitted_or_stopped
from keras_seq.evaluation.fitted import load_fitted

COEFFICIENTS = 13
# The nearest of more templates is dearer to find, and seldom another label.
MAX_TEMPLATES = 1000
STRIDE = 2  # every second frame: 20 ms, as isolated words change no faster


def cepstra(log_energies: np.ndarray) -> np.ndarray:
    """Mel cepstral coefficients without their mean: float32 (T, M).

    Davis and Mermelstein 1980: the cosine transform parts the envelope of a spectrum
    from its detail.

    Args:
        log_energies: float (T, F), log-mel frames.

    Example:

    >>> cepstra(np.ones((5, 40))).shape
    (5, 13)
    """
    bands = log_energies.shape[1]
    place = (np.arange(bands) + 0.5) * np.pi / bands
    basis = np.cos(np.arange(min(COEFFICIENTS, bands))[:, None] * place)  # (M, F)
    found = log_energies @ basis.T * np.sqrt(2 / bands)
    return (found - found.mean(axis=0)).astype(np.float32)


class MostFrequentBaseline:
    """Writes the commonest transcript of the train part, whatever is said.

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
        """The transcript, once a clip."""
        return [self.transcript_] * len(features)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` reads."""
        return {"transcript": _bytes([self.transcript_])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "MostFrequentBaseline":
        """The fitted baseline that `to_arrays` took apart."""
        baseline = cls()
        (baseline.transcript_,) = _texts(arrays["transcript"])
        return baseline


class TemplateBaseline:
    """Gives a clip the label of the train clip that it is nearest to, bent in time.

    Sakoe and Chiba 1978, "Dynamic programming algorithm optimization for spoken word
    recognition": the distance of two clips is the least mean distance of their frames
    over all ways to stretch one to the other.

    Args:
        seed: of the subsample that large data is cut to.

    Attributes:
        note: what of the train part was not used, or "".

    Example:

    >>> low, high = np.linspace(0, 1, 40), np.linspace(1, 0, 40)
    >>> words = [np.tile(w, (9, 1)) * np.arange(9)[:, None] for w in (low, high)]
    >>> baseline = TemplateBaseline().fit(words, ["low", "high"])
    >>> baseline.predict([words[1][::2], words[0][1:]])
    ['high', 'low']
    """

    name = "nearest_template"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.note = ""

    def fit(
        self, features: Sequence[np.ndarray], transcripts: Sequence[str]
    ) -> "TemplateBaseline":
        """Keeps the clips, 1,000 at most: float (T, F) each, and their labels."""
        order = np.random.default_rng(self.seed).permutation(len(features))
        chosen = sorted(order[:MAX_TEMPLATES])
        if len(chosen) < len(order):
            cut = f"{len(chosen):,} of {len(order):,} clips"
            self.note = f"fitted on {cut}, drawn at random"
        self.labels_ = [transcripts[number] for number in chosen]
        self.templates_ = [cepstra(features[n])[::STRIDE] for n in chosen]
        return self

    def predict(self, features: Sequence[np.ndarray]) -> list[str]:
        """The label of the nearest template, once a clip."""
        lengths = np.array([len(template) for template in self.templates_])
        behind = lengths.max() - lengths
        padded = np.stack(
            [np.pad(t, ((0, n), (0, 0))) for t, n in zip(self.templates_, behind)]
        )
        distances = (
            warped_distances(cepstra(clip)[::STRIDE], padded, lengths)
            for clip in features
        )
        return [self.labels_[int(each.argmin())] for each in distances]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` reads."""
        return {
            "labels": _bytes(self.labels_),
            "frames": np.concatenate(self.templates_).astype(np.float16),
            "lengths": np.array([len(t) for t in self.templates_], np.int32),
            "note": _bytes([self.note]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "TemplateBaseline":
        """The fitted baseline that `to_arrays` took apart."""
        baseline = cls()
        baseline.labels_ = _texts(arrays["labels"])
        ends = np.cumsum(arrays["lengths"])[:-1]
        frames = arrays["frames"].astype(np.float32)
        baseline.templates_ = np.split(frames, ends)
        baseline.note = _note(arrays)
        return baseline


def warped_distances(
    clip: np.ndarray, templates: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """Dynamic time warping of one clip against many at once.

    Args:
        clip: float (T, M).
        templates: float (K, longest, M), padded at the end.
        lengths: int (K,), real frames of each template.

    Returns:
        float64 (K,): least total distance along a path, over the frames of both.

    Example:

    >>> clip = np.array([[0.0], [1.0]])
    >>> templates = np.array([[[0.0], [1.0], [1.0]], [[5.0], [5.0], [0.0]]])
    >>> warped_distances(clip, templates, np.array([3, 2])).tolist()
    [0.0, 2.25]
    """
    steps = templates.shape[1]
    squares = (clip**2).sum(1)[:, None, None] + (templates**2).sum(2).T[None]
    apart = squares - 2 * np.einsum("tm,ksm->tsk", clip, templates)
    apart = np.sqrt(np.maximum(apart, 0))  # (T, longest, K)
    cost = np.full((steps + 1, len(templates)), np.inf)
    cost[0] = 0
    for row in apart:
        before, cost = cost, np.full_like(cost, np.inf)
        for step in range(steps):
            nearest = np.minimum(np.minimum(before[step], before[step + 1]), cost[step])
            cost[step + 1] = row[step] + nearest
    return cost[lengths, np.arange(len(templates))] / (len(clip) + lengths)


class MeanFeaturesBaseline:
    """Logistic regression on each clip's mean, spread and thirds of its bands.

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

        rows = np.stack([_summary(clip) for clip in features])
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
        """The likeliest label, once a clip."""
        rows = np.stack([_summary(clip) for clip in features])
        logits = (rows - self.mean_) / self.scale_ @ self.coef_.T + self.intercept_
        return [self.labels_[number] for number in logits.argmax(axis=1)]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """What `from_arrays` reads."""
        names = ("coef", "intercept", "mean", "scale")
        arrays = {name: getattr(self, f"{name}_") for name in names}
        return arrays | {"labels": _bytes(self.labels_), "note": _bytes([self.note])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> "MeanFeaturesBaseline":
        """The fitted baseline that `to_arrays` took apart."""
        baseline = cls()
        baseline.labels_ = _texts(arrays["labels"])
        baseline.mean_, baseline.scale_ = arrays["mean"], arrays["scale"]
        baseline.coef_, baseline.intercept_ = arrays["coef"], arrays["intercept"]
        baseline.note = _note(arrays)
        return baseline


def _summary(log_energies: np.ndarray) -> np.ndarray:
    """float64 (5 F,): mean, spread, and the means of three thirds."""
    thirds = np.array_split(log_energies, 3)
    means = [t.mean(0) if len(t) else log_energies.mean(0) for t in thirds]
    return np.concatenate([log_energies.mean(0), log_energies.std(0), *means])


BASELINES = (MostFrequentBaseline, TemplateBaseline, MeanFeaturesBaseline)


def fit_speech_baselines(
    features: Sequence[np.ndarray], transcripts: Sequence[str], is_isolated: bool
) -> dict[str, Any]:
    """Fits the baselines on the train part.

    Args:
        features: K arrays float (T, F), log-mel frames before normalisation.
        transcripts: K texts.
        is_isolated: every clip is one label; else the commonest transcript is all.

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
    return load_fitted(path, {kind.name: kind for kind in BASELINES}.__getitem__)


def _bytes(texts: Sequence[str]) -> np.ndarray:
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def _note(arrays: Mapping[str, Any]) -> str:
    return bytes(arrays["note"]).decode() if "note" in arrays else ""


def _texts(array: np.ndarray) -> list[str]:
    return array.tobytes().decode().split("\n")
