"""A text has a number, such as stars, a price or a degree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_seq.data.label_format import is_marked, number_of
from keras_seq.data.store import Samples, SampleStore, stored
from keras_seq.data.tables import error_at
from keras_seq.errors import UserError
from keras_seq.evaluation.figures import predictions_figure
from keras_seq.evaluation.linear_texts import MeanNumber, TfidfRidge
from keras_seq.evaluation.number_scores import number_report
from keras_seq.layers.ngrams import ngram_means
from keras_seq.losses import heads_apart, scaled_squared_error
from keras_seq.metrics import mean_absolute_error
from keras_seq.tasks.sentiment.like import NUMBER
from keras_seq.tasks.sentiment.targets import (
    ClassWeight,
    Mistake,
    Report,
    Scored,
    Target,
    of_every_name,
    refuse_class_weight,
)

STRATA = 10  # parts of like numbers: each split has its share of high and low ones


class Number(Target):
    """One number, learned in units of the train part's spread, answered in its own.

    Args:
        mean: of the train part.
        scale: its standard deviation.

    Example:

    >>> target = Number(3.0, 1.5)
    >>> target.answers(tf.constant([[4.5]]))["number"].numpy().tolist()
    [4.5]
    """

    name = NUMBER
    trivial, tfidf = MeanNumber, TfidfRidge
    figure_name = "predictions"
    output = "number"
    label_names: list[str] = []

    def __init__(self, mean: float, scale: float) -> None:
        self.mean, self.scale = mean, scale

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
        counted = store.spelling_counts
        wrong = {x for x in counted if is_marked(x) or number_of(x) is None}
        if wrong:
            first = next(n for n, (_, label) in enumerate(store) if label in wrong)
            what = f"{sorted(wrong)[0]!r} is no number; --kind regression needs numbers"
            raise error_at(store.place(first), what)
        return store

    @classmethod
    def names_of(cls, store: SampleStore) -> list[str]:
        return []

    @classmethod
    def strata(cls, store: SampleStore) -> SampleStore:
        numbers = of_every_name(store, float, "float64")
        edges = np.quantile(numbers, np.arange(1, STRATA) / STRATA)
        return store.renamed(
            {
                x: f"stratum {np.searchsorted(edges, float(x), side='right')}"
                for x in store.spellings
            }
        )

    @classmethod
    def fit(cls, train: SampleStore, class_weight: ClassWeight) -> "Number":
        refuse_class_weight(class_weight, "numbers are no classes")
        numbers = of_every_name(train, float, "float64")
        scale = float(numbers.std())
        if not scale > 0:
            what = f"every text has the number {numbers[0]:g}"
            raise UserError(f"{train}: {what}; there is nothing to learn")
        return cls(float(numbers.mean()), scale)

    def values(self, store: SampleStore) -> np.ndarray:
        """float32 (N,)."""
        return of_every_name(store, float, "float32")

    def head(self) -> dict[str, Any]:
        units = {"target_mean": self.mean, "target_scale": self.scale}
        return {"target": "number", **units}

    def ngram_ratios(self, batches: Iterable, buckets: int) -> np.ndarray:
        return ngram_means(batches, self.mean, self.scale, buckets)

    def recipe(self, documented: bool) -> dict[str, Any]:
        loss = scaled_squared_error(self.scale)
        if documented:
            return {"loss": loss, "metrics": [keras.metrics.MeanAbsoluteError()]}
        return {"loss": heads_apart(loss), "metrics": [mean_absolute_error]}

    def apart(self, model: keras.Model, logits: keras.KerasTensor) -> keras.KerasTensor:
        """(B, 1), in the numbers' units."""
        return model.get_layer("number")(logits)

    def head_weights(self, heads: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Zero or more each, for the least squared error."""
        from scipy.optimize import nnls

        heads, values = (
            (each.astype(np.float64) - self.mean) / self.scale
            for each in (heads[..., 0], values)
        )
        return nnls(heads, values)[0]

    def answers(self, outputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """number float32 (B,)."""
        return {"number": outputs[:, 0]}

    def facts(self) -> dict[str, Any]:
        return {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Number":
        return cls(facts["mean"], facts["scale"])

    def report(self, task: str, scored: Scored, notes: Mapping[str, str]) -> Report:
        return number_report(
            task,
            scored.labels,
            scored.answers,
            scored.baselines,
            groups=scored.groups,
            notes=notes,
        )

    def mistakes(
        self, truth: np.ndarray, answered: np.ndarray, texts: Sequence[str]
    ) -> Iterator[Mistake]:
        for number, answer, text in zip(truth.tolist(), answered.tolist(), texts):
            yield abs(answer - number), number, answer, text

    def described(self, mistake: Mistake) -> str:
        _, number, answer, _ = mistake
        return f"{answer:.4g}, but {number:.4g}"

    def figure(self, truth: np.ndarray, answered: np.ndarray) -> np.ndarray:
        return predictions_figure(truth, answered)
