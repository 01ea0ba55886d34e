"""The batches of a run, epoch after epoch, from wherever it stands."""

from typing import NamedTuple

import tensorflow as tf

from keras_seq.ranges import check_settings


class Length(NamedTuple):
    """How long a run is, as `fit` takes it.

    Example:

    >>> Length(epochs=3, initial_epoch=5).check()
    Traceback (most recent call last):
    ...
    ValueError: initial_epoch is 5; expected 0 to 3, the epochs
    """

    epochs: int
    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    validation_freq: int | list[int] = 1

    def check(self) -> None:
        """Raises UserError or ValueError where a number is out of its range."""
        check_settings(epochs=self.epochs)
        if not 0 <= self.initial_epoch <= self.epochs:
            raise ValueError(
                f"initial_epoch is {self.initial_epoch}; expected 0 to {self.epochs}, "
                "the epochs"
            )
        check_count("steps_per_epoch", self.steps_per_epoch)
        every = self.validation_freq
        for each in every if isinstance(every, list) else [every]:
            check_count("validation_freq", 0 if each is None else each)


def check_count(name: str, count: int | None) -> None:
    """Raises ValueError for what is no whole number above 0; None passes.

    Example:

    >>> check_count("steps_per_epoch", 2.5)
    Traceback (most recent call last):
    ...
    ValueError: steps_per_epoch is 2.5; expected a whole number above 0
    """
    if count is None:
        return
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ValueError(f"{name} is {count!r}; expected a whole number above 0")


def first_batches(validation: tf.data.Dataset, steps: int | None) -> tf.data.Dataset:
    """What is validated on: `steps` batches, or all that there are.

    Raises:
        ValueError: There are none, or they never end.

    Example:

    >>> len(list(first_batches(tf.data.Dataset.range(9).repeat(), 3)))
    3
    """
    check_count("validation_steps", steps)
    num_batches("validation_data", validation, needed=False, steps=steps)
    return validation if steps is None else validation.take(steps)


def num_batches(
    name: str, data: tf.data.Dataset, needed: bool, steps: int | None = None
) -> int | None:
    """Batches of an epoch; None where nobody knows.

    Args:
        name: of the argument, for errors.
        data: batches.
        needed: go through the data once to count, where it does not say.
        steps: as the user has it; None is all of the data.

    Raises:
        ValueError: The data has no batches, or no end and `steps` is None.
    """
    known = int(data.cardinality())
    if known == 0:
        raise ValueError(f"{name} has no batches")
    if steps is not None or known > 0:
        return known if steps is None else steps
    if known == tf.data.INFINITE_CARDINALITY:
        raise ValueError(
            f"{name} never ends; take(n) the batches of one epoch, or give the number "
            "of steps"
        )
    return sum(1 for _ in data) if needed else None


def endless(
    train: tf.data.Dataset, steps: int, epoch: int, batch: int, first_epoch: int = 0
) -> tf.data.Dataset:
    """The batches of a run from some epoch and batch on, epoch after epoch.

    A dataset that has a method `starting_at(epoch, batch)` is asked for it, and answers
    at once; `make_text_dataset` makes such. Any other is gone through again from its
    start, the `first_epoch`, which gives the same batches where its order is fixed by
    seeds.

    Example:

    >>> numbers = endless(tf.data.Dataset.range(3), steps=3, epoch=1, batch=2)
    >>> [int(n) for n in numbers.take(3)]
    [2, 0, 1]
    """
    if hasattr(train, "starting_at"):
        if (a_pass := int(train.cardinality())) > 0:
            epoch, batch = divmod(epoch * steps + batch, a_pass)
        return train.starting_at(epoch, batch)
    passed = (epoch - first_epoch) * steps + batch
    return train.repeat().skip(passed) if passed else train.repeat()
