"""A text has one of several classes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_seq.data.label_format import is_marked
from keras_seq.data.label_names import join_labels
from keras_seq.data.splits import check_classes_differ
from keras_seq.data.store import Samples, SampleStore, stored
from keras_seq.errors import UserError
from keras_seq.evaluation.baselines import MajorityBaseline, TfidfBaseline
from keras_seq.evaluation.figures import confusion_matrix_figure
from keras_seq.evaluation.scores import report
from keras_seq.layers.ngrams import ngram_log_ratios
from keras_seq.losses import (
    adjusted_for_shares,
    auxiliary_loss,
    classification_loss,
)
from keras_seq.metrics import BalancedAccuracy, accuracy
from keras_seq.tasks.sentiment.ensemble import best_weights
from keras_seq.tasks.sentiment.targets import (
    ClassWeight,
    Mistake,
    Report,
    Scored,
    Target,
)


class OneLabel(Target):
    """One of C classes, and the probability of each.

    Args:
        label_names: C names.
        class_weights: one a class, so that each counts alike; None: samples do.

    Example:

    >>> target = OneLabel(["no", "yes"])
    >>> answer = target.answers(tf.constant([[0.9], [0.2]]))
    >>> answer["label"].numpy().tolist(), answer["probability"].numpy().round(2)
    ([b'yes', b'no'], array([0.9, 0.8], dtype=float32))
    """

    name = "class"
    trivial, tfidf = MajorityBaseline, TfidfBaseline

    def __init__(
        self, label_names: Sequence[str], class_weights: Sequence[float] | None = None
    ) -> None:
        self.label_names = list(label_names)
        self.class_weights = class_weights

    @classmethod
    def read(
        cls,
        samples: Samples,
        known: Sequence[str] = (),
        *,
        as_written: bool = False,
        may_be_numbers: bool = False,
    ) -> SampleStore:
        store = stored(samples)
        if any(map(is_marked, store.spellings)):
            raise UserError(f"{store}: several labels a text, where one is expected")
        store = join_labels(
            store, known, as_written=as_written, may_be_numbers=may_be_numbers
        )
        if not known:
            check_classes_differ(store)
        return store

    @classmethod
    def fit(cls, train: SampleStore, class_weight: ClassWeight) -> "OneLabel":
        check_classes_differ(train)
        counts = train.label_counts
        if class_weight == "none":
            return cls(list(counts))
        each = np.array(list(counts.values()), np.float64)
        return cls(list(counts), (each.mean() / each).tolist())

    def values(self, store: SampleStore) -> np.ndarray:
        """int32 (N,)."""
        return store.label_ids(self.label_names)

    def head(self) -> dict[str, Any]:
        return {"num_classes": len(self.label_names)}

    def ngram_ratios(self, batches: Iterable, buckets: int) -> np.ndarray:
        return ngram_log_ratios(batches, len(self.label_names), buckets)

    def recipe(self, documented: bool) -> dict[str, Any]:
        weights = self.class_weights
        if documented:
            recipe = {"loss": classification_loss(len(self.label_names))}
            weighed = {"class_weight": dict(enumerate(weights or ()))}
            return recipe | (weighed if weights else {})
        if weights is None:
            # The loss of a model that grows surer rises while more answers are right.
            watched = {"monitor": "val_accuracy", "mode": "max"}
            return {"loss": auxiliary_loss, "metrics": [accuracy], **watched}
        # Its least value is where each class counts alike: to answer the common class
        # alone is no minimum. It swings with the few samples of a rare one.
        loss = adjusted_for_shares(auxiliary_loss, [1 / weight for weight in weights])
        metrics = [accuracy, BalancedAccuracy(len(weights))]
        return {"loss": loss, "metrics": metrics, "patience": self.most_epochs // 4}

    @property
    def most_epochs(self) -> int:
        """A rare class has a few samples an epoch, and needs more of them."""
        return super().most_epochs * (1 if self.class_weights is None else 4)

    def apart(self, model: keras.Model, logits: keras.KerasTensor) -> keras.KerasTensor:
        """(B, C); of two classes the first has the logit 0."""
        if logits.shape[-1] > 1:
            return logits
        return ops.concatenate([ops.zeros_like(logits), logits], axis=-1)

    def head_weights(self, heads: np.ndarray, values: np.ndarray) -> np.ndarray:
        weights = self.class_weights
        return best_weights(
            heads, values, None if weights is None else np.array(weights)[values]
        )

    def answers(self, outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """label string (B,), probability float32 (B,), probabilities (B, C)."""
        if outputs.shape[-1] == 1:
            outputs = tf.concat([1 - outputs, outputs], axis=-1)
        names = tf.constant(self.label_names)
        return {
            "label": tf.gather(names, tf.argmax(outputs, axis=-1)),
            "probability": tf.reduce_max(outputs, axis=-1),
            "probabilities": outputs,
        }

    def facts(self) -> dict[str, Any]:
        return {"labels": self.label_names}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "OneLabel":
        return cls(facts["labels"])

    def ask(self, baseline: Any, texts: Sequence[str]) -> np.ndarray:
        return baseline.predict_proba(texts)

    def report(self, task: str, scored: Scored, notes: Mapping[str, str]) -> Report:
        return report(
            task,
            scored.labels,
            scored.answers,
            scored.baselines,
            self.label_names,
            groups=scored.groups,
            notes=notes,
        )

    def mistakes(
        self, truth: np.ndarray, answered: np.ndarray, texts: Sequence[str]
    ) -> Iterator[Mistake]:
        answers = answered.argmax(axis=1)
        for row in np.flatnonzero(answers != truth).tolist():
            sureness = float(answered[row].max())
            yield sureness, int(truth[row]), int(answers[row]), texts[row]

    def described(self, mistake: Mistake) -> str:
        sureness, label, answer, _ = mistake
        names = self.label_names
        return f"{names[answer]} {sureness:.3f}, but {names[label]}"

    def figure(self, truth: np.ndarray, answered: np.ndarray) -> np.ndarray:
        answers = answered.argmax(axis=1)
        return confusion_matrix_figure(truth, answers, self.label_names)
