"""What a text is answered with: one class, several labels, or a number.

Each kind is one object that says how samples are read, what the network learns, what
the SavedModel answers, and how both are scored; everything else of the task is the same
for all of them.

Shapes: B batch, N samples, P paths of the network, C labels.
"""

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_seq.data.store import Samples, SampleStore
from keras_seq.errors import UserError

ClassWeight = Literal["none", "balanced"]
Report = dict[str, Any]
# How sure, the truth, the answer, the text.
Mistake = tuple[float, Any, Any, str]


class Scored(NamedTuple):
    """What a network and its baselines answer to the same samples, and the report.

    Attributes:
        labels: (N,) or (N, C), the truth.
        answers: float (N, ...), the network's.
        baselines: the same of each baseline.
        groups: uint64 (N,), the same for copies of a text.
        examples: the first texts, 64 at most.
        mistakes: of the wrong answers those that the network was surest of, the surest
            first.
        report: of `Target.report`; empty until it is made.
    """

    labels: np.ndarray
    answers: np.ndarray
    baselines: dict[str, np.ndarray]
    groups: np.ndarray
    examples: list[str]
    mistakes: list[Mistake]
    report: Report = {}


class Target(abc.ABC):
    """A kind of answer, fitted on the train part.

    Attributes:
        name: of the kind, in model.json.
        trivial: the baseline that does not look at texts.
        tfidf: the one that is kept as arrays; it holds a trivial one.
        figure_name: of the picture of its answers.
        output: the answer that is scored.
        label_names: C names; none of a number.
    """

    name: ClassVar[str]
    trivial: ClassVar[Any]
    tfidf: ClassVar[Any]
    figure_name: ClassVar[str] = "confusion_matrix"
    output: ClassVar[str] = "probabilities"
    label_names: list[str]

    # Reading

    @classmethod
    @abc.abstractmethod
    def read(
        cls,
        samples: Samples,
        known: Sequence[str] = (),
        *,
        as_written: bool = False,
        may_be_numbers: bool = False,
    ) -> SampleStore:
        """Samples whose labels are checked, and have the names that train has."""

    @classmethod
    def names_of(cls, store: SampleStore) -> list[str]:
        """Names that occur, in order."""
        return list(store.label_counts)

    @classmethod
    def strata(cls, store: SampleStore) -> SampleStore:
        """The samples under labels of which each part shall have its share."""
        return store

    @classmethod
    @abc.abstractmethod
    def fit(cls, train: SampleStore, class_weight: ClassWeight) -> "Target":
        """The target of a train part; a UserError where there is nothing to learn."""

    @abc.abstractmethod
    def values(self, store: SampleStore) -> np.ndarray:
        """What the network learns of each sample: (N,) or (N, C)."""

    # Learning

    @abc.abstractmethod
    def head(self) -> dict[str, Any]:
        """Arguments of `build_sentiment_model`."""

    @abc.abstractmethod
    def ngram_ratios(self, batches: Iterable, buckets: int) -> np.ndarray:
        """What `build_sentiment_model` takes of the train part's n-grams."""

    @abc.abstractmethod
    def recipe(self, documented: bool) -> dict[str, Any]:
        """Loss, metrics and what is watched: arguments of `fit`.

        Args:
            documented: the model answers by itself; else with heads (B, P, C).
        """

    @property
    def most_epochs(self) -> int:
        """Passes over a small train part."""
        return 20

    def apart(self, model: keras.Model, logits: keras.KerasTensor) -> keras.KerasTensor:
        """A path's logits as its head's answer (B, C)."""
        del model
        return logits

    @abc.abstractmethod
    def head_weights(self, heads: np.ndarray, values: np.ndarray) -> np.ndarray:
        """What the heads' answers (N, P, C) are best added with: float64 (P,)."""

    # Answers

    @abc.abstractmethod
    def answers(self, outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """The readable answers of a model's outputs, as graph operations."""

    def tuned(self, validation: Scored) -> "Target":
        """The target with what validation data choose; itself where that is nothing."""
        del validation
        return self

    @abc.abstractmethod
    def facts(self) -> dict[str, Any]:
        """All that makes an equal one of `from_facts`, for model.json."""

    @classmethod
    @abc.abstractmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Target":
        """The target that an export has."""

    # Scores

    def baselines(self, seed: int) -> list[Any]:
        """Unfitted baselines, the one that is kept as arrays last."""
        return [self.trivial(), self.tfidf(seed=seed)]

    def saved_baselines(self, arrays: Mapping[str, np.ndarray]) -> list[Any]:
        """The same, fitted, from those arrays."""
        tfidf = self.tfidf.from_arrays(arrays)
        return [tfidf.fallback_, tfidf]

    def ask(self, baseline: Any, texts: Sequence[str]) -> np.ndarray:
        """A baseline's answers, as the network's `output`."""
        return baseline.predict(texts)

    @abc.abstractmethod
    def report(self, task: str, scored: Scored, notes: Mapping[str, str]) -> Report:
        """Scores with intervals, baselines and verdict."""

    @abc.abstractmethod
    def mistakes(
        self, truth: np.ndarray, answered: np.ndarray, texts: Sequence[str]
    ) -> Iterator[Mistake]:
        """The wrong answers, with how sure or how far off each is."""

    @abc.abstractmethod
    def described(self, mistake: Mistake) -> str:
        """What was answered and what is true, without the text."""

    def figure(self, truth: np.ndarray, answered: np.ndarray) -> np.ndarray | None:
        """A picture of the answers, `figure_name`, where there is one."""
        del truth, answered
        return None


def refuse_class_weight(class_weight: ClassWeight, why: str) -> None:
    """A UserError where weights of classes are asked for that there are not."""
    if class_weight != "none":
        raise UserError(f"--class-weight {class_weight}: {why}; leave it out")


def of_every_name(
    store: SampleStore, value_of: Callable[[str], Any], dtype: str
) -> np.ndarray:
    """A value by each sample's label, which is asked for once a distinct label."""
    names = list(store.label_counts)
    return np.array([value_of(name) for name in names], dtype)[store.label_ids(names)]
