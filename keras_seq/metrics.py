"""Metrics used inside fit. Pure Keras; they know nothing of models.

Shapes: B batch, T time steps, V vocabulary, C classes, P paths.
"""

import keras
from keras import KerasTensor, ops

from keras_seq.constants import PAD_ID


class Perplexity(keras.metrics.Metric):
    """exp(total cross-entropy / total tokens): not the mean of the batches' values.

    A target of 0 is none, and counts for nothing.

    Example:

    >>> perplexity = Perplexity()
    >>> perplexity.update_state(ops.array([[2, 0]]), ops.zeros((1, 2, 4)))
    >>> round(float(perplexity.result()), 3)
    4.0
    """

    def __init__(self, name: str = "perplexity", **kwargs: object) -> None:
        super().__init__(name=name, **kwargs)
        self._total = self.add_variable((), "zeros", name="cross_entropy")
        self._tokens = self.add_variable((), "zeros", name="tokens")

    def update_state(
        self,
        targets: KerasTensor,
        logits: KerasTensor,
        sample_weight: KerasTensor | None = None,
    ) -> None:
        # As Keras casts targets for a loss: TensorFlow then computes both at once.
        targets = ops.cast(targets, logits.dtype)
        each = keras.losses.sparse_categorical_crossentropy(
            targets, logits, from_logits=True
        )
        present = ops.cast(ops.not_equal(targets, PAD_ID), each.dtype)
        self._total.assign_add(ops.sum(each * present))
        self._tokens.assign_add(ops.sum(present))

    def result(self) -> KerasTensor:
        return ops.exp(self._total / ops.maximum(self._tokens, 1.0))


@keras.saving.register_keras_serializable("keras_seq")
class TagAccuracy(keras.metrics.Metric):
    """Share of right tags over all words: not the mean of the batches' shares.

    A tag below 0 is none, and counts for nothing.

    Example:

    >>> right = TagAccuracy()
    >>> logits = ops.array([[[0, 1.0], [0, 1], [1, 0]]])
    >>> right.update_state(ops.array([[1, 0, -1]]), logits)
    >>> float(right.result())
    0.5
    """

    def __init__(self, name: str = "accuracy", **kwargs: object) -> None:
        super().__init__(name=name, **kwargs)
        self._right = self.add_variable((), "zeros", name="right")
        self._words = self.add_variable((), "zeros", name="words")

    def update_state(
        self,
        tags: KerasTensor,
        logits: KerasTensor,
        sample_weight: KerasTensor | None = None,
    ) -> None:
        right = ops.equal(ops.cast(tags, "int32"), self.answers(logits))
        self._right.assign_add(ops.sum(ops.cast(right, self._right.dtype)))
        self._words.assign_add(ops.sum(ops.cast(tags >= 0, self._words.dtype)))

    def answers(self, logits: KerasTensor) -> KerasTensor:
        """int32 (B, T), the tags that a model answers."""
        return ops.cast(ops.argmax(logits, axis=-1), "int32")

    def result(self) -> KerasTensor:
        return self._right / ops.maximum(self._words, 1.0)


def accuracy(labels: KerasTensor, logits: KerasTensor) -> KerasTensor:
    """How often the mean of several answers is right.

    Args:
        labels: int (B,) or (B, 1).
        logits: float (B, P, C).

    Returns:
        float (B,): 1 where the class with the largest mean logit is the label.

    Example:

    >>> logits = ops.array([[[0.0, 3.0], [1.0, 0.0]]])
    >>> accuracy(ops.array([1]), logits).numpy().tolist()
    [1.0]
    """
    answers = ops.argmax(ops.mean(logits, axis=1), axis=-1)
    labels = ops.cast(ops.reshape(labels, (-1,)), answers.dtype)
    return ops.cast(ops.equal(answers, labels), "float32")


class MicroF1(keras.metrics.Metric):
    """F1 over all labels of all samples, of the mean of several heads' logits.

    A label is answered where its probability is above one half.

    Example:

    >>> f1 = MicroF1()
    >>> f1.update_state(ops.array([[1.0, 1.0]]), ops.array([[[2.0, -2.0]]]))
    >>> round(float(f1.result()), 3)
    0.667
    """

    def __init__(self, name: str = "micro_f1", **kwargs: object) -> None:
        super().__init__(name=name, **kwargs)
        self._both = self.add_variable((), "zeros", name="true_positives")
        self._either = self.add_variable((), "zeros", name="labels_and_answers")

    def update_state(
        self,
        labels: KerasTensor,
        logits: KerasTensor,
        sample_weight: KerasTensor | None = None,
    ) -> None:
        labels = ops.cast(labels, self._both.dtype)
        answers = ops.cast(ops.mean(logits, axis=1) > 0, self._both.dtype)
        self._both.assign_add(ops.sum(labels * answers))
        self._either.assign_add(ops.sum(labels) + ops.sum(answers))

    def result(self) -> KerasTensor:
        return 2 * self._both / ops.maximum(self._either, 1.0)


class BalancedAccuracy(keras.metrics.Metric):
    """Mean over the classes that occur of how often each is found.

    Of the mean of several heads' logits, as `accuracy` scores it.

    Args:
        num_classes: C.

    Example:

    >>> found = BalancedAccuracy(2)
    >>> yes = [[0.0, 1.0]]
    >>> found.update_state(ops.array([1, 1, 1, 0]), ops.array([yes, yes, yes, yes]))
    >>> float(found.result())
    0.5
    """

    def __init__(
        self, num_classes: int, name: str = "balanced_accuracy", **kwargs: object
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        shape = (num_classes,)
        self._right = self.add_variable(shape, "zeros", name="right")
        self._samples = self.add_variable(shape, "zeros", name="samples")

    def update_state(
        self,
        labels: KerasTensor,
        logits: KerasTensor,
        sample_weight: KerasTensor | None = None,
    ) -> None:
        labels = ops.reshape(labels, (-1,))
        of_class = ops.one_hot(ops.cast(labels, "int32"), self.num_classes)
        right = ops.expand_dims(accuracy(labels, logits), -1)
        of_class = ops.cast(of_class, self._right.dtype)
        self._samples.assign_add(ops.sum(of_class, axis=0))
        self._right.assign_add(
            ops.sum(of_class * ops.cast(right, of_class.dtype), axis=0)
        )

    def result(self) -> KerasTensor:
        shares = self._right / ops.maximum(self._samples, 1.0)
        occur = ops.sum(ops.cast(self._samples > 0, shares.dtype))
        return ops.sum(shares) / ops.maximum(occur, 1.0)

    def get_config(self) -> dict:
        """What makes an equal one."""
        return super().get_config() | {"num_classes": self.num_classes}


def mean_absolute_error(targets: KerasTensor, answers: KerasTensor) -> KerasTensor:
    """How far the mean of several heads' answers is off, in the targets' units.

    Args:
        targets: (B,) or (B, 1).
        answers: float (B, P, 1).

    Returns:
        float (B,).

    Example:

    >>> answers = ops.array([[[1.0], [3.0]]])
    >>> float(mean_absolute_error(ops.array([5.0]), answers)[0])
    3.0
    """
    mean = ops.mean(answers, axis=(1, 2))
    return ops.abs(ops.cast(ops.reshape(targets, (-1,)), mean.dtype) - mean)
