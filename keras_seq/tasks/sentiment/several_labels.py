"""A text has any number of several labels, each with a threshold of its own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.data.label_format import split_marked
from keras_seq.data.label_names import join_each_label
from keras_seq.data.labels import unknown_label
from keras_seq.data.places import listed
from keras_seq.data.store import Samples, SampleStore
from keras_seq.errors import UserError
from keras_seq.evaluation.label_sets import (
    NETWORK,
    choose_thresholds,
    label_set_report,
)
from keras_seq.evaluation.linear_texts import LabelShares, TfidfLabels
from keras_seq.layers.ngrams import ngram_label_ratios
from keras_seq.losses import heads_apart, label_loss
from keras_seq.metrics import MicroF1
from keras_seq.tasks.sentiment.ensemble import best_weights
from keras_seq.tasks.sentiment.targets import (
    ClassWeight,
    Mistake,
    Report,
    Scored,
    Target,
    of_every_name,
    refuse_class_weight,
)


class SeveralLabels(Target):
    """Which of C labels a text has, each by a probability and a threshold.

    Args:
        label_names: C names.
        thresholds: float (C,) of the "network" and of each baseline, chosen on
            validation data; None is 0.5 of all.

    Example:

    >>> target = SeveralLabels(["sad", "loud"], {"network": np.array([0.5, 0.1])})
    >>> answer = target.answers(tf.constant([[0.9, 0.2], [0.9, 0.0], [0.1, 0.0]]))
    >>> answer["labels"].numpy().tolist()
    [[b'sad', b'loud'], [b'sad', b''], [b'', b'']]
    """

    name = "labels"
    trivial, tfidf = LabelShares, TfidfLabels

    def __init__(
        self,
        label_names: Sequence[str],
        thresholds: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.label_names = list(label_names)
        self.thresholds = dict(thresholds or {})

    def _threshold(self, name: str) -> np.ndarray:
        return self.thresholds.get(name, np.full(len(self.label_names), 0.5))

    @classmethod
    def read(
        cls,
        samples: Samples,
        known: Sequence[str] = (),
        *,
        as_written: bool = False,
        may_be_numbers: bool = False,
    ) -> SampleStore:
        return join_each_label(samples, known, as_written=as_written)

    @classmethod
    def names_of(cls, store: SampleStore) -> list[str]:
        return sorted(
            {name for names in store.label_counts for name in split_marked(names)}
        )

    @classmethod
    def fit(cls, train: SampleStore, class_weight: ClassWeight) -> "SeveralLabels":
        refuse_class_weight(
            class_weight, "each label of several has a threshold of its own instead"
        )
        names = cls.names_of(train)
        if not names:
            raise UserError(f"{train}: no text has a label; expected one or more")
        if len(train.label_counts) == 1:
            what = f"every text has the labels {listed(names)}"
            raise UserError(f"{train}: {what}; there is nothing to tell apart")
        return cls(names)

    def values(self, store: SampleStore) -> np.ndarray:
        """float32 (N, C) of 0 and 1."""
        known = {name: number for number, name in enumerate(self.label_names)}
        for name in self.names_of(store):
            if name not in known:
                marked = (split_marked(names) for _, names in store)
                first = next(n for n, names in enumerate(marked) if name in names)
                raise unknown_label(store.place(first), name, self.label_names)

        def row(names: str) -> np.ndarray:
            holds = np.zeros(len(known), np.float32)
            holds[[known[name] for name in split_marked(names)]] = 1
            return holds

        return of_every_name(store, row, "float32")

    def head(self) -> dict[str, Any]:
        return {"num_classes": len(self.label_names), "target": "labels"}

    def ngram_ratios(self, batches: Iterable, buckets: int) -> np.ndarray:
        return ngram_label_ratios(batches, len(self.label_names), buckets)

    def recipe(self, documented: bool) -> dict[str, Any]:
        if documented:
            return {"loss": keras.losses.BinaryCrossentropy()}
        return {"loss": heads_apart(label_loss), "metrics": [MicroF1()]}

    def head_weights(self, heads: np.ndarray, values: np.ndarray) -> np.ndarray:
        # Each label of each text as one of two classes, the other with the logit 0.
        logits = np.moveaxis(heads, 1, 2).reshape(-1, heads.shape[1], 1)
        logits = np.concatenate([np.zeros_like(logits), logits], axis=-1)
        return best_weights(logits, values.reshape(-1).astype(int))

    def answers(self, outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """labels string (B, C), the likeliest first and "" behind; probabilities."""
        threshold = tf.constant(self._threshold(NETWORK), tf.float32)
        answered = outputs >= threshold  # (B, C)
        order = tf.argsort(
            tf.where(answered, outputs, -1.0), direction="DESCENDING", stable=True
        )
        names = tf.where(answered, tf.constant(self.label_names), "")
        return {
            "labels": tf.gather(names, order, batch_dims=1),
            "probabilities": outputs,
        }

    def tuned(self, validation: Scored) -> "SeveralLabels":
        answers = {NETWORK: validation.answers, **validation.baselines}.items()
        chosen = {n: choose_thresholds(validation.labels, one) for n, one in answers}
        return SeveralLabels(self.label_names, chosen)

    def facts(self) -> dict[str, Any]:
        thresholds = {name: each.tolist() for name, each in self.thresholds.items()}
        return {"labels": self.label_names, "thresholds": thresholds}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "SeveralLabels":
        thresholds = facts["thresholds"].items()
        return cls(facts["labels"], {name: np.array(each) for name, each in thresholds})

    def report(self, task: str, scored: Scored, notes: Mapping[str, str]) -> Report:
        names = NETWORK, *scored.baselines
        return label_set_report(
            task,
            scored.labels,
            scored.answers,
            scored.baselines,
            self.label_names,
            thresholds={name: self._threshold(name) for name in names},
            groups=scored.groups,
            notes=notes,
        )

    def mistakes(
        self, truth: np.ndarray, answered: np.ndarray, texts: Sequence[str]
    ) -> Iterator[Mistake]:
        threshold = self._threshold(NETWORK)
        answers = answered >= threshold
        for row in np.flatnonzero((answers != truth).any(axis=1)).tolist():
            wrong = answers[row] != truth[row]
            sureness = float(np.abs(answered[row] - threshold)[wrong].max())
            true, given = (
                tuple(np.flatnonzero(each).tolist())
                for each in (truth[row], answers[row])
            )
            yield sureness, true, given, texts[row]

    def described(self, mistake: Mistake) -> str:
        _, labels, answers, _ = mistake
        names = self.label_names
        true, given = (
            ", ".join(names[n] for n in each) or "no label"
            for each in (labels, answers)
        )
        return f"{given}, but {true}"
